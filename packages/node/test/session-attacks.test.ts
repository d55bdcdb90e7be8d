/** Each attack on a sign-in or a session that the standards name, tried on the real thing. */
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rememberSecrets } from '../../../test/support/output.ts'
import { createRevocationIntake, createRevocations, memorySessionStore } from '../src/index.ts'
import { safeReturnTo } from '../src/session/return-address.ts'
import { createClock } from './loopback-issuer.ts'
import {
  Browser,
  cookieName,
  createService,
  hubIssuers,
  leaveRecord,
  origin,
  type Service,
} from './session-fixture.ts'

const clock = createClock(Date.now())
const now = () => clock.ms

let hub: Hub
let other: Hub
let service: Service
let browser: Browser

beforeAll(async () => {
  hub = await startHub({ now })
  other = await startHub({ now })
})
afterAll(async () => {
  rememberSecrets([...hub.issued, ...other.issued])
  await hub.close()
  await other.close()
})
beforeEach(() => {
  service = createService({
    now,
    issuers: {
      ...hubIssuers(hub),
      other: { preset: 'huggingface', issuer: other.url, audience: publicAppId },
    },
    providers: { hf: { clientId: publicAppId }, other: { clientId: publicAppId } },
    store: memorySessionStore({ now }),
  })
  browser = new Browser(service.sessions)
  hub.requests.clear()
  other.requests.clear()
})
afterEach(() => leaveRecord('session-attacks', service))

const tokenRequests = (of = hub) => of.requests.filter(({ path }) => path === '/oauth/token').length
const isIn = async (who: Browser) => (await who.me()).signedIn
const lastError = () => service.events.at(-1)?.error

async function answerFor(who: Browser, username = 'ana', of = hub, query = ''): Promise<string> {
  return of.signIn({ authorizationUrl: await who.leave(query), username, grantOrgs: [] })
}

