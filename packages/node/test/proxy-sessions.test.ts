/**
 * Attacks on sessions where the proxy stands behind them: people sign in at real sessions, and their browsers'
 * cookies come to the proxy as bytes.
 */
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rememberSecrets } from '../../../test/support/output.ts'
import { memorySessionStore } from '../src/index.ts'
import { Browser, cookieName, createService, hubIssuers, origin, type Service } from './session-fixture.ts'
import { hfToken, lines, startThreatWorld, type ThreatWorld } from './threat-world.ts'

let hub: Hub
let service: Service
let world: ThreatWorld
let browser: Browser
beforeAll(async () => {
  hub = await startHub()
  service = createService({ now: Date.now, issuers: hubIssuers(hub), store: memorySessionStore() })
  world = await startThreatWorld({
    sessions: service.sessions,
    policy: {
      issuers: { hf: { preset: 'huggingface', issuer: hub.url, audience: publicAppId } },
      roles: { reader: { allow: [{ actions: ['read'], on: ['model:acme/open'] }] } },
      bindings: [{ roles: ['reader'], to: { issuer: 'hf', org: 'acme' } }],
    },
  })
})
afterAll(async () => {
  rememberSecrets(hub.issued)
  await world.close()
  await hub.close()
})
beforeEach(async () => {
  world.reset()
  browser = new Browser(service.sessions)
  await browser.signIn(hub)
})

const path = '/acme/open/resolve/main/config.json'
const ask = (...cookies: readonly string[]) =>
  world.send(
    lines(
      `GET ${path} HTTP/1.1`,
      'Host: hub.gw.test',
      ...cookies.map((cookie) => `Cookie: ${cookie}`),
      '',
      '',
    ),
  )
const own = () => `${cookieName}=${browser.cookies.get(cookieName)}`

describe('a session at the proxy', () => {
  test('H14 lets its person in; neither its cookie nor any other goes upstream', async () => {
    const reply = await ask(`theme=dark; ${own()}; __Host-hfauth-pre=x`)
    expect(reply).toMatchObject({ statuses: [200, 200], reasons: ['allowed'], lines: [`GET ${path}`] })
    const headers = world.arrived[0]?.rawHeaders ?? []
    expect(headers.filter((name) => /^cookie$/i.test(name))).toEqual([])
    expect(headers).toContain(`Bearer ${hfToken}`)
  })

  test.each<[string, () => string[]]>([
    ['comes twice in two lines', () => [`hfauth=evil; ${own()}`, `${cookieName}=second`]],
    ['comes twice in one line', () => [`${own()}; ${cookieName}=second`]],
    ['comes twice the same', () => [`${own()}; ${own()}`]],
    ...[
      'hfauth',
      '__HOST-hfauth',
      '__host-hfauth',
      '"__Host-hfauth"',
      '%5F_Host-hfauth',
      '__Host-hfauth%20',
    ].map((name): [string, () => string[]] => [
      `has the name ${name}`,
      () => [own().replace(cookieName, name)],
    ]),
    ['has its value in quotes', () => [own().replace('=', '="').concat('"')]],
    [
      'has its value encoded',
      () => [own().replace(/=(.)/, (_, first) => `=%${first.charCodeAt(0).toString(16)}`)],
    ],
  ])('H02 is nobody’s when its cookie %s', async (_, cookies) => {
    expect(await ask(...cookies())).toMatchObject({ statuses: [401, 200], lines: [] })
    expect((await ask(own())).statuses).toEqual([200, 200])
  })

  test.each(['\u00a0__Host-hfauth', '__Host-hfauth\u00a0'])(
    'H02 is refused with a cookie that others could read as its own: %j',
    async (name) => {
      expect(await ask(own().replace(cookieName, name))).toMatchObject({
        statuses: [400],
        reasons: ['header_forbidden'],
        lines: [],
      })
    },
  )

  test('H02 has its cookie removed when it came twice, and only then', async () => {
    const removal = `set-cookie: ${cookieName}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax`
    const twice = [`hfauth=evil; ${own()}`, `${cookieName}=second`]
    const request = (...cookies: readonly string[]) =>
      lines(
        'GET /api/whoami-v2 HTTP/1.1',
        'Host: hub.gw.test',
        ...cookies.map((cookie) => `Cookie: ${cookie}`),
        '',
        '',
      )
    const refused = await world.send(request(...twice))
    expect(refused).toMatchObject({ statuses: [401, 200], reasons: ['authentication_required'], lines: [] })
    expect(refused.text).toContain(removal)
    for (const cookie of ['hfauth=evil; hfauth=evil', '__host-hfauth=a; __host-hfauth=b', own()]) {
      expect((await world.send(request(cookie))).text).not.toContain('Max-Age=0')
    }
    const headers = { cookie: twice.join('; ') }
    const me = await service.sessions.handle(browser.request('/auth/me', {}, headers))
    expect(await me?.json()).toEqual({ signedIn: false })
    expect(me?.headers.getSetCookie()).toEqual([removal.slice('set-cookie: '.length)])
  })

  test('H09 is over once its person has signed out, whoever has kept the cookie', async () => {
    const kept = own()
    expect((await ask(kept)).statuses).toEqual([200, 200])
    expect((await browser.signOut()).status).toBe(303)
    expect(await ask(kept)).toMatchObject({ statuses: [401, 200], reasons: ['authentication_required'] })
  })

  test('H09 is not ended by an image of another site', async () => {
    const image = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }
    const answer = await service.sessions.handle(browser.request('/auth/logout', {}, image))
    expect(answer?.status).toBe(405)
    expect((await ask(own())).statuses).toEqual([200, 200])
  })
})

