/**
 * Vault: the one thing that knows tokens.
 *
 * grant, marks, tabs, provider → **vault** → session. It turns codes into tokens, puts the access token on requests
 * to listed origins, renews and forgets. Runs in a page or in a worker; what leaves it is a `Holding`.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { Settings } from '../options.ts'
import type { Surroundings } from '../page.ts'
import { ProviderUnavailableError } from '../provider/network.ts'
import type { ExpectedAnswer, Provider, Tokens } from '../provider/oauth.ts'
import { SignInRefusedError } from '../provider/refusal.ts'
import type { TokenStore } from '../token-store.ts'
import { assertAllowed } from './allow-list.ts'
import { canRefresh, type Grant, type Holding, publicPart, readGrant, toGrant } from './grant.ts'
import { createMarks } from './marks.ts'
import { createTabs, type TabMessage } from './tabs.ts'

/** Who made a change: this tab, another one, the provider, or nothing but time. */
export type ChangedBy = 'this-tab' | 'other-tab' | 'provider' | 'time'

export interface VaultChange {
  readonly type: 'signed-in' | 'renewed' | 'renewal-lost' | 'signed-out'
  readonly by: ChangedBy
  readonly holding: Holding | undefined
}

export interface Expected extends ExpectedAnswer {
  /** As asked for. */
  readonly scope: string
  /** Id of the sign-in that this renews: then it has to be the same person's. */
  readonly renews?: string
}

export interface Vault {
  /** Looks for a sign-in in the store and, when they share, in the other tabs. */
  restore(): Promise<void>
  /** Judges an answer and keeps its tokens. @throws HfAuthError every sign-in code, `HFAUTH_SIGNED_OUT`. */
  redeem(answer: URLSearchParams, expected: Expected): Promise<Holding>
  /** Keeps what the application's own server gave. @throws HfAuthError `HFAUTH_SIGNIN_INVALID`, `HFAUTH_SIGNED_OUT`. */
  accept(tokens: Tokens): Promise<Holding>
  /**
   * Renews what is not newer than version `than`; callers at the same time share one grant.
   *
   * @throws HfAuthError `HFAUTH_SIGNED_OUT`, `HFAUTH_ISSUER_UNAVAILABLE`, `HFAUTH_SIGNIN_REFUSED`, or
   *   `HFAUTH_RENEWAL_LOST` when the refresh token may be used up and its answer did not come.
   */
  renew(than: number): Promise<Holding>
  /** @throws HfAuthError `HFAUTH_ORIGIN_REFUSED`, `HFAUTH_SIGNED_OUT`; and what `fetch` throws. */
  send(request: Request): Promise<Response>
  /** Forgets at once; tells the other tabs unless only time has passed; then revokes where that is offered. */
  end(by: 'this-tab' | 'time'): Promise<void>
  /**
   * Looks whether others signed out while this page was asleep, and ends the session then.
   *
   * @param missed - It may have missed messages: where the browser keeps no marks, nobody is signed in any more.
   */
  check(missed: boolean): Promise<void>
  /** Address that ends the session at the provider; `undefined` where there is none. */
  logoutUrl(returnTo: string | undefined): Promise<string | undefined>
  sharing(): Promise<boolean>
  /** Before the page may be put aside. `check` takes it up again. */
  rest(): void
}

export interface VaultParts {
  readonly settings: Settings
  readonly provider: Provider
  readonly surroundings: () => Surroundings
  readonly home: () => string | undefined
  readonly onChange: (change: VaultChange) => void
}

/** How long another tab may take to tell what it has. */
const answerMs = 2_000

