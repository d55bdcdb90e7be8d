/** Checklist H4, H5 and the attacks on it, in a real Chromium: tokens in a worker that page script cannot read. */
import { publicAppId } from '@hfauth/testkit'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { visitEachTest } from './support/visit.ts'
import type { AppWindow } from './support/visitor.ts'

const here = visitEachTest({ trustedTypes: 'app' })

async function signedIn(mode: string): Promise<Page> {
  await here.visitor.inMode(mode)
  const page = await here.visitor.open()
  await here.visitor.signIn(page)
  return page
}

const call = (page: Page, address: string, init: { method?: string; body?: string } = {}) =>
  page.evaluate(
    ([url, given]) =>
      (window as unknown as AppWindow).auth.fetch(url, given).then(
        (answer) => answer.text(),
        (error) => String(error.code ?? error.name),
      ),
    [address, init] as const,
  )

describe.each(['worker', 'shared-worker'])('tokens in a %s', (mode) => {
  test('sign in, send, renew and sign out under a strict policy (H4, H5, O1, O2)', async () => {
    const page = await signedIn(mode)
    expect(await here.visitor.statusOf(page)).toBe('signed-in')
    expect(await call(page, `${here.app.api.url}/v1`)).toBe('api')
    expect(await here.visitor.renew(page)).toBe('renewed')
    expect(await call(page, `${here.app.api.url}/v1`, { method: 'POST', body: 'x' })).toBe('api')
    const sent = here.app.api.arrivals.map(({ authorization }) => authorization).filter(Boolean)
    expect(new Set(sent).size).toBe(2)
    for (const header of sent) expect(header).toMatch(/^Bearer hf_oauth_/)
    expect(here.visitor.refreshTokens()).toHaveLength(1)
    await page.locator('#sign-out').click()
    await here.visitor.shows(page, 'signed-out')
    expect(await call(page, `${here.app.api.url}/v1`)).toBe('HFAUTH_SIGNED_OUT')
  })

  test('stay there whatever script in the page looks at (H1, H4)', async () => {
    const page = await signedIn(mode)
    // What an injected script can do: hear every channel, replace what the page calls, and read what is kept.
    const found = await page.evaluate(
      async ([api, issuer, clientId]) => {
        const { auth } = window as unknown as AppWindow
        const heard: unknown[] = []
        const channel = new BroadcastChannel(`hfauth.1 ${issuer} ${clientId}`)
        channel.onmessage = ({ data }) => void heard.push(data)
        channel.postMessage({ type: 'ask' })
        const { fetch, MessagePort, Worker } = window
        const spy =
          (original: (...given: never[]) => unknown) =>
          (...given: never[]) => {
            heard.push(...given)
            return original(...given)
          }
        window.fetch = spy(fetch.bind(window) as never) as never
        for (const { prototype } of [MessagePort, Worker]) {
          const { postMessage } = prototype
          Object.assign(prototype, {
            postMessage(this: Worker, ...given: [never]) {
              heard.push(...given)
              return postMessage.apply(this, given)
            },
          })
        }
        const headers = Headers.prototype.set
        Headers.prototype.set = function (...given) {
          heard.push(given)
          return headers.apply(this, given)
        }
        const answer = await auth.fetch(`${api}/v1`)
        await auth.renew()
        const databases = await indexedDB.databases()
        const kept: unknown[] = []
        for (const { name = '' } of databases) {
          const database = await new Promise<IDBDatabase>((resolve) => {
            const request = indexedDB.open(name)
            request.onsuccess = () => resolve(request.result)
          })
          for (const store of database.objectStoreNames) {
            const reading = database.transaction(store).objectStore(store)
            for (const request of [reading.getAllKeys(), reading.getAll()]) {
              await new Promise((resolve) => request.addEventListener('success', resolve))
              kept.push(request.result)
            }
          }
          database.close()
        }
        const entries = performance.getEntries().map((entry) => JSON.stringify(entry))
        await new Promise((resolve) => setTimeout(resolve, 200))
        return JSON.stringify([
          heard.map((item) => [String(item), item]),
          kept,
          entries,
          { ...sessionStorage },
          Object.keys(window).length,
          history.state,
          location.href,
          document.cookie,
          [...answer.headers],
          auth,
          auth.session,
          document.documentElement.outerHTML,
        ])
      },
      [here.app.api.url, here.hub.url, publicAppId] as const,
    )
    expect(here.visitor.refreshTokens()).toHaveLength(1)
    const secrets = here.hub.issued.filter((secret) => /^hf_oauth_/.test(secret))
    expect(secrets.length).toBeGreaterThan(2)
    for (const secret of secrets) expect(found.includes(secret)).toBe(false)
    expect(found).not.toContain('hf_oauth_')
  })

  test('go to listed addresses only, asked by messages as well (H4, D2)', async () => {
    const page = await signedIn(mode)
    expect(await call(page, here.app.stranger.url)).toBe('HFAUTH_ORIGIN_REFUSED')
    const outcomes = await page.evaluate(
      async ([stranger]) => {
        const { port } = window as unknown as { port: MessagePort }
        const ask = (name: string, input: unknown) =>
          new Promise((resolve) => {
            const id = Math.floor(performance.now() * 1e6)
            port.addEventListener('message', ({ data }: MessageEvent) => {
              if (data.id === id) resolve(data.error?.code ?? 'done')
            })
            port.postMessage({ id, name, input })
          })
        return [
          await ask('send', { url: stranger, init: {} }),
          await ask('configure', { issuer: stranger, clientId: 'x', apiOrigins: [stranger] }),
          await ask('constructor', {}),
          await ask('refresh', {}),
        ]
      },
      [here.app.stranger.url] as const,
    )
    expect(outcomes).toEqual([
      'HFAUTH_ORIGIN_REFUSED',
      'HFAUTH_CONFIG_INVALID',
      'HFAUTH_CONFIG_INVALID',
      'HFAUTH_CONFIG_INVALID',
    ])
    expect(here.app.stranger.arrivals).toEqual([])
    expect(await call(page, `${here.app.api.url}/v1`)).toBe('api')
  })

  test('let a caller give up, and tell a failure from a refusal (D11)', async () => {
    const page = await signedIn(mode)
    const given = await page.evaluate(async (url) => {
      const { auth } = window as unknown as AppWindow
      const controller = new AbortController()
      const pending = auth.fetch(`${url}/slow`, { signal: controller.signal })
      setTimeout(() => controller.abort(), 50)
      return pending.then(
        () => 'answered',
        (error) => error.name,
      )
    }, here.app.api.url)
    expect(given).toBe('AbortError')
    here.hub.faults.tokenEndpoint = { status: 503 }
    expect(await here.visitor.renew(page)).toBe('HFAUTH_ISSUER_UNAVAILABLE')
    expect(await here.visitor.statusOf(page)).toBe('signed-in')
  })

  test('come with a stream as it grows (D6)', async () => {
    const page = await signedIn(mode)
    const pieces = await page.evaluate(async (url) => {
      const { auth } = window as unknown as AppWindow
      const answer = await auth.fetch(`${url}/stream`)
      const reader = answer.body?.getReader()
      const seen: string[] = []
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true }
        if (done) return seen
        seen.push(new TextDecoder().decode(value))
        // The second piece comes only once the first has been read.
        if (seen.length === 1) await fetch(`${url}/go-on`)
      }
    }, here.app.api.url)
    expect(pieces).toEqual(['first', 'second'])
  })
})

describe('tabs', () => {
  test('of a shared worker have one sign-in, renew once and sign out together (F1, F6)', async () => {
    const first = await signedIn('shared-worker')
    const tabs = [first, await here.visitor.open(), await here.visitor.open()]
    for (const tab of tabs) expect(await here.visitor.statusOf(tab)).toBe('signed-in')
    expect(here.hub.requests.filter(({ path }) => path === '/oauth/token')).toHaveLength(1)
    expect(await Promise.all(tabs.map(here.visitor.renew))).toEqual(['renewed', 'renewed', 'renewed'])
    expect(new Set(here.visitor.refreshTokens()).size).toBe(here.visitor.refreshTokens().length)
    await first.locator('#sign-out').click()
    for (const tab of tabs) await here.visitor.shows(tab, 'signed-out')
  })

  test('of dedicated workers have one each, and sign out together (F6)', async () => {
    const first = await signedIn('worker')
    const second = await here.visitor.open()
    expect(await here.visitor.statusOf(second)).toBe('signed-out')
    await second.locator('#sign-in').click()
    await here.visitor.shows(second, 'signed-in')
    await first.locator('#sign-out').click()
    await here.visitor.shows(second, 'signed-out')
  })
})
