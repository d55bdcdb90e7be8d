import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createVerifier, type VerifierOptions } from '../src/index.ts'
import {
  type Answer,
  compact,
  createClock,
  ecKey,
  hs256,
  json,
  type LoopbackIssuer,
  paths,
  policyWith,
  refusalOf,
  rsa,
  rsaKey,
  type SigningKey,
  signed,
  startIssuer,
} from './loopback-issuer.ts'

const second = rsaKey('rsa-2')
const small = rsaKey('small', 1024)

let issuer: LoopbackIssuer
let clock: ReturnType<typeof createClock>

beforeEach(async () => {
  issuer = await startIssuer()
  clock = createClock()
})
afterEach(() => issuer.close())

function verifierWith(options: Partial<VerifierOptions> = {}) {
  const policy = policyWith({ idp: { preset: 'oidc', issuer: issuer.url } })
  return createVerifier({ policy, now: () => clock.ms, cacheSeconds: 0, ...options })
}

let serial = 0
function tokenOf(key: SigningKey = rsa, header: object = {}) {
  const claims = {
    iss: issuer.url,
    aud: 'app-1',
    sub: 'ada',
    exp: clock.seconds + 300,
    jti: String(serial++),
  }
  return signed(claims, key, header)
}

const fetched = (path: string = paths.keys) => issuer.requests.filter((asked) => asked === path).length
const unavailable = { code: 'HFAUTH_ISSUER_UNAVAILABLE', retryable: true }
const invalid = { code: 'HFAUTH_TOKEN_INVALID', retryable: false }

describe('the keys of an issuer', () => {
  test('are fetched once for 200 parallel first tokens, and not before', async () => {
    const verifier = verifierWith()
    expect(issuer.requests).toEqual([])
    await Promise.all(Array.from({ length: 200 }, () => verifier.verify(tokenOf())))
    expect(issuer.requests).toEqual([paths.discovery, paths.keys])
  })

  test.each([
    ['10 minutes when the answer is silent', undefined, 600],
    ['as long as the answer says', 'public, max-age=3600', 3600],
    ['5 minutes at least', 'max-age=1', 300],
    ['5 minutes when the answer forbids it', 'no-store, max-age=3600', 300],
    ['a day at most', 'max-age=9999999', 86_400],
    ['10 minutes when `s-maxage` stands alone', 's-maxage=60', 600],
  ])('are kept for %s', async (_, cacheControl, seconds) => {
    if (cacheControl !== undefined) issuer.keyHeaders = { 'cache-control': cacheControl }
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    clock.forward(seconds - 1)
    await verifier.verify(tokenOf())
    expect(fetched()).toBe(1)
    clock.forward(1)
    await verifier.verify(tokenOf())
    expect(fetched()).toBe(2)
  })

  test('are fetched once per cooldown for any number of unknown names', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    for (let second = 0; second < 90; second++) {
      const storm = Array.from({ length: 20 }, () => tokenOf(rsa, { kid: `unknown-${serial}` }))
      const outcomes = await Promise.all(storm.map((token) => refusalOf(verifier.verify(token), token)))
      expect(outcomes.every(({ code }) => code === invalid.code)).toBe(true)
      await verifier.verify(tokenOf())
      clock.forward(1)
    }
    expect(fetched()).toBe(3)
  })

  test('are replaced when a new name appears after the cooldown, and the old name is gone', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    issuer.keys = [second.jwk]
    const early = tokenOf(second)
    expect(await refusalOf(verifier.verify(early), early)).toMatchObject(invalid)
    clock.forward(30)
    await expect(verifier.verify(tokenOf(second))).resolves.toBeDefined()
    const old = tokenOf(rsa)
    expect(await refusalOf(verifier.verify(old), old)).toMatchObject(invalid)
  })

  test('stay in use for an hour while the issuer fails, and not longer', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    issuer.answers.set(paths.keys, json({}, 503))
    issuer.answers.set(paths.discovery, json({}, 503))
    clock.forward(600 + 3599)
    await expect(verifier.verify(tokenOf())).resolves.toBeDefined()
    const unknown = tokenOf(second)
    expect(await refusalOf(verifier.verify(unknown), unknown)).toMatchObject(unavailable)
    clock.forward(1)
    const late = tokenOf()
    expect(await refusalOf(verifier.verify(late), late)).toMatchObject(unavailable)
  })

  test('are not asked for by every request while the issuer fails', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    issuer.answers.set(paths.keys, json({}, 503))
    clock.forward(600)
    for (let second = 0; second < 60; second++) {
      await verifier.verify(tokenOf())
      clock.forward(1)
    }
    expect(fetched()).toBe(3)
  })

  test('of an issuer that could not be reached at first are fetched as soon as it can', async () => {
    const working = issuer.answers.get(paths.keys) as Answer
    issuer.answers.set(paths.keys, json({}, 503))
    const verifier = verifierWith()
    const token = tokenOf()
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(unavailable)
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(unavailable)
    expect(fetched()).toBe(1)
    issuer.answers.set(paths.keys, working)
    clock.forward(1)
    await expect(verifier.verify(token)).resolves.toBeDefined()
  })

  test('are looked for where discovery says now, when they are gone from where it said', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    issuer.answers.set('/moved', json({ keys: [second.jwk] }))
    issuer.answers.set(paths.discovery, json({ issuer: issuer.url, jwks_uri: `${issuer.url}/moved` }))
    issuer.answers.delete(paths.keys)
    clock.forward(30)
    const token = tokenOf(second)
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(unavailable)
    clock.forward(30)
    await expect(verifier.verify(token)).resolves.toBeDefined()
  })

  test('survive a clock that is set back', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    clock.forward(-86_400)
    issuer.keys = [second.jwk]
    await expect(verifier.verify(tokenOf(second))).resolves.toBeDefined()
  })
})

