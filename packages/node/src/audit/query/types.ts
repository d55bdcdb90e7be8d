/**
 * Questions that can be asked of an audit log, and the shape of their answers.
 *
 * @module
 */
import type { Policy } from '@hfauth/core'

interface Period {
  /** Epoch milliseconds; belongs to the period. Default: since the beginning. */
  readonly from?: number
  /** Epoch milliseconds; does not belong to the period. Default: until now. */
  readonly to?: number
  readonly environment?: string
}

interface Limited {
  /** Most rows of an answer, the oldest first. Default 1,000, at most 100,000. */
  readonly limit?: number
}

/** Who loaded or called a model, a dataset or any other resource, and which revision? */
export interface LoadsQuestion extends Period, Limited {
  readonly ask: 'loads'
  readonly resource: { readonly kind: string; readonly id: string }
  /** As it was asked for, or the commit that it came to. */
  readonly revision?: string
}

/** What did this principal do, for itself or for others? */
export interface ActivityQuestion extends Period, Limited {
  readonly ask: 'activity'
  readonly actor: string
}

/** What was refused, and why? */
export interface DenialsQuestion extends Period {
  readonly ask: 'denials'
  readonly actor?: string
  readonly resource?: { readonly kind: string; readonly id: string }
}

/** What does the policy grant that nobody used? */
export interface UnusedGrantsQuestion extends Period {
  readonly ask: 'unused-grants'
  readonly policy: Policy
}

/** Who used something in the period that they never used before? Reads the log from its beginning. */
export interface FirstAccessQuestion extends Period, Limited {
  readonly ask: 'first-access'
  readonly actor?: string
  readonly resource?: { readonly kind: string; readonly id: string }
}

export type AuditQuestion =
  | LoadsQuestion
  | ActivityQuestion
  | DenialsQuestion
  | UnusedGrantsQuestion
  | FirstAccessQuestion

/** What is missing in the period; an answer is complete only where there is none. */
export interface GapRow {
  readonly time: string
  readonly writer: string
  readonly seq: number
  readonly reason: string
  readonly count?: number
  readonly bytes?: number
  readonly since?: string
  readonly until?: string
}

export interface LoadRow {
  readonly time: string
  readonly actor: string
  readonly issuer: string
  readonly name?: string
  readonly resource: string
  /** As it was asked for: a branch, a tag or a commit. */
  readonly revision?: string
  /** The commit that it came to, as the Hub answered. */
  readonly commit?: string
  readonly path?: string
  /**
   * What became of it: its status, or why it broke off; `begun` when only its beginning is on record, and
   * `unknown` when only the permission is.
   */
  readonly outcome: string
  readonly bytes?: number
  readonly ip?: string
  readonly policy?: string
  readonly requestId: string
}

export interface ActivityRow {
  readonly time: string
  readonly type: string
  readonly action?: string
  readonly resource?: string
  readonly revision?: string
  readonly commit?: string
  readonly effect?: string
  readonly reason?: string
  readonly status?: number
  readonly ip?: string
  readonly actedBy?: string
  readonly requestId: string
}

export interface DenialRow {
  readonly reason: string
  readonly count: number
  readonly actors: number
  readonly resources: number
  /** Whoever had it most often, and on what. */
  readonly mostActor?: string
  readonly mostResource?: string
  readonly first: string
  readonly last: string
}

export interface GrantRow {
  readonly statement: string
  readonly role: string
  /** Times it allowed something in the period. */
  readonly uses: number
  readonly actors: number
  readonly lastUse?: string
}

export interface FirstAccessRow {
  readonly time: string
  readonly actor: string
  readonly issuer: string
  readonly name?: string
  readonly action?: string
  readonly resource: string
  readonly requestId: string
}

interface Answer<Row> {
  readonly rows: readonly Row[]
  /** Rows beyond the limit. */
  readonly more: number
  readonly gaps: readonly GapRow[]
}

export interface AuditAnswers {
  /** `revisions`: each that was loaded, by its commit where that is known; rows without one are counted as `unknown`. */
  readonly loads: Answer<LoadRow> & { readonly revisions: Readonly<Record<string, number>> }
  readonly activity: Answer<ActivityRow>
  readonly denials: Answer<DenialRow>
  /** `otherPolicies`: digests under which events of the period were decided, besides the one asked about. */
  readonly 'unused-grants': Answer<GrantRow> & { readonly otherPolicies: readonly string[] }
  readonly 'first-access': Answer<FirstAccessRow>
}
