/** From leaving for the provider to signing out, with a real OpenID provider, in every way of keeping sessions. */
import { hash } from 'node:crypto'
import { confidentialAppId, type Hub, publicAppId, startHub } from '@hfauth/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rememberSecrets } from '../../../test/support/output.ts'
import { memorySessionStore, type SessionStore } from '../src/index.ts'
import { redisSessionStore } from '../src/redis.ts'
import { createClock, refusalOf } from './loopback-issuer.ts'
import { connectIoredis, connectNodeRedis, randomPrefix, redisTest, removeKeys } from './redis-server.ts'
import {
  Browser,
  cookieName,
  createService,
  hubIssuers,
  leaveRecord,
  origin,
  type Service,
  type ServiceOptions,
} from './session-fixture.ts'

const clock = createClock(Date.now())
const now = () => clock.ms

let hub: Hub
let service: Service
let browser: Browser

beforeAll(async () => {
  hub = await startHub({ now })
})
afterAll(async () => {
  rememberSecrets(hub.issued)
  await hub.close()
})
beforeEach(() => {
  hub.requests.clear()
  for (const name of Object.keys(hub.faults)) delete hub.faults[name as keyof typeof hub.faults]
})
afterEach(() => leaveRecord('session-flow', service))

function start(options: Partial<ServiceOptions> = {}): void {
  service = createService({ now, issuers: hubIssuers(hub), ...options })
  browser = new Browser(service.sessions)
}

const kinds: [string, () => SessionStore | undefined][] = [
  ['in its cookie', () => undefined],
  ['in a store', () => memorySessionStore({ now })],
]

