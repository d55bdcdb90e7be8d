/** What must work in every browser: redirect, pop-up, and pop-up of a framed page. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browsers } from './browsers.ts'
import { type PlainProvider, plainSub, startPlainProvider } from './support/plain-provider.ts'
import { type PopupSite, startPopupSite } from './support/popup-site.ts'

let site: PopupSite
let provider: PlainProvider

beforeAll(async () => {
  site = await startPopupSite()
  provider = await startPlainProvider({ byClick: true })
  provider.register(...site.redirectUris(provider.issuer))
  site.issuers.push(provider.issuer)
})

afterAll(async () => {
  await provider?.close()
  await site?.close()
})

describe.each(browsers)('in $name', ({ name, launch, click }) => {
  if (launch === undefined) {
    test.skip(`skipped: no ${name.toLowerCase()} on this machine`, () => {})
    return
  }
  let browser: Browser

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())

  async function open(path: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    page.setDefaultTimeout(15_000)
    await page.goto(path)
    return page
  }
  const query = () => `?issuer=${encodeURIComponent(provider.issuer)}`

  test('a redirect signs in and comes back to where the person was', async () => {
    const page = await open(`${site.url}/${query()}#deep`)
    await page.locator('#redirect').click()
    await page.locator('#continue').click()
    await page.locator('#status', { hasText: 'signed-in' }).waitFor()
    expect(page.url()).toBe(`${site.url}/${query()}#deep`)
    await page.context().close()
  })

  test('a pop-up signs in', async () => {
    const page = await open(`${site.url}/${query()}`)
    const [opened] = await Promise.all([page.waitForEvent('popup'), page.locator('#popup').click()])
    await opened.locator('#continue').click()
    await page.locator('#outcome-1', { hasText: plainSub }).waitFor()
    await page.context().close()
  })

  test('a framed page signs in by pop-up', async () => {
    const page = await open(`${site.otherSite}/frame${query()}`)
    const frame = page.frames().find((each) => each.url().startsWith(site.url))
    if (frame === undefined) throw new Error('the page has no frame')
    await frame.locator('#status', { hasText: 'signed-out' }).waitFor()
    const [opened] = await Promise.all([page.context().waitForEvent('page'), click(frame, '#popup')])
    await opened.locator('#continue').click()
    await frame.locator('#outcome-1', { hasText: plainSub }).waitFor()
    await page.context().close()
  })
})
