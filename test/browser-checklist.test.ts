/** Every item of the browser checklist is shown by tests that exist, or says why it is not done. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

/** How many items each letter has. */
const items: Readonly<Record<string, number>> = {
  A: 18,
  B: 14,
  C: 16,
  D: 11,
  E: 11,
  F: 10,
  G: 8,
  H: 11,
  I: 8,
  J: 8,
  K: 5,
  L: 6,
  N: 6,
  O: 9,
  P: 5,
  Q: 3,
  R: 5,
  S: 3,
}

const root = new URL('../', import.meta.url)
const page = readFileSync(new URL('docs/browser-checklist.md', root), 'utf8')
const rows = [...page.matchAll(/^\| ([A-Z]\d+) \| (.+?) \| (.+) \|$/gm)].map(
  ([, id = '', what = '', shown = '']) => ({
    id,
    what,
    shown,
  }),
)

/** Whether a test, or a case of one, has this title. */
function hasTitle(file: string, title: string): boolean {
  const url = new URL(`packages/browser/test/${file}`, root)
  if (!existsSync(url)) return false
  const source = readFileSync(url, 'utf8')
  return [`'${title}'`, `"${title}"`, `\`${title}\``].some((quoted) => source.includes(quoted))
}

/** What is wrong with the last cell of a row; `undefined` when nothing is. */
function faultOf(id: string, shown: string): string | undefined {
  if (shown.startsWith('Why not: ')) return shown.length > 40 ? undefined : 'says nothing'
  for (const part of shown.split('<br>')) {
    const [, name = '', title = ''] = /^([\w-]+): (.+)$/.exec(part) ?? []
    const file = ['.test.ts', '.test.tsx'].map((end) => name + end).find((each) => hasTitle(each, title))
    if (file === undefined) return `names no test: ${part}`
    if (!new RegExp(`\\b${id}\\b`).test(title)) return `names a test that is not about it: ${part}`
  }
  return undefined
}

describe('the browser checklist', () => {
  test('has one row for each item, in order', () => {
    const expected = Object.entries(items).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    )
    expect(rows.map(({ id }) => id)).toEqual(expected)
    expect(expected).toHaveLength(157)
  })

  test('shows each by tests that exist and name it, or says why not', () => {
    const faults = rows.flatMap(({ id, shown }) => {
      const fault = faultOf(id, shown)
      return fault === undefined ? [] : [`${id} ${fault}`]
    })
    expect(faults).toEqual([])
  })

  test('would notice a title that is gone, one of another item, an empty reason and an item left open', () => {
    expect(faultOf('A1', 'before-redirect: is no longer there (A1)')).toMatch('names no test')
    expect(faultOf('A1', 'nowhere: is refused when it %s (A1, A3, A6)')).toMatch('names no test')
    expect(faultOf('A2', 'before-redirect: is refused when it %s (A1, A3, A6)')).toMatch('not about it')
    expect(faultOf('A1', 'Why not: later')).toBe('says nothing')
    expect(faultOf('A1', 'open')).toMatch('names no test')
  })
})
