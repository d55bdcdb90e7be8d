/**
 * Checklist C9 on vectors that others made, in a real Chromium: JSON Web Signatures of Project Wycheproof, and RFC 7515.
 *
 * The vectors are those of `packages/node`. A page takes RS256 alone, so everything else in them has to be refused, valid or
 * not; and what is RS256 has to be judged as its author says.
 */
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium } from './chromium.ts'
import { bundle } from './support/bundle.ts'

const folder = new URL('../../node/test/vectors/', import.meta.url)
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))

interface Vector {
  readonly name: string
  readonly jws: string
  readonly keys: readonly object[]
  readonly valid: boolean
}

interface Group {
  readonly comment: string
  readonly public?: { readonly keys?: readonly object[] }
  readonly private?: { readonly keys?: readonly object[] }
  readonly tests: readonly { tcId: number; jws: unknown; result: string; comment: string }[]
}

function vectorsOf(file: string): Vector[] {
  return (read(`wycheproof/${file}`).testGroups as Group[]).flatMap(({ tests, ...group }) =>
    tests.flatMap(({ tcId, jws, result, comment }) => {
      const key = group.public ?? group.private ?? {}
      const name = `${tcId} ${group.comment}, ${comment}`
      // Not all of them are in the compact form.
      return typeof jws === 'string'
        ? [{ name, jws, keys: key.keys ?? [key], valid: result === 'valid' }]
        : []
    }),
  )
}

/** What the header says; in some vectors it is no JSON. */
function algorithmOf(jws: string): unknown {
  try {
    return JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString()).alg
  } catch {
    return undefined
  }
}

let browser: Browser
let page: Page

beforeAll(async () => {
  browser = await launchChromium()
  page = await browser.newPage()
  // A secure context, as every page that signs in.
  await page.route('https://app.example/', (route) => route.fulfill({ body: '<!doctype html>' }))
  await page.goto('https://app.example/')
  const text = `
    import { assertSignature } from './src/provider/signature.ts'
    globalThis.judge = (vectors) => Promise.all(vectors.map(({ jws, keys }) => {
      const settings = { fetch: async () => Response.json({ keys }), requestTimeoutMs: 60_000, now: Date.now }
      return assertSignature(settings, 'https://hub.example/jwks', jws).then(() => true, () => false)
    }))`
  await page.addScriptTag({ content: await bundle({ text }, { format: 'iife' }) })
})
afterAll(() => browser?.close())

const judge = (vectors: readonly Vector[]): Promise<boolean[]> =>
  page.evaluate(
    (given) => (globalThis as unknown as { judge(v: object): Promise<boolean[]> }).judge(given),
    vectors,
  )

describe('a signature in Chromium', () => {
  test.each([
    ['json_web_signature_test.json', 8, []],
    // A key from a chip with a known fault: to tell one takes a table of remainders, and is the provider's to do.
    ['json_web_crypto_test.json', 2, [46]],
    ['json_web_key_test.json', 2, [7]],
  ])('of %s is judged as its author says, and taken for RS256 alone (C9)', async (file, taken, weak) => {
    const vectors = vectorsOf(file)
    const outcomes = await judge(vectors)
    const wrong = vectors.filter(
      ({ jws, valid }, index) => outcomes[index] !== (valid && algorithmOf(jws) === 'RS256'),
    )
    expect(wrong.map(({ name }) => Number.parseInt(name, 10))).toEqual(weak)
    expect(outcomes.filter(Boolean)).toHaveLength(taken)
  })

  test.each([
    ['A.1', false],
    ['A.2', true],
    ['A.3', false],
    ['A.4', false],
    ['A.5', false],
  ])('of RFC 7515 %s is taken: %s (C9)', async (section, expected) => {
    const examples: Record<string, { key?: object; jws: string }> = read('rfc7515/examples.json')
    const { jws, key } = examples[section] ?? expect.unreachable('no such example')
    const keys = [key ?? examples['A.2']?.key ?? {}]
    expect(await judge([{ name: section, jws, keys, valid: expected }])).toEqual([expected])
  })
})
