/**
 * Report: what an auditor is shown of a period, as data. The page is made from nothing else.
 *
 * @module
 */
import type { DenialRow, GapRow, GrantRow } from '../query/types.ts'
import type { VerifyReport } from '../segments/verify.ts'
import type { PolicyDiff } from './policy-diff.ts'

export interface AuditReport {
  readonly v: 1
  /** All times are RFC 3339 in UTC. `from` belongs to the period, `to` does not. */
  readonly from: string
  readonly to: string
  readonly made: string
  readonly organisation?: string
  readonly totals: {
    readonly events: number
    readonly allowed: number
    readonly denied: number
    readonly principals: number
    readonly signIns: number
    /** Events that the trail says are missing. */
    readonly lost: number
  }
  readonly days: readonly DayRow[]
  /** Everyone who did something, those who did not for longest first. */
  readonly access: readonly AccessRow[]
  /** Of the newest policy that was given. */
  readonly grants: readonly GrantRow[]
  readonly denials: readonly DenialRow[]
  readonly policies: readonly PolicyRow[]
  readonly secrets: readonly SecretRow[]
  readonly revocations: {
    readonly count: number
    /** Of those whose sender named a time. Milliseconds. */
    readonly latency?: {
      readonly median: number
      readonly p95: number
      readonly max: number
      readonly known: number
    }
    readonly rows: readonly RevocationRow[]
    /** Allowed after all access of its principal was revoked, without a new sign-in between. */
    readonly usedAfter: readonly UsedAfterRow[]
  }
  readonly loads: readonly LoadedRow[]
  readonly gaps: readonly GapRow[]
  /** Numbers of each writer: from the first to the last there must be as many events as that. */
  readonly writers: readonly WriterRow[]
  /** Result of checking the chain and its signatures, when it was checked. */
  readonly integrity?: VerifyReport
}

export interface DayRow {
  /** `2026-01-31` */
  readonly day: string
  readonly allowed: number
  readonly denied: number
}

export interface AccessRow {
  readonly actor: string
  readonly issuer: string
  readonly kind: string
  readonly name?: string
  /** All it had at some time in the period. */
  readonly roles: readonly string[]
  readonly allowed: number
  readonly denied: number
  readonly resources: number
  readonly first: string
  readonly last: string
}

export interface PolicyRow {
  readonly digest: string
  /** When it was first in force in the period. */
  readonly since: string
  readonly decisions: number
  /** To the one before; only when both policies were given. */
  readonly diff?: PolicyDiff
}

export interface SecretRow {
  readonly secret: string
  readonly rotations: number
  readonly lastRotation?: string
  /** At the end of the period, in days; absent when its last rotation is not in the log. */
  readonly ageDays?: number
  readonly warnings: number
}

export interface RevocationRow {
  readonly time: string
  readonly door: string
  readonly by?: string
  readonly target?: string
  readonly latencyMs?: number
  readonly error?: string
}

export interface UsedAfterRow {
  readonly actor: string
  readonly revoked: string
  readonly used: string
  readonly requestId: string
}

export interface LoadedRow {
  readonly resource: string
  readonly loads: number
  readonly actors: number
  readonly bytes: number
  /** Resolved revisions; loads without one are `unpinned`. */
  readonly revisions: number
  readonly unpinned: number
}

export interface WriterRow {
  readonly writer: string
  readonly first: number
  readonly last: number
  readonly events: number
  /** `last - first + 1 - events`. */
  readonly missing: number
}
