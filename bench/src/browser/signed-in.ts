/**
 * Signed in: a page that has been at the provider and back, so that the token under measure is one that it gave.
 *
 * @module
 */
import type { BrowserContext, Page } from 'playwright-core'
import type { BenchSite } from './site.ts'

/** Opens a page in which `script` has somebody signed in: by the other tabs, or by real redirects. */
export async function signedInPage(context: BrowserContext, site: BenchSite, script: string): Promise<Page> {
  const page = await context.newPage()
  // The first call may leave for the provider, and then has nobody to answer to.
  const signIn = () => page.evaluate(async (from) => (await import(from)).signIn(), script).catch(() => false)
  await page.goto(site.url)
  for (let tries = 0; tries < 3; tries++) {
    if ((await signIn()) === true) return page
    await page.waitForURL(`${site.url}/**`)
  }
  throw new Error(`the sign-in of \`${script}\` did not end signed in`)
}