describe('an answer of the provider', () => {
  test('counts once: replayed with its cookie, no code is sent', async () => {
    const back = await answerFor(browser)
    const replayer = new Browser(service.sessions, browser.cookies)
    expect((await browser.send(back)).status).toBe(303)
    expect(tokenRequests()).toBe(1)
    const replay = await replayer.send(back)
    expect(replay.status).toBe(400)
    expect(tokenRequests()).toBe(1)
    expect(await isIn(replayer)).toBe(false)
  })

  test('lets nobody in whose access was revoked while it was being taken', async () => {
    await browser.signIn(hub)
    const { principal } = await browser.me()
    const revocations = createRevocations({ now })
    const audit = { record: async () => {} } as never
    const intake = createRevocationIntake({ revocations, audit, now })
    const subject = principal.id.slice('hf|'.length)
    service = createService({
      now,
      issuers: hubIssuers(hub),
      store: memorySessionStore({ now }),
      revocations,
      async fetch(input, init) {
        if (String(input).endsWith('/userinfo')) {
          clock.forward(1)
          // As a provider's logout token says it: with the time of its own issue.
          await intake.revoke({ by: 'subject', issuer: hub.url, subject, before: Math.floor(now() / 1000) })
          clock.forward(2)
        }
        return fetch(input, init)
      },
    })
    const late = new Browser(service.sessions)
    await late.signIn(hub)
    expect(await isIn(late)).toBe(false)
  })

  test('sent twice at the same time signs in once', async () => {
    const back = await answerFor(browser)
    const twin = new Browser(service.sessions, browser.cookies)
    const statuses = (await Promise.all([browser.send(back), twin.send(back)])).map(({ status }) => status)
    expect(statuses.sort()).toEqual([303, 400])
    expect(tokenRequests()).toBe(1)
  })

  test('of the attacker’s own sign-in does nothing in another browser (login CSRF)', async () => {
    const attacker = new Browser(service.sessions)
    const back = await answerFor(attacker, 'dan')
    const victim = await browser.send(back, undefined, { 'sec-fetch-site': 'cross-site' })
    expect(victim.status).toBe(400)
    expect(lastError()).toBe('HFAUTH_SIGNIN_STATE')
    expect(tokenRequests()).toBe(0)
    expect(await isIn(browser)).toBe(false)
  })

  test('with a code from another sign-in is refused by the verifier of PKCE', async () => {
    const stolen =
      new URL(await answerFor(new Browser(service.sessions), 'cleo')).searchParams.get('code') ?? ''
    const own = new URL(await answerFor(browser, 'dan'))
    own.searchParams.set('code', stolen)
    expect((await browser.send(own.href)).status).toBe(403)
    expect(await isIn(browser)).toBe(false)
  })

  test('for a request whose challenge was taken out is refused (PKCE downgrade)', async () => {
    const url = new URL(await browser.leave())
    url.searchParams.delete('code_challenge')
    url.searchParams.delete('code_challenge_method')
    const back = await hub.signIn({ authorizationUrl: url.href, username: 'ana' })
    expect((await browser.send(back)).status).toBe(403)
    expect(await isIn(browser)).toBe(false)
  })

  test('for a request whose nonce was changed on the way is refused', async () => {
    const url = new URL(await browser.leave())
    url.searchParams.set('nonce', 'nonce-of-the-attacker')
    const back = await hub.signIn({ authorizationUrl: url.href, username: 'ana' })
    expect((await browser.send(back)).status).toBe(400)
    expect(lastError()).toBe('HFAUTH_SIGNIN_INVALID')
    expect(await isIn(browser)).toBe(false)
  })

  test('for a request without a nonce is refused', async () => {
    const url = new URL(await browser.leave())
    url.searchParams.delete('nonce')
    const back = await hub.signIn({ authorizationUrl: url.href, username: 'ana' })
    expect((await browser.send(back)).status).toBe(400)
    expect(await isIn(browser)).toBe(false)
  })

  test('that names another issuer is refused before its code is sent (mix-up)', async () => {
    const back = new URL(await answerFor(browser))
    back.searchParams.set('iss', other.url)
    expect((await browser.send(back.href)).status).toBe(400)
    expect(tokenRequests() + tokenRequests(other)).toBe(0)
  })

  test('at the address of another provider is refused before its code is sent (mix-up)', async () => {
    // The person thinks to sign in with `other`, whose owner sends the browser on to `hf`.
    const mixed = new URL(await browser.leave('?provider=other'))
    const honest = new URL(await new Browser(service.sessions).leave())
    for (const name of ['state', 'nonce', 'code_challenge']) {
      honest.searchParams.set(name, mixed.searchParams.get(name) ?? '')
    }
    const back = await hub.signIn({ authorizationUrl: honest.href, username: 'ana' })
    expect((await browser.send(back)).status).toBe(400)
    expect(lastError()).toBe('HFAUTH_SIGNIN_INVALID')
    expect(tokenRequests() + tokenRequests(other)).toBe(0)
  })

  test('gives every provider but the first a redirect address of its own', async () => {
    const redirects = [await browser.leave(), await browser.leave('?provider=other')].map((url) =>
      new URL(url).searchParams.get('redirect_uri'),
    )
    expect(redirects).toEqual([`${origin}/auth/callback`, `${origin}/auth/callback/other`])
  })

  test('that comes too late is refused', async () => {
    const back = await answerFor(browser)
    clock.forward(601)
    expect((await browser.send(back)).status).toBe(400)
    expect(tokenRequests()).toBe(0)
  })

  test.each([
    ['no state', (url: URL) => url.searchParams.delete('state')],
    ['an empty state', (url: URL) => url.searchParams.set('state', '')],
    ['two states', (url: URL) => url.searchParams.append('state', 'x')],
    ['two codes', (url: URL) => url.searchParams.append('code', 'x')],
    ['no code', (url: URL) => url.searchParams.delete('code')],
    ['an empty iss', (url: URL) => url.searchParams.set('iss', '')],
    ['a token in the address', (url: URL) => url.searchParams.set('id_token', 'x.y.z')],
  ])('with %s is refused', async (_, spoil) => {
    const back = new URL(await answerFor(browser))
    spoil(back)
    expect((await browser.send(back.href)).status).toBe(400)
    expect(tokenRequests()).toBe(0)
    expect(await isIn(browser)).toBe(false)
  })

  test('is not believed in what it writes: no word of it comes back', async () => {
    const state = new URL(await browser.leave()).searchParams.get('state')
    const words = '<script>alert(1)</script>'
    const query = new URLSearchParams({ state: state ?? '', error: words, error_description: words })
    const answer = await browser.send(`/auth/callback?${query}`)
    expect(answer.status).toBe(403)
    expect(await answer.text()).not.toContain('script')
    expect(JSON.stringify(service.events)).not.toContain('script')
  })
})