describe('an answer that is no key set', () => {
  const broken: [string, Answer][] = [
    ['status 500', json({ keys: [rsa.jwk] }, 500)],
    ['status 304', (_, response) => response.writeHead(304).end()],
    ['an HTML page', (_, response) => response.end('<html><body>Sign in</body></html>')],
    ['nothing', json('')],
    ['no keys', json({ keys: [] })],
    ['keys that are no list', json({ keys: rsa.jwk })],
    ['a bare list', json([rsa.jwk])],
    ['two keys of one name', json({ keys: [rsa.jwk, { ...second.jwk, kid: 'rsa-1' }] })],
    [
      'more keys than anyone has',
      json({ keys: Array.from({ length: 101 }, (_, kid) => ({ ...rsa.jwk, kid: `${kid}` })) }),
    ],
    ['more bytes than a key set has', json({ keys: [rsa.jwk], padding: 'x'.repeat(600_000) })],
    ['a redirect to a key set', (_, response) => response.writeHead(302, { location: '/other' }).end()],
    ['a member twice', json(`{"keys":[],"keys":[${JSON.stringify(rsa.jwk)}]}`)],
    ['a symmetric key', json({ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'rsa-1', alg: 'RS256' }] })],
    ['a small key', json({ keys: [small.jwk] })],
    ['a key for encryption', json({ keys: [{ ...rsa.jwk, use: 'enc' }] })],
    ['a key for other operations', json({ keys: [{ ...rsa.jwk, key_ops: ['encrypt'] }] })],
    ['a private key', json({ keys: [{ ...rsa.jwk, d: 'AQAB' }] })],
    ['a key for another algorithm', json({ keys: [{ ...rsa.jwk, alg: 'RSA-OAEP' }] })],
    [
      'a point that is on no curve',
      json({ keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'rsa-1' }] }),
    ],
    ['a modulus with padding', json({ keys: [{ ...rsa.jwk, n: `${rsa.jwk.n}=` }] })],
  ]

  test.each(broken)('(%s) leaves the issuer unavailable at first', async (_, answer) => {
    issuer.answers.set(paths.keys, answer)
    issuer.answers.set('/other', json({ keys: [rsa.jwk] }))
    const token = tokenOf()
    expect(await refusalOf(verifierWith().verify(token), token)).toMatchObject(unavailable)
    expect(issuer.requests).not.toContain('/other')
  })

  test.each(broken)('(%s) never replaces a good one', async (_, answer) => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    issuer.answers.set(paths.keys, answer)
    clock.forward(900)
    await expect(verifier.verify(tokenOf())).resolves.toBeDefined()
    expect(fetched()).toBe(2)
  })

  test('in time counts as none', async () => {
    issuer.answers.set(paths.keys, () => {})
    const token = tokenOf()
    expect(await refusalOf(verifierWith({ timeoutMs: 30 }).verify(token), token)).toMatchObject(unavailable)
  })

  test('is what an issuer gives that is not there', async () => {
    const token = tokenOf()
    await issuer.close()
    const refusal = await refusalOf(verifierWith().verify(token), token)
    expect(refusal).toMatchObject(unavailable)
    expect(refusal.message).toContain('ECONNREFUSED')
  })
})