describe.each(kinds)('a session %s', (_, createStore) => {
  beforeEach(() => start({ store: createStore() }))

  test('begins at the provider and knows the person with organisations and scopes', async () => {
    const back = await browser.signIn(hub, 'ana', '?return_to=/models%3Fq=1%23top')
    expect(back.status).toBe(303)
    expect(back.headers.get('location')).toBe('/models?q=1#top')
    const session = await service.sessions.load(browser.request('/'))
    expect(session?.principal).toMatchObject({
      id: `hf|${hub.person('ana').id}`,
      username: 'ana',
      orgs: [{ handle: 'acme', role: 'write' }],
    })
    expect(session?.scopes).toEqual(expect.arrayContaining(['openid', 'inference-api']))
    expect(service.engine.for(session?.principal as never).can('infer', 'model:acme/vision-large')).toBe(true)
  })

  test('asks for no more than the policy can use', async () => {
    const url = new URL(await browser.leave())
    const asked = url.searchParams.get('scope')?.split(' ')
    expect(asked).toEqual(['openid', 'profile', ...service.engine.scopes()])
    expect(asked).not.toContain('write-repos')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: `${origin}/auth/callback`,
    })
  })

  test('lives in a cookie that scripts, subdomains and plain http cannot touch', async () => {
    const back = await browser.signIn(hub)
    const line = back.headers.getSetCookie().find((cookie) => cookie.startsWith(`${cookieName}=`))
    expect(line).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Lax$/)
    expect(line).not.toMatch(/domain/i)
    expect(line?.length).toBeLessThan(4096)
    expect(back.headers.get('cache-control')).toBe('no-store')
    expect(back.headers.get('referrer-policy')).toBe('no-referrer')
  })

  test('tells its page who is signed in, and never a token', async () => {
    expect(await browser.me()).toEqual({ signedIn: false })
    await browser.signIn(hub)
    const text = await (await browser.send('/auth/me')).text()
    expect(JSON.parse(text)).toMatchObject({ signedIn: true, principal: { username: 'ana', issuer: 'hf' } })
    for (const value of hub.issued) expect(text).not.toContain(value)
    expect(text).not.toContain(browser.cookies.get(cookieName))
  })

  test('of which several are begun at once ends each where it was begun', async () => {
    const first = await browser.leave('?return_to=/first')
    const second = await browser.leave('?return_to=/second')
    const backs = []
    for (const authorizationUrl of [second, first]) {
      backs.push(await browser.send(await hub.signIn({ authorizationUrl, username: 'ana' })))
    }
    expect(backs.map((back) => back.headers.get('location'))).toEqual(['/second', '/first'])
    expect([...browser.cookies.keys()]).toEqual([cookieName])
  })

  test('keeps at most five sign-ins under way, the newest', async () => {
    const urls = []
    for (let i = 0; i < 7; i++) {
      clock.forward(1)
      urls.push(await browser.leave())
    }
    expect(browser.cookies.size).toBe(5)
    const [oldest = '', newest = ''] = [urls[0], urls[6]]
    const late = await browser.send(await hub.signIn({ authorizationUrl: oldest, username: 'ana' }))
    expect(late.status).toBe(400)
    expect((await browser.send(await hub.signIn({ authorizationUrl: newest, username: 'ana' }))).status).toBe(
      303,
    )
  })

  test('is over when it has not been used for the idle time, and not before', async () => {
    await browser.signIn(hub)
    for (let minutes = 0; minutes < 100; minutes += 25) {
      clock.forward(25 * 60)
      expect((await browser.me()).signedIn, `after ${minutes + 25} minutes`).toBe(true)
    }
    clock.forward(31 * 60)
    expect((await browser.me()).signedIn).toBe(false)
  })

  test('is over at its absolute end, however much it is used', async () => {
    await browser.signIn(hub)
    for (let minutes = 0; minutes < 7 * 60 + 55; minutes += 25) {
      clock.forward(25 * 60)
      if (minutes < 7 * 60 + 30) expect((await browser.me()).signedIn).toBe(true)
    }
    clock.forward(10 * 60)
    expect((await browser.me()).signedIn).toBe(false)
  })

  test('is opened with an older secret as long as that is listed, and no longer', async () => {
    const store = createStore()
    const [older, newer] = [
      'older secret of at least 32 characters',
      'newer secret of at least 32 characters',
    ]
    start({ secrets: [older], store })
    await browser.signIn(hub)
    const both = createService({ now, issuers: hubIssuers(hub), secrets: [newer, older], store })
    expect((await new Browser(both.sessions, browser.cookies).me()).signedIn).toBe(true)
    const one = createService({ now, issuers: hubIssuers(hub), secrets: [newer], store })
    expect((await new Browser(one.sessions, browser.cookies).me()).signedIn).toBe(false)
  })

  test('is over when its issuer is no longer in the policy', async () => {
    const store = createStore()
    start({ store })
    await browser.signIn(hub)
    const other = createService({
      now,
      store,
      issuers: {
        hf: { preset: 'huggingface', issuer: 'https://other.example', audience: publicAppId },
      },
    })
    expect((await new Browser(other.sessions, browser.cookies).me()).signedIn).toBe(false)
  })

  test('ends with a sign-out, which goes home where the provider has no sign-out', async () => {
    await browser.signIn(hub)
    const out = await browser.signOut()
    expect(out.status).toBe(303)
    expect(out.headers.get('location')).toBe('/')
    expect(browser.cookies.has(cookieName)).toBe(false)
  })

  test('gives a page that signs out by itself an answer it can read', async () => {
    await browser.signIn(hub)
    const out = await browser.signOut('', { accept: 'application/json' })
    expect(await out.json()).toEqual({ signedIn: false, location: '/' })
  })

  test('is made of the ID token of a page that signed in by itself', async () => {
    const token = await idToken()
    const answer = await browser.send(
      '/auth/session',
      { method: 'POST' },
      { authorization: `Bearer ${token}` },
    )
    expect(answer.status).toBe(200)
    const session = await service.sessions.load(browser.request('/'))
    expect(session?.principal).toMatchObject({ username: 'ana', credential: 'id_token' })
    expect(session?.scopes).toEqual([])
    expect(await service.sessions.accessToken(browser.request('/'))).toBeUndefined()
  })

  test('is made of an ID token once, on whichever replica that shares the store', async () => {
    const store = createStore()
    start({ store })
    const other = createService({ now, issuers: hubIssuers(hub), store })
    const { sessions } = service
    const ask = (asked: typeof sessions, token: string) =>
      new Browser(asked).send('/auth/session', { method: 'POST' }, { authorization: `Bearer ${token}` })
    const token = await idToken()
    const replica = store === undefined ? sessions : other.sessions
    const answers = await Promise.all([ask(sessions, token), ask(replica, token)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
    clock.forward(500)
    expect((await ask(sessions, token)).status).toBe(401)
    expect((await ask(replica, `hf_oidc_${token}`)).status).toBe(401)
    expect((await ask(sessions, await idToken())).status).toBe(200)
  })

  test('is on record with the client’s address as proxies that are trusted tell it', async () => {
    start({ store: createStore(), trustedProxies: ['10.9.0.0/16'] })
    for (const [remoteAddress, ip] of [
      ['10.9.0.1', '198.51.100.7'],
      ['192.0.2.1', '192.0.2.1'],
    ] as const) {
      const headers = {
        authorization: `Bearer ${await idToken()}`,
        'x-forwarded-for': '203.0.113.9, 198.51.100.7',
      }
      const request = new Browser(service.sessions).request('/auth/session', { method: 'POST' }, headers)
      expect((await service.sessions.handle(request, { remoteAddress }))?.status).toBe(200)
      expect(service.events.at(-1)).toMatchObject({ type: 'io.hfauth.session.started', client: { ip } })
      clock.forward(1)
    }
  })

  test('is not made of an access token, an old ID token, or none', async () => {
    const token = await idToken()
    const access = await hub.tokenFor({ username: 'ana', clientId: publicAppId, scopes: ['openid'] })
    const handOver = (headers: Record<string, string | null>) =>
      browser.send('/auth/session', { method: 'POST' }, headers)
    expect((await handOver({ authorization: `Bearer ${access}` })).status).toBe(401)
    expect((await handOver({})).status).toBe(400)
    clock.forward(660)
    expect((await handOver({ authorization: `Bearer ${token}` })).status).toBe(401)
    expect(browser.cookies.size).toBe(0)
  })

  test('is on record with its beginning and its end, and with no secret', async () => {
    await browser.signIn(hub)
    const cookie = browser.cookies.get(cookieName) ?? ''
    await browser.signOut()
    expect(service.events.map(({ type }) => type)).toEqual([
      'io.hfauth.session.started',
      'io.hfauth.session.ended',
    ])
    expect(service.events[0]).toMatchObject({
      actor: { id: `hf|${hub.person('ana').id}`, roles: ['engineer', 'viewer'] },
      http: { method: 'GET', route: '/auth/callback' },
    })
    const text = JSON.stringify(service.events)
    for (const value of [cookie, ...hub.issued]) expect(text).not.toContain(value)
  })

  test('does not begin when that cannot be put on record', async () => {
    const write = () => Promise.reject(new Error('the disk is full'))
    start({ store: createStore(), sink: { write } })
    const back = await browser.signIn(hub)
    expect(back.status).toBe(503)
    expect(browser.cookies.size).toBe(0)
  })

  test('gets a new id when rights are gained, and its person stays the same', async () => {
    await browser.signIn(hub)
    const before = await service.sessions.load(browser.request('/'))
    const rotated = await service.sessions.rotate(browser.request('/'))
    expect(rotated?.principal.id).toBe(before?.principal.id)
    expect(rotated?.csrfToken).not.toBe(before?.csrfToken)
    const [, value = ''] = /=([^;]+)/.exec(rotated?.setCookie ?? '') ?? []
    expect(value).not.toBe(browser.cookies.get(cookieName))
    const next = new Browser(service.sessions, [[cookieName, value]])
    expect((await next.me()).signedIn).toBe(true)
  })
})

