/**
 * Place: a Hub, the web app that people sign in to with it, and a Chromium, for all tests of a file.
 *
 * @module
 */
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import type { Browser, LaunchOptions } from 'playwright-core'
import { rememberSecrets } from '../../../../test/support/output.ts'
import { launchChromium } from '../chromium.ts'
import { startWebApp, type WebApp, type WebAppOptions } from './web-app.ts'

export interface Place {
  readonly hub: Hub
  readonly app: WebApp
  readonly browser: Browser
  /** What the tests before have left behind: consents, faults, arrivals. */
  tidy(): void
  /** Ends all three, and remembers what was issued, to be looked for in what the tests leave behind. */
  close(): Promise<void>
}

export async function openPlace(
  options: Pick<WebAppOptions, 'trustedTypes'> = {},
  launch: LaunchOptions = {},
): Promise<Place> {
  const hub = await startHub()
  const app = await startWebApp({
    issuer: hub.url,
    clientId: publicAppId,
    sub: hub.person('ana').id,
    ...options,
  })
  const browser = await launchChromium(launch)
  return {
    hub,
    app,
    browser,
    tidy() {
      hub.requests.clear()
      hub.forgetConsent('ana', publicAppId)
      delete hub.faults.tokenEndpoint
      for (const site of [app, app.api, app.stranger]) site.arrivals.length = 0
    },
    async close() {
      rememberSecrets(hub.issued)
      await browser.close()
      await app.close()
      await hub.close()
    },
  }
}
