/** Checklist O4 to O6: the React entry, rendered by a server and hydrated in a real Chromium, in strict mode. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import type { Browser, Page } from 'playwright-core'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rememberSecrets } from '../../../test/support/output.ts'
import { useSession } from '../src/react.ts'
import { launchChromium } from './chromium.ts'
import { App, createParts } from './page/react-app.ts'
import { bundle } from './support/bundle.ts'
import { policyAllowing, snapshotOf } from './support/rules.ts'

let hub: Hub
let browser: Browser
let server: Server
let url: string
let page: Page
let printed: string[]
/** What the person may do, as the server has it. */
let actions: ('infer' | 'write')[]
const accessRequests: (string | undefined)[] = []

const config = () => ({ issuer: hub.url, clientId: publicAppId, redirectUri: `${url}/callback` })
const rendered = () => renderToString(createElement(App, createParts(config())))

beforeAll(async () => {
  hub = await startHub()
  browser = await launchChromium()
  let script = ''
  server = createServer((req, res) => {
    const { pathname } = new URL(req.url ?? '', 'http://site')
    if (pathname === '/app.js') return void res.setHeader('content-type', 'text/javascript').end(script)
    if (pathname === '/favicon.ico') return void res.writeHead(204).end()
    if (pathname === '/api/access') {
      accessRequests.push(req.headers['if-none-match'])
      const snapshot = snapshotOf(policy(), hub.person('ana').id)
      const etag = `"${snapshot.digest}"`
      res.setHeader('etag', etag).setHeader('content-type', 'application/json')
      if (req.headers['if-none-match'] === etag) return void res.writeHead(304).end()
      return void res.end(JSON.stringify(snapshot))
    }
    res.setHeader('content-type', 'text/html; charset=utf-8')
    res.end(
      `<!doctype html><title>App</title><div id="root">${rendered()}</div><script type="module" src="/app.js"></script>`,
    )
  })
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  // The development build of React says what it has against a page.
  const define = { CONFIG: JSON.stringify(config()), 'process.env.NODE_ENV': '"development"' }
  script = await bundle({ file: 'test/page/react-main.ts' }, { define })
})

afterAll(async () => {
  rememberSecrets(hub.issued)
  await browser?.close()
  server?.closeAllConnections()
  server?.close()
  await hub?.close()
})

beforeEach(async () => {
  hub.requests.clear()
  hub.forgetConsent('ana', publicAppId)
  accessRequests.length = 0
  actions = ['infer']
  printed = []
  const context = await browser.newContext()
  context.setDefaultTimeout(15_000)
  // A clock that can be put forward, as by a night of sleep.
  await context.addInitScript(() => {
    const { now } = Date
    Date.now = () => now() + ((window as { skewMs?: number }).skewMs ?? 0)
  })
  page = await open(context.newPage())
})

afterEach(() => page.context().close())

async function open(opening: Promise<Page>): Promise<Page> {
  const opened = await opening
  opened.on('console', (message) => {
    if (!message.text().includes('Download the React DevTools')) printed.push(message.text())
  })
  opened.on('pageerror', (error) => void printed.push(String(error)))
  await opened.goto(`${url}/start`)
  return opened
}

const policy = () =>
  policyAllowing(
    { actions, on: ['model:acme/*'] },
    { actions: ['read'], on: ['model:acme/x'], when: { 'resource.gated': false } },
  )

const shows = (id: string, text: string) =>
  page.locator(`#${id}`, { hasText: new RegExp(`^${text}$`) }).waitFor()

async function signIn(): Promise<void> {
  await shows('status', 'signed-out')
  await page.locator('#sign-in').click()
  await page.locator('button[name=username][value=ana]').click()
  await page.locator('button[name=decision][value=allow]').click()
  await shows('status', 'signed-in')
}

describe('a server', () => {
  test('renders a page whose visitor it does not know yet (O4, O5)', () => {
    const html = rendered()
    expect(html).toContain('<p id="status">unknown</p>')
    expect(html).toContain('<p id="access">loading</p>')
    expect(html).toContain('<p id="infer">loading</p>')
    expect(html).not.toContain('may infer')
  })

  test('is told of a hook without its provider', () => {
    expect(() => renderToString(createElement(() => useSession().status))).toThrow('`AuthProvider`')
  })
})

describe('in strict mode, a page', () => {
  test('hydrates without a warning, and then shows who is not there (O5)', async () => {
    await shows('status', 'signed-out')
    await shows('access', 'none')
    await shows('infer', 'denied')
    await shows('write', 'denied')
    expect(printed).toEqual([])
  })

  test('redeems one code, asks once for the rules, and shows what they allow (O6)', async () => {
    await signIn()
    await shows('infer', 'may infer')
    await shows('write', 'ask: no_matching_rule')
    await shows('read', 'maybe')
    expect(await page.locator('#who').textContent()).toBe('ana')
    expect(hub.requests.filter(({ path }) => path === '/oauth/token')).toHaveLength(1)
    expect(accessRequests).toEqual([undefined])
    expect(printed).toEqual([])
  })

  test('shows other things when the policy changes, without a reload, and nothing after the sign-out (R1, R4)', async () => {
    await signIn()
    await shows('infer', 'may infer')
    actions = ['write']
    await page.evaluate(() => void window.dispatchEvent(new Event('focus')))
    await shows('infer', 'denied')
    expect(accessRequests[1]).toMatch(/^"sha256:/)
    await page.locator('#sign-out').click()
    await shows('status', 'signed-out')
    await shows('access', 'none')
    expect(printed).toEqual([])
  })

  /** A night passes on the clock of one tab, and somebody looks at it. */
  const wake = (tab: Page) =>
    tab.evaluate(() => {
      Object.assign(window, { skewMs: 9 * 3_600_000 })
      window.dispatchEvent(new Event('focus'))
    })

  const renewals = () =>
    hub.requests.filter(
      ({ path, body }) => path === '/oauth/token' && String(body).includes('refresh_token='),
    )

  test('renews once when it wakes, and renders what came of it (O6)', async () => {
    await signIn()
    await shows('infer', 'may infer')
    await wake(page)
    await expect.poll(() => renewals().length).toBe(1)
    await page.evaluate(() => navigator.locks.request('after what is waiting', () => {}))
    await shows('status', 'signed-in')
    await shows('infer', 'may infer')
    expect(renewals()).toHaveLength(1)
    expect(printed).toEqual([])
  })

  test('takes the control away in every tab when a renewal brings fewer scopes (R4)', async () => {
    await signIn()
    const tabs = [page, await open(page.context().newPage())]
    for (const tab of tabs) await tab.locator('#infer', { hasText: /^may infer$/ }).waitFor()
    // Whoever holds less may do less, says the server.
    await page.context().route('**/oauth/token', async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, json: { ...(await response.json()), scope: 'openid profile' } })
    })
    actions = ['write']
    await wake(page)
    for (const tab of tabs) await tab.locator('#infer', { hasText: /^denied$/ }).waitFor()
    expect(renewals()).toHaveLength(1)
  })

  test('shows in every tab what one of them finds changed (R4)', async () => {
    await signIn()
    await shows('infer', 'may infer')
    const first = page
    page = await open(first.context().newPage())
    // The sign-in is the same in all tabs.
    await shows('infer', 'may infer')
    actions = ['write']
    await first.evaluate(() => void window.dispatchEvent(new Event('focus')))
    await shows('infer', 'denied')
  })
})
