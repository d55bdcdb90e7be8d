/**
 * Signatures on vectors that others made: Wycheproof, and the examples of RFC 7515, RFC 7520 and RFC 8037.
 * Each runs through both checks, and JWS also through jose's own, so that they are held to the same answers.
 */
import { createHmac, createPublicKey } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Preset } from '@hfauth/core'
import { compactVerify, createLocalJWKSet, type JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { readKeySet } from '../src/keys/key-set.ts'
import { prepareNodeCheck } from '../src/keys/node-signature.ts'
import { importPublicKey } from '../src/keys/signature.ts'
import type { SignatureCheck } from '../src/keys/signature-check.ts'
import { prepareWebCheck } from '../src/keys/web-signature.ts'
import { decodeBase64url } from '../src/token/base64url.ts'
import { readJwtPart } from '../src/token/compact-jwt.ts'
import { checkHeader } from '../src/verify/check-header.ts'

const folder = new URL('vectors/', import.meta.url)
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))

const checks = { 'node:crypto': prepareNodeCheck, WebCrypto: prepareWebCheck } as const
type Check = keyof typeof checks

interface RawGroup {
  readonly publicKeyDer: string
  readonly tests: readonly { tcId: number; msg: string; sig: string; result: string; comment: string }[]
}

async function prepared(jwk: object, algorithm: string, name: Check): Promise<SignatureCheck> {
  const key = await importPublicKey({ ...jwk }, algorithm)
  const check = key === undefined ? undefined : checks[name](key, algorithm)
  return check ?? expect.unreachable(`the key was not imported for ${algorithm}`)
}

describe.each(Object.keys(checks) as Check[])('%s agrees with Wycheproof', (name) => {
  test.each([
    ['ES256', 'ecdsa_secp256r1_sha256_p1363_test.json', 262],
    ['ES384', 'ecdsa_secp384r1_sha384_p1363_test.json', 280],
    ['ES512', 'ecdsa_secp521r1_sha512_p1363_test.json', 318],
    ['EdDSA', 'ed25519_test.json', 151],
    ['PS256', 'rsa_pss_2048_sha256_mgf1_32_test.json', 108],
    ['RS256', 'rsa_signature_2048_sha256_test.json', 259],
  ])('on every %s signature of %s', async (algorithm, file, count) => {
    const wrong: string[] = []
    let seen = 0
    for (const group of read(`wycheproof/${file}`).testGroups as RawGroup[]) {
      const der = Buffer.from(group.publicKeyDer, 'hex')
      const jwk = createPublicKey({ key: der, format: 'der', type: 'spki' }).export({ format: 'jwk' })
      const check = await prepared(jwk, algorithm, name)
      for (const { tcId, msg, sig, result, comment } of group.tests) {
        seen++
        const accepted = await check(Buffer.from(msg, 'hex').toString('latin1'), Buffer.from(sig, 'hex'))
        // The one acceptable case leaves out NULL parameters in the padding: nobody has to take it.
        if (accepted !== (result === 'valid')) wrong.push(`${tcId} ${result}: ${comment}`)
      }
    }
    expect(wrong).toEqual([])
    expect(seen).toBe(count)
  })
})

const ours = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const
const everyAlgorithm = { name: 'any', algorithms: ours, accessTokens: 'none' } as unknown as Preset

/** What the verifier does with a JWS, short of reading its payload, which in these vectors is no JSON. */
async function accepts(jws: string, keys: readonly JWK[], name: Check): Promise<boolean> {
  try {
    const [head = '', payload = '', signature = '', ...more] = jws.split('.')
    const bytes = decodeBase64url(signature)
    if (more.length > 0 || bytes === undefined || decodeBase64url(payload) === undefined) return false
    const { typ: _, ...header } = readJwtPart(head) ?? expect.unreachable('no header')
    const { algorithm, kid } = checkHeader(header, everyAlgorithm)
    const set = await readKeySet({ status: 200, text: JSON.stringify({ keys }) }, 'the vector', ours)
    const key = set.find(kid, algorithm)
    const jwk = keys.find((candidate) => kid === undefined || candidate.kid === kid)
    if (key === undefined || jwk === undefined) return false
    return await (await prepared(jwk, algorithm, name))(`${head}.${payload}`, bytes)
  } catch {
    return false
  }
}