describe('a provider', () => {
  const metadata = async () =>
    (await fetch(`${hub.url}/.well-known/openid-configuration`)).json() as Promise<object>
  const withMetadata = async (change: object) => {
    const changed = { ...(await metadata()), ...change }
    const { sessions } = createService({
      now,
      issuers: hubIssuers(hub),
      fetch: async () => Response.json(changed),
    })
    return (await new Browser(sessions).send('/auth/login')).status
  }

  test('is used as long as its metadata is what it has to be', async () => {
    expect(await withMetadata({})).toBe(303)
  })

  test.each([
    ['cannot do PKCE with S256', { code_challenge_methods_supported: ['plain'] }],
    ['calls itself by another name', { issuer: 'https://evil.example' }],
    ['has no token endpoint', { token_endpoint: undefined }],
    ['would take codes by plain http', { token_endpoint: 'http://evil.example/token' }],
    ['would show its page by script', { authorization_endpoint: 'javascript:alert(1)' }],
  ])('that %s is not used', async (_, change) => {
    expect(await withMetadata(change)).toBe(503)
  })
})

describe('an address to return to', () => {
  const hostile = [
    'https://evil.example',
    'http://evil.example/',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/%2f/evil.example',
    '/%2Fevil.example',
    '/%5cevil.example',
    '/./%2fevil.example',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'blob:https://evil.example/x',
    'vbscript:x',
    'file:///etc/passwd',
    'evil.example',
    '.evil.example',
    '@evil.example',
    'http:evil.example',
    'https:/evil.example',
    '/\u0000/evil',
    '/a\u007f',
    '/ /evil.example',
    '/a\r\nset-cookie: x=1',
    '/\u2028',
    `/${'a'.repeat(1100)}`,
    '',
  ]
  test.each(hostile)('never leads away: %j', async (text) => {
    const back = await answerFor(browser, 'ana', hub, `?return_to=${encodeURIComponent(text)}`)
    const location = (await browser.send(back)).headers.get('location') ?? ''
    expect(new URL(location, origin).origin).toBe(origin)
    expect(location).toMatch(/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/)
  })
})

describe('a session id', () => {
  test('that was put into the browser beforehand is never the one of the sign-in (fixation)', async () => {
    const planted = 'A'.repeat(43)
    browser.cookies.set(cookieName, planted)
    await browser.signIn(hub)
    expect(browser.cookies.get(cookieName)).not.toBe(planted)
    expect(await isIn(new Browser(service.sessions, [[cookieName, planted]]))).toBe(false)
  })

  test('of an attacker’s own session dies when the victim signs in over it', async () => {
    const attacker = new Browser(service.sessions)
    await attacker.signIn(hub, 'dan', '', [])
    browser.cookies.set(cookieName, attacker.cookies.get(cookieName) ?? '')
    await browser.signIn(hub, 'ana')
    expect((await browser.me()).principal.username).toBe('ana')
    expect(await isIn(attacker)).toBe(false)
  })

  test('that comes twice is nobody’s, and goes (cookie tossing)', async () => {
    await browser.signIn(hub)
    const value = browser.cookies.get(cookieName) ?? ''
    const own = `${cookieName}=${value}`
    for (const cookie of [`${own}; ${cookieName}=x`, `${cookieName}=x; ${own}`, `${own}; ${own}`]) {
      expect(await (await browser.send('/auth/me', {}, { cookie })).json(), cookie.slice(0, 20)).toEqual({
        signedIn: false,
      })
      expect(browser.cookies.has(cookieName)).toBe(false)
    }
    // The session itself is as it was.
    expect(await isIn(new Browser(service.sessions, [[cookieName, value]]))).toBe(true)
  })

  test('under a name that only looks like ours is nobody’s', async () => {
    await browser.signIn(hub)
    const value = browser.cookies.get(cookieName)
    for (const name of ['hfauth', '__host-hfauth', '__Host-hfauth2', '__Secure-hfauth']) {
      const answer = await browser.send('/auth/me', {}, { cookie: `${name}=${value}` })
      expect(await answer.json()).toEqual({ signedIn: false })
    }
  })

  test('cannot be made of a sign-in under way, nor the other way round', async () => {
    const back = new URL(await answerFor(browser))
    const [attempt] = [...browser.cookies.values()]
    const stateless = createService({ now, issuers: hubIssuers(hub) })
    expect(await isIn(new Browser(stateless.sessions, [[cookieName, attempt ?? '']]))).toBe(false)
    const signedIn = new Browser(stateless.sessions)
    await signedIn.signIn(hub)
    const [name = ''] = [...browser.cookies.keys()]
    const swapped = new Browser(service.sessions, [[name, signedIn.cookies.get(cookieName) ?? '']])
    expect((await swapped.send(back.href)).status).toBe(400)
  })
})

