/**
 * The catalogue of attacks: every one of them has a case, here or where the part that meets it is tested.
 *
 * Cases in the proxy's own files begin with the number of their attack. Attacks on tokens, sessions, policies and
 * secrets are met before the proxy; for these the table names the file and the words of the case.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const catalogue = [
  ...numbers('A', 1, 2, 3, 4, 6, 7, 8, 9, 11, 12),
  ...numbers('B', 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19),
  ...numbers('C', 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14),
  ...numbers('D', 1, 2, 3, 4, 6, 7, 8),
  ...numbers('E', 1, 2, 3, 4, 6),
  ...numbers('F', 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22),
  ...numbers('G', 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 20),
  ...numbers('H', 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14),
  ...numbers('I', 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12),
  ...numbers('J', 1, 2, 3, 4, 5, 6, 7, 8, 9, 11),
  ...numbers('K', 1, 2, 3, 4, 6, 7, 8),
  ...numbers('L', 1, 2, 3, 4, 6, 7),
  ...numbers('M', 1, 2, 3, 4, 6, 7),
]

function numbers(letter: string, ...list: readonly number[]): string[] {
  return list.map((number) => `${letter}${String(number).padStart(2, '0')}`)
}

type Place = readonly [file: string, words: string]

/** What is met before the proxy: file under `packages`, and words of the title or of the row. */
const elsewhere: Readonly<Record<string, readonly Place[]>> = {
  I03: [['node/test/session-flow.test.ts', 'is over when it has been revoked']],
  G01: [['node/test/verify-jwt.test.ts', 'it is not signed']],
  G02: [['node/test/verify-jwt.test.ts', 'the public key served as HMAC secret']],
  G03: [['node/test/verify-jwt.test.ts', 'by a second issuer’s keys, though that one is trusted too']],
  G04: [['node/test/verify-jwt.test.ts', 'may have as audience']],
  G06: [['node/test/verify-jwt.test.ts', 'for %s in its header before any key is fetched']],
  G07: [['node/test/keys.test.ts', 'are fetched ten times at most for 10,000 unknown names in five seconds']],
  G08: [
    ['node/test/keys.test.ts', 'stay in use for a day while the issuer fails, not longer'],
    ['node/test/keys.test.ts', 'an answer that is no key set'],
  ],
  G09: [['node/test/verify-cache.test.ts', 'knows tokens by all of their text, not by how they begin']],
  G11: [['node/test/presets-asked.test.ts', 'shows a token to nobody when two issuers could have made it']],
  G12: [
    ['node/test/verify-access-token.test.ts', 'is not used past its end'],
    ['node/test/revocations.test.ts', 'what does not tell when it was issued counts as issued before'],
  ],
  G13: [['node/test/verify-laws.test.ts', 'any text ends in a refusal with a code']],
  G14: [['core/test/hostile-names.test.ts', 'const groups = Array.from({ length: 10_000 }']],
  G16: [['node/test/verify-jwt.test.ts', 'it is bound to a key']],
  G17: [
    ['core/test/decide.test.ts', 'an unverified e-mail address'],
    ['core/test/presets.test.ts', 'a@gmail.com.evil.example'],
  ],
  G19: [['node/test/policy-exchange.test.ts', 'asks for what one question needs']],
  G20: [['node/test/secret-ring.test.ts', 'equals the same text only']],
  H01: [['node/test/session-attacks.test.ts', 'is never the one of the sign-in (fixation)']],
  H03: [['node/test/session-flow.test.ts', 'cookie that scripts, subdomains and plain http cannot touch']],
  H04: [['node/test/session-attacks.test.ts', 'never leads away']],
  H06: [['node/test/session-attacks.test.ts', '(login CSRF)']],
  H07: [['node/test/session-attacks.test.ts', '(mix-up)']],
  H08: [['node/test/session-refresh.test.ts', 'use the refresh token once']],
  H09: [['node/test/session-attacks.test.ts', 'cannot sign the person out from another site']],
  H11: [['node/test/revocation-doors.test.ts', 'refuses a token with %s, and revokes nothing']],
  L07: [['node/test/session-flow.test.ts', 'keeps at most five sign-ins under way, the newest']],
  M03: [
    ['core/test/json.test.ts', 'refuses %s'],
    ['core/test/parse.test.ts', 'stop an anchor bomb before it grows'],
  ],
  M06: [['node/test/secret-ring.test.ts', 'gives the newest first, and the one before for the overlap']],
}

const packages = join(import.meta.dirname, '../..')
const own = readdirSync(import.meta.dirname)
  .filter((name) => /^proxy-.*\.test\.ts$/.test(name))
  .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
const cli = readFileSync(join(packages, 'cli/test/proxy.test.ts'), 'utf8')

/** Titles and rows that begin with numbers of attacks. */
const numbered = new Set(
  [...own, cli].flatMap((text) =>
    [...text.matchAll(/['"`]((?:[A-M]\d{2} )+)/g)].flatMap(([, ids = '']) => ids.trim().split(' ')),
  ),
)

describe('every attack of the catalogue', () => {
  test('has a case', () => {
    expect(catalogue.filter((id) => !numbered.has(id) && elsewhere[id] === undefined)).toEqual([])
  })

  test('is in the catalogue, when a case names it', () => {
    expect([...numbered].filter((id) => !catalogue.includes(id))).toEqual([])
  })

  test('is one of as many as the page says, and those it names are in the catalogue', () => {
    const page = readFileSync(join(packages, '../docs/proxy-attacks.md'), 'utf8')
    expect(page).toContain(`a list of ${catalogue.length} attacks`)
    const named = [...page.matchAll(/^\| ([A-M]\d\d(?:, [A-M]\d\d)*) \|/gm)].flatMap(([, ids = '']) =>
      ids.split(', '),
    )
    expect(named.length).toBeGreaterThan(15)
    expect(named.filter((id) => !catalogue.includes(id))).toEqual([])
  })

  test.each(Object.entries(elsewhere))('%s has its case where the table says', (_, places) => {
    for (const [file, words] of places) {
      const text = readFileSync(join(packages, file), 'utf8')
      expect({ file, has: text.includes(words) ? words : undefined }).toEqual({ file, has: words })
    }
  })
})
