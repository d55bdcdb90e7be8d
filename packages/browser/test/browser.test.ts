/** A real Chromium, a Hugging Face on loopback, and real clicks. */
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { leaveLines } from '../../../test/support/output.ts'
import type { Permissions } from '../src/index.ts'
import { policyAllowing, snapshotOf } from './support/rules.ts'
import { visitEachTest } from './support/visit.ts'
import { model } from './support/web-app.ts'

const here = visitEachTest()
let page: Page
/** Everything the pages printed, and every address they showed. */
let printed: string[]
let visited: string[]

beforeEach(async () => {
  printed = []
  visited = []
  page = await open('/models?sort=new#top')
})

// Each test is one about silence too (S3).
afterEach(() => {
  leaveLines('console-browser', printed)
  expect(printed).toEqual([])
})

async function open(path: string): Promise<Page> {
  const opened = await here.context.newPage()
  opened.on('console', (message) => {
    // Whoever goes back to the provider meets its page about a sign-in that is over: its message, not ours.
    const { url } = message.location()
    // The provider's pages, and the icon that some browsers look for beside them.
    if (url.startsWith(`${here.hub.url}/oauth/interaction/`) || url === `${here.hub.url}/favicon.ico`) return
    printed.push(message.text())
  })
  opened.on('framenavigated', (frame) => void visited.push(frame.url()))
  await opened.goto(here.app.url + path)
  await settled(opened)
  return opened
}

async function textOf(from: Page, id: string): Promise<string> {
  return (await from.locator(`#${id}`).textContent()) ?? ''
}

/** Until the page has looked at its address and said what came of it. */
async function settled(from: Page): Promise<void> {
  await from.locator('#outcome', { hasText: /^[^…]+$/ }).waitFor()
}

async function click(from: Page, id: string): Promise<string> {
  await from.locator(`#${id}`).click()
  await settled(from)
  return textOf(from, 'outcome')
}

async function leave(from: Page): Promise<void> {
  await from.locator('#sign-in').click()
  await from.waitForURL(`${here.hub.url}/**`)
}

async function allow(from: Page): Promise<void> {
  await from.locator('button[name=decision][value=allow]').click()
  await from.waitForURL(`${here.app.url}/**`)
  await settled(from)
}

async function signIn(from: Page = page): Promise<void> {
  await leave(from)
  await from.locator('button[name=username][value=ana]').click()
  await allow(from)
}

async function call(address: string): Promise<string> {
  await page.locator('#address').fill(address)
  return click(page, 'call')
}

const tokenRequests = () => here.hub.requests.filter(({ path }) => path === '/oauth/token')

describe('signing in', () => {
  test('ends signed in, where the person was, with a clean address (B9, Q1)', async () => {
    expect(await textOf(page, 'status')).toBe('signed-out')
    await signIn()
    expect(await textOf(page, 'status')).toBe('signed-in')
    expect(await textOf(page, 'who')).toBe('ana openid profile inference-api')
    expect(await textOf(page, 'outcome')).toBe('returned to /models?sort=new#top')
    expect(page.url()).toBe(`${here.app.url}/models?sort=new#top`)
    expect(tokenRequests()).toHaveLength(1)
  })

  test('sends no cookie to the token endpoint and no code in a referer (C1, O9)', async () => {
    await signIn()
    expect(tokenRequests().map(({ headers }) => headers.cookie)).toEqual([undefined])
    const referers = [
      ...here.hub.requests.map(({ headers }) => headers.referer),
      ...here.app.arrivals.map((a) => a.referer),
    ]
    expect(referers.join()).not.toContain('code=')
  })

  test('that is cancelled shows its code and keeps the address clean (B9, B14)', async () => {
    await leave(page)
    await page.locator('button[name=username][value=ana]').click()
    await page.locator('button[name=decision][value=deny]').click()
    await page.waitForURL(`${here.app.url}/**`)
    await settled(page)
    expect(await textOf(page, 'outcome')).toBe('HFAUTH_SIGNIN_REFUSED')
    expect(await textOf(page, 'status')).toBe('signed-out')
    expect(page.url()).toBe(`${here.app.url}/callback`)
  })

  test('in two tabs at once ends well in both (A8)', async () => {
    const second = await open('/datasets')
    await Promise.all([leave(page), leave(second)])
    await page.locator('button[name=username][value=ana]').click()
    await second.locator('button[name=username][value=ana]').click()
    await allow(page)
    // The other tab may be past consent already, now that it has been given.
    const consent = second.locator('button[name=decision][value=allow]')
    await consent.or(second.locator('#status')).waitFor()
    if (await consent.isVisible()) await allow(second)
    await settled(second)
    for (const each of [page, second]) expect(await textOf(each, 'status')).toBe('signed-in')
    expect(second.url()).toBe(`${here.app.url}/datasets`)
    expect(tokenRequests()).toHaveLength(2)
  })
})

