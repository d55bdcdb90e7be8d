/** Checklist sections 5 and 7: renewal by refresh token, as one tab sees it. */
import type { HfAuthError } from '@hfauth/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type AuthEvent,
  type AuthExtensions,
  type AuthOptions,
  byChallenge,
  capabilitiesOf,
  checkOnFocus,
  inSessionStorage,
} from '../src/index.ts'
import { createFakeStorage } from './support/fake-page.ts'
import { accessToken, paths, refreshToken } from './support/fake-provider.ts'
import { createHarness, type Harness, origin, refusalOf } from './support/harness.ts'

const hours = 3_600_000
const lifeMs = 8 * hours

type Watched = Harness & {
  events: AuthEvent[]
  types(): string[]
  refreshes(): URLSearchParams[]
  sent: Request[]
}

/** Signed in, on fake timers, with everything that happens written down. */
async function signedIn(
  options: Partial<AuthOptions & AuthExtensions> = {},
  prepare: (harness: Harness) => void = () => {},
  api: (request: Request) => Response | Promise<Response> = () => new Response('ok'),
): Promise<Watched> {
  const events: AuthEvent[] = []
  const sent: Request[] = []
  const harness: Harness = createHarness({
    now: () => Date.now(),
    fetch: async (input, init) => {
      if (!(input instanceof Request)) return harness.provider.fetch(input, init)
      sent.push(input)
      return api(input)
    },
    ...options,
  })
  const seconds = Math.floor(Date.now() / 1000)
  harness.provider.claims = { iat: seconds, exp: seconds + 3600 }
  prepare(harness)
  await harness.signIn()
  harness.auth.subscribe((event) => void events.push(event))
  return {
    ...harness,
    events,
    sent,
    types: () => events.map(({ type }) => type),
    refreshes: () =>
      harness.provider
        .to(paths.token)
        .map(({ body }) => body)
        .filter((body) => body.get('grant_type') === 'refresh_token'),
  }
}

const answer =
  (status: number, body: unknown = {}, headers = {}) =>
  () =>
    Response.json(body, { status, headers })
const unreachable = () => Promise.reject(new TypeError('Failed to fetch'))
/** Past the latest moment of an early renewal, and before the end. */
/** Lets time pass, and after each step what real work there is: digests and bodies know no fake clock. */
async function pass(ms: number, stepMs = ms): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    await vi.advanceTimersByTimeAsync(stepMs)
    for (let round = 0; round < 10; round += 1) await new Promise((resolve) => setImmediate(resolve))
  }
}
const toRenewal = () => pass(lifeMs - 299_000)
const toEnd = () => pass(299_000)

beforeEach(
  () =>
    void vi.useFakeTimers({
      now: Date.parse('2026-09-01T10:00:00Z'),
      toFake: ['setTimeout', 'clearTimeout', 'Date'],
    }),
)
afterEach(() => void vi.useRealTimers())

