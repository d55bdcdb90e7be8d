/** Boot: loading the code, making the client, fetching the rules of one person, and the first answer. */
import type { Browser } from 'playwright-core'
import type { BenchSite } from './site.ts'
import { print, takeTurns } from './turns.ts'

const scripts = { hfauth: '/hfauth.js', 'oidc-client-ts with CASL': '/peers.js' } as const

export async function bootToFirstAnswer(browser: Browser, site: BenchSite): Promise<void> {
  const times = await takeTurns(Object.keys(scripts), async (name) => {
    // A new context has compiled nothing yet.
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(site.url)
    const { answer, ms } = await page.evaluate(
      async (script) => {
        const start = performance.now()
        const { boot } = await import(script)
        const answer = await boot()
        return { answer, ms: performance.now() - start }
      },
      scripts[name as keyof typeof scripts],
    )
    if (answer !== true) throw new Error(`${name} does not allow what the policy allows`)
    await context.close()
    return ms
  })
  print('from nothing to the first answer', times)
}