describe('an unsafe request with a session', () => {
  const post = (token?: string, headers: Record<string, string | null> = {}) =>
    browser.request('/v1/x', { method: 'POST' }, { 'x-csrf-token': token ?? null, ...headers })
  let token: string

  beforeEach(async () => {
    await browser.signIn(hub)
    token = (await browser.me()).csrfToken
  })

  test('counts with our origin and the session’s token', async () => {
    expect((await service.sessions.identify(post(token)))?.principal.username).toBe('ana')
  })

  test.each([
    ['no token', undefined, {}],
    ['an empty token', '', {}],
    ['a made-up token', 'A'.repeat(43), {}],
    ['another origin', 'own', { origin: 'https://evil.example' }],
    ['a sibling subdomain', 'own', { 'sec-fetch-site': 'same-site' }],
    ['another site', 'own', { 'sec-fetch-site': 'cross-site' }],
    ['an opaque origin', 'own', { origin: 'null', 'sec-fetch-site': null }],
    ['neither of the browser’s headers', 'own', { origin: null, 'sec-fetch-site': null }],
    ['our origin as a beginning', 'own', { origin: `${origin}.evil.example` }],
  ] as const)('with %s is refused', async (_, given, headers) => {
    const request = post(given === 'own' ? token : given, headers)
    await expect(service.sessions.identify(request)).rejects.toMatchObject({ code: 'HFAUTH_REQUEST_FORGED' })
  })

  test('is refused with the token of another session, also of the same person', async () => {
    const second = new Browser(service.sessions)
    await second.signIn(hub)
    const foreign = (await second.me()).csrfToken
    await expect(service.sessions.identify(post(foreign))).rejects.toMatchObject({
      code: 'HFAUTH_REQUEST_FORGED',
    })
  })

  test.each(['PUT', 'PATCH', 'DELETE', 'PROPFIND'])('needs it for %s too', async (method) => {
    const request = browser.request('/v1/x', { method })
    await expect(service.sessions.identify(request)).rejects.toMatchObject({ code: 'HFAUTH_REQUEST_FORGED' })
  })

  test('cannot sign the person out from another site', async () => {
    const form = { method: 'POST', body: new URLSearchParams({ csrf_token: token }) }
    const forged = await browser.send('/auth/logout', form, {
      origin: 'https://evil.example',
      'sec-fetch-site': 'cross-site',
    })
    expect(forged.status).toBe(403)
    expect((await browser.send('/auth/logout', { method: 'POST' })).status).toBe(403)
    expect(await isIn(browser)).toBe(true)
    const own = await browser.send('/auth/logout', form, {
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect(own.status).toBe(303)
  })

  test('hands no foreign ID token over from another site', async () => {
    const forged = await browser.send(
      '/auth/session',
      { method: 'POST' },
      {
        authorization: 'Bearer a.b.c',
        origin: 'https://evil.example',
      },
    )
    expect(forged.status).toBe(403)
  })
})

// Last: while it runs, nothing else does, and connections of the tests above would be closed meanwhile.
describe('any text as an address to return to', () => {
  test('never leads away, whatever it is', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '//',
      '.',
      '..',
      '%2f',
      '%5C',
      '@',
      ':',
      'evil.example',
      '\t',
      '#',
      '?',
      'http',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 8 }).map((all) => `/${all.join('')}`),
    )
    fc.assert(
      fc.property(text, (given) => {
        const path = safeReturnTo(given, origin)
        expect(path).toMatch(/^\/(?![/\\])/)
        expect(new URL(path, origin).origin).toBe(origin)
        expect(safeReturnTo(path, origin)).toBe(path)
      }),
      { numRuns: 1000 },
    )
  })
})