describe('a sign-in with a refresh token', () => {
  test('is renewed once, between ten and five minutes before its end (E8)', async () => {
    const { refreshes, types, auth } = await signedIn()
    const { id, expiresAt } = auth.session ?? { id: '', expiresAt: 0 }
    await pass(lifeMs - 600_001)
    expect(refreshes()).toEqual([])
    await pass(301_000)
    expect(refreshes()).toHaveLength(1)
    expect(refreshes()[0]?.get('refresh_token')).toBe(refreshToken)
    expect(types()).toEqual(['renewed'])
    expect(auth.session?.id).toBe(id)
    expect(auth.session?.expiresAt).toBeGreaterThan(expiresAt + 7 * hours)
  })

  test('of a minute is renewed in its last third (E8)', async () => {
    const { refreshes } = await signedIn({}, ({ provider }) => {
      provider.tokens = { expires_in: 60 }
    })
    await pass(39_000)
    expect(refreshes()).toEqual([])
    await pass(12_000)
    expect(refreshes()).toHaveLength(1)
  })

  test('is renewed by one client in a thousand at much the same time as by another (E8)', async () => {
    const moments: number[] = []
    for (let client = 0; client < 40; client += 1) {
      vi.setSystemTime(Date.parse('2026-09-01T10:00:00Z'))
      const { auth } = await signedIn()
      auth.subscribe(({ type }) => void (type === 'renewed' && moments.push(Date.now())))
      await toRenewal()
      await auth.signOut()
    }
    const [first = 0, last = 0] = [Math.min(...moments), Math.max(...moments)]
    expect(moments).toHaveLength(40)
    expect(last - first).toBeGreaterThan(100_000)
    expect(last - first).toBeLessThanOrEqual(300_000)
  })

  test('sends each refresh token once, for as long as it is used (E1, E3)', async () => {
    const { refreshes, auth, provider } = await signedIn()
    for (let day = 0; day < 9; day += 1) await pass(lifeMs)
    const used = refreshes().map((body) => body.get('refresh_token'))
    expect(used.length).toBeGreaterThan(8)
    expect(new Set(used).size).toBe(used.length)
    expect(provider.alive.size).toBe(1)
    expect(auth.session).toBeDefined()
  })

  test('keeps its refresh token when the answer brings none (E2)', async () => {
    const { refreshes, auth } = await signedIn({}, ({ provider }) => {
      provider.refreshed = { refresh_token: undefined }
    })
    await auth.renew()
    await auth.renew()
    expect(refreshes().map((body) => body.get('refresh_token'))).toEqual([refreshToken, refreshToken])
  })

  test('keeps its lifetime when the answer names none', async () => {
    const { auth } = await signedIn({}, ({ provider }) => {
      provider.refreshed = { expires_in: undefined }
    })
    await pass(1000)
    await auth.renew()
    expect(auth.session?.expiresAt).toBe(Date.now() + lifeMs)
  })

  test('uses the new access token from then on, and shows none (H10)', async () => {
    const { auth, sent, events } = await signedIn()
    await auth.renew()
    await auth.fetch('/v1')
    expect(sent[0]?.headers.get('authorization')).toBe(`Bearer ${accessToken}-1`)
    expect(JSON.stringify([events, auth, auth.session])).not.toContain('hf_oauth')
  })

  test('stores the new refresh token before anyone is told (E1)', async () => {
    let stored = ''
    const seen: boolean[] = []
    const store = {
      read: () => stored,
      write(text: string) {
        stored = text
      },
      remove() {
        stored = ''
      },
    }
    const { auth } = await signedIn({ tokenStore: store })
    auth.subscribe(() => void seen.push(stored.includes(`${refreshToken}-1`)))
    await auth.renew()
    expect(seen).toEqual([true])
  })

  test('is renewed without a grant of more than there was (E9)', async () => {
    const { auth } = await signedIn({}, ({ provider }) => {
      provider.refreshed = { scope: 'openid profile admin' }
    })
    await refusalOf(auth.renew(), 'HFAUTH_SIGNIN_INVALID')
    expect(auth.session?.scopes).toEqual(['openid', 'profile'])
  })

  test('shows fewer scopes when fewer are granted', async () => {
    const { auth } = await signedIn({ scopes: ['jobs'] }, ({ provider }) => {
      provider.refreshed = { scope: 'openid profile' }
    })
    await auth.renew()
    expect(auth.session?.scopes).toEqual(['openid', 'profile'])
  })

  test('is renewed by one grant for all who ask at once (E3, D7)', async () => {
    const { auth, refreshes } = await signedIn()
    await Promise.all(Array.from({ length: 50 }, () => auth.renew()))
    expect(refreshes()).toHaveLength(1)
  })
})

describe('a refresh token whose end the provider tells', () => {
  const until = ({ auth }: Watched) => auth.session?.renewableUntil

  test.each(['refresh_token_expires_in', 'refresh_expires_in'])(
    'by `%s` is known in session and events, and not sent after that (E11)',
    async (name) => {
      const watched = await signedIn({}, ({ provider }) => {
        provider.tokens = { expires_in: 3600, [name]: 7200 }
        provider.refreshed = { expires_in: 3600, [name]: 7200 }
      })
      const { auth, refreshes, events, types } = watched
      expect(until(watched)).toBe(Date.now() + 2 * hours)
      await pass(3600_000 - 299_000)
      expect(events).toMatchObject([{ type: 'renewed', session: { renewableUntil: until(watched) } }])
      expect(until(watched)).toBeGreaterThan(Date.now() + 2 * hours - 301_000)
      // A night of sleep: nothing is left that could work, so nothing is asked.
      vi.setSystemTime(Date.now() + 9 * hours)
      await refusalOf(auth.fetch('/v1'), 'HFAUTH_SIGNED_OUT')
      await pass(10)
      expect(refreshes()).toHaveLength(1)
      expect(types()).toEqual(['renewed', 'signed-out'])
    },
  )

  test('before that of the access token ends nothing yet (E11)', async () => {
    const { auth, refreshes, types } = await signedIn({}, ({ provider }) => {
      provider.tokens = { refresh_token_expires_in: 3600 }
    })
    await pass(hours)
    expect((await capabilitiesOf(auth)).renewal).toEqual([])
    await refusalOf(auth.renew(), 'HFAUTH_SIGNED_OUT')
    expect(await (await auth.fetch('/v1')).text()).toBe('ok')
    await pass(lifeMs - hours)
    expect(types()).toEqual(['signed-out'])
    expect(refreshes()).toEqual([])
  })

  test('leaves it to another way to renew (E11)', async () => {
    let asked = 0
    const renew = async () => {
      asked += 1
      return true
    }
    const { auth, refreshes } = await signedIn({ renewal: [{ name: 'backend', renew }] }, ({ provider }) => {
      provider.tokens = { refresh_token_expires_in: 3600 }
    })
    vi.setSystemTime(Date.now() + hours)
    await auth.renew()
    expect([asked, refreshes().length]).toEqual([1, 0])
  })

  test('stays as it was when an answer brings no other refresh token, and is unknown for one it says nothing of (E11)', async () => {
    for (const refresh_token of [undefined, 'another']) {
      const watched = await signedIn({}, ({ provider }) => {
        provider.tokens = { refresh_token_expires_in: 7200 }
        provider.refreshed = { refresh_token }
      })
      const before = until(watched)
      await pass(1000)
      await watched.auth.renew()
      expect(until(watched)).toBe(refresh_token === undefined ? before : undefined)
    }
  })

  test.each([0, -1, 'soon', null, {}])('is unknown when it says %j (E11)', async (seconds) => {
    const watched = await signedIn({}, ({ provider }) => {
      provider.tokens = { refresh_token_expires_in: seconds }
    })
    expect(until(watched)).toBeUndefined()
    await watched.auth.renew()
    expect(watched.refreshes()).toHaveLength(1)
  })
})