describe('a key set', () => {
  test('may hold keys for other purposes beside those for signatures', async () => {
    issuer.keys = [
      { ...second.jwk, use: 'enc', alg: 'RSA-OAEP', kid: 'rsa-1' },
      small.jwk,
      { kty: 'new' },
      rsa.jwk,
    ]
    await expect(verifierWith().verify(tokenOf())).resolves.toBeDefined()
    const token = tokenOf(small)
    expect(await refusalOf(verifierWith().verify(token), token)).toMatchObject(invalid)
  })

  test('lets a key without `alg` verify only what its type fits', async () => {
    const elliptic = ecKey('ec-1')
    issuer.keys = [
      { ...rsa.jwk, alg: undefined },
      { ...elliptic.jwk, alg: undefined },
    ]
    const verifier = verifierWith()
    await expect(verifier.verify(tokenOf(rsa))).resolves.toBeDefined()
    await expect(verifier.verify(tokenOf(elliptic))).resolves.toBeDefined()
    const token = tokenOf(elliptic, { kid: 'rsa-1' })
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(invalid)
  })

  test('holds a key to the algorithm it names', async () => {
    issuer.keys = [{ ...rsa.jwk, alg: 'PS256' }]
    const token = tokenOf(rsa)
    expect(await refusalOf(verifierWith().verify(token), token)).toMatchObject(invalid)
  })

  test('with a symmetric key verifies no token made with it', async () => {
    issuer.keys = [{ kty: 'oct', k: 'c2VjcmV0', kid: 'shared', alg: 'HS256' }, rsa.jwk]
    const claims = { iss: issuer.url, aud: 'app-1', sub: 'ada', exp: clock.seconds + 300 }
    const token = compact({ alg: 'HS256', kid: 'shared' }, claims, hs256('secret'))
    expect(await refusalOf(verifierWith().verify(token), token)).toMatchObject(invalid)
  })
})

describe('a discovery document', () => {
  const working = () => ({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` })
  const broken: [string, () => Answer][] = [
    ['names another issuer', () => json({ ...working(), issuer: 'https://evil.example' })],
    ['names its issuer with a slash', () => json({ ...working(), issuer: `${issuer.url}/` })],
    ['names no issuer', () => json({ ...working(), issuer: undefined })],
    ['has no key set', () => json({ issuer: issuer.url })],
    ['has its key set behind http', () => json({ ...working(), jwks_uri: 'http://keys.example/jwks' })],
    ['has its key set in a file', () => json({ ...working(), jwks_uri: 'file:///etc/passwd' })],
    [
      'has its key set behind a password',
      () => json({ ...working(), jwks_uri: issuer.url.replace('//', '//a:b@') }),
    ],
    ['is an HTML page', () => (_, response) => response.end('<html>')],
    ['is not found', () => json(working(), 404)],
    ['has moved', () => (_, response) => response.writeHead(301, { location: '/other' }).end()],
    ['is too long', () => json({ ...working(), padding: 'x'.repeat(600_000) })],
  ]
  test.each(broken)('that %s makes the issuer unavailable, and no key is asked for', async (_, answer) => {
    issuer.answers.set(paths.discovery, answer())
    issuer.answers.set('/other', json(working()))
    const token = tokenOf()
    expect(await refusalOf(verifierWith().verify(token), token)).toMatchObject(unavailable)
    expect(issuer.requests).toEqual([paths.discovery])
  })

  test('of an issuer out there cannot point at a service on this machine', async () => {
    const asked: string[] = []
    const verifier = createVerifier({
      policy: policyWith({ idp: { preset: 'oidc', issuer: 'https://idp.example' } }),
      now: () => clock.ms,
      fetch: async (url) => {
        asked.push(String(url))
        return Response.json({ issuer: 'https://idp.example', jwks_uri: `${issuer.url}/jwks` })
      },
    })
    const claims = { iss: 'https://idp.example', aud: 'app-1', sub: 'ada', exp: clock.seconds + 300 }
    const token = signed(claims)
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(unavailable)
    expect(asked).toEqual(['https://idp.example/.well-known/openid-configuration'])
    expect(issuer.requests).toEqual([])
  })

  test('is looked for below an issuer that has a path, with or without its slash', async () => {
    for (const path of ['/realms/acme', '/realms/acme/']) {
      const url = `${issuer.url}${path}`
      issuer.answers.set('/realms/acme/.well-known/openid-configuration', json({ ...working(), issuer: url }))
      const policy = policyWith({ idp: { preset: 'oidc', issuer: url } })
      const token = signed({ iss: url, aud: 'app-1', sub: 'ada', exp: clock.seconds + 300 })
      await expect(createVerifier({ policy, now: () => clock.ms }).verify(token)).resolves.toBeDefined()
    }
  })
})

describe('a fetch that was passed in', () => {
  test('cannot put what it was given into our errors', async () => {
    const policy = policyWith({ hf: { preset: 'huggingface', issuer: issuer.url } })
    const verifier = createVerifier({
      policy,
      fetch: async (url, init) => {
        if (String(url).endsWith('/userinfo'))
          throw new TypeError(`cannot send ${JSON.stringify(init)}`, { cause: init })
        return fetch(url, init)
      },
    })
    const token = 'hf_oauth_0123456789abcdefghij.0123456789abcdefghij.0123456789abcdefghij'
    expect(await refusalOf(verifier.verify(token), token, 'Bearer')).toMatchObject(unavailable)
  })

  test('that follows redirects is not believed', async () => {
    issuer.answers.set(paths.keys, (_, response) => response.writeHead(302, { location: '/other' }).end())
    issuer.answers.set('/other', json({ keys: [rsa.jwk] }))
    const verifier = verifierWith({ fetch: (url, init) => fetch(url, { ...init, redirect: 'follow' }) })
    const token = tokenOf()
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(unavailable)
  })
})
