/**
 * Revocations: the one set of what has been taken back, asked on every request.
 *
 * doors, other replicas → **revocations** → verify, session. Asking is a lookup in memory; what others
 * revoke comes through a feed that is read from where the last reading ended, so that nothing is missed.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { numberOption } from '../internal/number-option.ts'
import { RevocationEntries } from './entries.ts'
import { followFeed } from './follow-feed.ts'
import { readRevocation } from './read-revocation.ts'
import type { Revocation, RevocationFeed, RevocationRecord, RevocationSet, RevocationState } from './types.ts'
import { unrecorded } from './unrecorded.ts'

export interface RevocationsOptions {
  /** Shared by all replicas; without one the set is this process's own. */
  readonly feed?: RevocationFeed
  /**
   * How long an entry counts, in seconds, up to 400 days: at least as long as any credential or session
   * lives. Default 7 days.
   */
  readonly lifeSeconds?: number
  /** Most entries; beyond, the oldest are widened to all that their issuer had issued by then. Default 100,000. */
  readonly maxEntries?: number
  /**
   * How far an issuer's clock may be ahead of this one, in seconds: added where nobody says up to which
   * time of issue a subject or an issuer is revoked. Default 30.
   */
  readonly clockToleranceSeconds?: number
  /** How often the feed is read, in milliseconds. Default 200. */
  readonly readEveryMs?: number
  /** How long the feed may be silent before what it knows counts as out of date, in milliseconds. Default 10,000. */
  readonly maxSilenceMs?: number
  /**
   * What happens then. `refuse`: every question ends in `HFAUTH_REVOCATION_UNAVAILABLE`. `continue`: what
   * is known stays revoked, and what others revoke meanwhile is not noticed. Default `refuse`.
   */
  readonly onUnavailable?: 'refuse' | 'continue'
  /** Hears of every change of the state's name. */
  readonly onState?: (state: RevocationState) => void
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** How often old entries are looked for, in milliseconds. */
const expireEveryMs = 60_000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is out of its range. */
export function createRevocations(options: RevocationsOptions = {}): RevocationSet {
  const { feed, now = Date.now, onUnavailable = 'refuse', onState } = options
  const lifeSeconds = numberOption('lifeSeconds', options.lifeSeconds ?? 7 * 86_400, {
    min: 60,
    max: 400 * 86_400,
  })
  const maxEntries = numberOption('maxEntries', options.maxEntries ?? 100_000, { min: 10 })
  const toleranceSeconds = numberOption('clockToleranceSeconds', options.clockToleranceSeconds ?? 30, {
    max: 300,
  })
  const readEveryMs = numberOption('readEveryMs', options.readEveryMs ?? 200, { min: 10 })
  const maxSilenceMs = numberOption('maxSilenceMs', options.maxSilenceMs ?? 10_000, { min: readEveryMs })

  // The verifier forgives clocks that differ, so a credential may live a little longer than it says.
  const entries = new RevocationEntries({ maxEntries, lifeMs: (lifeSeconds + 300) * 1000 })
  const listeners = new Set<() => void>()
  const startedAt = now()
  let expiredAt = startedAt
  let told: RevocationState['name'] | undefined

  const follower =
    feed === undefined
      ? undefined
      : followFeed(feed, {
          now,
          everyMs: readEveryMs,
          known: () => entries.list(),
          onRecords: take,
          onAttempt() {
            expire()
            announceState()
          },
        })

  function take(records: readonly RevocationRecord[]): void {
    let changed = false
    for (const record of records) changed = entries.add(record) || changed
    if (changed) announce()
  }

  function announce(): void {
    for (const listener of listeners) {
      try {
        listener()
      } catch {
        // A listener's fault must not keep a revocation from the others.
      }
    }
  }

  function state(): RevocationState {
    const shared = { unshared: follower?.unshared() ?? 0, widened: entries.widened }
    const readAt = follower?.readAt()
    return { name: stateName(), ...(readAt === undefined ? {} : { readAt }), ...shared }
  }

  function stateName(): RevocationState['name'] {
    if (follower === undefined) return 'current'
    const readAt = follower.readAt()
    if (readAt === undefined) return 'starting'
    // A clock that was set back makes the age unknown, which is no reason to believe it small.
    return Math.abs(now() - readAt) <= maxSilenceMs ? 'current' : 'stale'
  }

  function announceState(): void {
    const current = state()
    if (current.name === told) return
    told = current.name
    try {
      onState?.(current)
    } catch {
      // As above.
    }
  }

  function expire(): void {
    const at = now()
    if (at - expiredAt < expireEveryMs) return
    expiredAt = at
    entries.expire(at)
  }

  return {
    isRevoked(identity) {
      if (onUnavailable === 'refuse' && stateName() !== 'current') {
        // What is known to be revoked is refused for good, and not with a word that it may be tried again.
        if (entries.has(identity)) return true
        announceState()
        throw unavailable('what others have revoked is not known')
      }
      return entries.has(identity)
    },

    async [unrecorded](value) {
      const revokedAt = now()
      const before = Math.floor(revokedAt / 1000) + toleranceSeconds
      const record = { revocation: withDefault(readRevocation(value), before), revokedAt }
      expire()
      take([record])
      try {
        await follower?.append(record)
      } catch {
        throw unavailable('it is in force here, and the others are told as soon as they can be reached')
      }
    },

    list() {
      entries.expire(now())
      return entries.list()
    },

    subscribe(listener) {
      const own = () => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },

    state,
    ready: async () => void (await follower?.ready),
    close: () => follower?.close(),
  }
}

function withDefault(revocation: Revocation, before: number): Revocation {
  if (revocation.by === 'token' || revocation.by === 'fingerprint' || revocation.before !== undefined) {
    return revocation
  }
  return { ...revocation, before }
}

function unavailable(reason: string): HfAuthError {
  return new HfAuthError(
    'HFAUTH_REVOCATION_UNAVAILABLE',
    `revocations are not shared at the moment: ${reason}`,
    {
      retryable: true,
    },
  )
}
