/**
 * Refresh: asks the provider again, on the server, with each refresh token exactly once.
 *
 * keeper → **refresh** → keeper. The lock is a lease inside the record, taken and given back by replacing
 * exactly what was read. So of all replicas one uses the token; a holder that slept through its lease can
 * neither use the token nor write over what came after; and a session that was ended meanwhile stays ended.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { HfAuthError } from '@hfauth/core'
import { type IdentityReader, renewedIdentity, tokensOf } from './identity.ts'
import type { Kept, SessionKeeper } from './keeper.ts'
import type { TokenAnswer } from './oauth.ts'
import type { Settings } from './options.ts'
import type { Lease, SessionRecord } from './record.ts'

export interface RefreshOptions {
  readonly keeper: SessionKeeper
  readonly settings: Settings
  readerOf(alias: string): IdentityReader | undefined
  onRefreshed(kept: Kept): Promise<void>
  /** The provider has ended the session; it is gone from the store when this is called. */
  onEnded(kept: Kept, error: unknown): Promise<void>
}

export interface Refresher {
  /** The session, asked for anew at the provider if that is due. `undefined` when the provider has ended it. */
  fresh(kept: Kept): Promise<Kept | undefined>
  /**
   * The session with an access token that lasts at least `leastMs`.
   *
   * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when there is none for now.
   */
  withAccess(kept: Kept, leastMs: number): Promise<Kept | undefined>
  /** The session once nobody is refreshing it. @throws HfAuthError as above. */
  settled(kept: Kept): Promise<Kept | undefined>
}

/** After a failure that may pass, the provider is left alone for so long. */
const pauseMs = 30_000
const pollMs = 25
const storeTries = 5

export function createRefresher({
  keeper,
  settings,
  readerOf,
  onRefreshed,
  onEnded,
}: RefreshOptions): Refresher {
  const { now, refreshMs, timeoutMs, randomId } = settings
  // Discovery, token endpoint, keys and userinfo at their slowest, and clocks that differ.
  const leaseMs = 4 * timeoutMs + 5000
  const waitMs = 2 * timeoutMs

  const isLeased = ({ lease }: SessionRecord) => lease !== undefined && Math.abs(now() - lease.at) < leaseMs
  const isRefreshable = ({ tokens, pausedUntil = 0 }: SessionRecord) =>
    tokens?.refresh !== undefined && pausedUntil <= now()

  async function refresh(kept: Kept): Promise<Kept | undefined> {
    const { record } = kept
    const reader = readerOf(record.alias)
    const refreshToken = record.tokens?.refresh
    if (reader === undefined || refreshToken === undefined) return kept
    const lease: Lease = { id: randomId(), at: now() }
    const mine = await keeper.change(kept, { ...record, lease })
    // Somebody else was quicker: whatever they have made of it counts.
    if (mine === undefined) return keeper.again(kept)
    if (!isLeased(mine.record)) return mine

    let answer: TokenAnswer
    try {
      answer = await reader.oauth.refresh(refreshToken)
    } catch (error) {
      return isFinal(error) ? ended(mine, error) : release(mine, lease, pause())
    }
    const tokens = { tokens: tokensOf(answer, record.tokens) }
    try {
      const identity = await renewedIdentity(answer, record, reader)
      const done = await release(mine, lease, { ...tokens, ...identity, checkedAt: now() })
      if (done !== undefined) await onRefreshed(done)
      else await reader.oauth.revoke(tokens.tokens.refresh ?? tokens.tokens.access)
      return done
    } catch (error) {
      // Tokens that fail a check are not for this session, and its own are used up.
      if (!(error instanceof HfAuthError) || !error.retryable) return ended(mine, error)
      if (error.code === 'HFAUTH_STORE_UNAVAILABLE') throw error
      return release(mine, lease, { ...tokens, ...pause() })
    }
  }

  async function ended(mine: Kept, error: unknown): Promise<undefined> {
    await keeper.end(mine)
    await onEnded(mine, error)
  }

  const pause = () => ({ pausedUntil: now() + pauseMs })

  /**
   * Gives the lease back with what has changed, or gives what has come in the place of the session meanwhile;
   * `undefined` when it has ended. A store that fails is tried again: the tokens exist nowhere else.
   */
  async function release(
    mine: Kept,
    lease: Lease,
    change: Partial<SessionRecord>,
  ): Promise<Kept | undefined> {
    let current: Kept | undefined = mine
    let tries = 0
    while (current !== undefined && current.record.lease?.id === lease.id) {
      const { lease: _, pausedUntil: __, ...record } = current.record
      try {
        const changed = await keeper.change(current, { ...record, ...change })
        if (changed !== undefined) return changed
        current = await keeper.again(current)
      } catch (error) {
        tries += 1
        if (tries === storeTries) throw error
        await sleep(pollMs * tries)
      }
    }
    return current
  }

  async function settled(kept: Kept): Promise<Kept | undefined> {
    let current: Kept | undefined = kept
    for (let waited = 0; current !== undefined && isLeased(current.record); waited += pollMs) {
      if (waited >= waitMs) throw busy()
      await sleep(pollMs)
      current = await keeper.again(current)
    }
    return current
  }

  return {
    settled,
    async fresh(kept) {
      const due = isRefreshable(kept.record) && now() - kept.record.checkedAt >= refreshMs
      // While another refreshes, what is known serves.
      return due && !isLeased(kept.record) ? refresh(kept) : kept
    },
    async withAccess(kept, leastMs) {
      const lasts = ({ record }: Kept) => (record.tokens?.accessUntil ?? 0) - now() >= leastMs
      const before = lasts(kept) ? kept : await settled(kept)
      if (before === undefined || lasts(before) || before.record.tokens?.refresh === undefined) return before
      const refreshed = isRefreshable(before.record) ? await refresh(before) : before
      const after = refreshed === undefined ? undefined : await settled(refreshed)
      if (after === undefined || lasts(after) || (after.record.tokens?.accessUntil ?? 0) > now()) return after
      throw busy()
    },
  }
}

/** Only this says that the session is over; everything else may pass. */
function isFinal(error: unknown): boolean {
  return error instanceof HfAuthError && error.code === 'HFAUTH_SIGNED_OUT'
}

function busy(): HfAuthError {
  return new HfAuthError('HFAUTH_ISSUER_UNAVAILABLE', 'the session cannot be renewed at the moment', {
    retryable: true,
  })
}
