import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createVerifier, type TokenVerifier } from '../src/index.ts'
import {
  compact,
  createClock,
  ecKey,
  edKey,
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
const edwards = edKey('ed-1')
const stranger = rsaKey('rsa-1')

let issuer: LoopbackIssuer
let clock: ReturnType<typeof createClock>
let verifier: TokenVerifier

beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.close())
beforeEach(() => {
  issuer.keys = [rsa.jwk, elliptic.jwk, edwards.jwk]
  issuer.requests.length = 0
  clock = createClock()
  verifier = verifierFor('oidc')
})

function verifierFor(preset: string, audience: string | string[] = ['app-1', 'app-2']) {
  return createVerifier({
    policy: policyWith({ idp: { preset, issuer: issuer.url, audience } }),
    now: clock.now.bind(clock),
  })
}

function claims(more: object = {}) {
  return {
    iss: issuer.url,
    aud: 'app-1',
    sub: 'ada',
    iat: clock.seconds - 5,
    exp: clock.seconds + 300,
    ...more,
  }
}

const header = { alg: 'RS256', kid: 'rsa-1', typ: 'JWT' }

describe('a JWT that the issuer signed for us', () => {
  test('gives its principal, issuer, kind, end and fingerprint', async () => {
    const token = signed(claims({ name: 'Ada', groups: ['ml'] }))
    const credential = await verifier.verify(token)
    expect(credential).toMatchObject({
      principal: { id: 'idp|ada', subject: 'ada', credential: 'id_token', groups: ['ml'], name: 'Ada' },
      issuer: { alias: 'idp', url: issuer.url },
      kind: 'id_token',
      expiresAt: clock.seconds + 300,
    })
    expect(credential.fingerprint).toMatch(/^[0-9a-f]{32}$/)
    expect(token).not.toContain(credential.fingerprint)
  })

  test.each([
    ['RSA', rsa],
    ['elliptic', elliptic],
    ['Edwards', edwards],
  ])('may be signed with the %s key that its header names', async (_, key) => {
    await expect(verifier.verify(signed(claims(), key))).resolves.toMatchObject({ kind: 'id_token' })
  })

  test('may come behind `hf_oidc_`, and is the same credential with and without', async () => {
    const token = signed(claims())
    const bare = await verifier.verify(token)
    const prefixed = await verifier.verify(`hf_oidc_${token}`)
    expect(prefixed.fingerprint).toBe(bare.fingerprint)
    expect(prefixed.principal).toBe(bare.principal)
  })

  test.each([
    ['no typ', { typ: undefined }],
    ['another case', { typ: 'jwt' }],
    ['a full media type', { typ: 'application/jwt' }],
  ])('may have %s', async (_, more) => {
    await expect(verifier.verify(signed(claims(), rsa, more))).resolves.toBeDefined()
  })

  test('may leave out `kid` when a single key fits its algorithm', async () => {
    await expect(verifier.verify(signed(claims(), rsa, { kid: undefined }))).resolves.toBeDefined()
    issuer.keys = [rsa.jwk, rsaKey('rsa-2').jwk]
    const other = verifierFor('oidc')
    const token = signed(claims(), rsa, { kid: undefined })
    expect(await refusalOf(other.verify(token), token)).toMatchObject({ code: 'HFAUTH_TOKEN_INVALID' })
  })

  test('chooses among the aliases of one issuer by its audience', async () => {
    const policy = policyWith({
      web: { preset: 'oidc', issuer: issuer.url, audience: 'web' },
      jobs: { preset: 'oidc', issuer: issuer.url, audience: 'jobs' },
    })
    const both = createVerifier({ policy, now: () => clock.ms })
    expect((await both.verify(signed(claims({ aud: 'jobs' })))).issuer.alias).toBe('jobs')
    expect((await both.verify(signed(claims({ aud: 'web' })))).issuer.alias).toBe('web')
    expect(issuer.requests.filter((path) => path === paths.keys)).toHaveLength(1)
  })

  test.each([
    ['one of ours', { aud: ['app-1'] }],
    ['two of ours', { aud: ['app-1', 'app-2'] }],
    ['ours and another, when made for our client', { aud: ['app-1', 'elsewhere'], azp: 'app-1' }],
    ['ours, made for our other client', { aud: 'app-1', azp: 'app-2' }],
  ])('may have as audience %s', async (_, more) => {
    await expect(verifier.verify(signed(claims(more)))).resolves.toBeDefined()
  })

  test('is forgiven a clock difference of 30 seconds and no more', async () => {
    const late = signed(claims({ exp: clock.seconds - 29 }))
    const early = signed(claims({ nbf: clock.seconds + 30, iat: clock.seconds + 30 }))
    await expect(verifier.verify(late)).resolves.toBeDefined()
    await expect(verifier.verify(early)).resolves.toBeDefined()
    const strict = createVerifier({
      policy: policyWith({ idp: { preset: 'oidc', issuer: issuer.url } }),
      now: () => clock.ms,
      clockToleranceSeconds: 0,
    })
    expect((await refusalOf(strict.verify(late), late)).code).toBe('HFAUTH_TOKEN_EXPIRED')
    expect((await refusalOf(strict.verify(early), early)).code).toBe('HFAUTH_TOKEN_INVALID')
  })
})

