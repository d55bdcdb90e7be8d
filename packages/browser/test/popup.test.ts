/** Checklist sections 12 and 13, in a real Chromium against a plain OpenID provider and the Hub of the testkit: pop-ups, frames, new tabs. */
import { type Hub, startHub } from '@hfauth/testkit'
import type { Browser, BrowserContext, Frame, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { leaveLines, rememberSecrets } from '../../../test/support/output.ts'
import { launchChromium } from './chromium.ts'
import { guideHeaders } from './support/guide-headers.ts'
import { type PlainProvider, plainClientId, plainSub, startPlainProvider } from './support/plain-provider.ts'
import { type PopupSite, startPopupSite } from './support/popup-site.ts'
import type { AppWindow } from './support/visitor.ts'

let site: PopupSite
let provider: PlainProvider
/** Its pages cut the tie to whoever opened them. */
let isolated: PlainProvider
let hub: Hub
let browser: Browser
let context: BrowserContext
let printed: string[]

beforeAll(async () => {
  site = await startPopupSite()
  const { redirectUris } = site
  provider = await startPlainProvider({ byClick: true })
  isolated = await startPlainProvider({ byClick: true, isolated: true })
  for (const each of [provider, isolated]) each.register(...redirectUris(each.issuer))
  hub = await startHub({
    world: {
      apps: [
        {
          clientId: plainClientId,
          name: 'Workbench',
          kind: 'public',
          redirectUris: [`${site.url}/popup`],
          scopes: ['openid', 'profile'],
        },
      ],
    },
  })
  site.issuers.push(provider.issuer, isolated.issuer, hub.url)
  browser = await launchChromium({
    // As people have it: other sites' cookies are blocked and their storage is apart. The driver switches the second off
    // in a list of features, and the last such list counts.
    args: ['--test-third-party-cookie-phaseout', '--disable-features=HttpsUpgrades'],
    // And windows that nobody clicked for are blocked.
    ignoreDefaultArgs: ['--disable-popup-blocking'],
  })
})

afterAll(async () => {
  rememberSecrets(hub.issued)
  await browser?.close()
  await hub?.close()
  await provider?.close()
  await isolated?.close()
  await site?.close()
})

beforeEach(async () => {
  printed = []
  context = await browser.newContext()
  context.setDefaultTimeout(15_000)
  context.on('page', (opened) => {
    opened.on('console', (message) => {
      if (message.location().url.startsWith(site.url)) printed.push(message.text())
    })
    opened.on('pageerror', (error) => void printed.push(String(error)))
  })
})

afterEach(async () => {
  leaveLines('console-popup', printed)
  await context.close()
  expect(site.violations).toEqual([])
  expect(printed).toEqual([])
})

const addressOf = (issuer: string) => `/?issuer=${encodeURIComponent(issuer)}`

async function open(issuer = provider.issuer): Promise<Page> {
  const page = await context.newPage()
  await page.goto(site.url + addressOf(issuer))
  await says(page, 'status', 'signed-out')
  return page
}

async function openFrame(issuer = provider.issuer, more = ''): Promise<{ page: Page; frame: Frame }> {
  const page = await context.newPage()
  await page.goto(`${site.otherSite}/frame?issuer=${encodeURIComponent(issuer)}${more}`)
  await page.frameLocator('iframe').locator('#status', { hasText: 'signed-out' }).waitFor()
  const frame = page.frames()[1]
  if (frame === undefined) throw new Error('the page has no frame')
  return { page, frame }
}

async function says(from: Page | Frame, id: string, text: string): Promise<void> {
  await from.locator(`#${id}`, { hasText: text }).waitFor()
}

async function clickForWindow(from: Page | Frame, selector: string): Promise<Page> {
  const [opened] = await Promise.all([context.waitForEvent('page'), from.locator(selector).click()])
  return opened
}

/** Every page of ours calls for the pop-up by itself, which the browser does not let it have. */
const openWithoutClick = () =>
  context.addInitScript((origin) => {
    if (location.origin !== origin) return
    addEventListener('load', () => document.getElementById('popup')?.click(), { once: true })
  }, site.url)

async function finish(opened: Page): Promise<void> {
  await opened.locator('#continue').click()
}

const capabilities = (from: Page | Frame) =>
  from.evaluate(() => (window as unknown as AppWindow).capabilities())

const renew = (from: Page | Frame) => from.evaluate(() => (window as unknown as AppWindow).auth.renew())

/** A person who closes a window, unlike a test that ends one. */
const closeWindow = (opened: Page) => opened.close()

const gone = (opened: Page) => (opened.isClosed() ? Promise.resolve() : opened.waitForEvent('close'))

describe('a pop-up', () => {
  test('signs in, closes itself and leaves page, storage and history alone (L1, L3, L4, O1, O2, O8, S3)', async () => {
    const page = await open()
    const opened = await clickForWindow(page, '#popup')
    await finish(opened)
    await says(page, 'outcome-1', `${plainSub} openid profile`)
    await gone(opened)
    expect(await page.locator('#status').textContent()).toBe('signed-in')
    expect(page.url()).toBe(site.url + addressOf(provider.issuer))
    expect(await page.evaluate(() => sessionStorage.length + localStorage.length)).toBe(0)
  })

  test('opens inside the click, before anything is fetched (L1)', async () => {
    const page = await open()
    let letGo = () => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    await page.route(`${provider.issuer}/.well-known/**`, async (route) => {
      await held
      await route.continue()
    })
    const opened = await clickForWindow(page, '#popup')
    expect(opened.url()).toBe('about:blank')
    letGo()
    await finish(opened)
    await says(page, 'outcome-1', plainSub)
  })

  test('opens in the turn of the click itself, and its address is set once it is known (L1)', async () => {
    const page = await open()
    const calls = await page.evaluate(() => {
      const opened: unknown[] = []
      const { open: original } = window
      window.open = (...given) => {
        opened.push(given)
        return original.apply(window, given)
      }
      document.getElementById('popup')?.click()
      return opened.map((given) => (given as unknown[])[0])
    })
    expect(calls).toEqual([''])
  })

  test('that looks closed because the provider cut the tie still signs in (L2, L3)', async () => {
    const page = await open(isolated.issuer)
    const opened = await clickForWindow(page, '#popup')
    await opened.locator('#continue').waitFor()
    await says(page, 'closed', 'looks closed')
    expect(opened.isClosed()).toBe(false)
    await finish(opened)
    await says(page, 'outcome-1', plainSub)
  })

  test('closed by the person is told of, and the next one works (L2, L6)', async () => {
    const page = await open()
    const first = await clickForWindow(page, '#popup')
    await first.locator('#continue').waitFor()
    await closeWindow(first)
    await says(page, 'closed', 'looks closed')
    expect(await page.locator('#outcome-1').textContent()).toBe('…')
    const second = await clickForWindow(page, '#popup')
    await finish(second)
    await says(page, 'outcome-2', plainSub)
    await says(page, 'outcome-1', 'HFAUTH_SIGNIN_ABANDONED')
  })

  test('is taken over by a second sign-in, and the first ends (L6)', async () => {
    const page = await open()
    const opened = await clickForWindow(page, '#popup')
    await opened.locator('#continue').waitFor()
    const before = opened.url()
    await page.locator('#popup').click()
    await says(page, 'outcome-1', 'HFAUTH_SIGNIN_ABANDONED')
    await opened.waitForURL((url) => url.href !== before && url.pathname.startsWith('/interaction/'))
    expect(context.pages()).toHaveLength(2)
    await finish(opened)
    await says(page, 'outcome-2', plainSub)
  })

  test('whose page was reloaded says that nobody waits, and a new one works (L6)', async () => {
    const page = await open()
    const opened = await clickForWindow(page, '#popup')
    await opened.locator('#continue').waitFor()
    await page.reload()
    await says(page, 'status', 'signed-out')
    await finish(opened)
    await opened.locator('[data-hfauth=unclaimed]').waitFor()
    expect(await opened.locator('[data-hfauth-text]').textContent()).toContain('Nobody is waiting')
    expect(opened.url()).toBe(`${site.url}/popup`)
    await page.locator('#popup').click()
    await says(page, 'outcome-1', plainSub)
  })

  test('that the browser blocks gives an error with a link that signs in (L1)', async () => {
    await openWithoutClick()
    const page = await open()
    await says(page, 'outcome-1', 'HFAUTH_POPUP_BLOCKED')
    expect(context.pages()).toHaveLength(1)
    const opened = await clickForWindow(page, '#link')
    await finish(opened)
    await says(page, 'outcome-1', `by link ${plainSub}`)
  })

  test('is not ended by messages of others (L3)', async () => {
    const page = await open()
    let state = ''
    context.on('request', (request) => {
      state ||= new URL(request.url()).searchParams.get('state') ?? ''
    })
    const opened = await clickForWindow(page, '#popup')
    await opened.locator('#continue').waitFor()
    expect(state).toMatch(/^[\w-]{43}$/)
    // Even with the right state: from the provider's origin, which holds a handle on the page, and from the page itself;
    // and by guess on a channel.
    const forged = { hfauth: 'answer', version: 1, url: `${site.url}/popup?code=forged&state=${state}` }
    await opened.evaluate((message) => window.opener.postMessage(message, '*'), forged)
    await page.evaluate((message) => {
      window.postMessage(message, '*')
      for (const junk of [null, 'answer', { hfauth: 'answer' }, { ...message, url: 'not an address' }]) {
        window.postMessage(junk, '*')
      }
      new BroadcastChannel('hfauth.answer.1.forged').postMessage(message)
    }, forged)
    expect(await page.locator('#outcome-1').textContent()).toBe('…')
    await finish(opened)
    await says(page, 'outcome-1', plainSub)
  })
})

describe('the headers that the guide names', () => {
  test('are three, and come with the pages of these tests (O8)', async () => {
    expect(Object.keys(guideHeaders)).toEqual([
      'content-security-policy',
      'referrer-policy',
      'cross-origin-opener-policy',
    ])
    const page = await open()
    const sent = (await page.reload())?.headers() ?? {}
    for (const name of ['referrer-policy', 'cross-origin-opener-policy']) {
      expect(sent[name]).toBe(guideHeaders[name])
    }
    const directives = (policy = '') => policy.split('; ').map((directive) => directive.split(' ')[0])
    expect(directives(sent['content-security-policy'])).toEqual([
      ...directives(guideHeaders['content-security-policy']),
      'report-uri',
    ])
    expect(guideHeaders['content-security-policy']).toContain("frame-ancestors 'none'")
  })

  test('let no site frame the page but the one they name (O8)', async () => {
    const page = await context.newPage()
    await page.goto(`${provider.issuer}/.well-known/openid-configuration`)
    await page.evaluate((src) => {
      const frame = document.createElement('iframe')
      frame.src = src
      document.body.append(frame)
      return new Promise((resolve) => frame.addEventListener('load', resolve))
    }, site.url)
    expect(page.frames()[1]?.url()).toMatch(/^chrome-error:/)
    const { frame } = await openFrame()
    expect(frame.url().startsWith(site.url)).toBe(true)
    // The report about the first is what was wanted.
    await expect.poll(() => site.violations.splice(0).join()).toContain('frame-ancestors')
    printed = printed.filter((line) => !line.includes('frame-ancestors'))
  })

  test('keep the tie to a pop-up at the provider, and tell nobody where the page was (O8, O9)', async () => {
    const told: Promise<string | undefined>[] = []
    context.on('request', (request) => {
      // One whose window has closed tells nothing any more.
      const referer = request.allHeaders().then(
        (headers) => headers.referer,
        () => undefined,
      )
      told.push(referer)
    })
    const page = await open()
    const opened = await clickForWindow(page, '#popup')
    await opened.locator('#continue').waitFor()
    expect(await opened.evaluate(() => window.opener !== null)).toBe(true)
    await finish(opened)
    await says(page, 'outcome-1', plainSub)
    // The redirect, whose answer comes to a page that loads a script and asks for a token.
    await page.locator('#redirect').click()
    await says(page, 'status', 'signed-in')
    const referers = await Promise.all(told)
    // Of the provider's own pages, one names the one before.
    const ours = referers.filter((referer) => referer !== undefined && !referer.startsWith(provider.issuer))
    expect(referers.length).toBeGreaterThan(10)
    expect(ours).toEqual([])
  })
})

describe('the page a pop-up comes back to', () => {
  test('cleans its address at once and keeps nothing (B9, L4, O9)', async () => {
    const page = await context.newPage()
    const asked: string[] = []
    page.on('request', (request) => void asked.push(request.url()))
    await page.goto(`${site.url}/popup?code=a-code&state=a-state`)
    expect(page.url()).toBe(`${site.url}/popup`)
    await page.locator('[data-hfauth=unclaimed]').waitFor()
    expect(await page.evaluate(() => sessionStorage.length + localStorage.length)).toBe(0)
    // Itself and its script, both of this origin.
    expect(asked.filter((url) => !url.endsWith('/favicon.ico'))).toEqual([
      `${site.url}/popup?code=a-code&state=a-state`,
      `${site.url}/popup-callback.js`,
    ])
  })

  test('gives the answer to no opener of another site (L3)', async () => {
    const stranger = await context.newPage()
    await stranger.goto(`${site.otherSite}/frame`)
    const [opened] = await Promise.all([
      context.waitForEvent('page'),
      stranger.evaluate((url) => {
        const told: unknown[] = []
        addEventListener('message', ({ data }) => void told.push(data))
        Object.assign(window, { told, opened: window.open(url) })
      }, `${site.url}/popup?code=a-code&state=a-state`),
    ])
    await opened.locator('[data-hfauth=unclaimed]').waitFor()
    expect(await stranger.evaluate(() => (window as unknown as { told: unknown[] }).told)).toEqual([])
    // Some versions of Chromium print that it was not told.
    printed = printed.filter((line) => !line.includes('target origin'))
  })

  test('says what it is for to whoever opens it without an answer (L4)', async () => {
    const page = await context.newPage()
    await page.goto(`${site.url}/popup`)
    await page.locator('[data-hfauth=empty]').waitFor()
    expect(await page.locator('[data-hfauth-text]').textContent()).toContain('coming back from a sign-in')
  })
})

describe('in a frame of another site', () => {
  test('a redirect is refused and the frame stays where it is (N1)', async () => {
    const { frame } = await openFrame()
    const before = frame.url()
    expect(await frame.locator('#ways').textContent()).toBe('popup new-tab full-page')
    await frame.locator('#redirect').click()
    await says(frame, 'outcome-1', 'HFAUTH_SIGNIN_FRAMED')
    expect(frame.url()).toBe(before)
  })

  test('a pop-up signs in although other sites have no storage (L3, L5, N1, N6)', async () => {
    const alone = await open()
    await alone.evaluate(() => localStorage.setItem('seen', 'yes'))
    const { page, frame } = await openFrame()
    const [before, around] = [frame.url(), page.url()]
    expect(await frame.evaluate(() => localStorage.getItem('seen'))).toBeNull()
    const opened = await clickForWindow(frame, '#popup')
    await finish(opened)
    await says(frame, 'outcome-1', plainSub)
    expect([frame.url(), page.url()]).toEqual([before, around])
    expect(await frame.locator('#status').textContent()).toBe('signed-in')
    expect(await alone.locator('#status').textContent()).toBe('signed-out')
  })

  test('a pop-up signs in although storage throws (H8, L5, N3)', async () => {
    await context.addInitScript(() => {
      if (window.top === window) return
      for (const name of ['sessionStorage', 'localStorage']) {
        Object.defineProperty(window, name, {
          get() {
            throw new DOMException('blocked', 'SecurityError')
          },
        })
      }
      window.BroadcastChannel = class {
        constructor() {
          throw new DOMException('blocked', 'SecurityError')
        }
      } as unknown as typeof BroadcastChannel
    })
    const { frame } = await openFrame(provider.issuer, '&store')
    const opened = await clickForWindow(frame, '#popup')
    await finish(opened)
    await says(frame, 'outcome-1', plainSub)
    // A store was asked for, and there is none: the sign-in lasts as long as the page, and is renewed for as long.
    expect(await capabilities(frame)).toMatchObject({ tokens: 'page', tabsShare: false })
    await renew(frame)
    await renew(frame)
    expect(await frame.locator('#status').textContent()).toBe('signed-in')
  })

  test('that has a store of its own says so, and what it keeps is apart from that of the page alone (N3)', async () => {
    const { frame } = await openFrame(provider.issuer, '&store')
    await finish(await clickForWindow(frame, '#popup'))
    await says(frame, 'outcome-1', plainSub)
    expect((await capabilities(frame)).tokens).toBe('store')
    await frame.evaluate(() => location.reload())
    await says(frame, 'status', 'signed-in')
    const alone = await context.newPage()
    await alone.goto(`${site.url}${addressOf(provider.issuer)}&store`)
    await says(alone, 'status', 'signed-out')
    expect((await capabilities(alone)).tabsShare).toBe(true)
  })

  test('a blocked pop-up leaves the next way, a new tab, and that the one after, the whole window (N2)', async () => {
    await openWithoutClick()
    const { page, frame } = await openFrame()
    await says(frame, 'outcome-1', 'HFAUTH_POPUP_BLOCKED')
    const tab = await clickForWindow(frame, '#direct')
    await finish(tab)
    await says(tab, 'status', 'signed-in')
    expect(tab.url()).toBe(site.url + addressOf(provider.issuer))
    await context.clearCookies()
    await tab.close()
    // Out of the frame, and back at the page itself.
    await frame.locator('#full').click()
    await finish(page)
    await says(page, 'status', 'signed-in')
    expect(page.url()).toBe(site.url + addressOf(provider.issuer))
  })

  test('a relay signs in although the provider cuts the tie and storage is apart (L2, L3, L5, N1)', async () => {
    const { frame } = await openFrame(isolated.issuer, '&relay')
    const relay = await clickForWindow(frame, '#popup')
    await relay.locator('[data-hfauth=relay]').waitFor()
    expect(relay.url()).toBe(`${site.url}/popup#hfauth-relay`)
    const opened = await clickForWindow(relay, '[data-hfauth-text] button')
    await finish(opened)
    await says(frame, 'outcome-1', plainSub)
    await gone(relay)
    expect(await frame.locator('#status').textContent()).toBe('signed-in')
  })

  test('a relay takes orders from its opener alone (L3)', async () => {
    const { page, frame } = await openFrame(isolated.issuer, '&relay')
    const relay = await clickForWindow(frame, '#popup')
    await relay.locator('[data-hfauth=relay]').waitFor()
    const order = { hfauth: 'order', version: 1, url: 'https://evil.invalid/', state: 'x' }
    await relay.evaluate((message) => window.postMessage(message, '*'), order)
    const [opened] = await Promise.all([
      context.waitForEvent('page'),
      relay.locator('[data-hfauth-text] button').click(),
    ])
    await opened.locator('#continue').waitFor()
    expect(opened.url().startsWith(isolated.issuer)).toBe(true)
    await page.close()
  })

  test('a relay that another site opens offers nothing (L3)', async () => {
    const stranger = await context.newPage()
    await stranger.goto(`${site.otherSite}/frame`)
    const [relay] = await Promise.all([
      context.waitForEvent('page'),
      stranger.evaluate((url) => {
        const told: unknown[] = []
        addEventListener('message', ({ data }) => void told.push(data))
        Object.assign(window, { told, relay: window.open(url) })
      }, `${site.url}/popup#hfauth-relay`),
    ])
    await relay.waitForLoadState()
    const heard = relay.evaluate(() =>
      new Promise((resolve) => addEventListener('message', resolve, { once: true })).then(() => 'heard'),
    )
    const order = { hfauth: 'order', version: 1, url: 'https://evil.invalid/', state: 'x' }
    await stranger.evaluate((message) => {
      const { relay: opened } = window as unknown as { relay: Window }
      setInterval(() => opened.postMessage(message, '*'), 50)
    }, order)
    expect(await heard).toBe('heard')
    expect(await relay.locator('button').count()).toBe(0)
    expect(await stranger.evaluate(() => (window as unknown as { told: unknown[] }).told)).toEqual([])
    // Some versions of Chromium print that it was not told.
    printed = printed.filter((line) => !line.includes('target origin'))
  })

  test('a provider that cuts the tie is told of, and the direct address signs in (L2, N2, N6)', async () => {
    const { frame } = await openFrame(isolated.issuer)
    const popup = await clickForWindow(frame, '#popup')
    await popup.locator('#continue').waitFor()
    await says(frame, 'closed', 'looks closed')
    await closeWindow(popup)
    const tab = await clickForWindow(frame, '#direct')
    // It went on to the provider by itself: the click in the frame was the person's wish.
    await finish(tab)
    await says(tab, 'status', 'signed-in')
    expect(tab.url()).toBe(site.url + addressOf(isolated.issuer))
  })
})

describe('at Hugging Face', () => {
  test('a framed page signs in by pop-up, past its login and consent pages (L5, N1)', async () => {
    const { frame } = await openFrame(hub.url)
    const opened = await clickForWindow(frame, '#popup')
    await opened.locator('button[name=username][value=ana]').click()
    await opened.locator('button[name=decision][value=allow]').click()
    await says(frame, 'outcome-1', `${hub.person('ana').id} openid profile`)
    await gone(opened)
  })

  test('a person who refuses ends it with the reason, and the window closes (B14, L4)', async () => {
    const page = await open(hub.url)
    const opened = await clickForWindow(page, '#popup')
    await opened.locator('button[name=username][value=ben]').click()
    await opened.locator('button[name=decision][value=deny]').click()
    await says(page, 'outcome-1', 'HFAUTH_SIGNIN_REFUSED')
    await gone(opened)
    expect(await page.locator('#status').textContent()).toBe('signed-out')
  })
})

describe('a browser that forgets', () => {
  const page = async () => {
    provider.paths.length = 0
    await context.addInitScript(() => void Object.assign(window, { byItself: true }))
    const opened = await context.newPage()
    await opened.goto(site.url + addressOf(provider.issuer))
    return opened
  }
  const rounds = () => provider.paths.filter((path) => path === '/auth').length

  test('between two pages is led round once by a page that signs in by itself (N5)', async () => {
    await context.addInitScript((origin) => {
      if (location.origin === origin) sessionStorage.clear()
    }, site.url)
    const opened = await page()
    await finish(opened)
    await opened.waitForURL(`${site.url}/callback**#HFAUTH_SIGNIN_STATE`)
    expect(await opened.locator('#outcome-1').textContent()).toBe('HFAUTH_SIGNIN_STATE')
    expect(rounds()).toBe(1)
    // Whoever clicks goes round again.
    const left = opened.waitForRequest((request) => new URL(request.url()).pathname === '/auth')
    await opened.locator('#redirect').click()
    await left
  })

  test('at once is not left at all (N5)', async () => {
    await context.addInitScript(() => {
      Storage.prototype.setItem = () => {}
    })
    const opened = await page()
    await opened.waitForURL(`${site.url}/**#HFAUTH_SIGNIN_STATE`)
    expect(rounds()).toBe(0)
  })
})

describe('an API that wants a stronger sign-in', () => {
  test('has it by pop-up, and the call that was held up is sent once more, from the same place (P4)', async () => {
    site.calls.length = 0
    const page = await open()
    await finish(await clickForWindow(page, '#popup'))
    await says(page, 'outcome-1', plainSub)
    await page.evaluate(() => Object.assign(window, { place: 'kept' }))
    // Asked again although the person is signed in at the provider.
    await finish(await clickForWindow(page, '#call'))
    await says(page, 'outcome-1', 'strong enough')
    // The browser's own line about the first answer.
    printed = printed.filter((line) => !line.includes('401'))
    expect(site.calls).toHaveLength(2)
    expect(new Set(site.calls).size).toBe(2)
    expect(await page.evaluate(() => (window as unknown as { place: string }).place)).toBe('kept')
    expect(page.url()).toBe(site.url + addressOf(provider.issuer))
  })

  test('has it by redirect, which comes back to where the person was (P4)', async () => {
    const page = await context.newPage()
    const deep = `${site.url}${addressOf(provider.issuer)}&tab=models#deep`
    await page.goto(deep)
    await says(page, 'status', 'signed-out')
    await page.locator('#redirect').click()
    await finish(page)
    await says(page, 'status', 'signed-in')
    await page.evaluate(() => void (window as unknown as AppWindow).auth.signIn({ maxAgeSeconds: 0 }))
    await finish(page)
    await says(page, 'status', 'signed-in')
    expect(page.url()).toBe(deep)
    const age = await page.evaluate(
      () => Date.now() / 1000 - Number((window as unknown as AppWindow).auth.session?.claims.auth_time),
    )
    expect(age).toBeLessThan(60)
  })
})

describe('two clients on one origin', () => {
  test('sign in, renew and sign out in their tabs as if the other were not there (P1)', async () => {
    isolated.person = 'ben'
    const [one, two] = [await open(), await open(isolated.issuer)]
    // Interleaved: the second begins before the first is done.
    const windows = [await clickForWindow(one, '#popup'), await clickForWindow(two, '#popup')]
    await finish(windows[1] as Page)
    await says(two, 'outcome-1', 'ben')
    await finish(windows[0] as Page)
    await says(one, 'outcome-1', plainSub)
    const join = async (issuer: string) => {
      const page = await context.newPage()
      await page.goto(site.url + addressOf(issuer))
      await says(page, 'status', 'signed-in')
      return page
    }
    const others = [await join(provider.issuer), await join(isolated.issuer)]
    const all = [one, two, ...others] as Page[]
    const subs = () =>
      Promise.all(
        all.map((page) => page.evaluate(() => (window as unknown as AppWindow).auth.session?.sub ?? '')),
      )
    expect(await subs()).toEqual([plainSub, 'ben', plainSub, 'ben'])
    for (const each of [provider, isolated]) each.grants.length = 0
    await Promise.all(all.map(renew))
    expect(await subs()).toEqual([plainSub, 'ben', plainSub, 'ben'])
    for (const each of [provider, isolated]) expect(each.grants).toContain('refresh_token')

    await one.evaluate(() => (window as unknown as AppWindow).auth.signOut())
    await says(others[0] as Page, 'status', 'signed-out')
    expect(await subs()).toEqual(['', 'ben', '', 'ben'])
    await renew(others[1] as Page)
    // Everything that has a name on this origin says whose it is.
    const held = await two.evaluate(() => navigator.locks.query().then(({ held: locks = [] }) => locks))
    expect(held.map(({ name }) => name)).toEqual(Array(2).fill(expect.stringContaining(isolated.issuer)))
    isolated.person = plainSub
  })
})

describe('at its own address', () => {
  test('the ways are redirect and pop-up, and the redirect signs in at a provider that knows nothing of us (N1)', async () => {
    const page = await open()
    expect(await page.locator('#ways').textContent()).toBe('redirect popup')
    await page.locator('#redirect').click()
    await finish(page)
    await says(page, 'status', 'signed-in')
    expect(page.url()).toBe(site.url + addressOf(provider.issuer))
  })
})
