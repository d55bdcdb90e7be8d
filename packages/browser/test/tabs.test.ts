/** Checklist sections 6, 7 and 10 in a real Chromium: several tabs, sleep, lost answers, sign-out. */
import { publicAppId } from '@hfauth/testkit'
import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { visitEachTest } from './support/visit.ts'
import type { AppWindow } from './support/visitor.ts'

const here = visitEachTest()
let tabs: Page[]

beforeEach(async () => {
  tabs = [await here.visitor.open()]
})

/** One sign-in, and as many tabs as are wanted that join it. */
async function signInWith(count: number): Promise<Page> {
  const [first] = tabs as [Page]
  await here.visitor.signIn(first)
  while (tabs.length < count) tabs.push(await here.visitor.open())
  return first
}

/** A tab whose page, like all that are opened later, starts in another mode of `test/page/app.ts`. */
async function openIn(mode: string): Promise<Page> {
  await here.visitor.inMode(mode)
  return here.visitor.open()
}

/** Every tab wakes from a night of sleep in the same moment. */
async function wakeAll(): Promise<void> {
  await Promise.all(
    tabs.map((tab) =>
      tab.evaluate(() => {
        ;(window as unknown as AppWindow).tools.skewMs += 9 * 3_600_000
        window.dispatchEvent(new Event('focus'))
      }),
    ),
  )
  const alive = () => {
    const { auth, tools } = window as unknown as AppWindow
    return (auth.session?.expiresAt ?? 0) > Date.now() + tools.skewMs
  }
  await Promise.all(tabs.map((tab) => tab.waitForFunction(alive)))
}

const call = (tab: Page) =>
  tab.evaluate(
    (address) => (window as unknown as AppWindow).auth.fetch(address).then((answer) => answer.text()),
    `${here.app.api.url}/v1`,
  )

const tokensSeen = () =>
  new Set(
    here.app.api.arrivals.filter(({ method }) => method === 'GET').map(({ authorization }) => authorization),
  )

/** Tabs that wait for their turn to renew, as any of them sees it. */
const queued = (tab: Page) =>
  tab.evaluate(async () => {
    const { pending = [] } = await navigator.locks.query()
    return pending.filter(({ name }) => name?.startsWith('hfauth')).length
  })

