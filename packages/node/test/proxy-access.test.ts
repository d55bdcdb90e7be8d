/** With what the proxy goes upstream, what it asks there before it decides, and what happens without a record. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  exchangeForMember,
  exchangeForPublisher,
  firstOf,
  forwardCaller,
  serviceToken,
  type UpstreamCredentials,
} from '../src/index.ts'
import { effectsOf, type Fixture, startFixture } from './proxy-fixture.ts'

let it: Fixture
afterEach(() => it.close())

const file = '/acme/vision-small/resolve/main/config.json'
const info = '/api/models/acme/vision-small'

async function get(path: string, token?: string): Promise<Response> {
  return fetch(it.url + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
}
const chat = async (token: string, model = 'acme/text-chat') =>
  fetch(`${it.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
  })
const credentialOn = (path: string) =>
  it.hub.requests.find((request) => request.path === path)?.headers.authorization

describe('upstream credentials', () => {
  test('a Hugging Face token of the caller’s own goes on, where that was chosen', async () => {
    it = await startFixture({ credentials: forwardCaller() })
    const token = await it.tokenOf('ana')
    expect((await get(file, token)).status).toBe(200)
    expect(credentialOn(file)).toBe(`Bearer ${token}`)
  })

  test('a service token goes in its place, where that was chosen', async () => {
    it = await startFixture({ policy: { deny: [] }, credentials: serviceToken(async () => service) })
    const service = await it.hub.tokenFor({
      username: 'cleo',
      clientId: it.hub.world.apps[0]?.clientId ?? '',
      scopes: ['read-repos'],
      orgs: ['acme'],
    })
    expect((await get(file, await it.tokenOf('ben'))).status).toBe(200)
    expect(credentialOn(file)).toBe(`Bearer ${service}`)
  })

  test('nobody at all gets no service token, whatever the policy lets them read', async () => {
    it = await startFixture({
      policy: { deny: [], bindings: [{ roles: ['viewer'], to: { anonymous: true } }] },
      credentials: serviceToken(() => 'hf_service'),
    })
    expect((await get(file)).status).toBe(200)
    expect(credentialOn(file)).toBeUndefined()
    const closed = await get('/acme/vision-large/resolve/main/config.json')
    expect(await closed.json()).toMatchObject({ status: 403, reason: 'no_upstream_credential' })
    expect(effectsOf(it.hub)).not.toContain('GET /acme/vision-large/resolve/main/config.json')
  })

  test('what needs a credential and has none is refused, and that is on record', async () => {
    it = await startFixture({ policy: { deny: [] }, credentials: async () => undefined })
    const response = await chat(await it.tokenOf('ana'))
    expect(await response.json()).toMatchObject({ status: 403, reason: 'no_upstream_credential' })
    expect(await it.eventOf('io.hfauth.inference.completed')).toMatchObject({
      error: 'no_upstream_credential',
    })
    expect(effectsOf(it.hub).filter((line) => line.startsWith('POST'))).toEqual([])
  })

  test('an exchange that cannot be reached is a 503, to be tried again', async () => {
    it = await startFixture({ policy: { deny: [] } })
    it.hub.faults.tokenEndpoint = { status: 503 }
    const response = await get('/acme/vision-large/resolve/main/config.json', await it.ciToken())
    expect(await response.json()).toMatchObject({
      status: 503,
      reason: 'issuer_unavailable',
      retryable: true,
    })
    expect(response.headers.get('retry-after')).toBe('5')
    expect(effectsOf(it.hub)).toEqual([])
  })

  test('a token that was exchanged goes on record once, and never as itself', async () => {
    it = await startFixture({ policy: { deny: [] } })
    const token = await it.ciToken()
    const path = '/acme/vision-large/resolve/main/config.json'
    for (let i = 0; i < 3; i++) await (await get(path, token)).text()
    expect(it.events.filter(({ type }) => type === 'io.hfauth.token.exchanged')).toHaveLength(1)
    expect(credentialOn(path)).toMatch(/^Bearer hf_jwt_/)
    const record = JSON.stringify(it.events)
    for (const secret of [...it.hub.issued, ...it.ci.issued, token])
      expect(record.includes(secret)).toBe(false)
  })

  describe('ways to one', () => {
    const principal = { kind: 'user', email: 'ana@acme.example', emailVerified: true, claims: {} } as never
    const calls: unknown[] = []
    const exchange = {
      forMember: async (request: unknown) => {
        calls.push(request)
        return { token: 'hf_oauth_x', expiresAt: 1, scopes: ['read-repos'] }
      },
      forPublisher: async (request: unknown) => {
        calls.push(request)
        return { token: 'hf_jwt_x', expiresAt: 1, scopes: [] }
      },
    }
    const idle = async () => {
      it = await startFixture()
      calls.length = 0
    }

    test('a member is known by a verified address, and gets the scopes of the decision and no others', async () => {
      await idle()
      const way = exchangeForMember(exchange)
      const need = { principal, action: 'read', scopes: ['read-repos'] }
      expect(await way(need)).toMatchObject({ token: 'hf_oauth_x', exchanged: true })
      expect(calls).toEqual([{ email: 'ana@acme.example', scopes: ['read-repos'] }])
      expect(await way({ ...need, scopes: [] })).toBeUndefined()
      const unverified = { kind: 'user', email: 'ana@acme.example', emailVerified: false } as never
      expect(await way({ ...need, principal: unverified })).toBeUndefined()
      const job = { kind: 'workload', email: 'ana@acme.example', emailVerified: true } as never
      expect(await way({ ...need, principal: job })).toBeUndefined()
      expect(calls).toHaveLength(1)
    })

    test('a publisher is a job with its own ID token, and gets one repository', async () => {
      await idle()
      const way = exchangeForPublisher(exchange)
      const job = { kind: 'workload', credential: 'id_token' } as never
      const need = { principal: job, callerToken: 'hf_oidc_a.b.c', action: 'write', scopes: ['write-repos'] }
      await way({ ...need, resource: { type: 'dataset', id: 'Acme/Labels' } })
      expect(calls).toEqual([{ idToken: 'a.b.c', resource: 'datasets/Acme/Labels' }])
      expect(await way(need)).toBeUndefined()
      expect(await way({ ...need, resource: { type: 'job', id: 'a/b' } })).toBeUndefined()
      expect(await way({ ...need, action: 'infer', resource: { type: 'model', id: 'a/b' } })).toBeUndefined()
      expect(await way({ ...need, principal, resource: { type: 'model', id: 'a/b' } })).toBeUndefined()
      expect(calls).toHaveLength(1)
    })

    test('only a Hugging Face access token is forwarded, and no other token of the caller', async () => {
      await idle()
      const way = forwardCaller()
      const need = { callerToken: 't', action: 'read', scopes: [] }
      const as = (shape: object) => way({ ...need, principal: shape as never })
      expect(await as({ huggingface: true, credential: 'access_token' })).toEqual({ token: 't' })
      expect(await as({ huggingface: true, credential: 'id_token' })).toBeUndefined()
      expect(await as({ huggingface: false, credential: 'access_token' })).toBeUndefined()
    })

    test('the first that fits is taken, and a refusal ends the search', async () => {
      await idle()
      const none: UpstreamCredentials = async () => undefined
      const refused: UpstreamCredentials = async () => {
        throw new Error('refused')
      }
      const need = { principal, action: 'read', scopes: [] }
      expect(await firstOf(none, async () => ({ token: 'a' }), refused)(need)).toEqual({ token: 'a' })
      await expect(firstOf(refused, async () => ({ token: 'a' }))(need)).rejects.toThrow('refused')
    })
  })

  test('a member who signed in elsewhere is exchanged for the scope of the decision, and is herself there', async () => {
    it = await startFixture({
      policy: {
        deny: [],
        bindings: [{ roles: ['engineer'], to: { issuer: 'staff', email: 'ana@acme.example' } }],
      },
    })
    const token = await it.staffToken('ana')
    expect((await chat(token)).status).toBe(200)
    expect((await get('/acme/vision-large/resolve/main/config.json', token)).status).toBe(200)
    expect(
      it.events.filter(({ type }) => type === 'io.hfauth.token.exchanged').map(({ scopes }) => scopes),
    ).toEqual([['inference-api'], ['read-repos']])
    const sent = it.hub.requests.flatMap(({ headers }) => headers.authorization ?? [])
    expect(sent.some((header) => header.includes(token))).toBe(false)
  })

  test('a member whose organisation does not know the address gets nothing', async () => {
    it = await startFixture({
      policy: { deny: [], bindings: [{ roles: ['engineer'], to: { issuer: 'staff' } }] },
    })
    const response = await chat(await it.staffToken('dan'))
    expect(await response.json()).toMatchObject({ status: 403, reason: 'no_upstream_credential' })
  })
})

describe('facts', () => {
  test('are asked for once in half a minute, and only where they decide', async () => {
    let now = Date.now()
    it = await startFixture({ now: () => now })
    const token = await it.tokenOf('ben')
    const lookups = () => effectsOf(it.hub).filter((line) => line === `GET ${info}`).length
    await (await get(file, token)).text()
    await (await get(file, token)).text()
    expect(lookups()).toBe(1)
    now += 31_000
    await (await get(file, token)).text()
    expect(lookups()).toBe(2)
    // Somebody else's eyes may see something else.
    await (await get(file, await it.tokenOf('ana'))).text()
    expect(lookups()).toBe(3)
    await it.close()

    it = await startFixture({ policy: { deny: [] } })
    await (await get(file, await it.tokenOf('ben'))).text()
    expect(lookups()).toBe(0)
  })

  test('are not asked for where no rule could allow', async () => {
    it = await startFixture()
    expect((await get('/other/secret/resolve/main/x', await it.tokenOf('ana'))).status).toBe(403)
    expect(effectsOf(it.hub)).toEqual([])
  })

  test('that cannot be had stay unknown, and a denial that needs them denies', async () => {
    it = await startFixture()
    const token = await it.tokenOf('ana')
    it.hub.faults.hub = { status: 500 }
    expect((await get(file, token)).status).toBe(403)
    expect(it.events.at(-1)).toMatchObject({
      decision: { reason: 'explicit_deny', missingAttributes: ['resource.tags'] },
    })
    // A failure is not remembered.
    delete it.hub.faults.hub
    expect((await get(file, token)).status).toBe(200)
  })

  test('let a token without the scope read what is public', async () => {
    it = await startFixture({ policy: { deny: [] } })
    const token = await it.tokenOf('ben', ['openid', 'profile'])
    expect((await get(file, token)).status).toBe(200)
    const response = await get('/acme/vision-large/resolve/main/config.json', token)
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_scope", scope="read-repos"',
    )
  })
})

describe('without a record', () => {
  test('K03 nothing is done: 503, the Hub untouched, and health says so', async () => {
    let works = true
    it = await startFixture({
      policy: { deny: [] },
      sink: {
        async write() {
          if (!works) throw new Error('disk full')
        },
      },
    })
    const token = await it.tokenOf('ana')
    works = false
    for (const attempt of [
      () => get(file, token),
      () => chat(token),
      () => get('/api/models', token),
      () => get('/api/whoami-v2', token),
    ]) {
      it.hub.requests.clear()
      const response = await attempt()
      expect(response.headers.get('retry-after')).toBe('5')
      expect(await response.json()).toMatchObject({
        status: 503,
        reason: 'audit_unavailable',
        retryable: true,
      })
      expect(effectsOf(it.hub)).toEqual([])
    }
    expect((await get('/no/such/route', token)).status).toBe(503)
    expect(await (await get('/healthz')).json()).toEqual({ status: 'degraded' })
    works = true
    expect((await get(file, token)).status).toBe(200)
    expect((await get('/healthz')).status).toBe(200)
  })

  test('no token is made for anybody', async () => {
    let left = 1
    it = await startFixture({
      policy: { deny: [] },
      sink: {
        async write() {
          if (left-- <= 0) throw new Error('disk full')
        },
      },
    })
    // The decision fits; the exchange does not, so its token is not used.
    const path = '/acme/vision-large/resolve/main/config.json'
    expect((await get(path, await it.ciToken())).status).toBe(503)
    expect(effectsOf(it.hub)).toEqual([])
  })
})

describe('a step up', () => {
  test('is asked for in the words of RFC 9470', async () => {
    it = await startFixture({
      policy: { environments: { development: { require: { 'principal.mfa': true } } } },
    })
    const response = await get(file, await it.tokenOf('ana'))
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", acr_values="http://schemas.openid.net/pape/policies/2007/06/multi-factor"',
    )
    expect((await get('/api/models', await it.tokenOf('ana'))).status).toBe(401)
    expect((await get('/api/whoami-v2', await it.tokenOf('ana'))).status).toBe(401)
    expect(effectsOf(it.hub)).toEqual([])
  })
})
