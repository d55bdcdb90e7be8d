/**
 * The attacks on JWTs that RFC 8725 and its revision describe, each by its name, each with a token that
 * would pass if the attack worked.
 */
import { readFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createVerifier, type TokenVerifier } from '../src/index.ts'
import { toDerSignature } from '../src/keys/ecdsa-der.ts'
import {
  compact,
  createClock,
  ecKey,
  hs256,
  type LoopbackIssuer,
  part,
  paths,
  policyWith,
  refusalOf,
  rsa,
  rsaKey,
  signed,
  startIssuer,
  unsigned,
} from './loopback-issuer.ts'

const elliptic = ecKey('ec-1')
const attacker = rsaKey('rsa-1')
const invalid = 'HFAUTH_TOKEN_INVALID'
const audience = 'HFAUTH_TOKEN_AUDIENCE'

let issuer: LoopbackIssuer
let other: LoopbackIssuer
let clock: ReturnType<typeof createClock>
let verifier: TokenVerifier

beforeAll(async () => {
  issuer = await startIssuer()
  issuer.keys = [rsa.jwk, elliptic.jwk]
  other = await startIssuer()
  other.keys = [attacker.jwk]
})
afterAll(async () => {
  await issuer.close()
  await other.close()
})
beforeEach(() => {
  issuer.requests.length = 0
  other.requests.length = 0
  clock = createClock()
  verifier = createVerifier({
    policy: policyWith({
      idp: { preset: 'oidc', issuer: issuer.url, audience: ['app-1', 'app-2'] },
      other: { preset: 'oidc', issuer: other.url },
    }),
    now: () => clock.ms,
    keyCooldownMs: 0,
  })
})

const claims = (more: object = {}) => ({
  iss: issuer.url,
  aud: 'app-1',
  sub: 'ada',
  iat: clock.seconds - 5,
  exp: clock.seconds + 300,
  ...more,
})

/** Refused with `code`, and nobody was asked for anything but the keys of the two issuers. */
async function refuses(token: string, code: string = invalid) {
  expect(await refusalOf(verifier.verify(token), token)).toMatchObject({ code, retryable: false })
  const asked = [...issuer.requests, ...other.requests]
  expect(asked.filter((path) => path !== paths.discovery && path !== paths.keys)).toEqual([])
}

test('an honest token passes, so that what follows means something', async () => {
  await expect(verifier.verify(signed(claims()))).resolves.toBeDefined()
  await expect(verifier.verify(signed(claims(), elliptic))).resolves.toBeDefined()
})

describe('§2.1 weak signatures and insufficient validation', () => {
  test.each(['none', 'None', 'NONE', 'nOnE', 'none ', ' none', 'none\0', ''])(
    '`alg: "%s"` is refused',
    async (alg) => {
      await refuses(compact({ alg }, claims(), unsigned))
      await refuses(compact({ alg, kid: 'rsa-1' }, claims(), rsa.sign))
      expect(issuer.requests).toEqual([])
    },
  )

  const spellings = () => [
    rsa.publicKey.export({ format: 'pem', type: 'spki' }) as string,
    (rsa.publicKey.export({ format: 'pem', type: 'spki' }) as string).trim(),
    rsa.publicKey.export({ format: 'pem', type: 'pkcs1' }) as string,
    rsa.publicKey.export({ format: 'der', type: 'spki' }) as Buffer,
    JSON.stringify(rsa.jwk),
    Buffer.from(String(rsa.jwk.n), 'base64url'),
  ]
  test.each(['HS256', 'HS384', 'HS512', 'RS256'])(
    'RS256 to HS256 confusion under `alg: %s` is refused',
    async (alg) => {
      for (const secret of spellings()) await refuses(compact({ alg, kid: 'rsa-1' }, claims(), hs256(secret)))
    },
  )

  test.each([
    ['RSA', 'ES256', 'rsa-1'],
    ['elliptic', 'RS256', 'ec-1'],
    ['elliptic', 'EdDSA', 'ec-1'],
    ['RSA', 'PS256', 'rsa-1'],
  ])('an %s key used for %s is refused', async (kind, alg, kid) => {
    await refuses(compact({ alg, kid }, claims(), kind === 'RSA' ? rsa.sign : elliptic.sign))
  })

  test.each([
    ['all zeros', Buffer.alloc(64)],
    ['r = 0', Buffer.concat([Buffer.alloc(32), Buffer.alloc(32, 1)])],
    ['s = 0', Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32)])],
    [
      'the order of the curve',
      Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'.repeat(2), 'hex'),
    ],
    ['zeros of another length', Buffer.alloc(8)],
    ['zeros in DER', Buffer.from('3006020100020100', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ])('an ES256 signature of %s is refused', async (_, signature) => {
    await refuses(compact({ alg: 'ES256', kid: 'ec-1' }, claims(), () => signature))
  })

  test('an ES256 signature in DER, or with a byte more, is refused', async () => {
    const input = (token: string) => token.slice(0, token.lastIndexOf('.'))
    const token = signed(claims(), elliptic)
    const signature = elliptic.sign(input(token))
    await refuses(`${input(token)}.${part(Buffer.concat([signature, Buffer.alloc(1)]))}`)
    await refuses(`${input(token)}.${part(toDerSignature(signature, 32) ?? expect.unreachable())}`)
  })

  test('an RSA signature of all zeros, or of one, is refused', async () => {
    const one = Buffer.alloc(256)
    one[255] = 1
    for (const signature of [Buffer.alloc(256), one, Buffer.alloc(0)]) {
      await refuses(compact({ alg: 'RS256', kid: 'rsa-1' }, claims(), () => signature))
    }
  })
})