describe('tabs of one sign-in', () => {
  test('join it without asking the provider (F7)', async () => {
    await signInWith(3)
    for (const tab of tabs) expect(await here.visitor.statusOf(tab)).toBe('signed-in')
    expect(here.hub.requests.filter(({ path }) => path === '/oauth/token')).toHaveLength(1)
  })

  test('that wake together renew once, night after night, and all have the new token (F1, E3)', async () => {
    await signInWith(5)
    for (let night = 1; night <= 20; night += 1) {
      await wakeAll()
      expect(here.visitor.refreshTokens()).toHaveLength(night)
      here.app.api.arrivals.length = 0
      await Promise.all(tabs.map(call))
      expect(tokensSeen().size).toBe(1)
    }
    expect(new Set(here.visitor.refreshTokens()).size).toBe(20)
    expect(await Promise.all(tabs.map(here.visitor.statusOf))).toEqual(Array(5).fill('signed-in'))
  })

  test('that all ask at once send one refresh token (F1, D7)', async () => {
    await signInWith(5)
    for (let round = 1; round <= 20; round += 1) {
      expect(await Promise.all(tabs.map(here.visitor.renew))).toEqual(Array(5).fill('renewed'))
    }
    const sent = here.visitor.refreshTokens()
    expect(new Set(sent).size).toBe(sent.length)
    // A tab that asks after another's renewal has arrived means a new one; never more than one for each.
    expect(sent.length).toBeGreaterThanOrEqual(20)
    expect(sent.length).toBeLessThanOrEqual(100)
  })

  test('go over to whoever signs in next, and none goes on with another person’s token (F7)', async () => {
    const first = await signInWith(2)
    const second = tabs[1] as Page
    // Somebody else is at the provider now.
    await here.context.clearCookies()
    here.hub.forgetConsent('ben', publicAppId)
    await here.visitor.signIn(second, 'ben')
    for (const tab of [second, first]) await tab.locator('#who', { hasText: 'ben' }).waitFor()
    here.app.api.arrivals.length = 0
    await Promise.all([first, second].map(call))
    expect(tokensSeen().size).toBe(1)
    expect(await here.visitor.renew(first)).toBe('renewed')
    expect(await first.locator('#who').textContent()).toContain('ben')
  })

  test('are signed out together, also those that renew (F6, J1, J5)', async () => {
    const first = await signInWith(3)
    here.hub.faults.tokenEndpoint = { delayMs: 500 }
    const pending = here.visitor.renew(tabs[1] as Page)
    await first.locator('#sign-out').click()
    for (const tab of tabs) await here.visitor.shows(tab, 'signed-out')
    expect(await pending).toBe('HFAUTH_SIGNED_OUT')
    for (const tab of tabs) expect(await here.visitor.statusOf(tab)).toBe('signed-out')
    expect(await here.visitor.statusOf(await here.visitor.open())).toBe('signed-out')
  })

  test('are signed out together without a network (J1)', async () => {
    const first = await signInWith(2)
    await here.context.setOffline(true)
    await first.locator('#sign-out').click()
    for (const tab of tabs) await here.visitor.shows(tab, 'signed-out')
  })

  test('do not share when they are told not to, and sign out together all the same (F6)', async () => {
    const first = await openIn('alone')
    await here.visitor.signIn(first)
    const second = await here.visitor.open()
    expect(await here.visitor.statusOf(second)).toBe('signed-out')
    await second.locator('#sign-in').click()
    await here.visitor.shows(second, 'signed-in')
    await first.locator('#sign-out').click()
    await here.visitor.shows(second, 'signed-out')
  })

  test('tell each change once, and who made it (S2)', async () => {
    const [first, second] = [await signInWith(2), tabs[1] as Page]
    const heard = (tab: Page) =>
      tab.evaluate(() => (window as unknown as AppWindow).tools.heard.splice(0).join(', '))
    expect(await heard(first)).toBe('signed-in by this-tab')
    expect(await heard(second)).toBe('signed-in by other-tab')
    await here.visitor.renew(first)
    await second.waitForFunction(() => (window as unknown as AppWindow).tools.heard.length > 0)
    expect(await heard(first)).toBe('renewed by this-tab')
    expect(await heard(second)).toBe('renewed by other-tab')
    here.hub.faults.tokenEndpoint = { status: 400, body: '{"error":"invalid_grant"}' }
    await here.visitor.renew(first)
    await here.visitor.shows(second, 'signed-out')
    expect(await heard(first)).toBe('signed-out by provider')
    expect(await heard(second)).toBe('signed-out by other-tab')
  })

  test('of two people who do not share renew at once, and each keeps their own (P2)', async () => {
    const first = await openIn('alone')
    await here.visitor.signIn(first)
    await here.context.clearCookies()
    here.hub.forgetConsent('ben', publicAppId)
    const second = await here.visitor.open()
    await here.visitor.signIn(second, 'ben')
    for (let round = 1; round <= 5; round += 1) {
      expect(await Promise.all([first, second].map(here.visitor.renew))).toEqual(['renewed', 'renewed'])
    }
    expect(new Set(here.visitor.refreshTokens()).size).toBe(10)
    const people: string[] = []
    for (const tab of [first, second]) {
      here.app.api.arrivals.length = 0
      await call(tab)
      const [authorization = ''] = tokensSeen()
      const answer = await fetch(`${here.hub.url}/oauth/userinfo`, { headers: { authorization } })
      people.push((await answer.json()).preferred_username)
    }
    expect(people).toEqual(['ana', 'ben'])
    expect(await first.locator('#who').textContent()).toContain('ana')
    expect(await second.locator('#who').textContent()).toContain('ben')
  })

  test('take no token from a message that is not one (F8)', async () => {
    const first = await signInWith(2)
    await first.evaluate(
      ([issuer, clientId]) => {
        const channel = new BroadcastChannel(`hfauth.1 ${issuer} ${clientId}`)
        const version = Date.now() * 2
        const claims = { sub: 'x' }
        for (const junk of [
          null,
          7,
          'out',
          { type: 'out' },
          { type: 'out', version: 'x' },
          { type: 'grant' },
        ])
          channel.postMessage(junk)
        for (const grant of [null, {}, { version, claims }, { version, id: 'x', accessToken: 'x', claims }])
          channel.postMessage({ type: 'grant', grant })
      },
      [here.hub.url, publicAppId] as const,
    )
    expect(await here.visitor.renew(tabs[1] as Page)).toBe('renewed')
    expect(await call(tabs[1] as Page)).toBe('api')
  })
})

