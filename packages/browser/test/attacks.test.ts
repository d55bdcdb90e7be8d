/** Checklist sections 1, 2 and 16 as an attacker would try them, in a real Chromium against two plain providers. */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { launchChromium } from './chromium.ts'
import { type PlainProvider, startPlainProvider } from './support/plain-provider.ts'
import { type PopupSite, startPopupSite } from './support/popup-site.ts'

let site: PopupSite
let honest: PlainProvider
let other: PlainProvider
let browser: Browser
let context: BrowserContext
let page: Page

beforeAll(async () => {
  site = await startPopupSite()
  honest = await startPlainProvider({ byClick: true })
  other = await startPlainProvider({ byClick: true })
  for (const each of [honest, other]) each.register(...site.redirectUris(each.issuer))
  site.issuers.push(honest.issuer, other.issuer)
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await honest?.close()
  await other?.close()
  await site?.close()
})

beforeEach(async () => {
  honest.paths.length = 0
  other.paths.length = 0
  context = await browser.newContext()
  context.setDefaultTimeout(15_000)
  page = await open(context, honest)
})

afterEach(async () => {
  await context.close()
  expect(site.violations).toEqual([])
})

const addressOf = (provider: PlainProvider, more = '') =>
  `${site.url}/?issuer=${encodeURIComponent(provider.issuer)}${more}`

async function open(from: BrowserContext, provider: PlainProvider, more = ''): Promise<Page> {
  const opened = await from.newPage()
  await opened.goto(addressOf(provider, more))
  await says(opened, 'status', 'signed-out')
  return opened
}

async function says(from: Page, id: string, text: string): Promise<void> {
  await from.locator(`#${id}`, { hasText: text }).waitFor()
}

/** Signs in as far as the answer, which reaches an empty page instead of the application. */
async function catchAnswer(from: Page): Promise<URL> {
  site.catching = true
  await from.locator('#redirect').click()
  await from.locator('#continue').click()
  await from.waitForURL(`${site.url}/callback**`)
  site.catching = false
  return new URL(from.url())
}

const tokenRequests = (provider: PlainProvider) => provider.paths.filter((path) => path === '/token').length

describe('an answer', () => {
  test('that is played again signs nobody in and asks for no token (B3, B8)', async () => {
    const answer = await catchAnswer(page)
    await page.goto(answer.href)
    await says(page, 'status', 'signed-in')
    await page.goto(answer.href)
    await says(page, 'outcome-1', 'HFAUTH_SIGNIN_STATE')
    await says(page, 'status', 'signed-out')
    expect(page.url()).not.toContain('code=')
    expect(tokenRequests(honest)).toBe(1)
  })

  test("with the code of somebody else's session is refused by the challenge (A5, B3)", async () => {
    const attacker = await browser.newContext()
    const theirs = await catchAnswer(await open(attacker, honest))
    await attacker.close()
    const mine = await catchAnswer(page)
    mine.searchParams.set('code', theirs.searchParams.get('code') ?? '')
    await page.goto(mine.href)
    await says(page, 'outcome-1', 'HFAUTH_SIGNIN_REFUSED')
    await says(page, 'status', 'signed-out')
    expect(tokenRequests(honest)).toBe(1)
  })

  test("that is somebody else's as a whole belongs to no sign-in here (B3)", async () => {
    const attacker = await browser.newContext()
    const theirs = await catchAnswer(await open(attacker, honest))
    await attacker.close()
    await page.goto(theirs.href)
    await says(page, 'outcome-1', 'HFAUTH_SIGNIN_STATE')
    await says(page, 'status', 'signed-out')
    expect(tokenRequests(honest)).toBe(0)
  })

  test('of another provider is refused before its code goes anywhere (A10, B4)', async () => {
    const mixed = await catchAnswer(await open(context, other))
    const mine = await catchAnswer(page)
    for (const name of ['code', 'iss']) mine.searchParams.set(name, mixed.searchParams.get(name) ?? '')
    await page.goto(mine.href)
    await says(page, 'outcome-1', 'HFAUTH_SIGNIN_INVALID')
    expect(tokenRequests(honest) + tokenRequests(other)).toBe(0)
  })
})

describe('a return address', () => {
  test.each(['https://evil.invalid/', '//evil.invalid/', '/\\evil.invalid', 'javascript:alert(1)'])(
    'of %s leads to the start of this site (Q2)',
    async (hostile) => {
      const victim = await open(context, honest, `&returnTo=${encodeURIComponent(hostile)}`)
      await victim.locator('#redirect').click()
      await victim.locator('#continue').click()
      await says(victim, 'status', 'signed-in')
      expect(victim.url()).toBe(`${site.url}/`)
    },
  )
})