async function joseAccepts(jws: string, keys: readonly JWK[]): Promise<boolean> {
  try {
    await compactVerify(jws, createLocalJWKSet({ keys: [...keys] }), { algorithms: [...ours] })
    return true
  } catch {
    return false
  }
}

interface JwsGroup {
  readonly comment: string
  readonly public?: JWK | { keys: JWK[] }
  readonly private?: JWK | { keys: JWK[] }
  readonly tests: readonly { tcId: number; jws: unknown; result: string; comment: string }[]
}

function keysOf({ public: open, private: secret }: JwsGroup): readonly JWK[] {
  const key = open ?? secret ?? {}
  return 'keys' in key && Array.isArray(key.keys) ? key.keys : [key as JWK]
}

function jwsCases(file: string) {
  return (read(`wycheproof/${file}`).testGroups as JwsGroup[]).flatMap((group) =>
    group.tests.map((vector) => ({ ...vector, keys: keysOf(group), group: group.comment })),
  )
}

describe.each(Object.keys(checks) as Check[])('a JWS of Wycheproof through %s', (name) => {
  test.each([
    [
      'json_web_signature_test.json',
      401,
      {
        'hs256: oct HS256': [1],
        'base64: oct HS256': [357, 358, 359, 372, 373, 376, 377],
        'rfc7520: oct HS256': [348, 352],
        // No algorithm has that name; the key is for P-521.
        'rfc7520: EC ES521': [347],
        'rfc7520WithKeyOps: EC ES521': [351],
        // The token says PS384: one key, one algorithm (RFC 8725 §3.1).
        'rfc7520: RSA PS256': [346],
        'rfc7520WithKeyOps: RSA PS256': [350],
      },
    ],
    [
      'json_web_crypto_test.json',
      83,
      {
        'jws_aes: oct HS256': [1],
        'jws_keyset: oct HS256, oct HS256': [48],
        'jwe_aes: oct A256KW': [50],
        'jwe_ec: EC ECDH-ES+A128KW': [67],
      },
    ],
    [
      'json_web_key_test.json',
      26,
      {
        'jws_keyset: oct HS256, oct HS256': [2],
        'HS256: oct HS256': [13],
        'HS384: oct HS384': [14],
        'HS512: oct HS512': [15],
      },
    ],
  ])('of %s is judged as it should be, all but those of what is not ours', async (file, count, notOurs) => {
    const cases = jwsCases(file)
    const wrong: string[] = []
    const refused: Record<string, number[]> = {}
    for (const { tcId, jws, keys, result, comment, group } of cases) {
      const accepted = typeof jws === 'string' && (await accepts(jws, keys, name))
      const by = typeof jws === 'string' && (await joseAccepts(jws, keys))
      if (accepted && !by) wrong.push(`${tcId}: jose refuses`)
      if (result === 'valid' && !accepted) {
        const what = `${group}: ${keys.map(({ kty, alg }) => `${kty} ${alg}`).join(', ')}`
        refused[what] = [...(refused[what] ?? []), tcId]
      } else if (accepted !== (result === 'valid')) wrong.push(`${tcId} ${result}: ${group}, ${comment}`)
    }
    expect({ wrong, refused }).toEqual({ wrong: [], refused: notOurs })
    expect(cases).toHaveLength(count)
  })
})

interface Example {
  readonly title: string
  readonly input?: { readonly key?: JWK | JWK[] }
  readonly output?: { readonly compact?: string }
  readonly sign?: { readonly input: { readonly key: JWK }; readonly output: { readonly compact?: string } }
}

