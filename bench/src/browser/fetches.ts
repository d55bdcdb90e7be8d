/** Fetches: one call after the other with the token, to the page's own server. */
import type { Browser, Page } from 'playwright-core'
import { signedInPage } from './signed-in.ts'
import type { BenchSite } from './site.ts'
import { print, takeTurns } from './turns.ts'

const scripts = {
  hfauth: '/hfauth.js',
  'hfauth, token in a worker': '/hfauth-worker.js',
  'oidc-client-ts': '/peers.js',
  'plain fetch': '/plain.js',
} as const

export async function fetchWithToken(browser: Browser, site: BenchSite): Promise<void> {
  const pages = new Map<string, Page>()
  for (const [name, script] of Object.entries(scripts)) {
    pages.set(name, await signedInPage(await browser.newContext(), site, script))
  }
  await small(pages, site)
  await large(pages)
  for (const page of pages.values()) await page.context().close()
}

async function small(pages: ReadonlyMap<string, Page>, site: BenchSite): Promise<void> {
  for (const [name, page] of pages) {
    site.tokens.length = 0
    if ((await callOften(page, name, '/ping', 1)).text !== 'pong' || site.tokens.length !== 1) {
      throw new Error(`${name} does not get the answer of the API with a token`)
    }
  }
  const turn = async (name: string) => (await callOften(pages.get(name) as Page, name, '/ping', 100)).ms
  print('a fetch with the token, on loopback', await takeTurns([...pages.keys()], turn))
}

async function large(pages: ReadonlyMap<string, Page>): Promise<void> {
  const lengths = new Set<number>()
  for (const [name, page] of pages) lengths.add((await callOften(page, name, '/large', 1)).text.length)
  if (lengths.size !== 1) throw new Error('the contestants do not get the same large answer')
  const turn = async (name: string) => (await callOften(pages.get(name) as Page, name, '/large', 10)).ms
  print('the same, with an answer of 1 MiB', await takeTurns([...pages.keys()], turn))
}

/** @returns The last answer, and the milliseconds of one call. */
function callOften(page: Page, name: string, path: string, count: number) {
  return page.evaluate(
    async ([script, path, count]) => {
      const { call } = await import(script)
      const start = performance.now()
      let text = ''
      for (let i = 0; i < count; i++) text = await (await call(path)).text()
      return { text, ms: (performance.now() - start) / count }
    },
    [scripts[name as keyof typeof scripts], path, count] as const,
  )
}