describe('§2.4 several encodings of one token', () => {
  test('a claim or a header member that is there twice is refused', async () => {
    const twice = (value: object, name: string, first: unknown) =>
      `{"${name}":${JSON.stringify(first)},${JSON.stringify(value).slice(1)}`
    const header = { alg: 'RS256', kid: 'rsa-1' }
    for (const [name, first] of [
      ['sub', 'eve'],
      ['aud', 'elsewhere'],
      ['iss', other.url],
      ['exp', 1],
    ] as const) {
      await refuses(compact(header, twice(claims(), name, first), rsa.sign))
    }
    await refuses(compact(twice(header, 'alg', 'none'), claims(), rsa.sign))
    await refuses(compact(twice(header, 'kid', 'ec-1'), claims(), rsa.sign))
    await refuses(compact(header, `{"s\\u0075b":"eve",${JSON.stringify(claims()).slice(1)}`, rsa.sign))
  })

  test('the JSON serialization is refused', async () => {
    const [header, payload, signature] = signed(claims()).split('.')
    await refuses(JSON.stringify({ protected: header, payload, signature }))
  })

  test('padding, the other alphabet, spare bits, spaces and line breaks are refused', async () => {
    const [header, payload, signature = ''] = signed(claims()).split('.')
    await refuses(`${header}=.${payload}.${signature}`)
    await refuses(`${header}.${payload}.${signature}==`)
    await refuses(`${header}.${payload}\n.${signature}`)
    await refuses(`${header}.${payload}.${signature} `)
    await refuses(`${header}.${payload}.${signature}.`, 'HFAUTH_TOKEN_UNSUPPORTED')
    await refuses(
      `${header}.${payload}.${signature.slice(0, -1)}${String.fromCharCode(signature.charCodeAt(341) + 1)}`,
    )
  })

  test('a token that is too long is refused before anything in it is read', async () => {
    await refuses(signed(claims({ name: 'n'.repeat(20_000) })))
    expect(issuer.requests).toEqual([])
  })
})

describe('§2.7 and §3.9 a token for somebody else', () => {
  test('the token of one issuer is not taken for that of another', async () => {
    await refuses(signed(claims(), attacker))
    await refuses(signed(claims({ iss: other.url }), rsa))
    await expect(verifier.verify(signed(claims({ iss: other.url }), attacker))).resolves.toBeDefined()
  })

  test.each([
    ['another audience', { aud: 'elsewhere' }, audience],
    ['no audience', { aud: undefined }, audience],
    ['an empty list', { aud: [] }, audience],
    ['ours in a list with another', { aud: ['app-1', 'elsewhere'] }, audience],
    ['ours with a space', { aud: 'app-1 ' }, audience],
    ['ours within a longer text', { aud: 'app-1 elsewhere' }, audience],
    ['a list in a list', { aud: [['app-1']] }, invalid],
    ['an object', { aud: { 0: 'app-1' } }, invalid],
    ['null', { aud: null }, audience],
  ])('`aud` that is %s is refused', async (_, more, code) => {
    await refuses(signed(claims(more)), code)
  })

  test.each([
    ['another client', { azp: 'elsewhere' }, audience],
    ['a list', { azp: ['app-1'] }, invalid],
    ['another client beside several audiences', { aud: ['app-1', 'elsewhere'], azp: 'elsewhere' }, audience],
  ])('`azp` that is %s is refused', async (_, more, code) => {
    await refuses(signed(claims(more)), code)
  })
})