describe('tabs that wait for the one that renews', () => {
  test('ask the browser for their turn once, and do nothing else until it comes (F2)', async () => {
    const first = await signInWith(5)
    const waiting = tabs.slice(1)
    await Promise.all(
      waiting.map((tab) =>
        tab.evaluate(() => {
          const calls: string[] = []
          const count = (owner: object, name: string, as: (given: never) => string) => {
            const original = (owner as Record<string, (...given: never[]) => unknown>)[name]
            Object.defineProperty(owner, name, {
              configurable: true,
              value(this: unknown, ...given: never[]) {
                calls.push(as(given[0] as never))
                return original?.apply(this, given)
              },
            })
          }
          count(LockManager.prototype, 'request', (lock: string) => `lock ${lock}`)
          count(LockManager.prototype, 'query', () => 'query')
          count(IDBDatabase.prototype, 'transaction', () => 'transaction')
          count(BroadcastChannel.prototype, 'postMessage', () => 'message')
          count(window, 'fetch', (address: string) => `fetch ${address}`)
          Object.assign(window, { calls })
        }),
      ),
    )
    const calls = (tab: Page) => tab.evaluate(() => (window as unknown as { calls: string[] }).calls)

    here.hub.faults.tokenEndpoint = { delayMs: 2000 }
    const outcomes = [here.visitor.renew(first)]
    await expect.poll(() => here.visitor.refreshTokens().length).toBe(1)
    outcomes.push(...waiting.map(here.visitor.renew))
    await expect.poll(() => queued(first)).toBe(waiting.length)
    // Nothing but the wait is left: what comes before it has been done by now.
    const before = await Promise.all(waiting.map(calls))
    for (const each of before) expect(each).toEqual([expect.stringMatching(/^lock hfauth/)])
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(here.visitor.refreshTokens()).toHaveLength(1)
    expect(await Promise.all(waiting.map(calls))).toEqual(before)

    expect(await Promise.all(outcomes)).toEqual(Array(5).fill('renewed'))
    for (const each of await Promise.all(waiting.map(calls))) {
      expect(each.filter((call) => call.startsWith('lock'))).toHaveLength(1)
    }
    expect(here.visitor.refreshTokens()).toHaveLength(1)
  })
})

describe('a tab that never lets go of the lock', () => {
  const name = () => `hfauth.1 ${here.hub.url} ${publicAppId}`

  /** Two tabs, of which the first holds the lock, as a browser does that keeps the locks of pages it has put aside. */
  async function hold(): Promise<[Page, Page]> {
    await here.context.addInitScript(() => void Object.assign(window, { requestTimeoutMs: 500 }))
    tabs = [await here.visitor.open()]
    const first = await signInWith(2)
    await first.evaluate(
      (lock) => {
        const held = new Promise((resolve) => Object.assign(window, { letGo: resolve }))
        void navigator.locks.request(lock, () => held)
      },
      `${name()} ${here.hub.person('ana').id}`,
    )
    return [first, tabs[1] as Page]
  }

  test('keeps the others waiting no longer than the limit, and their session as it is (F3, F4)', async () => {
    const [first, second] = await hold()
    const startedAt = Date.now()
    expect(await here.visitor.renew(second)).toBe('HFAUTH_ISSUER_UNAVAILABLE')
    // Twice the limit of a request, and what telling each other may take: longer than whoever renews needs.
    expect(Date.now() - startedAt).toBeGreaterThan(4_900)
    expect(here.visitor.refreshTokens()).toEqual([])
    expect(await call(second)).toBe('api')
    await first.evaluate(() => (window as unknown as { letGo(): void }).letGo())
    expect(await here.visitor.renew(second)).toBe('renewed')
  })

  test('keeps nothing from them that has come meanwhile (F3)', async () => {
    const [first, second] = await hold()
    const pending = here.visitor.renew(second)
    await expect.poll(() => queued(first)).toBe(1)
    await first.evaluate(
      (channelName) =>
        new Promise<void>((resolve) => {
          const channel = new BroadcastChannel(channelName)
          channel.onmessage = ({ data: { type, grant } }) => {
            if (type !== 'grant') return
            channel.postMessage({
              type,
              grant: { ...grant, version: grant.version + 1, accessToken: 'later' },
            })
            resolve()
          }
          channel.postMessage({ type: 'ask' })
        }),
      name(),
    )
    expect(await pending).toBe('renewed')
    expect(here.visitor.refreshTokens()).toEqual([])
    await call(second)
    expect(tokensSeen()).toEqual(new Set(['Bearer later']))
  })
})

