/** Sign-in with a company's own provider: what it has beyond Hugging Face is used. */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import type { PolicyDocument } from '@hfauth/core'
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rememberSecrets } from '../../../test/support/output.ts'
import { memorySessionStore } from '../src/index.ts'
import { type CompanyProvider, companyClientId, startCompany } from './company-provider.ts'
import { part } from './loopback-issuer.ts'
import { Browser, createService, hubIssuers, leaveRecord, origin, type Service } from './session-fixture.ts'

const now = Date.now

let company: CompanyProvider
let service: Service
let browser: Browser

const issuers = (): PolicyDocument['issuers'] => ({
  corp: { preset: 'oidc', issuer: company.url, audience: companyClientId },
})

beforeAll(async () => {
  company = await startCompany(`${origin}/auth/callback`)
  rememberSecrets([company.clientSecret])
  company.people.set('u-1', { name: 'Uma', preferred_username: 'uma', groups: ['models'] })
})
afterAll(() => company.close())
beforeEach(() => {
  service = createService({
    now,
    issuers: issuers(),
    providers: { corp: { clientId: companyClientId, clientSecret: company.clientSecret } },
    store: memorySessionStore({ now }),
  })
  browser = new Browser(service.sessions)
  company.requests.length = 0
})
afterEach(() => leaveRecord('session-company', service))

async function signIn(who = browser, query = ''): Promise<Response> {
  return who.send(await company.signIn(await who.leave(query)))
}

