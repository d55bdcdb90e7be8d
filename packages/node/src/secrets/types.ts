/**
 * What a secret ring takes and gives.
 *
 * @module
 */
import type { Secret } from './secret.ts'

/** One version of a secret. Times are epoch milliseconds. */
export interface SecretVersion {
  /** Names the version on record; says nothing of the value. */
  readonly id: string
  readonly secret: Secret
  /** When it came into use; its age is counted from here. */
  readonly notBefore: number
  /** When it must no longer be used. */
  readonly notAfter?: number
}

/** Where versions come from. */
export interface SecretSource {
  /**
   * All versions that there are, the newest first; one that has not begun may stand before one that has.
   *
   * @throws HfAuthError `HFAUTH_SECRET_UNAVAILABLE` (retryable).
   */
  load(): Promise<readonly SecretVersion[]>
  /** Calls `changed` when there may be something new; only a hint. Returns the way to stop. */
  watch?(changed: () => void): () => void
}

/** `fresh`; `due`: older than the warning age, or its end is near; `expired`: refused. */
export type SecretAge = 'fresh' | 'due' | 'expired'

export interface SecretStatus {
  readonly name: string
  readonly age: SecretAge
  /** The version in use. Times are epoch milliseconds. */
  readonly id: string
  readonly notBefore: number
  readonly ageSeconds: number
  /** By when the next version has to be there. */
  readonly rotateBefore: number
  /** The version before, while it is still taken. */
  readonly previous?: { readonly id: string; readonly until: number }
  /** How often the previous version had to be used because the newest was refused. */
  readonly fallbacks: number
  /** Why the last reading brought nothing usable; absent when it did. */
  readonly fault?: string
}

export interface SecretRing {
  readonly name: string
  /**
   * What may be sent, newest first: the version in use, and the one before during the overlap.
   *
   * @throws HfAuthError `HFAUTH_SECRET_EXPIRED` when the newest is past its end or the limit of age.
   */
  candidates(): readonly [SecretVersion, ...SecretVersion[]]
  /** Whether `text` is one of them, compared in constant time; false when there is none. */
  matches(text: string): boolean
  /** Reads the source now. What is unusable changes nothing and is told by `status().fault`. */
  reload(): Promise<void>
  status(): SecretStatus
  /** Ends the overlap now: for a version that others know. */
  dropPrevious(): void
  /** Says that the newest version was refused and an older one taken. */
  noteFallback(version: SecretVersion): void
  close(): void
}
