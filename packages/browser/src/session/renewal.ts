/**
 * Renewal: keeps a sign-in fresh while somebody looks at the page.
 *
 * vault, session state → **renewal** → guarded fetch. Decides when; the vault knows how. A failure that will pass
 * never ends anything: the token goes on being used while it lives, and the next try comes later each time.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { Settings } from '../options.ts'
import { ProviderUnavailableError } from '../provider/network.ts'
import type { Provider } from '../provider/oauth.ts'
import { canRefresh, type Holding, signedOut } from '../vault/grant.ts'
import type { Vault } from '../vault/vault.ts'
import { longestTimerMs, type SessionState } from './session-state.ts'

/** A way to fresh tokens besides the refresh token: `byFrame()`, `byBackend()`. */
export interface RenewalWay {
  readonly name: 'frame' | 'backend'
  /** Whether it may sign somebody in when the page starts. */
  readonly atStart?: boolean
  /** Whether the page is one that this way has opened itself: what it holds is then handed over, and no script goes on. */
  handsOver?(settings: Settings): boolean
  /** @returns False when it cannot work here and now, which is no error. */
  renew(tools: RenewalTools): Promise<boolean>
}

/** What a way may use. None of it gives a token away. */
export interface RenewalTools {
  readonly settings: Settings
  readonly provider: Provider
  readonly vault: Pick<Vault, 'redeem' | 'accept' | 'renew'>
  readonly state: SessionState
}

export interface Renewal {
  /**
   * Renews what is not newer than version `than`, now.
   *
   * @throws HfAuthError as `vault.renew`; `retryable` leaves the session as it is.
   */
  renew(than: number): Promise<void>
  /** Those that have not failed for the sign-in of this moment. */
  ways(): readonly RenewalWay[]
  /** Whether something can renew this. */
  canRenew(holding: Holding): boolean
  /** Asks those who may sign somebody in when the page starts. What goes wrong leaves the page signed out. */
  restore(): Promise<void>
  /** Starts watching the clock and the page. */
  start(): void
}

/** How long before its end a token is renewed at the latest: five minutes, less for a short life. */
const latestMs = 300_000
const firstRetryMs = 2_000
const longestRetryMs = 300_000

export function createRenewal(all: readonly RenewalWay[], tools: RenewalTools): Renewal {
  const { settings, state, vault } = tools
  const { now, page, renewHidden } = settings
  let started = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let due: { readonly version: number; readonly at: number } | undefined
  let failures = 0
  let inTurn: Promise<void> | undefined

  const offline = () => page()?.navigator?.onLine === false
  const hidden = () => page()?.document?.visibilityState === 'hidden' && !renewHidden

  const failed = new Map<RenewalWay, string>()
  const usable = (holding = state.holding) => all.filter((way) => failed.get(way) !== holding?.id)
  const canRenew = (holding: Holding) => canRefresh(holding, now()) || usable(holding).length > 0

  async function renew(than: number): Promise<void> {
    if (offline()) throw new ProviderUnavailableError('the browser is offline', true)
    const { holding } = state
    if (holding === undefined || canRefresh(holding, now())) {
      try {
        await vault.renew(than)
        return
      } catch (error) {
        if ((error as HfAuthError).code !== 'HFAUTH_RENEWAL_LOST' || usable().length === 0) throw error
      }
    }
    inTurn ??= renewInTurn(holding).finally(() => {
      inTurn = undefined
    })
    await inTurn
  }

  async function renewInTurn(holding: Holding | undefined): Promise<void> {
    for (const way of holding ? usable() : []) {
      if (await way.renew(tools)) return
      // It will not work a second time either; the next sign-in may be another case.
      failed.set(way, holding?.id ?? '')
    }
    state.snapshot()
    throw signedOut('nothing here can renew the sign-in')
  }

  /** Early by one to two margins, so that tabs and people do not all ask at once. */
  function dueAt({ expiresAt, lifetimeMs }: Holding): number {
    return expiresAt - Math.min(latestMs, lifetimeMs / 6) * (1 + random())
  }

  function plan(): void {
    clearTimeout(timer)
    const { holding } = state
    if (!started || holding === undefined || !canRenew(holding)) return
    if (due?.version !== holding.version) {
      due = { version: holding.version, at: dueAt(holding) }
      failures = 0
    }
    if (offline() || hidden()) return
    timer = setTimeout(() => void attempt(), Math.min(Math.max(due.at - now(), 0), longestTimerMs))
  }

  async function attempt(): Promise<void> {
    const { holding } = state
    if (holding === undefined || due === undefined) return
    // The timer may be early, or the page hidden since.
    if (now() < due.at || offline() || hidden()) return plan()
    try {
      await renew(holding.version)
    } catch (error) {
      failures += 1
      const wait = Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs) * (0.5 + random() / 2)
      const asked = error instanceof ProviderUnavailableError ? error.retryAfterMs : 0
      due = { version: holding.version, at: now() + Math.max(wait, asked) }
      const again = state.holding?.version === holding.version && canRenew(holding)
      if (error instanceof HfAuthError) {
        state.emit({ type: 'renewal-failed', error, retryAt: again ? due.at : undefined })
      }
    }
    plan()
  }

  /** Timers stand still while a computer sleeps: the clock is read again whenever something stirs. */
  function stir({ type }: { readonly type: string }): void {
    if (type === 'online' && due && failures > 0) due = { ...due, at: now() }
    state.snapshot()
    plan()
  }

  return {
    renew,
    ways: () => usable(),
    canRenew,
    async restore() {
      for (const way of all) {
        if (way.atStart && state.holding === undefined) await way.renew(tools).catch(() => false)
      }
    },
    start() {
      if (started) return
      started = true
      state.subscribe(plan)
      const from = page()
      for (const type of ['online', 'offline', 'focus', 'pageshow']) from?.addEventListener?.(type, stir)
      for (const type of ['visibilitychange', 'resume']) from?.document?.addEventListener?.(type, stir)
      plan()
    },
  }
}

function random(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32
}
