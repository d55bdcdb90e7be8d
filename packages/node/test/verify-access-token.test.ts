import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createVerifier, type TokenVerifier, type VerifierOptions } from '../src/index.ts'
import {
  type Answer,
  compact,
  createClock,
  edKey,
  json,
  type LoopbackIssuer,
  paths,
  policyWith,
  refusalOf,
  startIssuer,
} from './loopback-issuer.ts'

const hubKey = edKey('hub')
const person = { sub: '64a1', preferred_username: 'ana', isPro: false, orgs: [] }

let hub: LoopbackIssuer
let clock: ReturnType<typeof createClock>
let verifier: TokenVerifier
let shown: string[]

beforeAll(async () => {
  hub = await startIssuer()
})
afterAll(() => hub.close())
beforeEach(() => {
  hub.requests.length = 0
  shown = []
  clock = createClock()
  verifier = verifierWith()
  answer(json(person))
})

function verifierWith(options: Partial<VerifierOptions> = {}) {
  const policy = policyWith({ hf: { preset: 'huggingface', issuer: hub.url } })
  return createVerifier({ policy, now: () => clock.ms, ...options })
}

function answer(next: Answer): void {
  hub.answers.set(paths.userinfo, (request, response, body) => {
    shown.push(request.headers.authorization ?? '')
    next(request, response, body)
  })
}

function accessToken(more: object = {}): string {
  const claims = {
    scope: ['openid', 'read-repos'],
    aud: hub.url,
    iss: hub.url,
    sub: '64a1',
    client_id: 'app-1',
    iat: clock.seconds - 5,
    exp: clock.seconds + 28_800,
    ...more,
  }
  return `hf_oauth_${compact({ alg: 'EdDSA', kid: 'hub' }, claims, hubKey.sign)}`
}

const asked = () => hub.requests.filter((path) => path === paths.userinfo).length

describe('a Hugging Face access token that userinfo accepts', () => {
  test('gives the person of userinfo, and the scopes and times of the token', async () => {
    const token = accessToken({ name: 'not from here', orgs: [{ sub: '1', preferred_username: 'evil' }] })
    const { principal, kind, expiresAt } = await verifier.verify(token)
    expect(principal).toMatchObject({
      id: 'hf|64a1',
      username: 'ana',
      credential: 'access_token',
      huggingface: true,
      scopes: ['openid', 'read-repos'],
      issuedAt: clock.seconds - 5,
      expiresAt: clock.seconds + 28_800,
      orgs: [],
    })
    expect(principal.name).toBeUndefined()
    expect({ kind, expiresAt }).toEqual({ kind: 'access_token', expiresAt: clock.seconds + 28_800 })
    expect(shown).toEqual([`Bearer ${token}`])
  })

  test('may name its app as tokens of 2025 did', async () => {
    await expect(
      verifier.verify(accessToken({ client_id: undefined, oauthApp: 'app-1' })),
    ).resolves.toBeDefined()
  })

  test('takes the alias whose audience is its app', async () => {
    const policy = policyWith({
      one: { preset: 'huggingface', issuer: hub.url, audience: 'app-1' },
      two: { preset: 'huggingface', issuer: hub.url, audience: 'app-2' },
    })
    const both = createVerifier({ policy, now: () => clock.ms })
    expect((await both.verify(accessToken({ client_id: 'app-2' }))).issuer.alias).toBe('two')
  })

  test('without a word about its app is taken only when that was asked for by name', async () => {
    const opaque = 'hf_oauth_0123456789abcdefghijklmnopqrstuvwx'
    expect((await refusalOf(verifier.verify(opaque), opaque)).code).toBe('HFAUTH_TOKEN_AUDIENCE')
    const { principal } = await verifierWith({ acceptUnboundAccessTokens: true }).verify(opaque)
    expect(principal.subject).toBe('64a1')
    expect(principal.scopes).toBeUndefined()
  })

  test.each([
    ['was given to another app', 'HFAUTH_TOKEN_AUDIENCE', { client_id: 'app-9' }],
    [
      'was given to another app, by its older name',
      'HFAUTH_TOKEN_AUDIENCE',
      { client_id: undefined, oauthApp: 'app-9' },
    ],
    ['names two apps', 'HFAUTH_TOKEN_AUDIENCE', { oauthApp: 'app-9' }],
    ['names its app by a list', 'HFAUTH_TOKEN_AUDIENCE', { client_id: ['app-1'] }],
    ['names no app', 'HFAUTH_TOKEN_AUDIENCE', { client_id: undefined }],
    ['is of somebody else', 'HFAUTH_TOKEN_INVALID', { sub: '64a2' }],
    ['has expired by its own words', 'HFAUTH_TOKEN_EXPIRED', { exp: 1 }],
    ['has an end that is no number', 'HFAUTH_TOKEN_INVALID', { exp: 'never' }],
    ['was issued in the future', 'HFAUTH_TOKEN_INVALID', { iat: 9_999_999_999 }],
  ])('is refused all the same when it %s', async (_, code, more) => {
    const token = accessToken(more)
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject({ code, retryable: false })
  })

  test('is judged by its own words too where unbound tokens are taken', async () => {
    const lenient = verifierWith({ acceptUnboundAccessTokens: true })
    for (const more of [
      { client_id: 'app-9' },
      { client_id: undefined, sub: '64a2' },
      { client_id: undefined, exp: 1 },
    ]) {
      const token = accessToken(more)
      await refusalOf(lenient.verify(token), token)
    }
  })

  test('is refused when its payload has a member twice', async () => {
    const claims = `{"client_id":"app-9","client_id":"app-1","sub":"64a1"}`
    const token = `hf_oauth_${compact({ alg: 'EdDSA' }, claims, hubKey.sign)}`
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_AUDIENCE')
  })
})