describe('a session in a store', () => {
  beforeEach(() => start({ store: memorySessionStore({ now }) }))

  test('has a cookie of 256 bits of chance that says nothing', async () => {
    await browser.signIn(hub)
    expect(browser.cookies.get(cookieName)).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  test('is gone everywhere after a sign-out, also for a copy of the cookie', async () => {
    await browser.signIn(hub)
    const copy = new Browser(service.sessions, browser.cookies)
    await browser.signOut()
    expect((await copy.me()).signedIn).toBe(false)
  })

  test('loses its old id when it gets a new one', async () => {
    await browser.signIn(hub)
    await service.sessions.rotate(browser.request('/'))
    expect((await browser.me()).signedIn).toBe(false)
  })

  test('ends with all others of its person when asked to, and nobody else’s', async () => {
    const laptop = new Browser(service.sessions)
    const colleague = new Browser(service.sessions)
    await browser.signIn(hub)
    await laptop.signIn(hub)
    await colleague.signIn(hub, 'ben')
    await browser.signOut('everywhere=true')
    expect((await laptop.me()).signedIn).toBe(false)
    expect((await colleague.me()).signedIn).toBe(true)
    const subject = hub.person('ben').id
    expect(await service.sessions.endAll({ issuer: hub.url, subject })).toBe(1)
    expect((await colleague.me()).signedIn).toBe(false)
  })

  test('has the person’s access token for requests of this service', async () => {
    await browser.signIn(hub)
    const access = await service.sessions.accessToken(browser.request('/'))
    const headers = { authorization: `Bearer ${access?.token}` }
    const told = await fetch(`${hub.url}/oauth/userinfo`, { headers })
    expect(await told.json()).toMatchObject({ preferred_username: 'ana' })
    expect(access?.scopes).toContain('inference-api')
  })

  test('of a confidential app proves the app with its secret, asked for at that moment', async () => {
    const clientSecret = hub.app(confidentialAppId).clientSecret ?? ''
    let asked = 0
    const secretOf = () => {
      asked += 1
      return clientSecret
    }
    start({
      store: memorySessionStore({ now }),
      providers: { hf: { clientId: confidentialAppId, clientSecret: secretOf } },
    })
    expect((await browser.signIn(hub)).status).toBe(303)
    expect(asked).toBe(1)
    const token = hub.requests.find(({ path }) => path === '/oauth/token')
    expect(token?.headers.authorization).toMatch(/^Basic /)
    expect(token?.body.toString()).toContain('code_verifier=')
  })

  test('takes any way in which a client proves itself', async () => {
    const clientSecret = hub.app(confidentialAppId).clientSecret ?? ''
    start({
      store: memorySessionStore({ now }),
      providers: {
        hf: {
          clientId: confidentialAppId,
          clientAuthentication(_, client, body) {
            body.set('client_id', client.client_id)
            body.set('client_secret', clientSecret)
          },
        },
      },
    })
    expect((await browser.signIn(hub)).status).toBe(303)
  })
})

test('a session in a store has room for all that a provider may tell of a person', async () => {
  const orgs = Array.from({ length: 900 }, (_, i) => ({
    sub: String(i).padStart(24, '0'),
    preferred_username: `team-${i}`,
    name: 'T'.repeat(300),
    roleInOrg: 'read',
  }))
  start({
    store: memorySessionStore({ now }),
    async fetch(input, init) {
      const response = await fetch(input, init)
      if (!String(input).endsWith('/userinfo')) return response
      return Response.json({ ...((await response.json()) as object), orgs })
    },
  })
  expect((await browser.signIn(hub)).status).toBe(303)
  const session = await service.sessions.load(browser.request('/'))
  expect(session?.principal.orgs).toHaveLength(900)
})

describe('a session in its cookie', () => {
  beforeEach(() => start())

  test('that does not fit is refused with the reason, and not cut', async () => {
    const person = hub.person('dan')
    const { name } = person
    person.name = 'D'.repeat(4000)
    const back = await browser.signIn(hub, 'dan', '', []).finally(() => {
      person.name = name
    })
    expect(back.status).toBe(500)
    expect(browser.cookies.size).toBe(0)
    expect(service.events[0]).toMatchObject({
      type: 'io.hfauth.signin.refused',
      error: 'HFAUTH_SESSION_TOO_LARGE',
    })
  })

  test('is over when it has been revoked, by its subject or by itself', async () => {
    const revoked = new Set<string>()
    const revocations = {
      isRevoked: ({ subject = '', tokenId = '' }) => revoked.has(subject) || revoked.has(tokenId),
      subscribe: () => () => {},
    }
    start({ revocations, revoke: ({ tokenId = '' }) => void revoked.add(tokenId) })
    await browser.signIn(hub)
    const copy = new Browser(service.sessions, browser.cookies)
    const other = new Browser(service.sessions)
    await other.signIn(hub)
    await browser.signOut()
    expect((await copy.me()).signedIn).toBe(false)
    expect((await other.me()).signedIn).toBe(true)
    revoked.add(hub.person('ana').id)
    expect((await other.me()).signedIn).toBe(false)
  })

  test('is taken back with all others of its person when asked to', async () => {
    const taken: object[] = []
    start({ revoke: (identity) => void taken.push(identity) })
    await browser.signIn(hub)
    await browser.signOut('everywhere=true')
    const subject = hub.person('ana').id
    expect(taken).toEqual([
      expect.objectContaining({ issuer: hub.url, subject, tokenId: expect.stringMatching(/^[0-9a-f]{64}$/) }),
      { issuer: hub.url, subject, issuedAt: clock.seconds },
    ])
  })

  test('cannot be found without its cookie, and says so', async () => {
    const end = service.sessions.endAll({ issuer: hub.url, subject: 'anyone' })
    expect((await refusalOf(end)).code).toBe('HFAUTH_CONFIG_INVALID')
  })

  test('is renewed in its cookie while it is used', async () => {
    await browser.signIn(hub)
    const before = browser.cookies.get(cookieName)
    clock.forward(120)
    const session = await service.sessions.load(browser.request('/'))
    expect(session?.setCookie).toMatch(/^__Host-hfauth=/)
    expect(session?.setCookie).not.toContain(before)
  })
})

describe('handlers', () => {
  beforeEach(() => start())

  test('answer under their own path and nothing else', async () => {
    for (const path of [
      '/',
      '/auth',
      '/auth/',
      '/auth/other',
      '/authlogin',
      '/auth/me/x',
      '/auth/callback/okta',
    ]) {
      expect(await service.sessions.handle(browser.request(path)), path).toBeUndefined()
    }
  })

  test('take one method each', async () => {
    const wrong = [
      ['/auth/login', 'POST'],
      ['/auth/callback', 'POST'],
      ['/auth/me', 'POST'],
      ['/auth/logout', 'GET'],
      ['/auth/session', 'GET'],
    ] as const
    for (const [path, method] of wrong) expect((await browser.send(path, { method })).status, path).toBe(405)
  })

  test.each(['?provider=nobody', '?prompt=nothing', '?max_age=-1', '?max_age=1e3', '?acr_values=%22'])(
    'begin no sign-in for %s',
    async (query) => {
      expect((await browser.send(`/auth/login${query}`)).status).toBe(400)
    },
  )

  test('take all their chance from one source, and never the same twice', async () => {
    let calls = 0
    start({
      random(bytes) {
        calls += 1
        return new Uint8Array(bytes).fill(calls)
      },
    })
    const url = new URL(await browser.leave())
    const chance = (call: number) => Buffer.alloc(32, call).toString('base64url')
    expect(url.searchParams.get('state')).toBe(chance(1))
    expect(url.searchParams.get('nonce')).toBe(chance(2))
    expect(url.searchParams.get('code_challenge')).toBe(hash('sha256', chance(3), 'base64url'))
  })

  test('pass on what a step-up asks for', async () => {
    const url = new URL(await browser.leave('?max_age=60&acr_values=phr&prompt=login'))
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      max_age: '60',
      acr_values: 'phr',
      prompt: 'login',
    })
  })

  test('say that the provider is down, and that one may try again', async () => {
    const authorizationUrl = await browser.leave()
    const back = await hub.signIn({ authorizationUrl, username: 'ana' })
    hub.faults.tokenEndpoint = { status: 503 }
    const answer = await browser.send(back)
    expect(answer.status).toBe(503)
    expect(service.events.at(-1)).toMatchObject({ error: 'HFAUTH_ISSUER_UNAVAILABLE' })
  })

  test('send a browser whose sign-in is refused to the page for that, with a code and no words of others', async () => {
    start({ failurePath: '/sorry' })
    hub.forgetConsent('ana', publicAppId)
    const authorizationUrl = await browser.leave()
    const back = await hub.signIn({ authorizationUrl, username: 'ana', deny: true })
    const answer = await browser.send(back)
    expect(answer.headers.get('location')).toBe('/sorry?error=signin_refused')
    expect(browser.cookies.size).toBe(0)
  })
})

