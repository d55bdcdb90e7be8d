/**
 * Leases: how long a request may go on for whoever sent it.
 *
 * decide → **lease** → forward, answer. A credential is checked when a request begins; a stream lives longer.
 * So each one that is under way holds a lease, which ends when the credential expires, when it is revoked,
 * when the session it belongs to is over, and when another policy comes that does not allow what it is for.
 *
 * @module
 */
import type { AuditHttp } from '@hfauth/core'
import type { Caller } from '../../guard/types.ts'
import { Bag, type Placed } from '../../internal/bag.ts'
import type { SessionReader } from '../../session/types.ts'
import { type IssuerNamed, identitiesOf } from '../../verify/revocable.ts'
import type { Revocations } from '../../verify/types.ts'
import type { AskedQuestion } from '../bodies/body-question.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import type { Stop } from '../wire/stop.ts'

export interface LeasesOptions {
  readonly revocations?: Revocations | undefined
  readonly sessions?: SessionReader | undefined
  readonly atExpiry: 'cut' | 'finish'
  /** Most requests of one caller at a time. */
  readonly perCaller: number
  readonly now: () => number
}

export type LeaseEnd = 'token_expired' | 'revoked' | 'policy_changed'

/** Whose request it is, and what it was let through for. */
export interface LeaseTerms {
  readonly caller: Caller
  /** Of the request, where a session is found again. */
  readonly headers: Pick<Headers, 'get'>
  /** Absent where there is nothing to judge again: lists are cut down and sent in one go, a catalogue is anybody's. */
  readonly asked?: {
    readonly questions: readonly AskedQuestion[]
    readonly discovery: boolean
    readonly http: AuditHttp
    /** Whether a dry run let it through though it was refused. */
    readonly isTrial: boolean
  }
  /** What judged it. */
  readonly judge: LeaseJudge
}

/** One policy, as far as leases are concerned. */
export interface LeaseJudge {
  readonly issuerNamed: IssuerNamed
  /** Whether a request that another policy let through may go on under this one. */
  allowsStill(terms: LeaseTerms): Promise<boolean>
}

export function isLeaseEnd(reason: string | undefined): reason is LeaseEnd {
  return reason === 'token_expired' || reason === 'revoked' || reason === 'policy_changed'
}

export interface Lease {
  /** Gives it back. Must be called once, whatever came of the request. */
  release(): void
}

export interface Leases {
  /**
   * @param stop - Of the request; stopped with a {@link LeaseEnd} when the lease ends before the request does.
   * @throws ProxyRefusal 429 `too_many_requests`.
   */
  take(terms: LeaseTerms, stop: Stop): Lease
  /** From now on this judge's policy is in force; what is open under another one is judged again. */
  judgeBy(judge: LeaseJudge): void
}

/** How often a session is looked for, in milliseconds: nobody tells when one is over. */
const sessionEveryMs = 1_000
/** Longest that a timer can wait, in milliseconds. */
const maxTimerMs = 2_147_483_647

const never = Number.POSITIVE_INFINITY

/** Most leases that are judged at a time: a policy can need to know something of the resource. */
const judgedAtOnce = 8

interface Holder extends Placed {
  readonly terms: LeaseTerms
  /** Epoch milliseconds. */
  readonly endsAt: number
  end(reason: LeaseEnd): void
}

export function createLeases({ revocations, sessions, atExpiry, perCaller, now }: LeasesOptions): Leases {
  const holders = new Bag<Holder>()
  const counts = new Map<string, number>()
  let inForce: LeaseJudge | undefined
  let alarm: NodeJS.Timeout | undefined
  /** When the alarm is set for, in epoch milliseconds. */
  let wakesAt = never

  revocations?.subscribe(() => {
    for (const holder of holders) if (isRevoked(holder.terms)) holder.end('revoked')
  })

  function isRevoked({ caller: { presented }, judge: { issuerNamed } }: LeaseTerms): boolean {
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

  /** One timer for all: nearly every request is over long before its caller's credential is. */
  function watch(endsAt: number): void {
    if (endsAt >= wakesAt) return
    clearTimeout(alarm)
    const time = now()
    wakesAt = Math.min(endsAt, time + maxTimerMs)
    alarm = setTimeout(wake, Math.max(wakesAt - time, 0)).unref()
  }

  function wake(): void {
    // By the clock, or by the wait where the clock was put back.
    const due = Math.max(now(), wakesAt)
    wakesAt = never
    for (const holder of holders) if (holder.endsAt <= due) holder.end('token_expired')
    let next = never
    for (const { endsAt } of holders) next = Math.min(next, endsAt)
    watch(next)
  }

  function count(caller: Caller, change: number): void {
    const { id } = caller.principal
    const held = (counts.get(id) ?? 0) + change
    if (held > perCaller) throw new ProxyRefusal('too_many_requests')
    if (held === 0) counts.delete(id)
    else counts.set(id, held)
  }

  async function judgeAgain(holder: Holder, judge: LeaseJudge): Promise<void> {
    // What cannot be judged goes no further.
    const isAllowed = await judge.allowsStill(holder.terms).catch(() => false)
    // A later policy judges for itself.
    if (!isAllowed && judge === inForce && holders.has(holder)) holder.end('policy_changed')
  }

  /** A few at a time, and in turns with requests, however many are open. */
  async function judgeAll(judge: LeaseJudge): Promise<void> {
    const open = [...holders].values()
    const work = async () => {
      for (const holder of open) {
        if (judge !== inForce) return
        if (holder.terms.judge !== judge && holders.has(holder)) await judgeAgain(holder, judge)
        await nextTurn()
      }
    }
    await Promise.all(Array.from({ length: judgedAtOnce }, work))
  }

  return {
    judgeBy(judge) {
      inForce = judge
      void judgeAll(judge)
    },
    take(terms, stop) {
      const { caller } = terms
      count(caller, 1)
      const isCut = atExpiry === 'cut' || caller.session !== undefined
      const endsAt = isCut ? (endOf(caller) ?? never) : never
      let timer: NodeJS.Timeout | undefined
      const release = () => {
        if (!holders.delete(holder)) return
        count(caller, -1)
        clearInterval(timer)
      }
      const holder: Holder = {
        terms,
        endsAt,
        place: -1,
        end(reason) {
          release()
          stop.stop(reason)
        },
      }
      holders.add(holder)
      watch(endsAt)
      if (caller.session !== undefined && sessions !== undefined) {
        timer = setInterval(() => void look(sessions, holder), sessionEveryMs)
      }
      // Decided under a policy that has been replaced since.
      if (inForce !== undefined && terms.judge !== inForce) void judgeAgain(holder, inForce)
      return { release }
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Epoch milliseconds. */
function endOf({ presented, session }: Caller): number | undefined {
  if (session !== undefined) return session.endsAt
  const expiresAt = presented?.credential.expiresAt
  return expiresAt === undefined ? undefined : expiresAt * 1000
}

async function look(sessions: SessionReader, { terms: { headers }, end }: Holder): Promise<void> {
  try {
    if ((await sessions.identify({ method: 'GET', headers })) === undefined) end('revoked')
  } catch {
    // The store is away: what was known stands until the session's own end.
  }
}
