/** Checklist R1 and R4: rules follow the policy, the session and the other tabs. */
import { parsePolicy } from '@hfauth/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Channel, View } from '../src/access/refresh.ts'
import { createPermissions, type Permissions, type PermissionsOptions, type Session } from '../src/index.ts'
import { policyRules } from '../src/policy.ts'
import { refusalOf } from './support/harness.ts'
import { policyAllowing, snapshotOf } from './support/rules.ts'

const address = 'https://app.example/api/access'
const model = 'model:acme/vision-large'

const allowing = (...actions: ('read' | 'infer')[]) => policyAllowing({ actions, on: ['model:acme/*'] })

/** A window that tests make happen things to; channels of one `hub` hear each other. */
class FakeWindow extends EventTarget implements View {
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  readonly BroadcastChannel: new (
    name: string,
  ) => Channel

  constructor(hub: Set<Channel> = new Set()) {
    super()
    this.BroadcastChannel = class implements Channel {
      onmessage: Channel['onmessage'] = null
      constructor() {
        hub.add(this)
      }
      postMessage(data: unknown) {
        for (const other of hub) if (other !== this) other.onmessage?.(new MessageEvent('message', { data }))
      }
      close() {
        hub.delete(this)
      }
    }
  }
}

interface Tab {
  readonly permissions: Permissions
  readonly window: FakeWindow
  readonly asked: Headers[]
  session: Session | undefined
  become(session: Session | undefined): void
}

/** One server for all tabs: what it answers is `server.policy`, under an `ETag`. */
const server = { policy: allowing('read'), status: 200, tags: true }
const clock = { now: 0 }
const tabs: Tab[] = []

function sessionOf(sub: string, scopes: readonly string[] = ['openid']): Session {
  const claims = { iss: 'https://huggingface.co', sub, aud: 'client-1', iat: 0 }
  return {
    id: `sign-in of ${sub}`,
    sub,
    username: sub,
    name: sub,
    picture: undefined,
    claims,
    scopes,
    expiresAt: 1e15,
    renewableUntil: undefined,
  }
}

function openTab(options: PermissionsOptions = {}, hub?: Set<Channel>): Tab {
  const listeners = new Set<() => void>()
  const window = new FakeWindow(hub)
  const tab: Tab = {
    window,
    asked: [],
    session: sessionOf('ana'),
    become(session) {
      tab.session = session
      for (const listener of listeners) listener()
    },
    permissions: createPermissions(
      {
        get session() {
          return tab.session
        },
        subscribe(listener) {
          listeners.add(listener)
          return () => void listeners.delete(listener)
        },
        fetch: async (_, init) => {
          const headers = new Headers(init?.headers)
          tab.asked.push(headers)
          if (server.status !== 200) return new Response(null, { status: server.status })
          const snapshot = snapshotOf(server.policy, tab.session?.sub ?? '')
          if (!server.tags) return Response.json(snapshot)
          const etag = `"${snapshot.digest}"`
          if (headers.get('if-none-match') === etag)
            return new Response(null, { status: 304, headers: { etag } })
          return Response.json(snapshot, { headers: { etag } })
        },
      },
      { now: () => clock.now, view: window, source: address, ...options },
    ),
  }
  tabs.push(tab)
  return tab
}

afterEach(() => {
  for (const { permissions } of tabs.splice(0)) permissions.close()
  server.policy = allowing('read')
  server.status = 200
  server.tags = true
  vi.useRealTimers()
})

const settled = (tab: Tab, status = 'ready') =>
  vi.waitFor(() => expect(tab.permissions.getSnapshot().status).toBe(status))
const come = (tab: Tab, seconds: number) => {
  clock.now += seconds * 1000
  tab.window.dispatchEvent(new Event('focus'))
}

