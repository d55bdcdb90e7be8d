/** Refreshing on the server: each refresh token once, whoever asks, and nothing ends but by the provider's word. */
import { type ChildProcess, fork } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rememberSecrets } from '../../../test/support/output.ts'
import { memorySessionStore, type SessionStore } from '../src/index.ts'
import { redisSessionStore } from '../src/redis.ts'
import { createClock } from './loopback-issuer.ts'
import {
  type Connected,
  connectNodeRedis,
  randomPrefix,
  redisTest,
  redisUrl,
  removeKeys,
} from './redis-server.ts'
import {
  Browser,
  cookieName,
  createService,
  hubIssuers,
  leaveRecord,
  type Service,
} from './session-fixture.ts'

const clock = createClock(Date.now())
const now = () => clock.ms
const quarter = 15 * 60 + 1

let hub: Hub
let store: SessionStore
let service: Service
let browser: Browser

beforeAll(async () => {
  hub = await startHub({ now })
  hub.app(publicAppId).accessTokenSeconds = 600
})
afterAll(async () => {
  rememberSecrets(hub.issued)
  await hub.close()
})
beforeEach(async () => {
  heal()
  store = memorySessionStore({ now })
  service = replica()
  browser = new Browser(service.sessions)
  await browser.signIn(hub)
  hub.requests.clear()
})
afterEach(() => leaveRecord('session-refresh', service))

function replica(options: Partial<Parameters<typeof createService>[0]> = {}): Service {
  return createService({ now, issuers: hubIssuers(hub), store, ...options })
}

function heal(): void {
  for (const name of Object.keys(hub.faults)) delete hub.faults[name as keyof typeof hub.faults]
}

const refreshes = (of = hub) =>
  of.requests.filter(
    ({ path, body }) => path === '/oauth/token' && String(body).includes('grant_type=refresh_token'),
  )
const sentTokens = (of = hub) =>
  refreshes(of).map(({ body }) => new URLSearchParams(String(body)).get('refresh_token'))
const access = (of: Service = service) => of.sessions.accessToken(browser.request('/'))
const isIn = async () => (await browser.me()).signedIn

describe('a session whose provider was last asked long ago', () => {
  test('asks again on its next use, once, and is on record as refreshed', async () => {
    expect(await isIn()).toBe(true)
    expect(refreshes()).toHaveLength(0)
    clock.forward(quarter)
    expect(await isIn()).toBe(true)
    expect(await isIn()).toBe(true)
    expect(refreshes()).toHaveLength(1)
    expect(service.events.at(-1)).toMatchObject({
      type: 'io.hfauth.session.refreshed',
      actor: { name: 'ana' },
    })
  })

  test('uses a new refresh token each time', async () => {
    for (let i = 0; i < 3; i++) {
      clock.forward(quarter)
      expect(await isIn()).toBe(true)
    }
    expect(new Set(sentTokens()).size).toBe(3)
  })

  test('loses what its person has lost, and gains what they gained', async () => {
    const { orgs } = hub.person('ana')
    const can = async () => {
      const session = await service.sessions.load(browser.request('/'))
      return session && service.engine.for(session.principal).can('infer', 'model:acme/vision-large')
    }
    expect(await can()).toBe(true)
    hub.person('ana').orgs = { acme: { role: 'read' } }
    expect(await can()).toBe(true)
    clock.forward(quarter)
    expect(await can()).toBe(false)
    hub.person('ana').orgs = {}
    clock.forward(quarter)
    expect((await service.sessions.load(browser.request('/')))?.principal.orgs ?? []).toEqual([])
    hub.person('ana').orgs = orgs
  })

  test('is over when the provider says that the grant is', async () => {
    hub.faults.tokenEndpoint = { status: 400, body: '{"error":"invalid_grant"}' }
    clock.forward(quarter)
    expect(await isIn()).toBe(false)
    expect(service.events.at(-1)).toMatchObject({
      type: 'io.hfauth.session.ended',
      error: 'HFAUTH_SIGNED_OUT',
    })
    heal()
    expect(await isIn()).toBe(false)
  })

  test.each([
    ['503', { status: 503 }],
    ['429', { status: 429 }],
    ['400 invalid_request', { status: 400, body: '{"error":"invalid_request"}' }],
    ['401 invalid_client', { status: 401, body: '{"error":"invalid_client"}' }],
    ['HTML', { status: 200, body: '<html>' }],
  ])('lives on through %s, and leaves the provider alone for a while', async (_, fault) => {
    hub.faults.tokenEndpoint = fault
    clock.forward(quarter)
    for (let i = 0; i < 5; i++) expect(await isIn()).toBe(true)
    expect(refreshes()).toHaveLength(1)
    heal()
    clock.forward(31)
    expect(await isIn()).toBe(true)
    expect(refreshes()).toHaveLength(2)
    clock.forward(31)
    expect(await isIn()).toBe(true)
    expect(refreshes()).toHaveLength(2)
  })

  test('keeps the new refresh token when the provider fails right after giving it', async () => {
    hub.faults.userinfo = { status: 503 }
    clock.forward(quarter)
    expect(await isIn()).toBe(true)
    heal()
    clock.forward(31)
    expect(await isIn()).toBe(true)
    expect(new Set(sentTokens()).size).toBe(2)
    clock.forward(quarter)
    expect(await isIn()).toBe(true)
  })

  test('is over when the answer is about another person', async () => {
    const other = new Browser(service.sessions)
    let bodies: string[] = []
    const statuses: number[] = []
    const swapping: typeof fetch = async (url, init) => {
      const body = String(init?.body ?? '')
      if (!body.includes('grant_type=refresh_token')) return fetch(url, init)
      bodies.push(body)
      const [first = body] = bodies
      const response = await fetch(url, { ...init, body: first })
      statuses.push(response.status)
      return response
    }
    service = replica({ fetch: swapping })
    await other.signIn(hub, 'ben')
    clock.forward(quarter)
    // The token of Ben is sent, whoever asks.
    const ben = await service.sessions.load(other.request('/'))
    expect(ben?.principal.username).toBe('ben')
    const tokenOfBen = await lastRefreshToken()
    bodies = [
      (bodies[0] ?? '').replace(/refresh_token=[^&]+/, `refresh_token=${encodeURIComponent(tokenOfBen)}`),
    ]
    expect(await service.sessions.load(browser.request('/'))).toBeUndefined()
    expect(service.events.at(-1)).toMatchObject({
      type: 'io.hfauth.session.ended',
      error: 'HFAUTH_SIGNED_OUT',
    })
  })

  /** The newest refresh token that the provider has made. */
  async function lastRefreshToken(): Promise<string> {
    return hub.issued.findLast((value) => value.startsWith('hf_oauth__refresh_')) ?? ''
  }
})