describe('a renewal that fails', () => {
  test.each<[string, number, object?]>([
    ['is busy', 503],
    ['is rate-limited', 429],
    ['breaks down', 500],
    ['misunderstands', 400, { error: 'invalid_request' }],
    ['does not know us', 401, { error: 'invalid_client' }],
    ['answers without a reason', 400, { error: 'server_error' }],
  ])(
    'when the provider %s leaves the session and its token as they are (E4, E5)',
    async (_, status, body = {}) => {
      const { auth, provider, sent, types } = await signedIn()
      provider.answers.set(paths.token, answer(status, body))
      await toRenewal()
      expect(types()).toContain('renewal-failed')
      expect(types()).not.toContain('signed-out')
      await auth.fetch('/v1')
      expect(sent[0]?.headers.get('authorization')).toBe(`Bearer ${accessToken}`)
      provider.answers.clear()
      await pass(298_000)
      expect(types()).toContain('renewed')
    },
  )

  test('for good ends the session, and only that does (E4)', async () => {
    const { auth, types, provider } = await signedIn()
    provider.alive.clear()
    await toRenewal()
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(types()).toEqual(['signed-out', 'renewal-failed'])
    await refusalOf(auth.fetch('/v1'), 'HFAUTH_SIGNED_OUT')
  })

  test('past the end of the token keeps the session, and each request says that trying again helps (E5, G5)', async () => {
    const { auth, provider, types } = await signedIn()
    provider.answers.set(paths.token, answer(503))
    await pass(lifeMs + hours)
    expect(auth.getSnapshot().status).toBe('signed-in')
    expect(types().filter((type) => type === 'expired')).toHaveLength(1)
    const error = await refusalOf(auth.fetch('/v1'), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(error.retryable).toBe(true)
    provider.answers.clear()
    expect(await (await auth.fetch('/v1')).text()).toBe('ok')
  })

  test('waits longer each time, with jitter and a limit (E6)', async () => {
    const { provider, refreshes } = await signedIn()
    provider.answers.set(paths.token, answer(503))
    await pass(lifeMs - 600_000)
    await pass(2 * hours, 1000)
    const tries = refreshes().length
    // Two seconds doubling to five minutes, each between half of it and all of it.
    expect(tries).toBeGreaterThan(25)
    expect(tries).toBeLessThan(70)
  })

  test.each([
    ['in seconds', () => '900'],
    ['as a date', () => new Date(Date.now() + 900_000).toUTCString()],
  ])('waits as long as the provider says, %s (E6)', async (_, header) => {
    const { provider, refreshes } = await signedIn()
    provider.answers.set(paths.token, () => answer(429, {}, { 'retry-after': header() })())
    await toRenewal()
    expect(refreshes()).toHaveLength(1)
    await pass(290_000)
    expect(refreshes()).toHaveLength(1)
    await pass(615_000)
    expect(refreshes()).toHaveLength(2)
  })

  test('because its answer was lost is not repeated, says so, and ends with the access token (E7)', async () => {
    const { auth, provider, refreshes, types } = await signedIn()
    provider.answers.set(paths.token, unreachable)
    const error = await refusalOf(auth.renew(), 'HFAUTH_RENEWAL_LOST')
    expect(error.message).toContain('unknown')
    provider.answers.clear()
    await refusalOf(auth.renew(), 'HFAUTH_SIGNED_OUT')
    expect(refreshes()).toHaveLength(1)
    expect(await (await auth.fetch('/v1')).text()).toBe('ok')
    await pass(lifeMs)
    expect(types()).toEqual(['renewal-lost', 'signed-out'])
    expect(refreshes()).toHaveLength(1)
  })

  test('because the network is not up yet uses nothing up, and is made good for soon (G6)', async () => {
    const { provider, refreshes, types } = await signedIn()
    let refused = 0
    provider.answers.set(paths.metadata, () => {
      refused += 1
      return unreachable()
    })
    await toRenewal()
    expect(refused).toBeGreaterThan(0)
    expect(refreshes()).toEqual([])
    provider.answers.clear()
    await pass(298_000, 1000)
    expect(refreshes()).toHaveLength(1)
    expect(types().at(-1)).toBe('renewed')
  })

  test.each([
    ['another issuer', { iss: 'https://other.example' }],
    ['another person', { sub: 'user-2' }],
    ['another client', { aud: 'client-2' }],
    ['another sign-in', { auth_time: 1 }],
    ['another nonce', { nonce: 'other' }],
  ])('because it brings the ID token of %s is not used (C16, P3)', async (_, claims) => {
    const { auth, provider } = await signedIn()
    const before = auth.session
    provider.refreshed = { id_token: provider.idToken(claims) }
    await refusalOf(auth.renew(), 'HFAUTH_SIGNIN_INVALID')
    expect(auth.session?.sub).toBe(before?.sub)
    expect(auth.session?.claims).toEqual(before?.claims)
  })

  test('does not because this clock has been put two hours wrong (G1)', async () => {
    for (const wrong of [2 * hours, -2 * hours]) {
      const { auth, provider } = await signedIn()
      provider.refreshed = { id_token: provider.idToken({ nonce: undefined, name: 'Ana R.' }) }
      vi.setSystemTime(Date.now() + wrong)
      await auth.renew()
      expect(auth.session?.name).toBe('Ana R.')
      expect(auth.session?.expiresAt).toBe(Date.now() + lifeMs)
    }
  })
})

describe('sleep, darkness and no network', () => {
  test('after a night of sleep the first request renews before it is sent (G2)', async () => {
    const { auth, sent, refreshes } = await signedIn()
    vi.setSystemTime(Date.now() + 9 * hours)
    await auth.fetch('/v1')
    expect(refreshes()).toHaveLength(1)
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual([`Bearer ${accessToken}-1`])
  })

  test.each(['focus', 'pageshow', 'online', 'visibilitychange', 'resume'])(
    'a page that wakes with %s renews at once (G2)',
    async (type) => {
      const { page, refreshes } = await signedIn()
      vi.setSystemTime(Date.now() + 9 * hours)
      page.fire(type)
      await pass(1)
      expect(refreshes()).toHaveLength(1)
    },
  )

  test('a tab that nobody looks at waits until somebody does (G4)', async () => {
    const { page, refreshes } = await signedIn()
    page.document.visibilityState = 'hidden'
    page.fire('visibilitychange')
    await pass(2 * lifeMs)
    expect(refreshes()).toEqual([])
    page.document.visibilityState = 'visible'
    page.fire('visibilitychange')
    await pass(1)
    expect(refreshes()).toHaveLength(1)
  })

  test('unless it is told to renew all the same (G4)', async () => {
    const { page, refreshes } = await signedIn({ renewHidden: true })
    page.document.visibilityState = 'hidden'
    page.fire('visibilitychange')
    await toRenewal()
    expect(refreshes()).toHaveLength(1)
  })

  test('offline nothing is asked; back online one renewal follows at once (G5)', async () => {
    const { auth, page, provider, refreshes } = await signedIn()
    page.navigator.onLine = false
    page.fire('offline')
    const before = provider.requests.length
    await pass(lifeMs - 1000)
    expect(await (await auth.fetch('/v1')).text()).toBe('ok')
    await pass(hours)
    const error = await refusalOf(auth.fetch('/v1'), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(error.retryable).toBe(true)
    expect(provider.requests).toHaveLength(before)
    expect(auth.getSnapshot().status).toBe('signed-in')
    page.navigator.onLine = true
    page.fire('online')
    await pass(1)
    expect(refreshes()).toHaveLength(1)
  })

  test('back online does not wait for the next try (E6, G5)', async () => {
    const { page, provider, types } = await signedIn()
    provider.answers.set(paths.token, answer(503, {}, { 'retry-after': '3600' }))
    await toRenewal()
    provider.answers.clear()
    page.fire('online')
    await pass(1)
    expect(types().at(-1)).toBe('renewed')
  })
})

describe('a check on focus', () => {
  async function watched() {
    const tab = await signedIn()
    const stop = checkOnFocus(tab.auth, { afterSeconds: 600 })
    /** Somebody looks at the page, so many seconds later. */
    const look = async (seconds: number, type = 'focus') => {
      vi.setSystemTime(Date.now() + seconds * 1000)
      tab.page.fire(type)
      await pass(1)
    }
    return { ...tab, stop, look }
  }

  test('asks about a token of that age, and not again before the next is as old (K3)', async () => {
    const { look, refreshes, stop } = await watched()
    await look(599)
    expect(refreshes()).toHaveLength(0)
    await look(1)
    expect(refreshes()).toHaveLength(1)
    await look(599)
    expect(refreshes()).toHaveLength(1)
    await look(1, 'visibilitychange')
    expect(refreshes()).toHaveLength(2)
    stop()
    await look(6000)
    expect(refreshes()).toHaveLength(2)
  })

  test('that fails is no end, and is not repeated by the next look (K3, E5)', async () => {
    const { look, provider, auth } = await watched()
    provider.answers.set(paths.token, answer(503))
    await look(600)
    await look(599)
    expect(provider.to(paths.token)).toHaveLength(2)
    expect(auth.getSnapshot().status).toBe('signed-in')
    await look(1)
    expect(provider.to(paths.token)).toHaveLength(3)
  })

  test('is not made by a page that goes out of sight (K3)', async () => {
    const { look, page, refreshes } = await watched()
    page.document.visibilityState = 'hidden'
    await look(6000, 'visibilitychange')
    expect(refreshes()).toEqual([])
  })

  test('is for what `createAuth` made (K3)', () => {
    expect(() => checkOnFocus({ ...createHarness().auth })).toThrow(
      expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
    )
  })
})

describe('signing out', () => {
  test('while a renewal is under way is not undone by its answer (J5)', async () => {
    const { auth, provider, types } = await signedIn()
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { fetch } = provider
    provider.answers.set(paths.token, async () => {
      await held
      provider.answers.clear()
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
      return fetch(`https://hub.example${paths.token}`, { method: 'POST', body })
    })
    const pending = refusalOf(auth.renew(), 'HFAUTH_SIGNED_OUT')
    await pass(10)
    await auth.signOut()
    release()
    await pending
    expect(auth.session).toBeUndefined()
    expect(types()).toEqual(['signed-out'])
  })

  test('revokes both tokens where the provider takes that, and ends whatever comes of it (J2)', async () => {
    for (const status of [200, 503]) {
      const { auth, provider } = await signedIn({}, (harness) => {
        harness.provider.metadata = { revocation_endpoint: 'https://hub.example/oauth/revoke' }
      })
      provider.answers.set('/oauth/revoke', answer(status))
      const done = auth.signOut()
      expect(auth.session).toBeUndefined()
      await done
      expect(provider.to('/oauth/revoke').map(({ body }) => body.get('token'))).toEqual([
        refreshToken,
        accessToken,
      ])
    }
  })

  test('at the provider goes there with what it needs, when it has such a place (J3, J8)', async () => {
    const { auth, page } = await signedIn({}, ({ provider }) => {
      provider.metadata = { end_session_endpoint: 'https://hub.example/oauth/logout?x=1' }
    })
    expect((await capabilitiesOf(auth)).logoutAtProvider).toBe(true)
    await auth.signOut({ atProvider: true, returnTo: `${origin}/bye` })
    const { pathname, searchParams } = new URL(page.visited.at(-1) ?? '')
    expect(pathname).toBe('/oauth/logout')
    expect(searchParams.get('id_token_hint')).toMatch(/^ey/)
    expect(searchParams.get('client_id')).toBe('client-1')
    expect(searchParams.get('post_logout_redirect_uri')).toBe(`${origin}/bye`)
    expect(searchParams.get('x')).toBe('1')
  })

  test('at a provider without such a place stays here, as was told beforehand (J8)', async () => {
    const { auth, page } = await signedIn()
    expect(await capabilitiesOf(auth)).toEqual({
      renewal: ['refresh-token'],
      senderConstrained: false,
      tabsShare: false,
      tokens: 'page',
      revocation: false,
      logoutAtProvider: false,
    })
    await auth.signOut({ atProvider: true })
    expect(page.visited).toEqual([])
    expect((await capabilitiesOf(auth)).renewal).toEqual([])
  })

  test('stops every timer', async () => {
    const { auth } = await signedIn()
    await auth.signOut()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a provider without refresh tokens', () => {
  test('is told of beforehand, and the session ends with its token (E10, G7)', async () => {
    const { auth, types, provider } = await signedIn({}, (harness) => {
      harness.provider.tokens = { refresh_token: undefined }
    })
    expect((await capabilitiesOf(auth)).renewal).toEqual([])
    await toRenewal()
    await toEnd()
    expect(types()).toEqual(['signed-out'])
    expect(provider.to(paths.token)).toHaveLength(1)
    const error: HfAuthError = await refusalOf(auth.renew(), 'HFAUTH_SIGNED_OUT')
    expect(error.retryable).toBe(false)
  })
})

describe('a store of tokens', () => {
  const keep = (text: string | null) => {
    const store = {
      text,
      read: () => store.text,
      write(next: string) {
        store.text = next
      },
      remove() {
        store.text = null
      },
    }
    return store
  }

  test('signs in after a reload, with the tokens that were written (H3)', async () => {
    const store = keep(null)
    const { reload, sent, provider } = await signedIn({ tokenStore: store })
    const asked = provider.to(paths.token).length
    const auth = reload()
    await auth.handleCallback()
    await auth.fetch('/v1')
    expect(auth.session?.username).toBe('ana')
    expect(sent[0]?.headers.get('authorization')).toBe(`Bearer ${accessToken}`)
    expect(provider.to(paths.token)).toHaveLength(asked)
    expect((await capabilitiesOf(auth)).tokens).toBe('store')
    await auth.signOut()
    expect(store.text).toBe(null)
  })

  test('with tokens whose time is over, and nothing to renew them, signs nobody in', async () => {
    const store = keep(null)
    const { reload } = await signedIn({ tokenStore: store }, (harness) => {
      harness.provider.tokens = { refresh_token: undefined }
    })
    vi.setSystemTime(Date.now() + lifeMs)
    const auth = reload()
    await auth.handleCallback()
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  const stored = {
    id: 'x',
    accessToken: 'x',
    version: 1,
    expiresAt: 9e15,
    lifetimeMs: 1,
    scopes: [],
    claims: { sub: 'x' },
  }

  test('renews with one request for the metadata, before anything is used up (E7)', async () => {
    const storage = createFakeStorage()
    const options = { tokenStore: inSessionStorage('one', () => storage) }
    const { provider, reload } = await signedIn(options)
    // Another load of the page has not asked the provider yet.
    const auth = reload({ fetch: provider.fetch })
    await auth.handleCallback()
    provider.requests.length = 0
    await auth.renew()
    expect(provider.requests.map(({ url }) => new URL(url).pathname)).toEqual([paths.metadata, paths.token])
    expect(provider.requests[0]?.init.cache).toBe('no-store')
  })

  test('that holds a whole sign-in is signed in by it', async () => {
    const { auth } = createHarness({ tokenStore: keep(JSON.stringify(stored)) })
    await auth.handleCallback()
    expect(auth.getSnapshot().status).toBe('signed-in')
  })

  test.each([
    'undefined',
    'null',
    '{',
    '[]',
    '7',
    '{"version":1}',
    ...[{ scopes: [7] }, { claims: null }, { accessToken: '' }, { renewableUntil: 'x' }].map((wrong) =>
      JSON.stringify({ ...stored, ...wrong }),
    ),
  ])('that holds %s counts as empty (H9)', async (text) => {
    const { auth } = createHarness({ tokenStore: keep(text) })
    await auth.handleCallback()
    expect(auth.getSnapshot().status).toBe('signed-out')
  })

  test('that fails counts as empty and stops nothing (H8)', async () => {
    const fail = () => {
      throw new DOMException('no', 'QuotaExceededError')
    }
    const { auth } = await signedIn({ tokenStore: { read: fail, write: fail, remove: fail } })
    await auth.renew()
    expect(auth.session?.username).toBe('ana')
    expect((await capabilitiesOf(auth)).tokens).toBe('page')
    await auth.signOut()
    expect(auth.session).toBeUndefined()
  })

  test('that keeps nothing is not told of as one (H8, N3)', async () => {
    const { auth } = await signedIn({ tokenStore: { read: () => null, write() {}, remove() {} } })
    expect((await capabilitiesOf(auth)).tokens).toBe('page')
    const storage = createFakeStorage()
    const other = await signedIn({ tokenStore: inSessionStorage('one', () => storage) })
    expect((await capabilitiesOf(other.auth)).tokens).toBe('store')
  })

  test('under two clients keeps them apart (P1)', async () => {
    const storage = createFakeStorage()
    const { entries } = storage
    const [one, two] = await Promise.all(
      ['one', 'two'].map((name) => signedIn({ tokenStore: inSessionStorage(name, () => storage) })),
    )
    expect(entries.size).toBe(2)
    await one?.auth.signOut()
    expect([...entries.keys()]).toEqual(['hfauth.tokens.1.two'])
    await two?.auth.renew()
    expect(two?.auth.session).toBeDefined()
  })
})

describe('a day', () => {
  test('of a provider that fails for hours has one event for each thing that happens (G7, S2)', async () => {
    const { provider, types, auth } = await signedIn()
    await pass(lifeMs)
    provider.answers.set(paths.token, answer(503))
    await pass(lifeMs + 2 * hours, 60_000)
    provider.answers.clear()
    await pass(hours, 60_000)
    await auth.signOut()
    await auth.signOut()
    const counted = (type: string) => types().filter((each) => each === type).length
    expect(counted('renewed')).toBe(2)
    expect(counted('expired')).toBe(1)
    expect(counted('signed-out')).toBe(1)
    expect(types().slice(-2)).toEqual(['renewed', 'signed-out'])
  })
})

describe('another way to renew', () => {
  const only = (harness: Harness) => {
    harness.provider.tokens = { refresh_token: undefined }
  }

  test('that cannot work is asked once for fifty who wait, and the session ends with its token (D7, K4)', async () => {
    let asked = 0
    const renew = async () => {
      asked += 1
      return false
    }
    const { auth, types } = await signedIn({ renewal: [{ name: 'frame', renew }] }, only)
    expect((await capabilitiesOf(auth)).renewal).toEqual(['frame'])
    vi.setSystemTime(Date.now() + lifeMs)
    expect(auth.getSnapshot().status).toBe('signed-in')
    const calls = Array.from({ length: 50 }, () => refusalOf(auth.fetch('/v1'), 'HFAUTH_SIGNED_OUT'))
    await Promise.all(calls)
    await pass(10)
    expect(asked).toBe(1)
    expect(auth.getSnapshot().status).toBe('signed-out')
    expect(types()).toEqual(['expired', 'signed-out'])
  })

  test('is used when the refresh token is lost (E7)', async () => {
    let asked = 0
    const renew = async () => {
      asked += 1
      return true
    }
    const { auth, provider } = await signedIn({ renewal: [{ name: 'backend', renew }] })
    provider.answers.set(paths.token, unreachable)
    await auth.renew()
    expect(asked).toBe(1)
  })
})

describe('an API that does not take the token', () => {
  const invalidToken = answer(401, {}, { 'www-authenticate': 'Bearer realm="api", error="invalid_token"' })
  const takes = (token: string) => (request: Request) =>
    request.headers.get('authorization') === `Bearer ${token}` ? new Response('ok') : invalidToken()

  test('is asked once more with a renewed one (D5)', async () => {
    const { auth, refreshes, sent } = await signedIn({}, undefined, takes(`${accessToken}-1`))
    expect(await (await auth.fetch('/v1')).text()).toBe('ok')
    expect([refreshes().length, sent.length]).toEqual([1, 2])
  })

  test('is not asked a third time (D5)', async () => {
    const { auth, refreshes, sent } = await signedIn({}, undefined, takes('another'))
    expect((await auth.fetch('/v1')).status).toBe(401)
    expect([refreshes().length, sent.length]).toEqual([1, 2])
  })

  test('fifty times at once leads to one renewal (D7)', async () => {
    const { auth, refreshes, sent } = await signedIn({}, undefined, takes(`${accessToken}-1`))
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => auth.fetch(`/v${index}`)))
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200))
    expect([refreshes().length, sent.length]).toEqual([1, 100])
  })

  test.each([
    ['text', () => 'a=1', 'a=1'],
    ['a blob', () => new Blob(['a=1']), 'a=1'],
    ['a form', () => new URLSearchParams({ a: '1' }), 'a=1'],
    ['bytes', () => new TextEncoder().encode('a=1'), 'a=1'],
  ])('gets %s as body again (D6)', async (_, body, text) => {
    const bodies: string[] = []
    const { auth } = await signedIn({}, undefined, async (request) => {
      bodies.push(await request.clone().text())
      return takes(`${accessToken}-1`)(request)
    })
    expect((await auth.fetch('/v1', { method: 'POST', body: body() })).status).toBe(200)
    expect(bodies).toEqual([text, text])
  })

  test('gets the body as it was when it was given, whatever becomes of it meanwhile (D6)', async () => {
    const { auth, sent } = await signedIn({}, undefined, takes(`${accessToken}-1`))
    const form = new URLSearchParams({ a: '1' })
    const asked = auth.fetch('/v1', { method: 'POST', body: form })
    form.set('a', '2')
    await asked
    expect(await Promise.all(sent.map((request) => request.text()))).toEqual(['a=1', 'a=1'])
  })

  test('gets the body of a Request again (D6)', async () => {
    const { auth, sent } = await signedIn({}, undefined, takes(`${accessToken}-1`))
    const response = await auth.fetch(new Request(`${origin}/v1`, { method: 'PUT', body: '{"a":1}' }))
    expect(response.status).toBe(200)
    expect(await sent[1]?.text()).toBe('{"a":1}')
  })

  test('gets a stream once: the answer is given back, and the next request has the new token (D6)', async () => {
    const { auth, sent } = await signedIn({}, undefined, takes(`${accessToken}-1`))
    const init = { method: 'POST', body: new Blob(['a']).stream(), duplex: 'half' } as RequestInit
    expect((await auth.fetch('/v1', init)).status).toBe(401)
    expect((await auth.fetch('/v1')).status).toBe(200)
    expect(sent).toHaveLength(2)
  })

  test('is not asked again once the caller has given up (D11)', async () => {
    const controller = new AbortController()
    const { auth, sent } = await signedIn({}, undefined, () => {
      controller.abort()
      return invalidToken()
    })
    await expect(auth.fetch('/v1', { signal: controller.signal })).rejects.toThrow('aborted')
    expect(sent).toHaveLength(1)
  })

  test('gets signal and `keepalive` of the caller in the second try as in the first (D11)', async () => {
    const controller = new AbortController()
    const { auth, sent } = await signedIn({}, undefined, takes(`${accessToken}-1`))
    await auth.fetch('/v1', { signal: controller.signal, keepalive: true })
    controller.abort()
    expect(sent.map(({ keepalive }) => keepalive)).toEqual([true, true])
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, true])
  })

  test('gives the caller its answer when nothing can be renewed', async () => {
    const { auth, provider } = await signedIn({}, undefined, takes('another'))
    provider.answers.set(paths.token, answer(503))
    const response = await auth.fetch('/v1')
    expect(response.status).toBe(401)
    expect(auth.session).toBeDefined()
  })

  test.each([
    ['forbids', 403, undefined],
    ['wants another scheme', 401, 'Basic realm="x"'],
    ['saw no token', 401, 'Bearer realm="x"'],
    ['answers', 200, 'Bearer error="invalid_token"'],
  ])('because it %s causes no renewal (D8)', async (_, status, header) => {
    const headers = header ? { 'www-authenticate': header } : {}
    const { auth, refreshes, sent } = await signedIn({}, undefined, answer(status, {}, headers))
    expect((await auth.fetch('/v1')).status).toBe(status)
    expect([refreshes().length, sent.length]).toEqual([0, 1])
  })
})

