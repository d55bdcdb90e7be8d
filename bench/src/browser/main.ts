/**
 * `pnpm bench browser`: a page with hfauth beside one with oidc-client-ts and CASL, in the same run of one Chromium.
 *
 * Contestants take turns; medians and their ratios are printed. Nothing is timed before both give the same answer.
 */
import { publicAppId, startHub } from '@hfauth/testkit'
import type { Browser, Page } from 'playwright-core'
import { launchChromium } from '../../../packages/browser/test/chromium.ts'
import { median } from '../measure.ts'
import { startSite } from './site.ts'

const rounds = 25
const callsInARow = 100

const hub = await startHub()
const site = await startSite({ issuer: hub.url, clientId: publicAppId, statements: 100 })
const browser = await launchChromium()
try {
  await bootToFirstAnswer(browser)
  await fetchWithToken(browser)
} finally {
  await browser.close()
  await site.close()
  await hub.close()
}

/** Loading the code, making the client, fetching the rules of 100 statements, and the first answer. */
async function bootToFirstAnswer(from: Browser): Promise<void> {
  const times = new Map<string, number[]>([
    ['hfauth', []],
    ['peers', []],
  ])
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 ? ['hfauth', 'peers'] : ['peers', 'hfauth']) {
      // A new context has compiled nothing yet.
      const context = await from.newContext()
      const page = await context.newPage()
      await page.goto(site.url)
      const { answer, ms } = await page.evaluate(async (script) => {
        const start = performance.now()
        const { boot } = await import(script)
        const answer = await boot()
        return { answer, ms: performance.now() - start }
      }, `/${name}.js`)
      if (answer !== true) throw new Error(`${name} does not allow what the policy allows`)
      times.get(name)?.push(ms)
      await context.close()
    }
  }
  print('from nothing to the first answer', times, 'ms')
}

/** One call after the other, to the page's own server. */
async function fetchWithToken(from: Browser): Promise<void> {
  const page = await signedIn(from)
  const times = new Map<string, number[]>([
    ['hfauth', []],
    ['peers', []],
    ['plain', []],
  ])
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated([...times.keys()], round)) {
      const ms = await page.evaluate(
        async ([script, count]) => {
          const { call } = await import(script)
          const start = performance.now()
          for (let i = 0; i < count; i++) await (await call()).text()
          return (performance.now() - start) / count
        },
        [`/${name}.js`, callsInARow] as const,
      )
      times.get(name)?.push(ms)
    }
  }
  await page.context().close()
  print('a fetch with the token, on loopback', times, 'ms')
}

/** By real redirects: the token under measure is one that a provider gave. */
async function signedIn(from: Browser): Promise<Page> {
  const page = await (await from.newContext()).newPage()
  const signIn = () =>
    page.evaluate(async (script) => (await import(script)).signIn(), '/hfauth.js').catch(() => false)
  await page.goto(site.url)
  await signIn()
  await page.locator('button[name=username][value=ana]').click()
  await page.locator('button[name=decision][value=allow]').click()
  await page.waitForURL(`${site.url}/**`)
  if ((await signIn()) !== true) throw new Error('the sign-in of the bench did not end signed in')
  return page
}

function rotated<T>(items: readonly T[], by: number): T[] {
  return items.map((_, i) => items[(i + by) % items.length] as T)
}

function print(title: string, times: ReadonlyMap<string, readonly number[]>, unit: string): void {
  const base = median(times.get('hfauth') ?? [])
  console.log(`\n${title}, ${rounds} rounds`)
  for (const [name, list] of times) {
    const middle = median(list)
    const ratio = name === 'hfauth' ? '' : `  ${(middle / base).toFixed(2)} × hfauth`
    console.log(`  ${name.padEnd(8)} ${middle.toFixed(2).padStart(8)} ${unit}${ratio}`)
  }
}