describe('a sign-in', () => {
  const attempt = async (query = '') => {
    const visitor = new Browser(service.sessions)
    const authorizationUrl = await visitor.leave(query)
    return { visitor, back: new URL(await hub.signIn({ authorizationUrl, username: 'ana', grantOrgs: [] })) }
  }

  test.each([
    '/%5Cevil.test',
    '/\\evil.test',
    '//evil.test',
    '\\\\evil.test',
    'https:evil.test',
    `${origin}@evil.test`,
    `${origin}.evil.test`,
    'javascript:alert(1)',
    '/%09/evil.test',
    '/\t/evil.test',
    '/%2f%2fevil.test',
    '/..//evil.test',
    'http://[::ffff:1.2.3.4]',
    `/${'a'.repeat(10_000)}`,
  ])('H04 leads back to its own pages: %j', async (target) => {
    const { visitor, back } = await attempt(`?return_to=${encodeURIComponent(target)}`)
    const location = (await visitor.send(back.href)).headers.get('location') ?? ''
    expect(new URL(location, origin).origin).toBe(origin)
    // Nor does what stands behind the first slash become a host for whoever decodes it.
    expect(decodeURIComponent(location)).toMatch(/^\/(?![/\\])/)
  })

  test('H04 with two addresses to return to leads to neither place outside', async () => {
    const { visitor, back } = await attempt('?return_to=%2Fa&return_to=%2F%2Fevil.test')
    const location = (await visitor.send(back.href)).headers.get('location') ?? ''
    expect(new URL(location, origin).origin).toBe(origin)
  })

  test.each<[string, (url: URL) => void]>([
    ['two codes', (url) => url.searchParams.append('code', 'b')],
    ['another provider as issuer', (url) => url.searchParams.set('iss', 'https://other-idp.test')],
    ['an error beside its code', (url) => url.searchParams.set('error', 'x')],
    ['a line break in its code', (url) => url.searchParams.set('code', 'a\r\nX: y')],
  ])('H07 that comes back with %s signs nobody in', async (_, spoil) => {
    const { visitor, back } = await attempt()
    spoil(back)
    expect((await visitor.send(back.href)).status).toBeGreaterThanOrEqual(400)
    expect((await visitor.me()).signedIn).toBe(false)
  })

  test('L07 that is never finished is nowhere but in its own browser', async () => {
    let kept = 0
    const store = memorySessionStore()
    const watched = createService({
      now: Date.now,
      issuers: hubIssuers(hub),
      store: {
        ...store,
        create(...entry) {
          kept += 1
          return store.create(...entry)
        },
      },
    })
    for (let i = 0; i < 1_000; i++) {
      const answer = await watched.sessions.handle(browser.request('/auth/login', {}, { cookie: null }))
      expect(answer?.headers.getSetCookie()).toEqual([expect.stringMatching(/; Max-Age=600;/)])
    }
    expect(kept).toBe(0)
  })

  test('H07 that comes back by a form is not taken', async () => {
    const { visitor, back } = await attempt()
    const form = { method: 'POST', body: new URLSearchParams(back.search) }
    const answer = await service.sessions.handle(visitor.request('/auth/callback', form))
    expect(answer?.status).toBe(405)
    expect((await visitor.me()).signedIn).toBe(false)
  })
})
