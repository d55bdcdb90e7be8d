/**
 * Leases: how long a request may go on for whoever sent it.
 *
 * decide → **lease** → forward, answer. A credential is checked when a request begins; a stream lives longer.
 * So each one that is under way holds a lease, which ends when the credential expires, when it is revoked, and
 * when the session it belongs to is over.
 *
 * @module
 */
import type { Caller } from '../guard/types.ts'
import type { SessionReader } from '../session/types.ts'
import { type IssuerNamed, identitiesOf } from '../verify/revocable.ts'
import type { Revocations } from '../verify/types.ts'
import { ProxyRefusal } from './proxy-refusal.ts'
import type { Stop } from './stop.ts'

export interface LeasesOptions {
  readonly revocations?: Revocations | undefined
  readonly sessions?: SessionReader | undefined
  readonly atExpiry: 'cut' | 'finish'
  readonly issuerNamed: IssuerNamed
  /** Most requests of one caller at a time. */
  readonly perCaller: number
  readonly now: () => number
}

export type LeaseEnd = 'token_expired' | 'revoked'

export function isLeaseEnd(reason: string | undefined): reason is LeaseEnd {
  return reason === 'token_expired' || reason === 'revoked'
}

export interface Lease {
  /** Gives it back. Must be called once, whatever came of the request. */
  release(): void
}

export interface Leases {
  /**
   * @param headers - Of the request, where a session is found again.
   * @param stop - Of the request; stopped with a {@link LeaseEnd} when the lease ends before the request does.
   * @throws ProxyRefusal 429 `too_many_requests`.
   */
  take(caller: Caller, headers: Pick<Headers, 'get'>, stop: Stop): Lease
}

/** How often a session is looked for, in milliseconds: nobody tells when one is over. */
const sessionEveryMs = 1_000
/** Longest that a timer can wait, in milliseconds. */
const maxTimerMs = 2_147_483_647

interface Holder {
  readonly caller: Caller
  readonly headers: Pick<Headers, 'get'>
  end(reason: LeaseEnd): void
}

export function createLeases({
  revocations,
  issuerNamed,
  sessions,
  atExpiry,
  perCaller,
  now,
}: LeasesOptions): Leases {
  const holders = new Set<Holder>()
  const counts = new Map<string, number>()

  revocations?.subscribe(() => {
    for (const holder of holders) if (isRevoked(holder.caller)) holder.end('revoked')
  })

  function isRevoked({ presented }: Caller): boolean {
    if (presented === undefined || revocations === undefined) return false
    const { issuer, principal, fingerprint } = presented.credential
    try {
      return identitiesOf({ issuer, claims: principal.claims }, principal, fingerprint, issuerNamed).some(
        (identity) => revocations.isRevoked(identity),
      )
    } catch {
      // Nobody knows: then it goes no further.
      return true
    }
  }

  function count(caller: Caller, change: number): void {
    const { id } = caller.principal
    const held = (counts.get(id) ?? 0) + change
    if (held > perCaller) throw new ProxyRefusal('too_many_requests')
    if (held === 0) counts.delete(id)
    else counts.set(id, held)
  }

  return {
    take(caller, headers, stop) {
      count(caller, 1)
      const timers: NodeJS.Timeout[] = []
      const release = () => {
        if (!holders.delete(holder)) return
        count(caller, -1)
        for (const timer of timers) clearTimeout(timer)
      }
      const holder: Holder = {
        caller,
        headers,
        end(reason) {
          release()
          stop.stop(reason)
        },
      }
      holders.add(holder)
      const endsAt = endOf(caller)
      if (endsAt !== undefined && (atExpiry === 'cut' || caller.session !== undefined)) {
        const waitMs = Math.min(Math.max(endsAt - now(), 0), maxTimerMs)
        timers.push(setTimeout(() => holder.end('token_expired'), waitMs))
      }
      if (caller.session !== undefined && sessions !== undefined) {
        timers.push(setInterval(() => void look(sessions, holder), sessionEveryMs))
      }
      return { release }
    },
  }
}

/** Epoch milliseconds. */
function endOf({ presented, session }: Caller): number | undefined {
  if (session !== undefined) return session.endsAt
  const expiresAt = presented?.credential.expiresAt
  return expiresAt === undefined ? undefined : expiresAt * 1000
}

async function look(sessions: SessionReader, { headers, end }: Holder): Promise<void> {
  try {
    if ((await sessions.identify({ method: 'GET', headers })) === undefined) end('revoked')
  } catch {
    // The store is away: what was known stands until the session's own end.
  }
}
