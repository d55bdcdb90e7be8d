/** A guard that takes session cookies: the same decisions, and no request that another site can make. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HfAuthError } from '@hfauth/core'
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import express from 'express'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rememberSecrets } from '../../../test/support/output.ts'
import { protect } from '../src/express.ts'
import { createGuard, type Guard, memorySessionStore } from '../src/index.ts'
import { createClock } from './loopback-issuer.ts'
import { Browser, createService, hubIssuers, leaveRecord, type Service } from './session-fixture.ts'

const clock = createClock(Date.now())
const now = () => clock.ms

let hub: Hub
let service: Service
let browser: Browser
let guard: Guard

beforeAll(async () => {
  hub = await startHub({ now })
})
afterAll(async () => {
  rememberSecrets(hub.issued)
  leaveRecord('session-guard', service)
  await hub.close()
})
beforeEach(async () => {
  service = createService({ now, issuers: hubIssuers(hub), store: memorySessionStore({ now }) })
  guard = createGuard({ ...service, now })
  browser = new Browser(service.sessions)
  await browser.signIn(hub)
})

const read = (headers: Record<string, string | null> = {}) =>
  guard.check(browser.request('/v1/models/vision-large', {}, headers))
const predict = (headers: Record<string, string | null> = {}) =>
  guard.check(browser.request('/v1/predict/vision-large', { method: 'POST' }, headers))
const bearerFor = async (username: string) => {
  const token = await hub.tokenFor({
    username,
    clientId: publicAppId,
    scopes: ['openid', 'profile', 'read-repos', 'gated-repos', 'inference-api'],
    orgs: ['acme'],
  })
  return `Bearer ${token}`
}
const rejected = () => service.events.filter(({ type }) => type === 'io.hfauth.token.rejected')

describe('a guard with sessions', () => {
  test('knows the person by the cookie, and decides and records as for any credential', async () => {
    const outcome = await read()
    expect(outcome).toMatchObject({ allowed: true, principal: { username: 'ana' } })
    expect(service.events.at(-1)).toMatchObject({
      type: 'io.hfauth.decision',
      actor: { name: 'ana', roles: ['engineer', 'viewer'] },
      decision: { effect: 'allow' },
    })
  })

  test('lets an unsafe request through with the session’s token, and not without', async () => {
    const { csrfToken } = await browser.me()
    expect((await predict({ 'x-csrf-token': csrfToken })).allowed).toBe(true)
    const forged = await predict()
    expect(forged).toMatchObject({ allowed: false, reason: 'request_forged', response: { status: 403 } })
    expect(rejected()).toHaveLength(1)
  })

  test('refuses a request that has a session and a bearer token: which was meant cannot be told', async () => {
    const both = await read({ authorization: await bearerFor('cleo') })
    expect(both).toMatchObject({ allowed: false, response: { status: 400 } })
    expect(rejected()).toHaveLength(1)
  })

  test('takes the bearer token when the cookie is nobody’s any more', async () => {
    await browser.signOut()
    browser.cookies.set('__Host-hfauth', 'A'.repeat(43))
    const outcome = await read({ authorization: await bearerFor('cleo') })
    expect(outcome).toMatchObject({ allowed: true, principal: { username: 'cleo' } })
  })

  test('takes a dead cookie for nobody', async () => {
    clock.forward(3600)
    expect(await read()).toMatchObject({ allowed: false, response: { status: 401 } })
    expect((await guard.identify(browser.request('/'))).kind).toBe('anonymous')
  })

  test('removes a cookie that came twice, and takes neither', async () => {
    const outcome = await read({ cookie: `${browser.cookie}; __Host-hfauth=second` })
    if (outcome.allowed) throw new Error('let in by one of two cookies')
    expect(outcome.response.status).toBe(401)
    expect(outcome.response.headers.getSetCookie()).toEqual([
      '__Host-hfauth=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax',
    ])
  })

  test('tells a store that cannot be asked from a person who has no session', async () => {
    const store = memorySessionStore({ now })
    const broken = createService({
      now,
      issuers: hubIssuers(hub),
      store: {
        ...store,
        get: () => Promise.reject(new HfAuthError('HFAUTH_STORE_UNAVAILABLE', 'down', { retryable: true })),
      },
    })
    const outcome = await createGuard({ ...broken, now }).check(browser.request('/v1/models/x'))
    expect(outcome).toMatchObject({ allowed: false, reason: 'store_unavailable', response: { status: 503 } })
  })

  test('without sessions takes no cookie', async () => {
    const { engine, verifier, audit } = service
    const plain = createGuard({ engine, verifier, audit, now })
    expect((await plain.identify(browser.request('/'))).kind).toBe('anonymous')
  })
})

describe('a guard in front of Express', () => {
  let server: Server
  let url: string

  beforeAll(async () => {
    const app = express()
    app.use((req, res, next) => protect(guard)(req, res, next))
    app.get('/v1/models/:name', (req, res) => {
      res.json({ by: req.hfauth?.principal.username })
    })
    server = createServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  test('sends a session’s cookie on when it has to be renewed', async () => {
    service = createService({ now, issuers: hubIssuers(hub) })
    guard = createGuard({ ...service, now })
    browser = new Browser(service.sessions)
    await browser.signIn(hub)
    const ask = () => fetch(`${url}/v1/models/vision-large`, { headers: { cookie: browser.cookie } })
    expect((await ask()).headers.getSetCookie()).toEqual([])
    clock.forward(25 * 60)
    const answer = await ask()
    expect(await answer.json()).toEqual({ by: 'ana' })
    expect(answer.headers.getSetCookie()).toHaveLength(1)
    browser.store(answer)
    clock.forward(25 * 60)
    expect((await ask()).status).toBe(200)
  })
})