describe('an access token that is a JWT', () => {
  test.each([
    ['`scp`, as Okta writes them', {}, { scp: ['models.read'], uid: '00u1' }],
    ['`typ: at+jwt`', { typ: 'at+jwt' }, { uid: '00u1' }],
    ['`typ: application/at+jwt`', { typ: 'application/at+jwt' }, { uid: '00u1' }],
  ])('is known by %s where the preset takes such', async (_, head, more) => {
    const okta = verifierFor('okta', 'api://models')
    const token = signed(claims({ aud: 'api://models', ...more }), rsa, head)
    await expect(okta.verify(token)).resolves.toMatchObject({
      kind: 'access_token',
      principal: { subject: '00u1', credential: 'access_token' },
    })
  })

  test('an ID token of the same issuer stays one', async () => {
    const okta = verifierFor('okta', ['api://models', 'app-1'])
    await expect(okta.verify(signed(claims()))).resolves.toMatchObject({ kind: 'id_token' })
  })

  test('is refused where the preset takes ID tokens only', async () => {
    const token = signed(claims(), rsa, { typ: 'at+jwt' })
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_INVALID')
  })

  test('may name any client in `azp`, because its audience is a service', async () => {
    const okta = verifierFor('okta', 'api://models')
    const token = signed(claims({ aud: 'api://models', scp: ['a'], uid: '00u1', azp: 'some-app' }))
    await expect(okta.verify(token)).resolves.toBeDefined()
  })
})

