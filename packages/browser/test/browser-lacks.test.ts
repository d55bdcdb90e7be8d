/** Checklist F5 and H11 in a real Chromium: what a browser lacks, and what it takes away. */
import { publicAppId } from '@hfauth/testkit'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { visitEachTest } from './support/visit.ts'
import type { AppWindow } from './support/visitor.ts'

const here = visitEachTest()

/** Pages that are opened from now on have no such thing. */
const without = (name: string) =>
  here.context.addInitScript((missing) => {
    const owner = missing === 'locks' ? Navigator.prototype : window
    Object.defineProperty(owner, missing, { value: undefined, configurable: true })
  }, name)

const sharing = (page: Page) =>
  page.evaluate(() => (window as unknown as AppWindow).capabilities().then(({ tabsShare }) => tabsShare))

/** Everything that the tabs of an origin have in common. */
const shared = (page: Page) =>
  page.evaluate(async () => {
    const names = (await window.indexedDB?.databases?.()) ?? []
    return { local: JSON.stringify({ ...localStorage }), cookies: document.cookie, databases: names.length }
  })

describe.each(['locks', 'BroadcastChannel', 'indexedDB'])('a browser without %s', (missing) => {
  test('gives each tab a sign-in of its own and nothing that they share, and says so (F5)', async () => {
    await without(missing)
    const first = await here.visitor.open()
    await here.visitor.signIn(first)
    const second = await here.visitor.open()
    expect(await here.visitor.statusOf(second)).toBe('signed-out')
    expect(await sharing(first)).toBe(false)
    expect(await shared(first)).toMatchObject({ local: '{}', cookies: '' })

    await second.locator('#sign-in').click()
    await here.visitor.shows(second, 'signed-in')
    const many = Array.from({ length: 10 })
    await Promise.all([first, second].flatMap((tab) => many.map(() => here.visitor.renew(tab))))
    // One of each page, and each with a token of its own.
    expect(here.visitor.refreshTokens()).toHaveLength(2)
    expect(new Set(here.visitor.refreshTokens()).size).toBe(2)
    expect(await here.visitor.renew(first)).toBe('renewed')
  })
})

test('a browser that refuses all that pages share renews for each page (F5, H8)', async () => {
  await here.context.addInitScript(() => {
    const refuse = () => {
      throw new DOMException('denied', 'SecurityError')
    }
    const locks = { request: async () => refuse(), query: async () => refuse() }
    Object.defineProperty(Navigator.prototype, 'locks', { get: () => locks })
    IDBFactory.prototype.open = refuse
    window.BroadcastChannel = class {
      constructor() {
        refuse()
      }
    } as never
  })
  const page = await here.visitor.open()
  await here.visitor.signIn(page)
  expect(await sharing(page)).toBe(false)
  expect(await Promise.all([here.visitor.renew(page), here.visitor.renew(page)])).toEqual([
    'renewed',
    'renewed',
  ])
  expect(here.visitor.refreshTokens()).toHaveLength(1)
})

test('a browser without locks sends the refresh token of a tab and of its copy once (F5, E3)', async () => {
  await here.visitor.inMode('store')
  await without('locks')
  const first = await here.visitor.open()
  await here.visitor.signIn(first)
  const copied = first.waitForEvent('popup')
  await first.evaluate(() => void window.open(location.href))
  const copy = await copied
  await here.visitor.shows(copy, 'signed-in')
  await Promise.all([first, copy].map(here.visitor.renew))
  const sent = here.visitor.refreshTokens()
  expect(new Set(sent).size).toBe(sent.length)
})

describe('storage that the browser has emptied', () => {
  /** As a browser does that has not seen the person for a week, or when the person asks for it. */
  async function empty(page: Page): Promise<void> {
    const session = await here.context.newCDPSession(page)
    await session.send('Storage.clearDataForOrigin', { origin: here.app.url, storageTypes: 'all' })
    await page.evaluate(() => sessionStorage.clear())
    await session.detach()
  }

  test.each(['', 'store'])('under a running page takes nothing from it (H11, mode %j)', async (mode) => {
    await here.visitor.inMode(mode)
    const page = await here.visitor.open()
    await here.visitor.signIn(page)
    // Something is written there.
    expect(await here.visitor.renew(page)).toBe('renewed')
    await empty(page)
    expect(await here.visitor.statusOf(page)).toBe('signed-in')
    expect(await here.visitor.renew(page)).toBe('renewed')
    expect(await here.visitor.renew(page)).toBe('renewed')
    expect(new Set(here.visitor.refreshTokens()).size).toBe(3)
  })

  test.each(['', 'store'])(
    'before a page starts leaves it signed out, with no error (H11, mode %j)',
    async (mode) => {
      await here.visitor.inMode(mode)
      const page = await here.visitor.open()
      await here.visitor.signIn(page)
      expect(await here.visitor.renew(page)).toBe('renewed')
      await empty(page)
      await page.reload()
      await here.visitor.shows(page, 'signed-out')
      expect(await page.locator('#outcome').textContent()).toBe('returned to nowhere')
      here.hub.forgetConsent('ana', publicAppId)
      await here.visitor.signIn(page)
      expect(await here.visitor.renew(page)).toBe('renewed')
    },
  )

  test('while somebody signs in has its own code, and the next sign-in works (H11, B3)', async () => {
    const page = await here.visitor.open()
    await page.locator('#sign-in').click()
    await page.waitForURL(`${here.hub.url}/**`)
    await page.locator('button[name=username][value=ana]').click()
    // What the page of the application finds when it starts.
    await page.addInitScript(() => sessionStorage.clear())
    await page.locator('button[name=decision][value=allow]').click()
    await page.locator('#outcome', { hasText: 'HFAUTH_SIGNIN_STATE' }).waitFor()
    expect(await here.visitor.statusOf(page)).toBe('signed-out')
    const next = await here.visitor.open()
    // The provider remembers person and consent.
    await next.locator('#sign-in').click()
    await here.visitor.shows(next, 'signed-in')
  })
})
