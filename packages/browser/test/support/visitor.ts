/**
 * Visitor: a person in a real browser, at the pages of the web app and of the Hub.
 *
 * @module
 */
import type { Hub } from '@hfauth/testkit'
import type { BrowserContext, Page } from 'playwright-core'
import type { Auth, Capabilities } from '../../src/index.ts'
import type { WebApp } from './web-app.ts'

/** What `test/page/app.ts` puts on its window. */
export interface AppWindow {
  readonly auth: Auth
  readonly capabilities: () => Promise<Capabilities>
  readonly tools: { skewMs: number; readonly heard: string[] }
}

export interface Visitor {
  /** Pages that are opened from now on start in this mode of `test/page/app.ts`. */
  inMode(mode: string): Promise<void>
  /** Opens a tab and waits until the page knows who is there. */
  open(path?: string): Promise<Page>
  /** @param username - Default `ana`. */
  signIn(page: Page, username?: string): Promise<void>
  /** `signed-in`, `signed-out` or `unknown`, as the page shows it. */
  statusOf(page: Page): Promise<string>
  /** Until the page shows it. */
  shows(page: Page, status: string): Promise<void>
  /** Renews and gives the code of what came of it. */
  renew(page: Page): Promise<string>
  /** Refresh tokens that reached the Hub, in their order. */
  refreshTokens(): string[]
}

export function createVisitor(context: BrowserContext, app: WebApp, hub: Hub): Visitor {
  const settled = (page: Page) => page.locator('#outcome', { hasText: /^[^…]+$/ }).waitFor()
  return {
    inMode: (mode) =>
      context.addInitScript((given) => void Object.assign(window, { mode: given }), mode).then(() => {}),
    async open(path = '/models') {
      const page = await context.newPage()
      await page.goto(app.url + path)
      await settled(page)
      return page
    },
    async signIn(page, username = 'ana') {
      await page.locator('#sign-in').click()
      await page.waitForURL(`${hub.url}/**`)
      await page.locator(`button[name=username][value=${username}]`).click()
      await page.locator('button[name=decision][value=allow]').click()
      await page.waitForURL(`${app.url}/**`)
      await settled(page)
    },
    statusOf: async (page) => (await page.locator('#status').textContent()) ?? '',
    shows: (page, status) => page.locator('#status', { hasText: status }).waitFor(),
    renew: (page) =>
      page.evaluate(() => {
        const { auth } = window as unknown as AppWindow
        return auth.renew().then(
          () => 'renewed',
          (error) => String(error.code ?? error),
        )
      }),
    refreshTokens: () =>
      hub.requests
        .filter(({ path, method }) => path === '/oauth/token' && method === 'POST')
        .map(({ body }) => new URLSearchParams(String(body)).get('refresh_token') ?? '')
        .filter((token) => token !== ''),
  }
}