describe('the policy of the site', () => {
  test('is in force, and what goes against it is noticed by page and site (O1, O2)', async () => {
    // In a browser of its own, since each of these pages is to be free of it.
    const context = await here.browser.newContext()
    const spoiled = await context.newPage()
    await spoiled.goto(here.app.url)
    const refused = await spoiled.evaluate(() => {
      new Image().src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='
      try {
        document.body.innerHTML = '<p>x</p>'
        return 'done'
      } catch (error) {
        return (error as Error).name
      }
    })
    expect(refused).toBe('TypeError')
    for (const name of ['img-src', 'require-trusted-types-for']) {
      await spoiled.locator('#violations', { hasText: name }).waitFor()
      await expect.poll(() => here.app.violations.join()).toContain(name)
    }
    await context.close()
    here.app.violations.length = 0
  })
})

describe('after signing in', () => {
  beforeEach(() => signIn())

  test('a reload is harmless: signed out, no error, no second use of the code (B8, B12)', async () => {
    await page.reload()
    await settled(page)
    expect(await textOf(page, 'status')).toBe('signed-out')
    expect(await textOf(page, 'outcome')).toBe('returned to nowhere')
    expect(tokenRequests()).toHaveLength(1)
  })

  test('back and forward never show an error or use the code again (B9, B11)', async () => {
    await page.goBack()
    await page.goForward()
    await page.waitForURL(`${here.app.url}/**`)
    await settled(page)
    expect(await textOf(page, 'outcome')).toMatch(/^returned to /)
    expect(page.url()).toBe(`${here.app.url}/models?sort=new#top`)
    expect(tokenRequests()).toHaveLength(1)
  })

  test('the history of the tab holds no answer (B9)', async () => {
    const session = await here.context.newCDPSession(page)
    const { entries } = await session.send('Page.getNavigationHistory')
    const ours = entries.filter(({ url }) => url.startsWith(here.app.url))
    expect(ours.length).toBeGreaterThan(0)
    for (const { url, userTypedURL } of ours) expect(url + userTypedURL).not.toMatch(/code=|state=/)
  })

  test('no secret is in storage, cookies, page, objects, addresses or console (H1, H7, H10)', async () => {
    await call(`${here.app.api.url}/v1`)
    await click(page, 'load')
    const { cookies, origins } = await here.context.storageState()
    // The provider's own cookies are secrets as well; a cookie jar holds them for it.
    const own = cookies.map(({ value }) => value)
    const secrets = here.hub.issued.filter((secret) => secret.length > 15 && !own.includes(secret))
    const tokens = secrets.filter((secret) => /^(hf_oauth_|eyJ)/.test(secret))
    expect(tokens.length).toBeGreaterThan(2)
    const found = {
      cookies: JSON.stringify(
        cookies.filter(({ domain, path }) => domain === '127.0.0.1' && path === '/app'),
      ),
      readableCookies: await page.evaluate(() => document.cookie),
      localStorage: JSON.stringify(origins),
      sessionStorage: await page.evaluate(() => JSON.stringify({ ...sessionStorage })),
      dom: await page.content(),
      objects: await page.evaluate(() => {
        const { auth } = window as unknown as { auth: { session: unknown; getSnapshot(): unknown } }
        return (
          JSON.stringify([auth, auth.session, auth.getSnapshot()]) + Object.getOwnPropertyNames(auth).join()
        )
      }),
      historyState: await page.evaluate(() => JSON.stringify(history.state)),
      address: page.url(),
      console: printed.join(),
    }
    expect(found.sessionStorage).toBe('{}')
    expect(found.readableCookies).toBe('')
    for (const [place, text] of Object.entries(found)) {
      for (const secret of secrets) expect(text.includes(secret), place).toBe(false)
    }
    // The code alone passes through the address, once, on the way to its removal.
    for (const token of tokens) expect(visited.join()).not.toContain(token)
  })

  test('the token goes to the listed origin and nowhere else (D1, D2)', async () => {
    expect(await call(`${here.app.api.url}/v1`)).toBe('api')
    const [arrived] = here.app.api.arrivals.filter(({ method }) => method === 'GET')
    expect(arrived?.authorization).toMatch(/^Bearer hf_oauth_/)
    expect(arrived?.url).toBe('/v1')

    const { host } = new URL(here.app.stranger.url)
    for (const address of [
      here.app.stranger.url,
      `//${host}/`,
      `${here.app.api.url}@${host}/`,
      `HTTP://${host}`,
    ]) {
      expect(await call(address)).toBe('HFAUTH_ORIGIN_REFUSED')
    }
    expect(here.app.stranger.arrivals).toEqual([])
  })

  test('a redirect to another origin arrives without the token (D4)', async () => {
    expect(await call(`${here.app.api.url}/away`)).toBe('stranger')
    expect(here.app.api.arrivals.some(({ authorization }) => authorization?.startsWith('Bearer '))).toBe(true)
    const landed = here.app.stranger.arrivals.filter(({ method }) => method === 'GET')
    expect(landed).toHaveLength(1)
    expect(landed[0]?.authorization).toBeUndefined()
  })

  test('permissions are loaded with the token, and end with the session (R4)', async () => {
    expect(await textOf(page, 'may')).toBe('infer false')
    expect(await click(page, 'load')).toBe('loaded')
    expect(await textOf(page, 'may')).toBe('infer true')
    const asked = here.app.arrivals.find(({ url }) => url === '/api/access')
    expect(asked?.authorization).toMatch(/^Bearer hf_oauth_/)
    await click(page, 'sign-out')
    expect(await textOf(page, 'may')).toBe('infer false')
    expect(await textOf(page, 'status')).toBe('signed-out')
    expect(await call(`${here.app.api.url}/v1`)).toBe('HFAUTH_SIGNED_OUT')
  })

  test('rules that the page was given by somebody else open nothing at the server (R2)', async () => {
    await click(page, 'load')
    const mine = `${here.app.url}/api/model`
    expect(await call(`${mine}/infer`)).toBe('done')
    expect(await call(`${mine}/write`)).toBe('refused')
    const forged = snapshotOf(
      policyAllowing({ actions: ['infer', 'write'], on: ['model:acme/*'] }),
      here.hub.person('ana').id,
    )
    const may = await page.evaluate(
      async ([text, resource]) => {
        const { permissions } = window as unknown as { permissions: Permissions }
        await permissions.load(JSON.parse(text))
        return permissions.can('write', resource)
      },
      [JSON.stringify(forged), model] as const,
    )
    expect(may).toBe(true)
    expect(await call(`${mine}/write`)).toBe('refused')
    printed = printed.filter((line) => !line.includes('403'))
  })

  test('a second sign-in in the same tab works like the first', async () => {
    await click(page, 'sign-out')
    await page.locator('#sign-in').click()
    // Hugging Face remembers the consent, so this comes straight back.
    await page.locator('#status', { hasText: 'signed-in' }).waitFor()
    expect(tokenRequests()).toHaveLength(2)
  })
})