describe('options', () => {
  const wrong: [string, Partial<ServiceOptions>][] = [
    ['no secret', { secrets: [] }],
    ['a short secret', { secrets: ['short'] }],
    ['an origin with a path', { origin: 'https://app.acme.dev/x' }],
    ['an origin by plain http', { origin: 'http://app.acme.dev' }],
    ['no provider', { providers: {} }],
    ['a provider that the policy lacks', { providers: { okta: { clientId: 'x' } } }],
    [
      'a provider that gives people no ID token',
      {
        issuers: { gh: { preset: 'github', audience: 'app' } },
        providers: { gh: { clientId: 'app' } },
      },
    ],
    ['a client that the policy does not know', { providers: { hf: { clientId: 'x' } } }],
    [
      'a parameter of the protocol',
      { providers: { hf: { clientId: publicAppId, parameters: { state: 'x' } } } },
    ],
    ['a cookie without its prefix', { cookieName: 'hfauth' }],
    ['an idle time of none', { idleSeconds: 0 }],
    ['an idle time that is no number', { idleSeconds: Number.NaN }],
    ['a way out to another site', { afterSignOut: '//evil.example' }],
    ['a failure page on another site', { failurePath: 'https://evil.example' }],
    ['a base path with a query', { basePath: '/auth?x' }],
  ]
  test.each(wrong)('with %s are refused at the start', (_, options) => {
    expect(() => start(options)).toThrowError(expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }))
  })
})