describe('a renewal that goes wrong', () => {
  test('because its tab is closed is not repeated by another (E7, F3)', async () => {
    const first = await signInWith(2)
    here.hub.faults.tokenEndpoint = { hang: true }
    void here.visitor.renew(first).catch(() => undefined)
    await expect.poll(() => here.visitor.refreshTokens().length).toBe(1)
    await first.close()
    delete here.hub.faults.tokenEndpoint
    const [, second] = tabs as [Page, Page]
    expect(await here.visitor.renew(second)).toBe('HFAUTH_RENEWAL_LOST')
    expect(here.visitor.refreshTokens()).toHaveLength(1)
    // The access token is as good as before.
    expect(await call(second)).toBe('api')
    expect(await here.visitor.statusOf(second)).toBe('signed-in')
  })

  test('because its tab is slow is made good for when that tab speaks at last (E7)', async () => {
    const first = await signInWith(2)
    const name = `hfauth.1 ${here.hub.url} ${publicAppId}`
    const [, second] = tabs as [Page, Page]
    here.hub.faults.tokenEndpoint = { hang: true }
    void here.visitor.renew(first).catch(() => undefined)
    await expect.poll(() => here.visitor.refreshTokens().length).toBe(1)
    const grant = await second.evaluate(
      (channelName) =>
        new Promise<{ version: number }>((resolve) => {
          const channel = new BroadcastChannel(channelName)
          channel.onmessage = ({ data }) => data.type === 'grant' && resolve(data.grant)
          channel.postMessage({ type: 'ask' })
        }),
      name,
    )
    await first.close()
    expect(await here.visitor.renew(second)).toBe('HFAUTH_RENEWAL_LOST')
    const ways = () =>
      second.evaluate(() => (window as unknown as AppWindow).capabilities().then(({ renewal }) => renewal))
    expect(await ways()).toEqual([])
    // What the other tab would have said, with the version that it gave its grant before this one gave up.
    await second.evaluate(
      ([channelName, late]) => new BroadcastChannel(channelName).postMessage({ type: 'grant', grant: late }),
      [name, { ...grant, version: grant.version + 2, accessToken: 'later', refreshToken: 'later' }] as const,
    )
    await expect.poll(ways).toEqual(['refresh-token'])
  })

  test('because the answer is lost is repeated by nobody, and every tab knows (E7)', async () => {
    await signInWith(3)
    await here.context.route('**/oauth/token', async (route) => {
      await route.fetch()
      await route.abort('connectionreset')
    })
    const outcomes = await Promise.all(tabs.map(here.visitor.renew))
    await here.context.unroute('**/oauth/token')
    expect(outcomes).toContain('HFAUTH_RENEWAL_LOST')
    expect(outcomes).not.toContain('renewed')
    expect(here.visitor.refreshTokens()).toHaveLength(1)
    for (const tab of tabs) expect(await here.visitor.renew(tab)).toBe('HFAUTH_SIGNED_OUT')
    expect(here.visitor.refreshTokens()).toHaveLength(1)
    for (const tab of tabs) expect(await call(tab)).toBe('api')
  })

  test('because the provider is down keeps everybody signed in, and succeeds later (E4, E5)', async () => {
    await signInWith(2)
    here.hub.faults.tokenEndpoint = { status: 503 }
    expect(await Promise.all(tabs.map(here.visitor.renew))).toEqual(
      Array(2).fill('HFAUTH_ISSUER_UNAVAILABLE'),
    )
    for (const tab of tabs) expect(await here.visitor.statusOf(tab)).toBe('signed-in')
    delete here.hub.faults.tokenEndpoint
    expect(await here.visitor.renew(tabs[1] as Page)).toBe('renewed')
  })

  test('because there is no network sends nothing until it is back (G5)', async () => {
    const first = await signInWith(1)
    await here.context.setOffline(true)
    await first.evaluate(() => {
      ;(window as unknown as AppWindow).tools.skewMs += 9 * 3_600_000
      window.dispatchEvent(new Event('focus'))
    })
    expect(await here.visitor.renew(first)).toBe('HFAUTH_ISSUER_UNAVAILABLE')
    expect(await here.visitor.statusOf(first)).toBe('signed-in')
    expect(here.visitor.refreshTokens()).toEqual([])
    await here.context.setOffline(false)
    await first.waitForFunction(() =>
      (window as unknown as AppWindow).tools.heard.includes('renewed by this-tab'),
    )
    expect(here.visitor.refreshTokens()).toHaveLength(1)
  })
})

describe('tokens in session storage', () => {
  test('outlive a reload, and their refresh token is never sent by the copy of the tab too (H3, F1)', async () => {
    const first = await openIn('store')
    await here.visitor.signIn(first)
    await first.reload()
    await here.visitor.shows(first, 'signed-in')
    expect(here.hub.requests.filter(({ path }) => path === '/oauth/token')).toHaveLength(1)
    const copy = first.waitForEvent('popup')
    // The browser gives a window opened by script a copy of the session storage, as it does for a doubled tab.
    await first.evaluate(() => void window.open(location.href))
    const second = await copy
    await here.visitor.shows(second, 'signed-in')
    expect(await Promise.all([first, second].map(here.visitor.renew))).toEqual(['renewed', 'renewed'])
    const sent = here.visitor.refreshTokens()
    expect(new Set(sent).size).toBe(sent.length)
  })

  test('are gone after sign-out (J1)', async () => {
    const first = await openIn('store')
    await here.visitor.signIn(first)
    expect(await first.evaluate(() => JSON.stringify(sessionStorage))).toContain('hf_oauth_')
    await first.locator('#sign-out').click()
    await here.visitor.shows(first, 'signed-out')
    expect(await first.evaluate(() => JSON.stringify(sessionStorage))).toBe('{}')
  })
})
