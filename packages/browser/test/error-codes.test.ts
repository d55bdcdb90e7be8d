/** Checklist S1: every code that a page can meet is in the guide, with the step it belongs to and whether trying again can help. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const source = new URL('../src/', import.meta.url)
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)
/** As texts: what a comment says of a code does not throw it. */
const thrown = new Set(
  files.flatMap((file) =>
    [...readFileSync(new URL(file, source), 'utf8').matchAll(/'(HFAUTH_[A-Z_]+)'/g)].map(([, code]) => code),
  ),
)
const guide = readFileSync(new URL('../../../docs/guide/browser-sign-in.md', import.meta.url), 'utf8')
const rows = [...guide.matchAll(/^\| `(HFAUTH_[A-Z_]+)` \| (.+) \| (.+) \| (.+) \|$/gm)].map(
  ([, code = '', step = '', retryable = '', what = '']) => ({ code, step, retryable, what }),
)

describe('the codes of errors', () => {
  test('are those in the table of the guide, once each (S1)', () => {
    expect(thrown.size).toBeGreaterThan(10)
    expect(rows.map(({ code }) => code).sort()).toEqual([...thrown].sort())
  })

  test('have a step, a word on trying again, and what to do (S1)', () => {
    for (const { step, retryable, what } of rows) {
      expect(step.length).toBeGreaterThan(3)
      expect(retryable).toMatch(/^(yes|no|as told)/)
      expect(what.length).toBeGreaterThan(5)
    }
  })
})
