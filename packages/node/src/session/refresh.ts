/**
 * Refresh: asks the provider again, on the server, with each refresh token once.
 *
 * lease → **refresh** → keeper. Only the provider's own word ends a session; while it fails for any other
 * reason, what is known goes on serving, and it is left alone for a while.
 *
 * @see RFC 6749 §6; RFC 9700 §4.14 (rotation)
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { type IdentityReader, renewedIdentity, tokensOf } from './identity.ts'
import type { Kept, SessionKeeper } from './keeper.ts'
import { busy, type Leases } from './lease.ts'
import type { TokenAnswer } from './oauth.ts'
import type { Settings } from './options.ts'
import type { SessionRecord } from './record.ts'

export interface RefreshOptions {
  readonly keeper: SessionKeeper
  readonly leases: Leases
  readonly settings: Pick<Settings, 'now' | 'refreshMs'>
  readerOf(alias: string): IdentityReader | undefined
  onRefreshed(kept: Kept): Promise<void>
  /** The provider has ended the session; it is gone from the store when this is called. */
  onEnded(kept: Kept, error: unknown): Promise<void>
}

export interface Refresher {
  /** The session, asked for anew at the provider if that is due. `undefined` when the provider has ended it. */
  fresh(kept: Kept): Promise<Kept | undefined>
  /**
   * The session with an access token that lasts at least `leastMs`, or as long as there is one.
   *
   * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when it has expired and there is no other for now.
   */
  withAccess(kept: Kept, leastMs: number): Promise<Kept | undefined>
}

/** After a failure that may pass, the provider is left alone for so long, in milliseconds. */
const pauseMs = 30_000

export function createRefresher(options: RefreshOptions): Refresher {
  const { keeper, leases, readerOf, onRefreshed, onEnded } = options
  const { now, refreshMs } = options.settings
  const pause = () => ({ pausedUntil: now() + pauseMs })
  const canRefresh = ({ tokens, pausedUntil = 0 }: SessionRecord) =>
    tokens?.refresh !== undefined && pausedUntil <= now()

  async function refresh(kept: Kept): Promise<Kept | undefined> {
    const { record } = kept
    const reader = readerOf(record.alias)
    const refreshToken = record.tokens?.refresh
    if (reader === undefined || refreshToken === undefined) return kept
    const mine = await leases.take(kept)
    // Somebody else was quicker: whatever they have made of it counts.
    if (mine === undefined) return keeper.again(kept)
    if (!leases.lasts(mine)) return leases.release(mine, {})

    let answer: TokenAnswer
    try {
      answer = await reader.oauth.refresh(refreshToken)
    } catch (error) {
      return isFinal(error) ? end(mine, error) : leases.release(mine, pause())
    }
    const tokens = tokensOf(answer, record.tokens)
    let identity: Partial<SessionRecord>
    try {
      identity = { ...(await renewedIdentity(answer, record, reader)), checkedAt: now() }
    } catch (error) {
      // Tokens that fail a check are not for this session, and its own are used up.
      if (!(error instanceof HfAuthError) || !error.retryable) return end(mine, error)
      return leases.release(mine, { tokens, ...pause() })
    }
    const done = await leases.release(mine, { tokens, ...identity })
    if (done !== undefined) await onRefreshed(done)
    // Signed out meanwhile: then nobody needs what has just been given.
    else await reader.oauth.revoke(tokens).catch(() => {})
    return done
  }

  async function end(mine: Kept, error: unknown): Promise<Kept | undefined> {
    if (!(await leases.end(mine))) return keeper.again(mine)
    await onEnded(mine, error)
    return undefined
  }

  return {
    async fresh(kept) {
      const due = canRefresh(kept.record) && now() - kept.record.checkedAt >= refreshMs
      // While another refreshes, what is known serves.
      return due && !leases.isHeld(kept.record) ? refresh(kept) : kept
    },

    async withAccess(kept, leastMs) {
      const left = ({ record }: Kept) => (record.tokens?.accessUntil ?? 0) - now()
      const before = left(kept) >= leastMs ? kept : await leases.settled(kept)
      if (before === undefined || left(before) >= leastMs || before.record.tokens?.refresh === undefined) {
        return before
      }
      const refreshed = canRefresh(before.record) ? await refresh(before) : before
      const after = refreshed && (await leases.settled(refreshed))
      if (after === undefined || left(after) > 0) return after
      throw busy()
    },
  }
}

/** Everything else may pass. */
function isFinal(error: unknown): boolean {
  return error instanceof HfAuthError && error.code === 'HFAUTH_SIGNED_OUT'
}