describe('a company’s provider', () => {
  test('vouches for its people with the claims of their ID token', async () => {
    expect((await signIn()).status).toBe(303)
    const session = await service.sessions.load(browser.request('/'))
    expect(session?.principal).toMatchObject({
      id: 'corp|u-1',
      credential: 'id_token',
      username: 'uma',
      groups: ['models'],
    })
  })

  test('names itself in its answer; without that, which it promises, the answer is refused', async () => {
    const back = new URL(await company.signIn(await browser.leave()))
    expect(back.searchParams.get('iss')).toBe(company.url)
    back.searchParams.delete('iss')
    expect((await browser.send(back.href)).status).toBe(400)
    expect(company.requests).not.toContain('POST /token')
  })

  test('that is not the one named is refused, also in an answer that is an error', async () => {
    const state = new URL(await browser.leave()).searchParams.get('state') ?? ''
    const query = new URLSearchParams({ state, error: 'access_denied', iss: 'https://evil.example' })
    expect((await browser.send(`/auth/callback?${query}`)).status).toBe(400)
  })

  test('signs people out of itself too, and sends them back', async () => {
    await signIn()
    const out = await browser.signOut()
    const location = new URL(out.headers.get('location') ?? '')
    expect(location.origin).toBe(company.url)
    expect(location.searchParams.get('post_logout_redirect_uri')).toBe(`${origin}/`)
    expect(location.searchParams.get('id_token_hint')).toMatch(/^eyJ/)
    // The provider takes the request for what it is: it asks the person whether to sign out.
    const asked = await fetch(location)
    expect(asked.status).toBe(200)
    expect(await asked.text()).toContain('logout')
    expect(company.requests).toContain('POST /token/revocation')
  })

  test('vouches anew for a session in a cookie when the browser comes by, and shows nothing on the way', async () => {
    const providers = { corp: { clientId: companyClientId, clientSecret: company.clientSecret } }
    service = createService({ now, issuers: issuers(), providers, failurePath: '/sorry' })
    browser = new Browser(service.sessions)
    const atCompany = new Map<string, string>()
    const comeBy = async (query: string, cookies: Map<string, string>) =>
      browser.send(await company.signIn(await browser.leave(query), cookies))
    const groups = async () => (await service.sessions.load(browser.request('/')))?.principal.groups
    await comeBy('', atCompany)
    expect(await groups()).toEqual(['models'])
    company.people.set('u-1', { name: 'Uma', preferred_username: 'uma', groups: [] })
    try {
      const elsewhere = await comeBy('?prompt=none', new Map())
      expect(elsewhere.headers.get('location')).toBe('/sorry?error=signin_refused')
      // Who is not signed in there is told nothing, and what there was here stays until its end.
      expect(await groups()).toEqual(['models'])
      const back = await comeBy('?prompt=none&return_to=/models', atCompany)
      expect(back.headers.get('location')).toBe('/models')
      expect(await groups()).toEqual([])
    } finally {
      company.people.set('u-1', { name: 'Uma', preferred_username: 'uma', groups: ['models'] })
    }
  })

  test('that is down keeps nobody signed in here', async () => {
    const store = memorySessionStore({ now })
    let isDown = false
    const flaky: typeof fetch = (url, init) =>
      isDown ? Promise.reject(new TypeError('down')) : fetch(url, init)
    service = createService({
      now,
      issuers: issuers(),
      providers: { corp: { clientId: companyClientId, clientSecret: company.clientSecret } },
      store,
      fetch: flaky,
    })
    browser = new Browser(service.sessions)
    await signIn()
    const copy = new Browser(service.sessions, browser.cookies)
    isDown = true
    expect((await browser.signOut()).status).toBe(303)
    expect((await copy.me()).signedIn).toBe(false)
  })

  test('gets back what it gave to a session that was ended meanwhile', async () => {
    let ahead = 0
    let waiting = 0
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const slow: typeof fetch = async (url, init) => {
      if (String(init?.body ?? '').includes('grant_type=refresh_token')) {
        waiting += 1
        await gate
      }
      return fetch(url, init)
    }
    const later = () => now() + ahead
    service = createService({
      now: later,
      issuers: issuers(),
      providers: { corp: { clientId: companyClientId, clientSecret: company.clientSecret } },
      store: memorySessionStore({ now: later }),
      fetch: slow,
    })
    browser = new Browser(service.sessions)
    await signIn()
    ahead = 601_000
    const refreshing = service.sessions.accessToken(browser.request('/'))
    await expect.poll(() => waiting).toBe(1)
    expect(await service.sessions.endAll({ issuer: company.url, subject: 'u-1' })).toBe(1)
    expect(company.requests).not.toContain('POST /token/revocation')
    open()
    expect(await refreshing).toBeUndefined()
    expect(company.requests).toContain('POST /token/revocation')
  })

  test('can end one of its sign-ins here by its `sid`, or all of a person', async () => {
    const laptop = new Browser(service.sessions)
    const phone = new Browser(service.sessions)
    for (const each of [browser, laptop, phone]) await signIn(each)
    const session = await service.sessions.load(laptop.request('/'))
    const sid = String(session?.principal.claims.sid)
    expect(await service.sessions.endAll({ issuer: company.url, subject: 'u-1', sessionId: sid })).toBe(1)
    expect((await laptop.me()).signedIn).toBe(false)
    expect((await phone.me()).signedIn).toBe(true)
    expect(await service.sessions.endAll({ issuer: 'https://other.example', subject: 'u-1' })).toBe(0)
    expect(await service.sessions.endAll({ issuer: company.url, subject: 'u-1' })).toBe(2)
    expect((await phone.me()).signedIn).toBe(false)
  })

  test('must have seen the person as recently as was asked', async () => {
    const back = await signIn(browser, '?max_age=3600')
    expect(back.status).toBe(303)
    const session = await service.sessions.load(browser.request('/'))
    expect(session?.principal.authTime).toBeTypeOf('number')
  })

  test('takes a refresh with a key in the place of a secret', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const byKey = await startCompany(`${origin}/auth/callback`, {
      client_secret: undefined,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'client' }] },
    })
    const assertion = () => {
      const seconds = Math.floor(now() / 1000)
      const claims = {
        iss: companyClientId,
        sub: companyClientId,
        aud: byKey.url,
        jti: randomUUID(),
        iat: seconds,
        exp: seconds + 60,
      }
      const input = `${part({ alg: 'RS256', kid: 'client' })}.${part(claims)}`
      return `${input}.${part(sign('sha256', Buffer.from(input), privateKey))}`
    }
    service = createService({
      now,
      issuers: { corp: { preset: 'oidc', issuer: byKey.url, audience: companyClientId } },
      providers: {
        corp: {
          clientId: companyClientId,
          clientAuthentication(_, client, body) {
            body.set('client_id', client.client_id)
            body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
            body.set('client_assertion', assertion())
          },
        },
      },
      store: memorySessionStore({ now }),
    })
    browser = new Browser(service.sessions)
    expect((await browser.send(await byKey.signIn(await browser.leave()))).status).toBe(303)
    expect(await service.sessions.accessToken(browser.request('/'))).toBeDefined()
    await byKey.close()
  })

  test('and Hugging Face serve the same service, each at its own address', async () => {
    const hub: Hub = await startHub()
    const beside = await startCompany(`${origin}/auth/callback/corp`)
    rememberSecrets([beside.clientSecret])
    service = createService({
      now,
      issuers: {
        ...hubIssuers(hub),
        corp: { preset: 'oidc', issuer: beside.url, audience: companyClientId },
      },
      providers: {
        hf: { clientId: publicAppId },
        corp: { clientId: companyClientId, clientSecret: beside.clientSecret },
      },
      store: memorySessionStore({ now }),
    })
    browser = new Browser(service.sessions)
    await browser.signIn(hub)
    expect((await browser.me()).principal.id).toMatch(/^hf\|/)
    const back = await beside.signIn(await browser.leave('?provider=corp'))
    expect(new URL(back).pathname).toBe('/auth/callback/corp')
    await browser.send(back)
    expect((await browser.me()).principal.id).toBe('corp|u-1')
    rememberSecrets(hub.issued)
    await hub.close()
    await beside.close()
  })
})