describe('rules', () => {
  test('are loaded once somebody listens, and for nobody before', async () => {
    const tab = openTab()
    expect(tab.asked).toHaveLength(0)
    tab.permissions.subscribe(() => {})
    await settled(tab)
    expect(tab.permissions.can('read', model)).toBe(true)
  })

  test('wait for somebody to sign in', async () => {
    const tab = openTab()
    tab.session = undefined
    tab.permissions.subscribe(() => {})
    expect(tab.permissions.getSnapshot().status).toBe('empty')
    expect(tab.asked).toHaveLength(0)
    tab.become(sessionOf('ana'))
    await settled(tab)
  })

  test('change with the policy when the page comes into view, under the tag they came with (R1)', async () => {
    const tab = openTab()
    const access = await tab.permissions.load(address)
    expect(tab.asked[0]?.get('if-none-match')).toBeNull()
    server.policy = allowing('read', 'infer')
    come(tab, 60)
    await vi.waitFor(() => expect(tab.permissions.can('infer', model)).toBe(true))
    expect(tab.asked[1]?.get('if-none-match')).toBe(`"${access.digest}"`)
  })

  test.each([
    ['answered without them', true],
    ['sent again', false],
  ])('that have not changed and are %s are the same object, and nobody is told (R1)', async (_, tags) => {
    server.tags = tags
    const tab = openTab()
    const access = await tab.permissions.load(address)
    let told = 0
    tab.permissions.subscribe(() => void told++)
    const before = tab.permissions.getSnapshot()
    expect(await tab.permissions.refresh()).toBe(access)
    expect(tab.asked).toHaveLength(2)
    expect(tab.permissions.getSnapshot()).toBe(before)
    expect(told).toBe(0)
  })

  test('are asked for at most once in the bound, and not by a page that nobody sees', async () => {
    const tab = openTab({ minRefreshSeconds: 30 })
    await tab.permissions.load(address)
    come(tab, 10)
    come(tab, 10)
    expect(tab.asked).toHaveLength(1)
    come(tab, 11)
    expect(tab.asked).toHaveLength(2)
    tab.window.document.visibilityState = 'hidden'
    come(tab, 60)
    expect(tab.asked).toHaveLength(2)
  })

  test('are looked at again every few minutes, and no more once closed', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const tab = openTab({ refreshSeconds: 300 })
    await tab.permissions.load(address)
    clock.now += 300_000
    vi.advanceTimersByTime(300_000)
    expect(tab.asked).toHaveLength(2)
    tab.permissions.close()
    clock.now += 900_000
    vi.advanceTimersByTime(900_000)
    come(tab, 900)
    expect(tab.asked).toHaveLength(2)
  })

  test('that cannot be had for now stay, with the reason; those that are refused go (R3)', async () => {
    const tab = openTab()
    await tab.permissions.load(address)
    server.status = 503
    await refusalOf(tab.permissions.refresh(), 'HFAUTH_SNAPSHOT_INVALID')
    expect(tab.permissions.getSnapshot()).toMatchObject({ status: 'ready', error: { retryable: true } })
    expect(tab.permissions.can('read', model)).toBe(true)
    server.status = 403
    await refusalOf(tab.permissions.refresh(), 'HFAUTH_SNAPSHOT_INVALID')
    expect(tab.permissions.getSnapshot().status).toBe('failed')
    expect(tab.permissions.can('read', model)).toBe(false)
  })

  test('of somebody who holds fewer scopes now are gone at once; with more they stay until the new ones come (R4)', async () => {
    const tab = openTab()
    tab.session = sessionOf('ana', ['openid', 'inference-api'])
    await tab.permissions.load(address)
    tab.become(sessionOf('ana', ['openid', 'inference-api', 'write-repos']))
    expect(tab.permissions.can('read', model)).toBe(true)
    await vi.waitFor(() => expect(tab.asked).toHaveLength(2))
    tab.become(sessionOf('ana', ['openid']))
    expect(tab.permissions.can('read', model)).toBe(false)
    await settled(tab)
    expect(tab.asked).toHaveLength(3)
    expect(tab.permissions.can('read', model)).toBe(true)
  })

  test('of the next person are loaded, and those of the last are gone before (R3, R4)', async () => {
    const tab = openTab()
    await tab.permissions.load(address)
    tab.become(sessionOf('bo'))
    expect(tab.permissions.access).toBeUndefined()
    await settled(tab)
    expect(tab.permissions.access?.principal).toBe('hf|bo')
    tab.become(undefined)
    expect(tab.permissions.getSnapshot().status).toBe('empty')
  })

  test('that one tab finds changed are looked at by the others of the same person (R4)', async () => {
    const hub = new Set<Channel>()
    const [first, second, other] = [openTab({}, hub), openTab({}, hub), openTab({}, hub)] as const
    other.session = sessionOf('bo')
    for (const tab of [first, second, other]) await tab.permissions.load(address)
    server.policy = allowing('infer')
    const asked = other.asked.length
    await first.permissions.refresh()
    await vi.waitFor(() => expect(second.permissions.can('read', model)).toBe(false))
    expect(second.permissions.can('infer', model)).toBe(true)
    expect(other.asked).toHaveLength(asked)
  })
})