describe('an API that wants more', () => {
  const header =
    'Basic realm="a, b", Bearer realm="api", error="insufficient_user_authentication", ' +
    'error_description="A \\"different\\" level", acr_values="gold silver", max_age="5", DPoP algs="ES256"'
  const stepUp = { scopes: [], acrValues: ['gold', 'silver'], maxAgeSeconds: 5, origin: '' }
  const wants = (text: string, status = 401) => answer(status, {}, { 'www-authenticate': text })

  test('is heard as an event, and its answer is given back (D10)', async () => {
    const { auth, events, refreshes } = await signedIn({ stepUp: byChallenge() }, undefined, wants(header))
    expect((await auth.fetch('/v1')).status).toBe(401)
    expect(events).toEqual([{ type: 'step-up', stepUp }])
    expect(refreshes()).toEqual([])
  })

  test('is asked once more after a stronger sign-in (P4)', async () => {
    let strong = false
    const onStepUp = async () => {
      strong = true
      return true
    }
    const { auth, sent } = await signedIn({ stepUp: byChallenge(onStepUp) }, undefined, () =>
      strong ? new Response('ok') : wants(header)(),
    )
    expect(await (await auth.fetch('/v1', { method: 'POST', body: 'x' })).text()).toBe('ok')
    expect(await sent[1]?.text()).toBe('x')
  })

  test('and goes on wanting is not asked a third time (P4)', async () => {
    const { auth, sent } = await signedIn({ stepUp: byChallenge(() => true) }, undefined, wants(header))
    expect((await auth.fetch('/v1')).status).toBe(401)
    expect(sent).toHaveLength(2)
  })

  test('gets no second request from a page that cannot give more (D8)', async () => {
    const { auth, events, refreshes, sent } = await signedIn({}, undefined, wants(header))
    expect((await auth.fetch('/v1')).status).toBe(401)
    expect([events, refreshes(), sent.length]).toEqual([[], [], 1])
  })

  test('may want scopes, with 403 (D8)', async () => {
    const text = 'Bearer error="insufficient_scope", scope="write-repos jobs"'
    const { auth, events } = await signedIn({ stepUp: byChallenge() }, undefined, wants(text, 403))
    await auth.fetch('/v1')
    expect(events).toEqual([
      {
        type: 'step-up',
        stepUp: { scopes: ['write-repos', 'jobs'], acrValues: [], maxAgeSeconds: undefined, origin: '' },
      },
    ])
  })
})

describe('paths on an origin', () => {
  const api = 'https://api.example.com'

  test.each(['/v1/', '/v1/models', '/v1/a%20b?c=/../#d'])(
    'below the listed one get the token: %s (D2)',
    async (path) => {
      const { auth, sent } = await signedIn({ apiOrigins: [`${api}/v1/`] })
      await auth.fetch(api + path)
      expect(sent).toHaveLength(1)
    },
  )

  test.each([
    '/',
    '/v1',
    '/v10/',
    '/v1/../v2',
    '/v1/%2e%2e/v2',
    '/v1/..%2fv2',
    '/v1/a%5c..%5cb',
    '/V1/x',
    '//v1/x',
  ])('beside it do not: %s (D2)', async (path) => {
    const { auth, sent } = await signedIn({ apiOrigins: [`${api}/v1/`] })
    await refusalOf(auth.fetch(api + path), 'HFAUTH_ORIGIN_REFUSED')
    expect(sent).toEqual([])
  })
})