describe('a Hugging Face access token', () => {
  test.each([401, 403])('is refused when userinfo answers %i', async (status) => {
    answer(json({ error: 'invalid_token', error_description: accessToken() }, status))
    const token = accessToken()
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject({
      code: 'HFAUTH_TOKEN_INVALID',
      retryable: false,
    })
  })

  const broken: [string, Answer][] = [
    ['429', json(person, 429)],
    ['500', json(person, 500)],
    ['503', json(person, 503)],
    ['404', json(person, 404)],
    ['an HTML page', (_, response) => response.end('<html>')],
    ['a list', json([person])],
    ['a person without `sub`', json({ preferred_username: 'ana' })],
    ['an empty `sub`', json({ sub: '' })],
    ['a member twice', json('{"sub":"64a2","sub":"64a1"}')],
    ['too much', json({ ...person, name: 'n'.repeat(600_000) })],
    ['no UTF-8', (_, response) => response.end(Buffer.from([0x7b, 0xff, 0x7d]))],
    ['a closed connection', (request) => request.socket.destroy()],
    [
      'half an answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{')
        setImmediate(() => response.destroy())
      },
    ],
    ['a redirect', (_, response) => response.writeHead(302, { location: `${hub.url}/elsewhere` }).end()],
  ]
  test.each(broken)('can be shown again later when userinfo answers with %s', async (_, next) => {
    answer(next)
    const token = accessToken()
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      retryable: true,
    })
    expect(hub.requests).not.toContain('/elsewhere')
    answer(json(person))
    await expect(verifier.verify(token)).resolves.toBeDefined()
  })

  test('waits no longer than it is told to', async () => {
    answer(() => {})
    const token = accessToken()
    const refusal = await refusalOf(verifierWith({ timeoutMs: 30 }).verify(token), token)
    expect(refusal).toMatchObject({ code: 'HFAUTH_ISSUER_UNAVAILABLE', retryable: true })
    expect(refusal.message).toContain('30 ms')
  })

  test('is never sent to an endpoint outside the issuer’s origin', async () => {
    const foreign = await startIssuer()
    foreign.answers.set(paths.userinfo, json(person))
    const original = hub.answers.get(paths.discovery) as Answer
    hub.answers.set(
      paths.discovery,
      json({
        issuer: hub.url,
        jwks_uri: `${hub.url}/jwks`,
        userinfo_endpoint: `${foreign.url}/oauth/userinfo`,
      }),
    )
    const token = accessToken()
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_ISSUER_UNAVAILABLE')
    expect(foreign.requests).toEqual([])
    hub.answers.set(paths.discovery, original)
    await foreign.close()
  })

  test('is not taken when the policy has no Hugging Face issuer', async () => {
    const other = createVerifier({ policy: policyWith({ idp: { preset: 'oidc', issuer: hub.url } }) })
    const token = accessToken()
    expect((await refusalOf(other.verify(token), token)).code).toBe('HFAUTH_TOKEN_UNSUPPORTED')
    expect(hub.requests).toEqual([])
  })

  test('is shown only to the Hub it names when there are several', async () => {
    const staging = await startIssuer()
    staging.answers.set(paths.userinfo, json(person))
    const policy = policyWith({
      hf: { preset: 'huggingface', issuer: hub.url },
      staging: { preset: 'huggingface', issuer: staging.url },
    })
    const both = createVerifier({ policy, now: () => clock.ms })
    expect((await both.verify(accessToken({ iss: staging.url }))).issuer.alias).toBe('staging')
    expect(hub.requests).toEqual([])
    const unnamed = accessToken({ iss: undefined })
    expect((await refusalOf(both.verify(unnamed), unnamed)).code).toBe('HFAUTH_TOKEN_UNSUPPORTED')
    expect(asked()).toBe(0)
    await staging.close()
  })
})

describe('a remembered access token', () => {
  test('is asked about again after `cacheSeconds`, and then its revocation shows', async () => {
    const token = accessToken()
    const first = await verifier.verify(token)
    clock.forward(59)
    expect(await verifier.verify(token)).toBe(first)
    expect(asked()).toBe(1)
    clock.forward(1)
    answer(json({}, 401))
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_INVALID')
    expect(asked()).toBe(2)
  })

  test('is not used past its end', async () => {
    const token = accessToken({ exp: clock.seconds + 10 })
    const strict = verifierWith({ clockToleranceSeconds: 0 })
    await strict.verify(token)
    clock.forward(10)
    expect((await refusalOf(strict.verify(token), token)).code).toBe('HFAUTH_TOKEN_EXPIRED')
    expect(asked()).toBe(2)
  })
})
