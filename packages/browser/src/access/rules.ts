/**
 * Rules: what permissions are answered from, and where they come from.
 *
 * **rules** → snapshot source, policy source → permissions.
 *
 * @module
 */
import type { Access } from '@hfauth/core'
import type { Session } from '../session/session.ts'

/** What is needed of `createAuth`. */
export interface PermissionsAuth {
  readonly session: Session | undefined
  subscribe(listener: () => void): () => void
  readonly fetch: typeof globalThis.fetch
}

export interface Rules {
  readonly access: Access
  /** The `ETag` they came with. */
  readonly version: string | undefined
}

export interface RulesSource {
  /**
   * Loads the rules of somebody.
   *
   * @param known - Those that were loaded before, for the same person.
   * @returns `undefined` when these have not changed.
   * @throws HfAuthError, `retryable` when a later attempt may succeed.
   */
  load(session: Session, known: Rules | undefined): Promise<Rules | undefined>
}