describe('§2.8 and §3.11 one kind of token for another', () => {
  test.each([
    'at+jwt',
    'application/at+jwt',
    'logout+jwt',
    'secevent+jwt',
    'dpop+jwt',
    'client-authentication+jwt',
    'JWT2',
  ])('a `%s` is not taken for an ID token', async (typ) => refuses(signed(claims(), rsa, { typ })))

  test('an ID token is not taken for the access token of a service, nor the other way round', async () => {
    const okta = createVerifier({
      policy: policyWith({ api: { preset: 'okta', issuer: issuer.url, audience: 'api://models' } }),
      now: () => clock.ms,
    })
    const idToken = signed(claims({ aud: 'app-1' }))
    expect((await refusalOf(okta.verify(idToken), idToken)).code).toBe(audience)
    await refuses(signed(claims({ aud: 'api://models', scp: ['read'] })), audience)
  })

  test('a logout token without a type, and a token that is bound to a key, are refused', async () => {
    await refuses(signed(claims({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })))
    await refuses(signed(claims({ cnf: { jkt: 'abc' } })))
  })
})

describe('§2.9 and §3.10 what a token brings along', () => {
  const brought: [string, () => object][] = [
    ['its own key', () => ({ jwk: attacker.jwk })],
    ['an address for its key', () => ({ jku: `${other.url}/evil` })],
    ['an address for its certificate', () => ({ x5u: `${other.url}/evil` })],
    ['a certificate', () => ({ x5c: ['MIIB'] })],
    ['a file as the address', () => ({ jku: 'file:///etc/passwd' })],
    ['a null', () => ({ jwk: null })],
  ]
  test.each(brought)('%s is refused, and nothing is fetched', async (_, more) => {
    await refuses(signed(claims(), attacker, more()))
    await refuses(signed(claims(), rsa, more()))
    expect([...issuer.requests, ...other.requests]).toEqual([])
  })

  test.each([
    ['a path', '../../../../dev/null'],
    ['SQL', "' UNION SELECT 'secret'; --"],
    ['a command', '$(curl evil.example)'],
    ['an address', 'https://evil.example/jwks'],
    ['a name of objects', '__proto__'],
    ['another', 'constructor'],
    ['a method', 'toString'],
    ['the name in other case', 'RSA-1'],
    ['the name with a space', 'rsa-1 '],
  ])('`kid` that is %s finds no key', async (_, kid) => {
    await refuses(signed(claims(), rsa, { kid }))
    await refuses(signed(claims(), attacker, { kid }))
  })

  test.each([
    ['nothing', ''],
    ['a NUL', 'rsa-1\0'],
    ['a line break', 'rsa-1\r\nx: y'],
    ['other alphabets', 'rsа-1'],
    ['very long', 'k'.repeat(257)],
    ['a list', ['rsa-1']],
    ['an object', { toString: 'rsa-1' }],
    ['a number', 1],
    ['null', null],
  ])('`kid` that is %s is refused before any key is fetched', async (_, kid) => {
    await refuses(signed(claims(), rsa, { kid }))
    expect(issuer.requests).toEqual([])
  })
})

describe('what a header asks for', () => {
  test.each([
    ['an unknown extension', { crit: ['x'], x: 1 }],
    ['a known one', { crit: ['exp'], exp: 1 }],
    ['no extension', { crit: [] }],
    ['an unencoded payload', { crit: ['b64'], b64: false }],
    ['an unencoded payload without saying so', { b64: false }],
    ['compression', { zip: 'DEF' }],
    ['encryption', { enc: 'A256GCM' }],
  ])('%s is refused', async (_, more) => {
    await refuses(signed(claims(), rsa, more))
    expect(issuer.requests).toEqual([])
  })

  test('a compressed payload is not unpacked', async () => {
    const input = `${part({ alg: 'RS256', kid: 'rsa-1' })}.${part(deflateRawSync(JSON.stringify(claims())))}`
    await refuses(`${input}.${part(rsa.sign(input))}`)
  })

  test('a detached or unencoded payload is refused', async () => {
    const [header, payload, signature] = signed(claims()).split('.')
    await refuses(`${header}..${signature}`)
    await refuses(`${header}.${Buffer.from(payload ?? '', 'base64url').toString()}.${signature}`)
  })
})

describe('tokens in tokens', () => {
  test('a signed token in an encrypted one is refused, and nothing is fetched', async () => {
    const file = new URL('vectors/jose-cookbook/6.nesting_signatures_and_encryption.json', import.meta.url)
    const nested = JSON.parse(readFileSync(file, 'utf8')).encrypt.output.compact
    await refuses(nested, 'HFAUTH_TOKEN_UNSUPPORTED')
    expect(issuer.requests).toEqual([])
  })

  test('a signed token in a signed one is refused', async () => {
    await refuses(compact({ alg: 'RS256', kid: 'rsa-1', cty: 'JWT' }, signed(claims()), rsa.sign))
  })
})