describe('an access token', () => {
  test('is given as it is while it lasts, and renewed a minute before its end', async () => {
    const first = await access()
    clock.forward(500)
    expect((await access())?.token).toBe(first?.token)
    clock.forward(50)
    const second = await access()
    expect(second?.token).not.toBe(first?.token)
    expect(second?.expiresAt).toBe(now() + 600_000)
    expect(refreshes()).toHaveLength(1)
  })

  test('that still counts is given while the provider fails; one that does not is an error that may pass', async () => {
    hub.faults.tokenEndpoint = { status: 503 }
    clock.forward(550)
    expect(await access()).toBeDefined()
    clock.forward(51)
    await expect(access()).rejects.toMatchObject({ code: 'HFAUTH_ISSUER_UNAVAILABLE', retryable: true })
    expect(await isIn()).toBe(true)
  })
})

describe('two replicas', () => {
  test('that refresh at the same time use the refresh token once, and have the same new access token', async () => {
    const replicas = [service, replica()]
    hub.faults.tokenEndpoint = { delayMs: 100 }
    clock.forward(601)
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => access(replicas[i % 2])))
    expect(refreshes()).toHaveLength(1)
    expect(new Set(tokens.map((token) => token?.token)).size).toBe(1)
  })

  test('go on serving what is known while one of them refreshes', async () => {
    hub.faults.tokenEndpoint = { delayMs: 300 }
    clock.forward(quarter)
    const slow = service.sessions.load(browser.request('/'))
    await expect.poll(() => refreshes().length).toBe(1)
    const other = await replica().sessions.load(browser.request('/'))
    expect(other?.principal.username).toBe('ana')
    expect(await slow).toBeDefined()
    expect(refreshes()).toHaveLength(1)
  })

  test('never bring back a session that was signed out during a refresh', async () => {
    hub.faults.tokenEndpoint = { delayMs: 300 }
    clock.forward(601)
    const { csrfToken } = await browser.me()
    const refreshing = access()
    await expect.poll(() => refreshes().length).toBe(1)
    const copy = new Browser(service.sessions, browser.cookies)
    await browser.send('/auth/logout', { method: 'POST' }, { 'x-csrf-token': csrfToken })
    expect(await refreshing).toBeUndefined()
    expect((await copy.me()).signedIn).toBe(false)
  })

  test('wait with a new id until the refresh is through, so that no token is lost', async () => {
    hub.faults.tokenEndpoint = { delayMs: 200 }
    clock.forward(601)
    const refreshing = access()
    await expect.poll(() => refreshes().length).toBe(1)
    const rotated = await replica().sessions.rotate(browser.request('/'))
    const [, value = ''] = /=([^;]+)/.exec(rotated?.setCookie ?? '') ?? []
    const renewed = await refreshing
    const next = await service.sessions.accessToken(
      new Browser(service.sessions, [[cookieName, value]]).request('/'),
    )
    expect(next?.token).toBe(renewed?.token)
    expect(refreshes()).toHaveLength(1)
  })

  test('take over from one that died in the middle, and it writes nothing over theirs when it wakes', async () => {
    const sleeper = replica({ timeoutMs: 400 })
    hub.faults.tokenEndpoint = { hang: true }
    clock.forward(601)
    const asleep = access(sleeper).catch(() => undefined)
    await expect.poll(() => refreshes().length).toBe(1)
    heal()
    // A lease of the other replica, whose answers take up to five seconds each.
    clock.forward(26)
    const taken = await access(replica())
    expect(taken).toBeDefined()
    await asleep
    expect((await access())?.token).toBe(taken?.token)
    expect(await isIn()).toBe(true)
  })
})