describe.each(Object.keys(checks) as Check[])('an example of RFC 7520 and RFC 8037 through %s', (name) => {
  test('passes where its algorithm is ours and it is compact, and each of the others is named', async () => {
    const files = readdirSync(new URL('jose-cookbook', folder), { recursive: true, encoding: 'utf8' })
    const outcomes: Record<string, boolean | string> = {}
    for (const file of files.filter((path) => path.endsWith('.json'))) {
      const { title, input, output, sign } = read(`jose-cookbook/${file}`) as Example
      const [key = [], compact] =
        sign === undefined ? [input?.key, output?.compact] : [sign.input.key, sign.output.compact]
      const keys = [key].flat().map(publicHalf)
      outcomes[title] = compact === undefined ? 'has no compact form' : await accepts(compact, keys, name)
      if (compact !== undefined) expect(await joseAccepts(compact, keys), title).toBe(outcomes[title])
    }
    expect(outcomes).toEqual({
      'RSA v1.5 Signature': true,
      'RSA-PSS Signature': true,
      'ECDSA Signature': true,
      'Ed25519 signing': true,
      'HMAC-SHA2 Integrity Protection': false,
      'Signature with Detached Content': false,
      "'b64'=false compatible with compact serialization": false,
      // The JWS inside; what it is encrypted in is not ours.
      'Nesting Signatures and Encryption': true,
      // JSON serializations are not ours either.
      'Multiple Signatures': 'has no compact form',
      'Protecting Content Only': 'has no compact form',
      'Protecting Specific Header Fields': 'has no compact form',
      "'b64'=false JSON only": 'has no compact form',
    })
  })
})

function publicHalf({ kty, kid, use, crv, x, y, n, e, k }: JWK): JWK {
  return JSON.parse(JSON.stringify({ kty, kid, use, crv, x, y, n, e, k }))
}

const rfc7515: Record<string, { readonly key?: JWK; readonly jws: string }> = read('rfc7515/examples.json')

describe.each(Object.keys(checks) as Check[])('an example of RFC 7515 through %s', (name) => {
  test.each<[string, string, boolean]>([
    ['A.1', 'HS256 needs a key that whoever verifies could sign with', false],
    ['A.2', 'RS256 is allowed', true],
    ['A.3', 'ES256 is allowed', true],
    ['A.4', 'ES512 is allowed, and what is signed need not be JSON', true],
    ['A.5', 'it is not signed', false],
    ['E', 'an extension must be understood that nobody knows', false],
  ])('%s is judged as it should be: %s', async (section, _, expected) => {
    const { jws, key } = rfc7515[section] ?? expect.unreachable('no such example')
    const keys = [key ?? rfc7515['A.3']?.key ?? {}]
    expect([await accepts(jws, keys, name), await joseAccepts(jws, keys)]).toEqual([expected, expected])
  })

  test.each(['A.2', 'A.3', 'A.4'])('%s fails with one bit of its signature changed', async (section) => {
    const { jws, key = {} } = rfc7515[section] ?? expect.unreachable('no such example')
    const [head, payload, signature = ''] = jws.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    const changed = `${head}.${payload}.${bytes.toString('base64url')}`
    expect([await accepts(changed, [key], name), await joseAccepts(changed, [key])]).toEqual([false, false])
  })

  test('A.3 fails with the header of A.5 before it', async () => {
    const [, payload, signature] = rfc7515['A.3']?.jws.split('.') ?? []
    const [head] = rfc7515['A.5']?.jws.split('.') ?? []
    expect(await accepts(`${head}.${payload}.${signature}`, [rfc7515['A.3']?.key ?? {}], name)).toBe(false)
  })
})

test('A.1 of RFC 7515 is refused for its algorithm and its key, although its signature is good', async () => {
  const { jws, key = {} } = rfc7515['A.1'] ?? expect.unreachable('no such example')
  const [head = '', payload, signature] = jws.split('.')
  const secret = Buffer.from(key.k ?? '', 'base64url')
  expect(createHmac('sha256', secret).update(`${head}.${payload}`).digest('base64url')).toBe(signature)
  const header = readJwtPart(head) ?? expect.unreachable('no header')
  expect(() => checkHeader(header, everyAlgorithm)).toThrow(/`alg` of the token is none of RS256,/)
  await expect(
    readKeySet({ status: 200, text: JSON.stringify({ keys: [key] }) }, 'the vector', [...ours, 'HS256']),
  ).rejects.toThrow('it has no key that may verify signatures')
})
