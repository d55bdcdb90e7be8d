/**
 * Lease: for a while, one replica alone may renew a session or give it another id.
 *
 * keeper → **lease** → refresh. It stands in the record itself and is taken and given back by replacing exactly
 * what was read. So there is no second key that could expire by itself or survive; a holder that slept through its
 * lease cannot write over what came after; and a session that was ended meanwhile stays ended.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { HfAuthError } from '@hfauth/core'
import type { Kept, SessionKeeper } from './keeper.ts'
import type { Settings } from './options.ts'
import type { SessionRecord } from './record.ts'

export interface Leases {
  isHeld(record: SessionRecord): boolean
  /** The session with a lease of ours; `undefined` when somebody else has changed or ended it first. */
  take(kept: Kept): Promise<Kept | undefined>
  /** Whether a lease of ours still lasts long enough for one request to the provider. */
  lasts(mine: Kept): boolean
  /**
   * Gives a lease back with what has changed, or gives what has come in the place of the session meanwhile;
   * `undefined` when it has ended. A store that fails is tried again: what has changed exists nowhere else.
   */
  release(mine: Kept, change: Partial<SessionRecord>): Promise<Kept | undefined>
  /** Ends the session. False when another has taken the lease over, or has ended it already. */
  end(mine: Kept): Promise<boolean>
  /**
   * The session once nobody holds it, waited for within bounds.
   *
   * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable).
   */
  settled(kept: Kept): Promise<Kept | undefined>
}

/** A lease that ends later than this was written by a clock that is wrong. */
const longestMs = 600_000
const pollMs = 25
const storeTries = 5

export function createLeases(keeper: SessionKeeper, { now, timeoutMs, randomId }: Settings): Leases {
  // Discovery, token endpoint, keys and userinfo at their slowest, and clocks that differ.
  const leaseMs = 4 * timeoutMs + 5000
  const waitMs = 2 * timeoutMs

  const isHeld = ({ lease }: SessionRecord) =>
    lease !== undefined && now() < lease.until && lease.until - now() < longestMs
  const isOurs = (current: Kept | undefined, mine: Kept): current is Kept =>
    current?.record.lease !== undefined && current.record.lease.id === mine.record.lease?.id

  return {
    isHeld,
    take: (kept) =>
      keeper.change(kept, { ...kept.record, lease: { id: randomId(), until: now() + leaseMs } }),
    lasts: ({ record }) => (record.lease?.until ?? 0) - now() >= 2 * timeoutMs,

    async release(mine, change) {
      let current: Kept | undefined = mine
      let tries = 0
      while (isOurs(current, mine)) {
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
    },

    async end(mine) {
      const current = await keeper.again(mine)
      return isOurs(current, mine) && keeper.end(current)
    },

    async settled(kept) {
      let current: Kept | undefined = kept
      for (let waited = 0; current !== undefined && isHeld(current.record); waited += pollMs) {
        if (waited >= waitMs) throw busy()
        await sleep(pollMs)
        current = await keeper.again(current)
      }
      return current
    },
  }
}

export function busy(): HfAuthError {
  return new HfAuthError('HFAUTH_ISSUER_UNAVAILABLE', 'the session cannot be renewed at the moment', {
    retryable: true,
  })
}