describe('a replica', () => {
  test('whose request was refused only after another took over does not end the session', async () => {
    hub.faults.tokenEndpoint = { delayMs: 400, status: 400, body: '{"error":"invalid_grant"}' }
    clock.forward(601)
    const late = access()
    await expect.poll(() => refreshes().length).toBe(1)
    heal()
    clock.forward(26)
    const taken = await access(replica())
    expect((await late)?.token).toBe(taken?.token)
    expect(await isIn()).toBe(true)
  })

  test('waits for another within bounds, and then says that one may try again', async () => {
    hub.faults.tokenEndpoint = { delayMs: 1500 }
    clock.forward(601)
    const slow = access()
    await expect.poll(() => refreshes().length).toBe(1)
    const impatient = replica({ timeoutMs: 100 })
    await expect(access(impatient)).rejects.toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      retryable: true,
    })
    expect(await slow).toBeDefined()
    expect(refreshes()).toHaveLength(1)
  })
})

describe('two processes that share a Redis', () => {
  const prefix = randomPrefix()
  let connected: Connected | undefined
  let children: ChildProcess[] = []

  beforeAll(async () => {
    connected = await connectNodeRedis().catch(() => undefined)
  })
  afterAll(async () => {
    for (const child of children) child.kill()
    if (connected === undefined) return
    await removeKeys(connected, prefix)
    await connected.close()
  })

  redisTest('share a session, and use its refresh token once however many ask at once', async () => {
    if (connected === undefined) throw new Error('Redis is not there')
    store = redisSessionStore(connected.client, { prefix, now })
    service = replica()
    browser = new Browser(service.sessions)
    await browser.signIn(hub)
    hub.requests.clear()
    hub.faults.tokenEndpoint = { delayMs: 150 }

    // Ten minutes and more after the sign-in, for the workers and for the provider.
    clock.forward(660)
    const offset = String(clock.ms - Date.now())
    const worker = new URL('./session-worker.ts', import.meta.url)
    children = [1, 2].map(() => fork(worker, [hub.url, redisUrl, prefix, offset], { execArgv: [] }))
    await Promise.all(children.map((child) => once(child, 'message')))

    const answers = await Promise.all(Array.from({ length: 20 }, (_, id) => ask(children[id % 2], id)))
    expect(answers.map(({ error }) => error)).toEqual(Array(20).fill(undefined))
    expect(refreshes()).toHaveLength(1)
    expect(new Set(answers.map(({ digest }) => digest)).size).toBe(1)
    expect(new Set(answers.map(({ username }) => username))).toEqual(new Set(['ana']))
    const here = await access()
    expect(answers[0]?.digest).toBe(hash('sha256', here?.token ?? '', 'hex'))
  })

  redisTest('keep nothing in it that could be read or shown as a cookie', async () => {
    if (connected === undefined) throw new Error('Redis is not there')
    store = redisSessionStore(connected.client, { prefix, now })
    service = replica()
    browser = new Browser(service.sessions)
    await browser.signIn(hub)
    const cookie = browser.cookies.get(cookieName) ?? ''
    const keys = (await connected.client.sendCommand(['KEYS', `${prefix}*`])) as string[]
    const texts = await Promise.all(
      keys.map(async (key) => {
        const isIndex = key.includes('index:')
        return connected?.client.sendCommand(isIndex ? ['ZRANGE', key, '0', '-1'] : ['GET', key])
      }),
    )
    const everything = JSON.stringify([keys, texts])
    expect(keys.length).toBeGreaterThan(1)
    const { id, name } = hub.person('ana')
    for (const value of [cookie, id, name, ...hub.issued]) {
      // A shorter one would come up by chance in what is encrypted.
      expect(value.length).toBeGreaterThan(7)
      expect(everything.includes(value), value.slice(0, 12)).toBe(false)
    }
  })

  interface Answer {
    readonly id: number
    readonly digest?: string
    readonly username?: string
    readonly error?: string
  }

  function ask(child: ChildProcess | undefined, id: number): Promise<Answer> {
    return new Promise((resolve) => {
      const listen = (answer: Answer) => {
        if (answer.id !== id) return
        child?.off('message', listen)
        resolve(answer)
      }
      child?.on('message', listen)
      child?.send({ id, cookie: browser.cookies.get(cookieName) })
    })
  }
})
