/**
 * Stampede: everybody wants an answer in the moment when the access token has ended.
 *
 * Fifty calls of one page, and one call each of eight tabs; how many token requests that makes, and how long until the
 * last has its answer. The times are against a provider that takes a refresh token again and again, so that all get
 * answers; what becomes of them where each is good for one use is counted after that.
 */
import type { Browser, Page } from 'playwright-core'
import type { PlainProvider } from '../../../packages/browser/test/support/plain-provider.ts'
import { median } from '../measure.ts'
import { signedInPage } from './signed-in.ts'
import type { BenchSite } from './site.ts'
import { print, takeTurns } from './turns.ts'

export interface Place {
  readonly provider: PlainProvider
  readonly site: BenchSite
}

const callers = 50
const tabs = 8
const scripts = {
  hfauth: '/hfauth.js',
  'oidc-client-ts': '/peers.js',
  'oidc-client-ts, in a lock by hand': '/peers-locked.js',
} as const
const names = Object.keys(scripts) as (keyof typeof scripts)[]

export async function renewForAll(browser: Browser, place: Place, strict: Place): Promise<void> {
  await timed(browser, place, `${callers} calls of one page with a token that has ended`, 1, callers)
  await timed(browser, place, `${tabs} tabs with a token that has ended, one call each`, tabs, 1)
  console.log('\nwhere a refresh token is good for one use: calls answered, and after that one more')
  for (const [pages, calls] of [
    [1, callers],
    [tabs, 1],
  ] as const) {
    for (const name of names) {
      const open = await openPages(browser, strict, name, pages)
      const all = await stampede(open, name, calls)
      const after = await stampede(open.slice(0, 1), name, 1)
      console.log(`  ${name.padEnd(34)} ${all.answered} of ${pages * calls}, ${after.answered} of 1`)
      await open[0]?.context().close()
    }
  }
}

async function timed(browser: Browser, place: Place, title: string, pages: number, calls: number) {
  const { provider, site } = place
  const open = new Map<string, Page[]>()
  for (const name of names) open.set(name, await openPages(browser, place, name, pages))
  const requests = new Map<string, number[]>(names.map((name) => [name, []]))
  const times = await takeTurns(names, async (name) => {
    const before = new Set(site.tokens)
    site.tokens.length = 0
    provider.grants.length = 0
    const { answered, ms } = await stampede(open.get(name) as Page[], name as keyof typeof scripts, calls)
    // Nobody counts who was answered late, not at all, or with a token that had ended.
    if (answered !== pages * calls || site.tokens.some((token) => before.has(token))) {
      throw new Error(`${name} answered ${answered} of ${pages * calls}, or sent a token that had ended`)
    }
    requests.get(name)?.push(provider.grants.length)
    return ms
  })
  print(title, times, (name) => `, token requests: ${median(requests.get(name) ?? [])}`)
  for (const [first] of open.values()) await first?.context().close()
}

async function openPages(browser: Browser, { site }: Place, name: keyof typeof scripts, count: number) {
  const context = await browser.newContext()
  const pages: Page[] = []
  while (pages.length < count) pages.push(await signedInPage(context, site, scripts[name]))
  return pages
}

/** Lets the token end everywhere, and then all ask at the same moment of the clock. */
async function stampede(pages: readonly Page[], name: keyof typeof scripts, calls: number) {
  const script = scripts[name]
  for (const page of pages) await page.evaluate(async (from) => (await import(from)).expire(), script)
  const startAt = Date.now() + 40 * pages.length
  const outcomes = await Promise.all(
    pages.map((page) =>
      page.evaluate(
        async ([from, at, count]) => {
          const { callRenewed } = await import(from)
          await new Promise((resolve) => setTimeout(resolve, at - Date.now()))
          const answers = await Promise.allSettled(
            Array.from({ length: count }, () =>
              callRenewed('/ping').then((answer: Response) => answer.text()),
            ),
          )
          const endedAt = performance.timeOrigin + performance.now()
          const good = answers.filter((answer) => answer.status === 'fulfilled' && answer.value === 'pong')
          return { endedAt, answered: good.length }
        },
        [script, startAt, calls] as const,
      ),
    ),
  )
  return {
    answered: outcomes.reduce((sum, { answered }) => sum + answered, 0),
    ms: Math.max(...outcomes.map(({ endedAt }) => endedAt)) - startAt,
  }
}
