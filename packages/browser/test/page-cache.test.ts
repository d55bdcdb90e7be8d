/** Checklist J6, F4 and F9 in a real Chromium: pages that the browser puts aside. */
import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { visitEachTest } from './support/visit.ts'
import { createVisitor } from './support/visitor.ts'

// Playwright turns the cache off, since most tests want a page to start when they go back.
const here = visitEachTest(
  {},
  { ignoreDefaultArgs: ['--disable-back-forward-cache'], args: ['--enable-features=BackForwardCache'] },
)
let page: Page
/** Whether the browser truly puts pages aside. */
let hasCache: boolean

beforeAll(async () => {
  const probe = await here.browser.newContext()
  page = await createVisitor(probe, here.app, here.hub).open()
  await noteWhenShown()
  hasCache = (await goAndComeBack(async () => {}))?.persisted === true
  await probe.close()
})

beforeEach(async () => {
  page = await here.visitor.open()
  await here.visitor.signIn(page)
})

/** What a page notes when it is shown again: whether it comes out of the cache, and who is named before it is painted. */
interface Shown {
  readonly persisted: boolean
  readonly who: string
}

const shown = () => (window as unknown as { shown?: Shown }).shown

const noteWhenShown = () =>
  page.evaluate(() =>
    window.addEventListener('pageshow', ({ persisted }) => {
      const who = document.querySelector('#who')?.textContent
      Object.assign(window, { shown: { persisted, who } })
    }),
  )

/** Leaves for another page, and goes back. */
async function goAndComeBack(meanwhile: () => Promise<void>): Promise<Shown | undefined> {
  await page.goto(`${here.app.api.url}/v1`)
  await meanwhile()
  await page.evaluate(() => history.back())
  // A page out of the cache is not loaded; one that starts again notes nothing.
  await page.waitForURL(`${here.app.url}/**`, { waitUntil: 'commit' })
  const found = await page.waitForFunction(shown, undefined, { timeout: 3000 }).catch(() => undefined)
  return found?.jsonValue()
}

/** As its script sees it, in a browser that has no such cache, such as the one that comes in a package. */
async function playIt(meanwhile: () => Promise<void>): Promise<Shown | undefined> {
  const turn = (type: string) =>
    page.evaluate(
      (name) => void window.dispatchEvent(new PageTransitionEvent(name, { persisted: true })),
      type,
    )
  await turn('pagehide')
  await meanwhile()
  await turn('pageshow')
  return page.evaluate(shown)
}

/** The browser puts the page aside and shows it again. @returns Who is named in it at first. */
async function leaveAndComeBack(meanwhile: () => Promise<void>): Promise<string> {
  await noteWhenShown()
  const found = await (hasCache ? goAndComeBack : playIt)(meanwhile)
  expect(found?.persisted).toBe(true)
  return found?.who ?? 'nothing'
}

test('a page out of the cache shows nobody until it is known that nobody signed out (J6, F9)', async () => {
  expect(await leaveAndComeBack(async () => {})).toBe('')
  await here.visitor.shows(page, 'signed-in')
  expect(await here.visitor.renew(page)).toBe('renewed')
})

test('a page out of the cache after a sign-out elsewhere goes on showing nobody (J6, F6)', async () => {
  const other = await here.visitor.open()
  await here.visitor.shows(other, 'signed-in')
  const shown = await leaveAndComeBack(async () => {
    await other.locator('#sign-out').click()
    await here.visitor.shows(other, 'signed-out')
  })
  expect(shown).toBe('')
  await here.visitor.shows(page, 'signed-out')
  expect(await page.locator('#who').textContent()).toBe('')
})

test('a page in the cache holds nobody up who renews, and hears of it when it is back (F4)', async () => {
  const other = await here.visitor.open()
  await here.visitor.shows(other, 'signed-in')
  await leaveAndComeBack(async () => {
    expect(await here.visitor.renew(other)).toBe('renewed')
  })
  await here.visitor.shows(page, 'signed-in')
  expect(await here.visitor.renew(page)).toBe('renewed')
  expect(new Set(here.visitor.refreshTokens()).size).toBe(here.visitor.refreshTokens().length)
})

test('a page that is put aside holds no lock, which would keep it out of the cache, and takes it up again (F4, F9)', async () => {
  const other = await here.visitor.open()
  await here.visitor.shows(other, 'signed-in')
  const held = () =>
    other.evaluate(async () => {
      const { held: locks = [] } = await navigator.locks.query()
      return locks.filter(({ name }) => name?.startsWith('hfauth')).length
    })
  expect(await held()).toBe(2)
  await leaveAndComeBack(async () => {
    await expect.poll(held).toBe(1)
  })
  await here.visitor.shows(page, 'signed-in')
  await expect.poll(held).toBe(2)
})