describe('a policy in the page', () => {
  test('answers as the engine does, and can explain (R5)', async () => {
    const tab = openTab({ source: policyRules(allowing('read'), { environment: 'test' }) })
    tab.permissions.subscribe(() => {})
    await settled(tab)
    expect(tab.permissions.can('read', model)).toBe(true)
    expect(tab.permissions.can('infer', model)).toBe(false)
    expect(tab.permissions.access).toHaveProperty('explain')
    expect(tab.asked).toHaveLength(0)
  })

  test('answers anew when the claims change under the same policy (R4)', async () => {
    const policy = parsePolicy({
      ...allowing('read').document,
      bindings: [{ roles: ['user'], to: { issuer: 'hf', username: 'ana' } }],
    })
    const tab = openTab({ source: policyRules(policy, { environment: 'test' }) })
    const { claims, ...session } = sessionOf('ana')
    tab.session = { ...session, claims: { ...claims, preferred_username: 'ana' } }
    tab.permissions.subscribe(() => {})
    await settled(tab)
    expect(tab.permissions.can('read', model)).toBe(true)
    tab.become({ ...session, claims: { ...claims, preferred_username: 'renamed' } })
    await vi.waitFor(() => expect(tab.permissions.can('read', model)).toBe(false))
  })

  test('is fetched without token or cookie, again under its tag, and parsed anew only when it changed (R1)', async () => {
    const asked: (RequestInit | undefined)[] = []
    let version = 1
    const fetch: typeof globalThis.fetch = async (_, init) => {
      asked.push(init)
      const etag = `"${version}"`
      const known = new Headers(init?.headers).get('if-none-match') === etag
      const policy = allowing(version === 1 ? 'read' : 'infer')
      return known
        ? new Response(null, { status: 304 })
        : Response.json(policy.document, { headers: { etag } })
    }
    const tab = openTab({ source: policyRules('/policy.json', { environment: 'test', fetch }) })
    tab.permissions.subscribe(() => {})
    await settled(tab)
    const { access } = tab.permissions
    await tab.permissions.refresh()
    expect(tab.permissions.access).toBe(access)
    version = 2
    await tab.permissions.refresh()
    expect(tab.permissions.can('infer', model)).toBe(true)
    expect(tab.permissions.can('read', model)).toBe(false)
    expect(asked.map((init) => new Headers(init?.headers).get('if-none-match'))).toEqual([null, '"1"', '"1"'])
    expect(asked.map((init) => init?.credentials)).toEqual(['omit', 'omit', 'omit'])
    expect(asked.some((init) => new Headers(init?.headers).has('authorization'))).toBe(false)
  })

  test.each([
    ['an issuer it does not name', { iss: 'https://other.example' }],
    ['another audience', { aud: 'client-2' }],
  ])('takes no session of %s', async (_, claims) => {
    const tab = openTab({ source: policyRules(allowing('read'), { environment: 'test' }) })
    const session = sessionOf('ana')
    tab.session = { ...session, claims: { ...session.claims, ...claims } }
    await refusalOf(
      tab.permissions.load(policyRules(allowing('read'), { environment: 'test' })),
      'HFAUTH_TOKEN_UNSUPPORTED',
    )
    expect(tab.permissions.can('read', model)).toBe(false)
  })

  test('that is broken allows nothing', async () => {
    const fetch = async () => Response.json({ version: 7 })
    const tab = openTab()
    await refusalOf(
      tab.permissions.load(policyRules('/policy.json', { environment: 'test', fetch })),
      'HFAUTH_POLICY_INVALID',
    )
    expect(tab.permissions.getSnapshot().status).toBe('failed')
  })
})
