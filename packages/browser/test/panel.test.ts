/** The debug panel in a real Chromium, under a policy that allows scripts of the page's own and nothing else. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { definePolicy, parsePolicy, type Snapshot } from '@hfauth/core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { outputFolder } from '../../../test/support/output.ts'
import type { Session } from '../src/index.ts'
import { launchChromium } from './chromium.ts'
import type { PanelPage } from './page/panel-app.ts'
import { bundle } from './support/bundle.ts'
import { snapshotOf } from './support/rules.ts'

declare const panelPage: PanelPage

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

let browser: Browser
let server: Server
let url: string
let page: Page
let printed: string[]

beforeAll(async () => {
  const script = await bundle({ file: 'test/page/panel-app.ts' })
  server = createServer((req, res) => {
    if (req.url === '/app.js') return void res.setHeader('content-type', 'text/javascript').end(script)
    res.setHeader('content-security-policy', policy).setHeader('content-type', 'text/html')
    res.end('<!doctype html><html lang="en"><title>Page</title><script type="module" src="/app.js"></script>')
  })
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  server?.close()
})

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 900, height: 820 } })
  printed = []
  page.on('console', (message) => {
    if (!message.text().includes('favicon')) printed.push(message.text())
  })
  page.on('pageerror', (error) => void printed.push(error.message))
  await page.goto(url)
  await page.getByRole('complementary').waitFor()
})

afterEach(async () => {
  expect(await page.title()).toBe('Page')
  expect(printed.filter((text) => !/favicon|Failed to load resource/.test(text))).toEqual([])
  await page.close()
})

function sessionOf(claims: object = {}): Session {
  return {
    id: 'sign-in of ana',
    sub: '62f264b9f3c90f4b6514a269',
    username: 'ana',
    name: 'Ana Ruiz',
    picture: undefined,
    claims: {
      iss: 'https://huggingface.co',
      sub: '62f264b9f3c90f4b6514a269',
      aud: 'client-1',
      iat: 1,
      preferred_username: 'ana',
      ...claims,
    },
    scopes: ['openid', 'profile', 'inference-api'],
    expiresAt: Date.now() + 7 * 60_000,
    renewableUntil: undefined,
  }
}

function snapshotFor(actions: ('read' | 'infer')[]) {
  const parsed = parsePolicy(
    definePolicy({
      version: 1,
      name: 'test',
      issuers: { hf: { preset: 'huggingface', audience: 'client-1' } },
      environments: { production: {} },
      roles: { reader: {}, engineer: { extends: ['reader'], allow: [{ actions, on: ['model:acme/*'] }] } },
      bindings: [{ roles: ['engineer'], to: { issuer: 'hf' } }],
    }),
  )
  return snapshotOf(parsed, '62f264b9f3c90f4b6514a269', 'production')
}

async function signIn(claims?: object): Promise<void> {
  await page.evaluate((session) => panelPage.become({ status: 'signed-in', session }), sessionOf(claims))
}

async function load(snapshot: Snapshot): Promise<void> {
  // As text: what a page is given must be plain data, and its type is deeper than the compiler follows.
  await page.evaluate((text) => panelPage.load(JSON.parse(text)), JSON.stringify(snapshot))
}

async function ask(action: string, resource: string): Promise<void> {
  await page.getByLabel('action').fill(action)
  await page.getByLabel('resource').fill(resource)
  await page.getByRole('button', { name: 'Ask' }).click()
}

const open = (summary: string) => page.getByText(summary, { exact: true }).click()

describe('the panel', () => {
  test('says that it does not know yet, then who is there and until when (S2)', async () => {
    await page.getByRole('heading', { name: 'hfauth: not known yet' }).waitFor()
    await signIn()
    await page.getByRole('complementary', { name: 'Signed in as ana' }).waitFor()
    await page.getByText(/ends \d\d:\d\d:\d\d, in 7 min/).waitFor()
    await page.getByRole('listitem').filter({ hasText: 'inference-api' }).waitFor()
  })

  test('shows claims, and none that is or stands for a token', async () => {
    const token = `hf_oauth_${'x'.repeat(20)}`
    await signIn({ nonce: 'n-0S6_WzA2Mj', at_hash: '77QmUPtjPfzWtF2AnpK9RQ', handed_over: token })
    await open('Claims')
    await page.getByText('https://huggingface.co').last().waitFor()
    const text = await page.getByRole('complementary').textContent()
    expect(text).toContain('preferred_username')
    for (const hidden of ['n-0S6_WzA2Mj', '77QmUPtjPfzWtF2AnpK9RQ', token]) expect(text).not.toContain(hidden)
  })

  test('shows text of a claim as text', async () => {
    await signIn({ note: '<img src=x onerror=alert(1)>' })
    await open('Claims')
    await page.getByText('<img src=x').waitFor()
    expect(await page.getByRole('img').count()).toBe(0)
  })

  test('shows roles, answers questions with reason and help, and anew when the rules change', async () => {
    await signIn()
    await load(snapshotFor(['read', 'infer']))
    await page
      .getByRole('listitem')
      .filter({ hasText: /^engineer$/ })
      .waitFor()
    await page
      .getByRole('listitem')
      .filter({ hasText: /^reader$/ })
      .waitFor()
    await ask('infer', 'model:acme/vision-large')
    const answer = page.getByRole('status')
    await answer.filter({ hasText: 'allowed' }).waitFor()
    await page.screenshot({ path: join(outputFolder('screens'), 'panel.png') })
    await load(snapshotFor(['read']))
    await answer
      .filter({ hasText: 'no_matching_rule' })
      .filter({ hasText: 'somebody has to grant it' })
      .waitFor()
  })

  test('is used by keyboard alone, and leaves nothing behind when it is closed', async () => {
    const before = await page.evaluate(() => panelPage.listeners())
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.ariaLabel)).toBe(
      'Close the panel',
    )
    await page.keyboard.press('Enter')
    await page.getByRole('complementary').waitFor({ state: 'detached' })
    expect(await page.evaluate(() => panelPage.listeners())).toBe(before - 1)
  })

  test('keeps the signed-out person out of sight', async () => {
    await signIn()
    await page.evaluate(() => panelPage.become({ status: 'signed-out', session: undefined }))
    await page.getByRole('heading', { name: 'hfauth: signed out' }).waitFor()
    const shown = await page.getByText('Ana Ruiz').count()
    expect(shown).toBe(0)
  })
})