export function createVault({ settings, provider, surroundings, home, onChange }: VaultParts): Vault {
  const { issuer, clientId, now, requestTimeoutMs, shareTabs, tokenStore: store } = settings
  const name = `hfauth.1 ${issuer} ${clientId}`
  const marks = createMarks(surroundings, name, now)
  const tabs = createTabs(surroundings, name, hear)
  const waiters = new Set<() => void>()
  let grant: Grant | undefined
  /** Everything up to this version is signed out. */
  let floor = 0
  let turn = 0
  let storing: Promise<unknown> = Promise.resolve()
  let sharing: Promise<boolean> | undefined
  let shares = false
  let renewing: Promise<Holding> | undefined

  const nextVersion = () => Math.max(now(), grant?.version ?? 0, floor) + 1

  function prepare(): Promise<boolean> {
    sharing ??= (async () => {
      tabs.listen()
      shares = shareTabs && tabs.able && (await marks.usable())
      floor = Math.max(floor, await marks.signedOut())
      return shares
    })()
    return sharing
  }

  function persist(): Promise<unknown> {
    const kept = grant
    // One after the other, so that the last change is what stays. A store that fails is a store that forgets.
    storing = storing
      .then(() => (kept ? store?.write(JSON.stringify(kept)) : store?.remove()))
      .catch(() => undefined)
    return storing
  }

  function changed(type: VaultChange['type'], by: ChangedBy): void {
    tabs.setHolding(shares && grant !== undefined)
    for (const wake of [...waiters]) wake()
    onChange({ type, by, holding: grant && publicPart(grant) })
  }

  /** A new refresh token is stored before anybody hears of what came with it. */
  async function keep(next: Grant, type: VaultChange['type'], by: ChangedBy): Promise<void> {
    grant = next
    if (store) await persist()
    if (grant !== next) return
    if (shares && by !== 'other-tab') tabs.post({ type: 'grant', grant: next })
    changed(type, by)
  }

  function drop(by: ChangedBy): Promise<unknown> {
    turn += 1
    grant = undefined
    const done = store ? persist() : Promise.resolve()
    changed('signed-out', by)
    return done
  }

  function hear(message: TabMessage): void {
    if (message.type === 'out') {
      if (!Number.isSafeInteger(message.version)) return
      floor = Math.max(floor, message.version)
      if (grant && grant.version <= floor) void drop('other-tab')
    } else if (!shares) {
      return
    } else if (message.type === 'ask') {
      if (grant) tabs.post({ type: 'grant', grant })
    } else {
      const told = readGrant(message.grant)
      if (told === undefined || told.version <= Math.max(floor, grant?.version ?? 0)) return
      const type = grant?.id !== told.id ? 'signed-in' : isLost(grant, told) ? 'renewal-lost' : 'renewed'
      void keep(told, type, 'other-tab')
    }
  }

  /** Resolves when `grant` is later than `version`, or the time is up. */
  function laterThan(version: number, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        waiters.delete(look)
        resolve()
      }
      const look = () => void (grant?.version !== version && done())
      const timer = setTimeout(done, waitMs)
      waiters.add(look)
    })
  }

  async function restore(): Promise<void> {
    const sharesNow = await prepare()
    if (grant === undefined && store) {
      const found = await readStored(store)
      if (grant === undefined && found && found.version > floor && isOfUse(found)) {
        grant = found
        return changed('signed-in', 'this-tab')
      }
    }
    if (grant === undefined && sharesNow && (await tabs.someoneHolds())) {
      const told = laterThan(0, answerMs)
      tabs.post({ type: 'ask' })
      await told
    }
  }

  const isOfUse = (found: Grant) => now() < found.expiresAt || canRefresh(publicPart(found), now())

  async function redeem(answer: URLSearchParams, expected: Expected): Promise<Holding> {
    const mine = turn
    const [tokens] = await Promise.all([provider.redeem(answer, expected), prepare()])
    return receive(tokens, expected.scope, mine, expected.renews)
  }

  async function accept(tokens: Tokens): Promise<Holding> {
    const mine = turn
    await prepare()
    return receive(tokens, '', mine, grant?.id)
  }

  async function receive(tokens: Tokens, scope: string, since: number, renews?: string): Promise<Holding> {
    if (turn !== since) {
      void forget([tokens.refreshToken, tokens.accessToken])
      throw signedOut('the person signed out before the sign-in was done')
    }
    if (renews !== undefined && (grant?.id !== renews || grant.claims.sub !== tokens.claims.sub)) {
      throw new HfAuthError('HFAUTH_SIGNIN_INVALID', 'the answer belongs to another sign-in')
    }
    const next = toGrant(tokens, scope, nextVersion(), renews ?? crypto.randomUUID())
    await keep(next, renews === undefined ? 'signed-in' : 'renewed', 'this-tab')
    return publicPart(next)
  }

  function renew(than: number): Promise<Holding> {
    if (grant && grant.version > than) return Promise.resolve(publicPart(grant))
    renewing ??= renewOnce().finally(() => {
      renewing = undefined
    })
    return renewing
  }

  async function renewOnce(): Promise<Holding> {
    await prepare()
    const before = grant
    if (before === undefined) throw signedOut('nobody is signed in')
    const later = () => {
      if (grant === undefined) throw signedOut('the person signed out meanwhile')
      if (grant.version > before.version && isLost(before, grant)) throw lost()
      return grant.version > before.version ? grant : undefined
    }
    try {
      // Longer than whoever is first may take: the probe, the grant, and telling the others.
      const waitMs = 2 * requestTimeoutMs + 2 * answerMs
      return publicPart(
        await tabs.exclusively(
          before.claims.sub,
          waitMs,
          async () => later() ?? (await refresh(before, later)),
        ),
      )
    } catch (error) {
      if ((error as DOMException).name !== 'TimeoutError') throw error
      const found = later()
      if (found) return publicPart(found)
      throw new ProviderUnavailableError('another tab has not finished renewing', true)
    }
  }

  /** Inside the lock: nobody else sends this refresh token now, and what was sent is on record. */
  async function refresh(before: Grant, later: () => Grant | undefined): Promise<Grant> {
    const token = before.refreshToken
    if (token === undefined || !canRefresh(publicPart(before), now()))
      throw signedOut('nothing here can renew the sign-in')
    /** Locks and messages keep no common order: what the other tab got may still be on its way. */
    const fromTheOther = async () => {
      const told = laterThan(before.version, answerMs)
      tabs.post({ type: 'ask' })
      await told
      return later() ?? (await lose(before))
    }
    if (await marks.isSpent(token)) return fromTheOther()
    // A network that is not up yet fails here, where nothing is used up.
    await provider.probe()
    const signedOutAt = await marks.signedOut()
    if (signedOutAt >= before.version) {
      floor = Math.max(floor, signedOutAt)
      await drop('other-tab')
    }
    const early = later()
    if (early) return early
    const first = await marks.spend(token)
    if (first === false) return fromTheOther()
    if (first === undefined && shares) {
      throw new ProviderUnavailableError('the browser does not let this page remember what it sent', true)
    }
    let tokens: Tokens
    try {
      tokens = await provider.refresh({ ...before, scope: before.scopes.join(' ') })
    } catch (error) {
      const refused = error instanceof SignInRefusedError
      if (refused && error.reason === 'invalid_grant') {
        if (grant === before) await leave('provider')
      } else if (refused || (error instanceof ProviderUnavailableError && error.answered)) {
        await marks.unspend(token)
      } else {
        await lose(before, error)
      }
      throw error
    }
    if (tokens.refreshToken === token) await marks.unspend(token)
    if (grant !== before) {
      void forget([tokens.refreshToken, tokens.accessToken])
      return later() ?? before
    }
    const next = toGrant(tokens, before.scopes.join(' '), nextVersion(), before.id)
    await keep(next, 'renewed', 'this-tab')
    return next
  }

  /** Never sent a second time: a provider may take that for theft and end everything. */
  async function lose(before: Grant, error?: unknown): Promise<never> {
    if (grant === before) {
      // The lowest that is later: should another tab's answer come after all, it counts for more.
      const version = before.version + 1
      await keep({ ...before, refreshToken: undefined, version }, 'renewal-lost', 'this-tab')
    }
    if (error !== undefined && !(error instanceof ProviderUnavailableError)) throw error
    throw lost()
  }

  async function leave(by: ChangedBy): Promise<void> {
    floor = nextVersion()
    const done = drop(by)
    tabs.post({ type: 'out', version: floor })
    await Promise.all([done, marks.setSignedOut(floor)])
  }

  async function forget(tokens: readonly (string | undefined)[]): Promise<void> {
    for (const token of tokens) if (token !== undefined) await provider.revoke(token).catch(() => undefined)
  }

  return {
    restore,
    redeem,
    accept,
    renew,
    async send(request) {
      assertAllowed(settings, request.url, home())
      if (grant === undefined || now() >= grant.expiresAt) {
        throw signedOut('nobody is signed in, or no longer')
      }
      request.headers.set('authorization', `Bearer ${grant.accessToken}`)
      return settings.fetch(request)
    },
    async end(by) {
      const { refreshToken, accessToken } = grant ?? {}
      if (by === 'time') return void (await drop(by))
      await leave(by)
      await forget([refreshToken, accessToken])
    },
    async check(missed) {
      tabs.listen()
      tabs.setHolding(shares && grant !== undefined)
      if (grant === undefined) return
      floor = Math.max(floor, await marks.signedOut())
      if (grant && (grant.version <= floor || (missed && !(await marks.usable())))) await drop('other-tab')
      else if (shares) tabs.post({ type: 'ask' })
    },
    async logoutUrl(returnTo) {
      const hint = grant?.idToken
      const { end_session_endpoint: endpoint } = await provider.metadata()
      if (endpoint === undefined) return undefined
      const url = new URL(endpoint)
      url.searchParams.set('client_id', clientId)
      if (hint) url.searchParams.set('id_token_hint', hint)
      if (returnTo) url.searchParams.set('post_logout_redirect_uri', returnTo)
      return url.href
    },
    sharing: prepare,
    rest: () => tabs.rest(),
  }
}

async function readStored(store: TokenStore): Promise<Grant | undefined> {
  try {
    return readGrant(JSON.parse((await store.read()) ?? 'null'))
  } catch {
    return undefined
  }
}

function signedOut(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNED_OUT', why)
}

/** The same access token, and no longer a refresh token. */
function isLost(before: Grant, after: Grant): boolean {
  return after.refreshToken === undefined && after.accessToken === before.accessToken
}

function lost(): HfAuthError {
  return new HfAuthError(
    'HFAUTH_RENEWAL_LOST',
    'the answer of a renewal did not arrive; whether its refresh token is used up is unknown',
  )
}
