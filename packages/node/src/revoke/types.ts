/**
 * What can be taken back, and what carries it between replicas.
 *
 * Types only, shared by the set, the feed and the doors.
 *
 * @module
 */
import type { RevocableIdentity, Revocations } from '../verify/types.ts'
import type { unrecorded } from './unrecorded.ts'

/**
 * One thing taken back. `issuer` is its address as the policy has it; `subject`, `sessionId` and `tokenId`
 * are `sub`, `sid` and `jti` as that issuer spells them; `before` is epoch seconds, and what was issued at
 * that second or earlier is refused.
 */
export type Revocation =
  | { readonly by: 'token'; readonly issuer: string; readonly tokenId: string }
  | { readonly by: 'fingerprint'; readonly fingerprint: string }
  | {
      readonly by: 'session'
      readonly issuer: string
      readonly sessionId: string
      /** When known, the subject's credentials that do not tell their session go too. */
      readonly subject?: string
      /** For those credentials; default now. */
      readonly before?: number
    }
  | {
      readonly by: 'subject'
      readonly issuer: string
      readonly subject: string
      /** Default now, and the clock tolerance on top. */
      readonly before?: number
    }
  | { readonly by: 'issuer'; readonly issuer: string; readonly before?: number }

/** A revocation in force. */
export interface RevocationRecord {
  readonly revocation: Revocation
  /** Epoch milliseconds. */
  readonly revokedAt: number
}

/**
 * `current`: all that others have revoked is known. `stale`: the feed has been silent for longer than the
 * options allow. `starting`: it has not been read once.
 */
export interface RevocationState {
  readonly name: 'starting' | 'current' | 'stale'
  /** Epoch milliseconds of the last complete reading. */
  readonly readAt?: number
  /** Revocations of this process that the others have not been told yet. */
  readonly unshared: number
  /** How often the set was full and an old entry was widened to everything its issuer had issued by then. */
  readonly widened: number
}

export interface RevocationSet extends Revocations {
  /**
   * @throws HfAuthError `HFAUTH_REVOCATION_UNAVAILABLE` (retryable) when the feed has been silent too long
   * and the options say to refuse.
   */
  isRevoked(identity: RevocableIdentity): boolean
  /**
   * Takes something back: here before the call returns, elsewhere when the promise resolves and the others
   * read next. For the intake, which puts it on record.
   *
   * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when it names nothing; `HFAUTH_REVOCATION_UNAVAILABLE`
   * (retryable) when it could not be shared: it is in force here, and is shared as soon as that works.
   */
  readonly [unrecorded]: (revocation: Revocation) => Promise<void>
  /** What is in force, oldest first. */
  list(): readonly RevocationRecord[]
  state(): RevocationState
  /** Resolves when the feed has been read once. */
  ready(): Promise<void>
  /** Stops reading the feed. */
  close(): void
}

/** A page of the feed. */
export interface FeedPage {
  readonly records: readonly RevocationRecord[]
  /** Where the next reading goes on; absent while the feed is empty. */
  readonly position?: string
  /** True when the feed no longer knows the place that was asked for: this page begins at its start. */
  readonly restarted: boolean
  /** True when there is more behind this page. */
  readonly more: boolean
}

/** An ordered log of revocations that every replica reads from where it left off. */
export interface RevocationFeed {
  /** Resolves when the record is stored. */
  append(record: RevocationRecord): Promise<void>
  read(position: string | undefined): Promise<FeedPage>
}