test('handlers at the root of the origin answer there', async () => {
  start({ basePath: '/' })
  const location = new URL((await browser.send('/login')).headers.get('location') ?? '')
  expect(location.searchParams.get('redirect_uri')).toBe(`${origin}/callback`)
  expect((await browser.send('/callback?state=x')).status).toBe(400)
  expect(await service.sessions.handle(browser.request('/'))).toBeUndefined()
  expect(await service.sessions.handle(browser.request('/models/login'))).toBeUndefined()
})

describe('two replicas that share Redis (real server)', () => {
  redisTest('make one session of an ID token, and one of an answer of the provider', async () => {
    const connected = [await connectNodeRedis(), await connectIoredis()] as const
    const prefix = randomPrefix()
    try {
      const [one, other] = connected.map(({ client }) =>
        createService({ now, issuers: hubIssuers(hub), store: redisSessionStore(client, { prefix, now }) }),
      ) as [Service, Service]
      service = one
      const token = await idToken()
      const handOver = ({ sessions }: Service) =>
        new Browser(sessions).send('/auth/session', { method: 'POST' }, { authorization: `Bearer ${token}` })
      expect((await handOver(one)).status).toBe(200)
      expect((await handOver(other)).status).toBe(401)

      const first = new Browser(one.sessions)
      const authorizationUrl = await first.leave()
      const back = await hub.signIn({ authorizationUrl, username: 'ana', grantOrgs: [] })
      const second = new Browser(other.sessions, first.cookies)
      const statuses = (await Promise.all([first.send(back), second.send(back)])).map(({ status }) => status)
      expect(statuses.sort()).toEqual([303, 400])
    } finally {
      await removeKeys(connected[0], prefix)
      for (const { close } of connected) await close()
    }
  })
})

async function idToken(): Promise<string> {
  const verifier = 'v'.repeat(43)
  const challenge = hash('sha256', verifier, 'base64url')
  const redirectUri = 'http://127.0.0.1:4321/callback'
  const url = new URL(`${hub.url}/oauth/authorize`)
  url.search = new URLSearchParams({
    client_id: publicAppId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile',
    state: 's',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }).toString()
  const back = new URL(await hub.signIn({ authorizationUrl: url.href, username: 'ana' }))
  const answer = await fetch(`${hub.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: back.searchParams.get('code') ?? '',
      redirect_uri: redirectUri,
      client_id: publicAppId,
      code_verifier: verifier,
    }),
  })
  return ((await answer.json()) as { id_token: string }).id_token
}
