/** Checklist E10, J2, J3, J6, K4, K5: other ways to renew and to leave, against a plain `oidc-provider` in a real Chromium. */
import type { Browser, BrowserContext, Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { launchChromium } from './chromium.ts'
import { type PlainProvider, plainClientId, startPlainProvider } from './support/plain-provider.ts'
import type { AppWindow } from './support/visitor.ts'
import { startWebApp, type WebApp } from './support/web-app.ts'

interface Site {
  readonly provider: PlainProvider
  readonly app: WebApp
}

let browser: Browser
let context: BrowserContext
/** Provider and page on one site, and on two. */
let near: Site
let far: Site
const backend = { status: 401, body: {} as unknown }

async function startSite(host?: string): Promise<Site> {
  const provider = await startPlainProvider({ host })
  const options = { clientId: plainClientId, sub: 'ana', framed: true, backend: () => backend }
  const app = await startWebApp({ issuer: provider.issuer, ...options })
  provider.register(`${app.url}/callback`)
  return { provider, app }
}

beforeAll(async () => {
  browser = await launchChromium()
  near = await startSite()
  far = await startSite('localhost')
})

afterAll(async () => {
  await browser?.close()
  for (const site of [near, far]) {
    await site?.app.close()
    await site?.provider.close()
  }
})

beforeEach(async () => {
  for (const { provider, app } of [near, far]) {
    provider.person = 'ana'
    provider.refreshTokens = true
    provider.refreshLife = { seconds: 3600 }
    provider.tellsTime = false
    provider.grants.length = 0
    provider.paths.length = 0
    app.violations.length = 0
  }
  Object.assign(backend, { status: 401, body: {} })
  context = await browser.newContext()
  context.setDefaultTimeout(15_000)
})

afterEach(async () => {
  await context.close()
  for (const { app } of [near, far]) expect(app.violations).toEqual([])
})

async function open({ app }: Site, mode = ''): Promise<Page> {
  await context.addInitScript((given) => void Object.assign(window, { mode: given }), mode)
  const page = await context.newPage()
  await page.goto(`${app.url}/models`)
  await page.locator('#outcome', { hasText: /^[^…]+$/ }).waitFor()
  return page
}

async function signIn(page: Page): Promise<void> {
  await page.locator('#sign-in').click()
  await shows(page, 'signed-in')
}

const shows = (page: Page, status: string) => page.locator('#status', { hasText: status }).waitFor()

const renew = (page: Page) =>
  page.evaluate(() =>
    (window as unknown as AppWindow).auth.renew().then(
      () => 'renewed',
      (error) => String(error.code ?? error),
    ),
  )

const ask = (page: Page) =>
  page.evaluate(() => {
    const { auth, capabilities } = window as unknown as AppWindow
    return capabilities().then((found) => ({ ...found, id: auth.session?.id }))
  })

/** Somebody looks at the page again, so many seconds later. */
const later = (page: Page, seconds: number) =>
  page.evaluate((given) => {
    ;(window as unknown as AppWindow).tools.skewMs += given * 1000
    window.dispatchEvent(new Event('focus'))
  }, seconds)

describe('a plain provider', () => {
  test('renews by refresh token, as read from what it sent (E10)', async () => {
    const page = await open(near)
    await signIn(page)
    expect((await ask(page)).renewal).toEqual(['refresh-token'])
    expect(await renew(page)).toBe('renewed')
    expect(await renew(page)).toBe('renewed')
    expect(near.provider.grants).toEqual(['authorization_code', 'refresh_token', 'refresh_token'])
  })

  test('is told to forget the tokens at sign-out (J2)', async () => {
    const page = await open(near)
    await signIn(page)
    expect(await ask(page)).toMatchObject({ revocation: true, logoutAtProvider: true, tabsShare: true })
    await page.locator('#sign-out').click()
    await shows(page, 'signed-out')
    const revocations = () => near.provider.paths.filter((path) => path === '/token/revocation').length
    await expect.poll(revocations).toBe(2)
  })

  test('ends its own session when it is asked to (J3)', async () => {
    const page = await open(near)
    await signIn(page)
    const left = page.waitForURL(`${near.provider.issuer}/session/end**`)
    await page.evaluate(() => {
      const { auth } = window as unknown as AppWindow
      void auth.signOut({ atProvider: true, returnTo: `${location.origin}/callback` })
    })
    await left
    const { searchParams } = new URL(page.url())
    expect(searchParams.get('id_token_hint')).toMatch(/^ey/)
    expect(await page.content()).toContain('Do you want to sign out?')
  })
})

describe('a session that ends at the provider', () => {
  test('is noticed when somebody next looks at the page, in every tab (K3)', async () => {
    const page = await open(near, 'focus')
    await signIn(page)
    const other = await context.newPage()
    await other.goto(`${near.app.url}/models`)
    await shows(other, 'signed-in')

    const provider = await context.newPage()
    await provider.goto(`${near.provider.issuer}/session/end`)
    await provider.locator('#sign-out').click()
    await provider.waitForURL('**/session/end/success')

    await later(page, 599)
    expect(await page.locator('#status').textContent()).toBe('signed-in')
    await later(page, 1)
    for (const tab of [page, other]) await shows(tab, 'signed-out')
    const heard = await page.evaluate(() => (window as unknown as AppWindow).tools.heard)
    expect(heard.filter((event) => event.startsWith('signed-out'))).toEqual(['signed-out by provider'])
    expect(near.provider.paths.filter((path) => path === '/token')).toHaveLength(2)
  })
})

describe('a provider that tells when its refresh tokens end', () => {
  const leftSeconds = (page: Page) =>
    page.evaluate(() => {
      const { auth, tools } = window as unknown as AppWindow
      return ((auth.session?.renewableUntil ?? 0) - Date.now() - tools.skewMs) / 1000
    })

  test.each(['refresh_token_expires_in', 'refresh_expires_in'])(
    'by `%s` is asked for no renewal that cannot work (E11)',
    async (toldAs) => {
      near.provider.refreshLife = { seconds: 7200, toldAs }
      const page = await open(near)
      await signIn(page)
      expect(await leftSeconds(page)).toBeGreaterThan(7100)
      await later(page, 3500)
      expect(await renew(page)).toBe('renewed')
      expect(await leftSeconds(page)).toBeGreaterThan(7100)
      const asked = near.provider.paths.length
      await later(page, 7201)
      await shows(page, 'signed-out')
      expect(near.provider.paths).toHaveLength(asked)
      expect(await page.evaluate(() => (window as unknown as AppWindow).tools.heard.at(-1))).toBe(
        'signed-out by time',
      )
    },
  )

  test('truly ends them then: sent all the same, one is refused (E11)', async () => {
    near.provider.refreshLife = { seconds: 1 }
    const page = await open(near)
    await signIn(page)
    expect(await page.evaluate(() => (window as unknown as AppWindow).auth.session?.renewableUntil)).toBe(
      undefined,
    )
    await expect.poll(() => renew(page), { timeout: 10_000, interval: 1500 }).toBe('HFAUTH_SIGNIN_REFUSED')
    await shows(page, 'signed-out')
  })
})

describe('a device whose clock is two hours wrong', () => {
  const wrong = (hours: number) =>
    context.addInitScript((given) => void Object.assign(window, { skewMs: given }), hours * 3_600_000)

  test.each([2, -2])('signs in and renews where pages may read the `Date`, %d h (C6, G1)', async (hours) => {
    near.provider.tellsTime = true
    await wrong(hours)
    const page = await open(near)
    await signIn(page)
    expect(await renew(page)).toBe('renewed')
  })

  test.each([2, -2])('is told so where they may not, %d h (C6)', async (hours) => {
    await wrong(hours)
    const page = await open(near)
    await page.locator('#sign-in').click()
    await page.locator('#outcome', { hasText: 'HFAUTH_CLOCK_WRONG' }).waitFor()
    await shows(page, 'signed-out')
  })
})

describe('renewal by frame', () => {
  test('works on the same site while the person is signed in there (K4, K5)', async () => {
    near.provider.refreshTokens = false
    const page = await open(near, 'frame')
    await signIn(page)
    const { id, renewal } = await ask(page)
    expect(renewal).toEqual(['frame'])
    expect(await renew(page)).toBe('renewed')
    expect((await ask(page)).id).toBe(id)
    expect(near.provider.grants).toEqual(['authorization_code', 'authorization_code'])
    expect(await page.locator('iframe').count()).toBe(0)
    expect(await page.evaluate(() => JSON.stringify(sessionStorage))).toBe('{}')
  })

  test('says no without an error where cookies of other sites are withheld, and is not tried again (K4)', async () => {
    far.provider.refreshTokens = false
    const page = await open(far, 'frame')
    const printed: string[] = []
    page.on('console', (message) => void printed.push(message.text()))
    page.on('pageerror', (error) => void printed.push(String(error)))
    await signIn(page)
    expect(await renew(page)).toBe('HFAUTH_SIGNED_OUT')
    expect((await ask(page)).renewal).toEqual([])
    const asked = far.provider.paths.length
    expect(await renew(page)).toBe('HFAUTH_SIGNED_OUT')
    expect(far.provider.paths).toHaveLength(asked)
    // The access token goes on being used while it lives.
    expect(await page.locator('#status').textContent()).toBe('signed-in')
    expect(printed).toEqual([])
  })

  test('at a provider that forbids it says no in time, once, and the browser says so once (K4)', async () => {
    near.provider.refreshTokens = false
    const page = await open(near, 'frame')
    await signIn(page)
    const printed: string[] = []
    page.on('console', (message) => void printed.push(message.text()))
    await context.route('**/auth?**', (route) =>
      route.fulfill({ contentType: 'text/html', headers: { 'x-frame-options': 'DENY' }, body: 'Sign in' }),
    )
    expect(await renew(page)).toBe('HFAUTH_SIGNED_OUT')
    expect(await renew(page)).toBe('HFAUTH_SIGNED_OUT')
    expect((await ask(page)).renewal).toEqual([])
    expect(await page.locator('#status').textContent()).toBe('signed-in')
    expect(await page.locator('iframe').count()).toBe(0)
    expect(printed.filter((text) => !/X-Frame-Options/i.test(text))).toEqual([])
    expect(printed.length).toBeLessThanOrEqual(1)
  })

  describe('takes no answer', () => {
    /** Renews, with `play` in the place of the provider. */
    async function renewWith(
      play: (page: Page, state: string, route: Route) => Promise<void>,
    ): Promise<string> {
      near.provider.refreshTokens = false
      const page = await open(near, 'frame')
      await signIn(page)
      await context.route('**/auth?**', async (route) => {
        await play(page, new URL(route.request().url()).searchParams.get('state') ?? '', route)
      })
      return renew(page)
    }
    /** Right in all but its code, so that nothing else keeps it from being used. */
    const forged = (state: string) => {
      const { app, provider } = near
      const answer = new URLSearchParams({ code: 'forged', state, iss: provider.issuer })
      return { hfauthAnswer: `${app.url}/callback?${answer}` }
    }
    const codesSent = () => near.provider.paths.filter((path) => path === '/token').length - 1

    test('of the page around, whatever it knows (K5)', async () => {
      const outcome = await renewWith(async (page, state, route) => {
        await page.evaluate((message) => window.postMessage(message, '*'), forged(state))
        await route.continue()
      })
      // The right answer came after it, and counted.
      expect(outcome).toBe('renewed')
      expect(codesSent()).toBe(1)
    })

    test('that its frame sends from another origin (K5)', async () => {
      const outcome = await renewWith(async (_, state, route) => {
        const body = `<script>parent.postMessage(${JSON.stringify(forged(state))}, '*')</script>`
        await route.fulfill({ contentType: 'text/html', body })
      })
      expect(outcome).toBe('HFAUTH_SIGNED_OUT')
      expect(codesSent()).toBe(0)
    })

    test('of another sign-in, by its own frame and from its own origin (K5)', async () => {
      const arrived = new Set<string>()
      const outcome = await renewWith(async (page, _, route) => {
        page.on('response', (response) => void arrived.add(response.url()))
        await route.fulfill({ status: 302, headers: { location: forged('another').hfauthAnswer } })
      })
      expect(arrived).toContain(forged('another').hfauthAnswer)
      expect(outcome).toBe('HFAUTH_SIGNED_OUT')
      expect(codesSent()).toBe(0)
    })
  })

  test('takes no token of another person who is at the provider by now (K5, P3)', async () => {
    near.provider.refreshTokens = false
    const page = await open(near, 'frame')
    await signIn(page)
    await context.clearCookies()
    near.provider.person = 'ben'
    // Beside the pages here, which would otherwise go on with ben.
    await context.request.get(
      await page.evaluate(() => (window as unknown as AppWindow).auth.buildSignInUrl()),
    )
    expect(await page.locator('#who').textContent()).toContain('ana')
    expect(await renew(page)).toBe('HFAUTH_SIGNED_OUT')
    expect(await page.locator('#who').textContent()).toContain('ana')
  })

  test('that the provider never answers ends with its time limit (K4)', async () => {
    near.provider.refreshTokens = false
    const page = await open(near, 'frame')
    await signIn(page)
    await context.route('**/auth?**', () => {})
    expect(await renew(page)).toBe('HFAUTH_SIGNED_OUT')
    expect(await page.locator('iframe').count()).toBe(0)
  })
})

describe('renewal by the backend', () => {
  const body = { access_token: 'from-the-server', expires_in: 60, scope: 'read', claims: { sub: 'ana' } }

  test('signs in whoever has a session there, without the provider, and renews', async () => {
    Object.assign(backend, { status: 200, body })
    const page = await open(near, 'backend')
    await shows(page, 'signed-in')
    const { id, renewal } = await ask(page)
    expect(renewal).toEqual(['backend'])
    expect(await renew(page)).toBe('renewed')
    expect((await ask(page)).id).toBe(id)
    const text = await page.evaluate(
      (address) => (window as unknown as AppWindow).auth.fetch(address).then((answer) => answer.text()),
      `${near.app.api.url}/v1`,
    )
    expect(text).toBe('api')
    expect(near.app.api.arrivals.at(-1)?.authorization).toBe('Bearer from-the-server')
    expect(near.provider.grants).toEqual([])
  })

  test.each([
    ['nobody', 401, {}, 'HFAUTH_SIGNED_OUT'],
    ['another person', 200, { ...body, claims: { sub: 'ben' } }, 'HFAUTH_SIGNIN_INVALID'],
    ['nothing of use', 200, { access_token: 7 }, 'HFAUTH_SIGNIN_INVALID'],
    ['a failure', 503, {}, 'HFAUTH_ISSUER_UNAVAILABLE'],
  ])('that gives %s leaves the session as it is (E4, P3)', async (_, status, given, code) => {
    Object.assign(backend, { status: 200, body })
    const page = await open(near, 'backend')
    await shows(page, 'signed-in')
    Object.assign(backend, { status, body: given })
    expect(await renew(page)).toBe(code)
    expect(await page.locator('#status').textContent()).toBe('signed-in')
  })

  test('without a session leaves the page signed out, with no error', async () => {
    const page = await open(near, 'backend')
    expect(await page.locator('#status').textContent()).toBe('signed-out')
    expect(await page.locator('#outcome').textContent()).toBe('returned to nowhere')
  })
})
