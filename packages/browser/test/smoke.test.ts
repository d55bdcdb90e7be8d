/** What must work in every browser: redirect, pop-up, pop-up of a framed page, step-up, tabs that renew, tokens in a worker. */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browsers } from './browsers.ts'
import { type PlainProvider, plainClientId, plainSub, startPlainProvider } from './support/plain-provider.ts'
import { type PopupSite, startPopupSite } from './support/popup-site.ts'
import type { AppWindow } from './support/visitor.ts'
import { startWebApp, type WebApp } from './support/web-app.ts'

let site: PopupSite
let provider: PlainProvider
let renewing: PlainProvider
let app: WebApp

beforeAll(async () => {
  site = await startPopupSite()
  provider = await startPlainProvider({ byClick: true })
  provider.register(...site.redirectUris(provider.issuer))
  site.issuers.push(provider.issuer)
  renewing = await startPlainProvider()
  app = await startWebApp({
    issuer: renewing.issuer,
    clientId: plainClientId,
    sub: plainSub,
    trustedTypes: 'app',
    icon: true,
  })
  renewing.register(`${app.url}/callback`)
})

afterAll(async () => {
  await provider?.close()
  await site?.close()
  await renewing?.close()
  await app?.close()
})

describe.each(browsers)('in $name', ({ name, launch, click }) => {
  if (launch === undefined) {
    test.skip(`skipped: no ${name.toLowerCase()} on this machine`, () => {})
    return
  }
  let browser: Browser

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())

  async function open(path: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    page.setDefaultTimeout(15_000)
    await page.goto(path)
    return page
  }
  const query = () => `?issuer=${encodeURIComponent(provider.issuer)}`

  test('a redirect signs in and comes back to where the person was', async () => {
    const page = await open(`${site.url}/${query()}#deep`)
    await page.locator('#redirect').click()
    await page.locator('#continue').click()
    await page.locator('#status', { hasText: 'signed-in' }).waitFor()
    expect(page.url()).toBe(`${site.url}/${query()}#deep`)
    await page.context().close()
  })

  test('a pop-up signs in', async () => {
    const page = await open(`${site.url}/${query()}`)
    const [opened] = await Promise.all([page.waitForEvent('popup'), page.locator('#popup').click()])
    await opened.locator('#continue').click()
    await page.locator('#outcome-1', { hasText: plainSub }).waitFor()
    await page.context().close()
  })

  test('a framed page signs in by pop-up', async () => {
    const page = await open(`${site.otherSite}/frame${query()}`)
    const frame = page.frames().find((each) => each.url().startsWith(site.url))
    if (frame === undefined) throw new Error('the page has no frame')
    await frame.locator('#status', { hasText: 'signed-out' }).waitFor()
    const [opened] = await Promise.all([page.context().waitForEvent('page'), click(frame, '#popup')])
    await opened.locator('#continue').click()
    await frame.locator('#outcome-1', { hasText: plainSub }).waitFor()
    await page.context().close()
  })

  test('where storage forgets, a page that signs in by itself is led round once (N5)', async () => {
    const page = await open('about:blank')
    await page.addInitScript((origin) => {
      if (location.origin !== origin) return
      sessionStorage.clear()
      Object.assign(window, { byItself: true })
    }, site.url)
    provider.paths.length = 0
    await page.goto(`${site.url}/${query()}`)
    await page.locator('#continue').click()
    await page.waitForURL(`${site.url}/callback**#HFAUTH_SIGNIN_STATE`)
    expect(provider.paths.filter((path) => path === '/auth')).toHaveLength(1)
    await page.context().close()
  })

  test('an API that wants a stronger sign-in has it, and the call is sent once more (P4)', async () => {
    site.calls.length = 0
    const page = await open(`${site.url}/${query()}`)
    for (const [button, outcome] of [
      ['#popup', plainSub],
      ['#call', 'strong enough'],
    ] as const) {
      const [opened] = await Promise.all([page.waitForEvent('popup'), page.locator(button).click()])
      await opened.locator('#continue').click()
      await page.locator('#outcome-1', { hasText: outcome }).waitFor()
    }
    expect(new Set(site.calls).size).toBe(2)
    expect(page.url()).toBe(`${site.url}/${query()}`)
    await page.context().close()
  })

  /** Opens the web app in a tab of `context`, in a mode of `test/page/app.ts`. */
  async function openApp(context: BrowserContext): Promise<Page> {
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    await page.goto(`${app.url}/models`)
    await page.locator('#outcome', { hasText: /^[^…]+$/ }).waitFor()
    return page
  }
  const renew = (page: Page) => page.evaluate(() => (window as unknown as AppWindow).auth.renew())
  const call = (page: Page) =>
    page.evaluate(
      (address) => (window as unknown as AppWindow).auth.fetch(address).then((answer) => answer.text()),
      `${app.api.url}/v1`,
    )
  const shows = (page: Page, status: string) => page.locator('#status', { hasText: status }).waitFor()

  test.each(['', 'store', 'worker', 'shared-worker'])(
    'tabs renew, send and sign out together (H3, mode %j)',
    async (mode) => {
      renewing.grants.length = 0
      app.api.arrivals.length = 0
      const context = await browser.newContext()
      await context.addInitScript((given) => void Object.assign(window, { mode: given }), mode)
      const tabs = [await openApp(context)]
      await tabs[0]?.locator('#sign-in').click()
      await shows(tabs[0] as Page, 'signed-in')
      tabs.push(await openApp(context))
      const [, second] = tabs as [Page, Page]
      if (mode === 'worker') await second.locator('#sign-in').click()
      await shows(second, 'signed-in')
      await Promise.all(tabs.map(renew))
      // A refresh token that comes twice would have ended the sign-in at this provider.
      expect(renewing.grants.filter((grant) => grant === 'refresh_token').length).toBeLessThanOrEqual(2)
      expect(await Promise.all(tabs.map(call))).toEqual(['api', 'api'])
      const sent = app.api.arrivals.filter(({ method }) => method === 'GET')
      expect(sent.every(({ authorization }) => authorization?.startsWith('Bearer '))).toBe(true)
      await second.locator('#sign-out').click()
      for (const tab of tabs) await shows(tab, 'signed-out')
      await context.close()
      expect(app.violations.splice(0)).toEqual([])
    },
  )
})
