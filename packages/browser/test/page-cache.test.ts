/** Checklist J6, F4 and F9 in a real Chromium: pages that the browser puts aside. */
import type { Hub } from '@hfauth/testkit'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openPlace, type Place } from './support/place.ts'
import { createVisitor, type Visitor } from './support/visitor.ts'
import type { WebApp } from './support/web-app.ts'

let place: Place
let hub: Hub
let app: WebApp
let browser: Browser
let context: BrowserContext
let visitor: Visitor
let page: Page

beforeAll(async () => {
  place = await openPlace()
  ;({ hub, app, browser } = place)
})

afterAll(() => place?.close())

beforeEach(async () => {
  place.tidy()
  context = await browser.newContext()
  context.setDefaultTimeout(15_000)
  visitor = createVisitor(context, app, hub)
  page = await visitor.open()
  await visitor.signIn(page)
})

afterEach(() => context.close())

/**
 * The page goes into the cache and comes out of it again, as its script sees that. Headless Chromium has no such cache,
 * so the events are ours.
 */
async function leaveAndComeBack(meanwhile: () => Promise<void>): Promise<string> {
  const turn = (type: string) =>
    page.evaluate((name) => {
      window.dispatchEvent(new PageTransitionEvent(name, { persisted: true }))
      // Before anything could be painted.
      return document.querySelector('#who')?.textContent ?? 'nothing'
    }, type)
  await turn('pagehide')
  await meanwhile()
  return turn('pageshow')
}

test('a page out of the cache shows nobody until it is known that nobody signed out (J6, F9)', async () => {
  expect(await leaveAndComeBack(async () => {})).toBe('')
  await visitor.shows(page, 'signed-in')
  expect(await visitor.renew(page)).toBe('renewed')
})

test('a page out of the cache after a sign-out elsewhere goes on showing nobody (J6, F6)', async () => {
  const other = await visitor.open()
  await visitor.shows(other, 'signed-in')
  const shown = await leaveAndComeBack(async () => {
    await other.locator('#sign-out').click()
    await visitor.shows(other, 'signed-out')
  })
  expect(shown).toBe('')
  await visitor.shows(page, 'signed-out')
  expect(await page.locator('#who').textContent()).toBe('')
})

test('a page in the cache holds nobody up who renews, and hears of it when it is back (F4)', async () => {
  const other = await visitor.open()
  await visitor.shows(other, 'signed-in')
  await leaveAndComeBack(async () => {
    expect(await visitor.renew(other)).toBe('renewed')
  })
  await visitor.shows(page, 'signed-in')
  expect(await visitor.renew(page)).toBe('renewed')
  expect(new Set(visitor.refreshTokens()).size).toBe(visitor.refreshTokens().length)
})

test('a page that is put aside holds no lock, which would keep it out of the cache, and takes it up again (F4, F9)', async () => {
  const held = () =>
    page.evaluate(async () => {
      const { held: locks = [] } = await navigator.locks.query()
      return locks.filter(({ name }) => name?.startsWith('hfauth')).length
    })
  expect(await held()).toBe(1)
  await leaveAndComeBack(async () => {
    await expect.poll(held).toBe(0)
  })
  await visitor.shows(page, 'signed-in')
  await expect.poll(held).toBe(1)
})