describe('a JWT is refused', () => {
  const invalid = 'HFAUTH_TOKEN_INVALID'
  const audience = 'HFAUTH_TOKEN_AUDIENCE'
  const cases: [string, string, () => string][] = [
    [
      'its payload was changed',
      invalid,
      () => {
        const [head, , signature] = signed(claims()).split('.')
        return `${head}.${part(claims({ sub: 'eve' }))}.${signature}`
      },
    ],
    [
      'its header was changed',
      invalid,
      () => {
        const [, body, signature] = signed(claims()).split('.')
        return `${part({ ...header, typ: undefined })}.${body}.${signature}`
      },
    ],
    [
      'its signature was changed',
      invalid,
      () => {
        const [head, body, signature = ''] = signed(claims()).split('.')
        const bytes = Buffer.from(signature, 'base64url')
        bytes[0] = (bytes[0] ?? 0) ^ 1
        return `${head}.${body}.${bytes.toString('base64url')}`
      },
    ],
    ['another key of the same name signed it', invalid, () => signed(claims(), stranger)],
    ['it is not signed', invalid, () => compact({ alg: 'none' }, claims(), unsigned)],
    [
      'it is not signed and says so oddly',
      invalid,
      () => compact({ ...header, alg: 'nOnE' }, claims(), unsigned),
    ],
    ['its signature is empty', invalid, () => compact(header, claims(), unsigned)],
    [
      'the public key served as HMAC secret',
      invalid,
      () =>
        compact(
          { ...header, alg: 'HS256' },
          claims(),
          hs256(rsa.publicKey.export({ format: 'pem', type: 'spki' }) as string),
        ),
    ],
    [
      'the public key served as HMAC secret under `alg: RS256`',
      invalid,
      () => compact(header, claims(), hs256(rsa.publicKey.export({ format: 'pem', type: 'spki' }) as string)),
    ],
    ['its algorithm is not the key’s', invalid, () => signed(claims(), elliptic, { kid: 'rsa-1' })],
    ['its algorithm is in no preset', invalid, () => signed(claims(), rsa, { alg: 'RS512' })],
    ['its algorithm is in other case', invalid, () => signed(claims(), rsa, { alg: 'rs256' })],
    ['it has no algorithm', invalid, () => signed(claims(), rsa, { alg: undefined })],
    ['it asks for an extension', invalid, () => signed(claims(), rsa, { crit: ['exp'], exp: 1 })],
    ['it asks for an unencoded payload', invalid, () => signed(claims(), rsa, { crit: ['b64'], b64: true })],
    ['it brings its own key', invalid, () => signed(claims(), stranger, { jwk: stranger.jwk })],
    ['it brings the issuer’s own key', invalid, () => signed(claims(), rsa, { jwk: rsa.jwk })],
    ['it says where its key is', invalid, () => signed(claims(), rsa, { jku: `${issuer.url}/evil` })],
    ['it says where its certificate is', invalid, () => signed(claims(), rsa, { x5u: `${issuer.url}/evil` })],
    ['it brings a certificate', invalid, () => signed(claims(), rsa, { x5c: ['MIIB'] })],
    ['it is compressed', invalid, () => signed(claims(), rsa, { zip: 'DEF' })],
    ['its `kid` is no text', invalid, () => signed(claims(), rsa, { kid: 1 })],
    ['its `kid` is a path', invalid, () => signed(claims(), rsa, { kid: '../../etc/passwd' })],
    ['its `typ` is that of a logout token', invalid, () => signed(claims(), rsa, { typ: 'logout+jwt' })],
    ['its `typ` is that of a proof', invalid, () => signed(claims(), rsa, { typ: 'dpop+jwt' })],
    ['its `typ` is no text', invalid, () => signed(claims(), rsa, { typ: null })],
    [
      'it is a logout token without a type',
      invalid,
      () => signed(claims({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })),
    ],
    ['it is bound to a key', invalid, () => signed(claims({ cnf: { jkt: 'abc' } }))],
    [
      'a claim is there twice',
      invalid,
      () => compact(header, `{"aud":"other",${JSON.stringify(claims()).slice(1)}`, rsa.sign),
    ],
    [
      'a header member is there twice',
      invalid,
      () => compact(`{"alg":"none",${JSON.stringify(header).slice(1)}`, claims(), rsa.sign),
    ],
    [
      'a claim touches prototypes',
      invalid,
      () => compact(header, `{"__proto__":{"admin":true},${JSON.stringify(claims()).slice(1)}`, rsa.sign),
    ],
    ['its payload is a list', invalid, () => compact(header, '[1]', rsa.sign)],
    ['its payload is no JSON', invalid, () => compact(header, 'sub=ada', rsa.sign)],
    [
      'something follows the payload',
      invalid,
      () => compact(header, `${JSON.stringify(claims())} 1`, rsa.sign),
    ],
    [
      'its payload is nested without end',
      invalid,
      () => compact(header, `{"a":${'['.repeat(500)}${']'.repeat(500)}}`, rsa.sign),
    ],
    [
      'its payload is not UTF-8',
      invalid,
      () => {
        const text = JSON.stringify(claims({ name: '#' }))
        const bytes = Buffer.from(text)
        bytes[text.indexOf('#')] = 0xff
        const input = `${part(header)}.${part(bytes)}`
        return `${input}.${part(rsa.sign(input))}`
      },
    ],
    [
      'its payload begins with a byte order mark',
      invalid,
      () => compact(header, `\ufeff${JSON.stringify(claims())}`, rsa.sign),
    ],
    ['its signature has spare bits set', invalid, () => respell(signed(claims()))],
    ['a part is padded', invalid, () => `${signed(claims())}=`],
    [
      'a part is in the other base64',
      invalid,
      () => {
        const [head, body] = signed(claims({ name: '???>>>' })).split('.')
        return `${head}.${body}.ab+/`
      },
    ],
    ['it is too long', invalid, () => signed(claims({ name: 'n'.repeat(16_384) }))],
    ['it has a line break', invalid, () => `${signed(claims())}\n`],
    ['it has no issuer', invalid, () => signed(claims({ iss: undefined }))],
    ['its issuer is a list', invalid, () => signed(claims({ iss: [issuer.url] }))],
    [
      'its issuer is unknown',
      'HFAUTH_TOKEN_UNSUPPORTED',
      () => signed(claims({ iss: 'https://evil.example' })),
    ],
    [
      'its issuer ends in a slash',
      'HFAUTH_TOKEN_UNSUPPORTED',
      () => signed(claims({ iss: `${issuer.url}/` })),
    ],
    [
      'its issuer is in other case',
      'HFAUTH_TOKEN_UNSUPPORTED',
      () => signed(claims({ iss: issuer.url.replace('http', 'HTTP') })),
    ],
    [
      'its issuer begins like ours',
      'HFAUTH_TOKEN_UNSUPPORTED',
      () => signed(claims({ iss: `${issuer.url}@evil.example` })),
    ],
    ['its audience is another', audience, () => signed(claims({ aud: 'elsewhere' }))],
    ['its audience is in other case', audience, () => signed(claims({ aud: 'APP-1' }))],
    ['it has no audience', audience, () => signed(claims({ aud: undefined }))],
    ['its audience is an empty list', audience, () => signed(claims({ aud: [] }))],
    ['its audience is a number', invalid, () => signed(claims({ aud: 1 }))],
    ['its audience holds a number', invalid, () => signed(claims({ aud: ['app-1', 1] }))],
    ['it is for others as well', audience, () => signed(claims({ aud: ['app-1', 'elsewhere'] }))],
    [
      'it is for others as well and was given to them',
      audience,
      () => signed(claims({ aud: ['app-1', 'elsewhere'], azp: 'elsewhere' })),
    ],
    ['it was given to another client', audience, () => signed(claims({ azp: 'elsewhere' }))],
    ['`azp` is no text', invalid, () => signed(claims({ azp: ['app-1'] }))],
    ['it has expired', 'HFAUTH_TOKEN_EXPIRED', () => signed(claims({ exp: clock.seconds - 30 }))],
    ['it never expires', invalid, () => signed(claims({ exp: undefined }))],
    ['`exp` is a text', invalid, () => signed(claims({ exp: String(clock.seconds + 300) }))],
    [
      '`exp` is beyond all bounds',
      invalid,
      () => compact(header, JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e300'), rsa.sign),
    ],
    ['`exp` is a fraction', invalid, () => signed(claims({ exp: clock.seconds + 300.5 }))],
    ['it is not valid yet', invalid, () => signed(claims({ nbf: clock.seconds + 31 }))],
    ['it was issued in the future', invalid, () => signed(claims({ iat: clock.seconds + 31 }))],
    ['it has no subject', invalid, () => signed(claims({ sub: undefined }))],
    ['its subject is a number', invalid, () => signed(claims({ sub: 7 }))],
  ]

  test.each(cases)('when %s (%s)', async (_, code, make) => {
    const token = make()
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject({ code, retryable: false })
    expect(issuer.requests.every((path) => path === paths.discovery || path === paths.keys)).toBe(true)
  })

  test.each([
    ['`alg`', { alg: 'none' }],
    ['`alg`', { alg: 'HS256' }],
    ['`alg`', { alg: ['RS256'] }],
    ['`crit`', { crit: ['exp'], exp: 1 }],
    ['`jwk`', { jwk: rsa.jwk }],
    ['`kid`', { kid: 1 }],
    ['`typ`', { typ: 'secevent+jwt' }],
  ])('for %s in its header before any key is fetched', async (name, more) => {
    const token = signed(claims(), rsa, more)
    const refusal = await refusalOf(verifier.verify(token), token)
    expect(refusal.code).toBe(invalid)
    expect(refusal.message).toContain(name)
    expect(issuer.requests).toEqual([])
  })

  test('for its signature before its age or audience is judged', async () => {
    const token = signed(claims({ aud: 'elsewhere', exp: clock.seconds - 900 }), stranger)
    expect((await refusalOf(verifier.verify(token), token)).code).toBe(invalid)
  })

  test('by a second issuer’s keys, though that one is trusted too', async () => {
    const second = await startIssuer()
    const mine = rsaKey('rsa-1')
    second.keys = [mine.jwk]
    const policy = policyWith({
      first: { preset: 'oidc', issuer: issuer.url },
      second: { preset: 'oidc', issuer: second.url },
    })
    const both = createVerifier({ policy, now: () => clock.ms })
    const token = signed(claims(), mine)
    expect((await refusalOf(both.verify(token), token)).code).toBe(invalid)
    await expect(both.verify(signed(claims({ iss: second.url }), mine))).resolves.toBeDefined()
    await second.close()
  })
})

describe('options', () => {
  const policy = policyWith({ idp: { preset: 'oidc', issuer: 'http://127.0.0.1:1' } })
  test.each([
    ['clockToleranceSeconds', 301],
    ['clockToleranceSeconds', -1],
    ['cacheSeconds', Number.NaN],
    ['cacheSeconds', 3601],
    ['cacheEntries', 0],
    ['timeoutMs', 0],
    ['keyCooldownMs', Number.POSITIVE_INFINITY],
    ['maxStaleKeysMs', -1],
  ])('`%s: %s` is refused at once', (name, value) => {
    expect(() => createVerifier({ policy, [name]: value })).toThrow(
      expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
    )
  })
})

/** The same signature bytes with a spare bit of the last character set: another text, if a reader lets it pass. */
function respell(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1]
}
