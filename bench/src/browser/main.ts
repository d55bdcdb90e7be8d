/**
 * `pnpm bench browser`: a page with hfauth beside one with oidc-client-ts and CASL, in the same run of one Chromium.
 *
 * Contestants take turns; medians and their ratios are printed. Nothing is timed before all give the same answer.
 */
import { launchChromium } from '../../../packages/browser/test/chromium.ts'
import { plainClientId, startPlainProvider } from '../../../packages/browser/test/support/plain-provider.ts'
import { bootToFirstAnswer } from './boot.ts'
import { fetchWithToken } from './fetches.ts'
import { startSite } from './site.ts'
import { renewForAll } from './stampede.ts'

const provider = await startPlainProvider({ rotating: false })
const site = await startSite({ issuer: provider.issuer, clientId: plainClientId, statements: 100 })
provider.register(`${site.url}/callback`)
const strict = await startPlainProvider()
const strictSite = await startSite({ issuer: strict.issuer, clientId: plainClientId, statements: 1 })
strict.register(`${strictSite.url}/callback`)
const browser = await launchChromium()
try {
  await bootToFirstAnswer(browser, site)
  await fetchWithToken(browser, site)
  await renewForAll(browser, { provider, site }, { provider: strict, site: strictSite })
} finally {
  await browser.close()
  for (const each of [site, strictSite, provider, strict]) await each.close()
}
