/**
 * What the AuthZEN endpoints are given.
 *
 * @module
 */
import type { Engine, Principal, Resource } from '@hfauth/core'
import type { AuditLog } from '../audit/types.ts'
import type { Guard, GuardQuestion } from '../guard/types.ts'
import type { Entity } from './entities.ts'

type Maybe<T> = T | Promise<T>

export interface AuthzenOptions {
  readonly engine: Engine
  /** Every evaluation goes here before it is answered. */
  readonly audit: AuditLog
  /** Who may ask: every request is checked with {@link question}. */
  readonly guard: Guard
  /** What a caller of the endpoints must be allowed: whoever may ask learns what everybody may do. */
  readonly question: GuardQuestion
  /** Address of the policy decision point, as its callers know it. */
  readonly url: string
  /**
   * The principal that a subject is, from your directory; `undefined` for one that is not known. Its
   * `properties` are what the caller says of it: take them only as far as you trust every caller.
   */
  readonly principalOf: (subject: Entity) => Maybe<Principal | undefined>
  /**
   * The resource of the policy that one of the API is, with what is known of it. Default as it is sent, with the
   * caller's `properties` for attributes.
   */
  readonly resourceOf?: (resource: Entity) => Maybe<Resource>
  /** Ids of all subjects of a type, for searches. Without it there is no subject search. */
  readonly subjectsOf?: (type: string) => Maybe<readonly string[]>
  /** Ids of all resources of a type, for searches. Without it there is no resource search. */
  readonly resourcesOf?: (type: string) => Maybe<readonly string[]>
  /** Longest body, in bytes. Default 1 MiB. */
  readonly maxBodyBytes?: number
  /** Longest wait for a body, in milliseconds. Default 30,000. */
  readonly bodyTimeoutMs?: number
  /** Most evaluations in one request. Default 100. */
  readonly maxEvaluations?: number
}

export interface Authzen {
  /** `/.well-known/authzen-configuration`, with the path of the decision point behind it. */
  readonly metadata: Readonly<Record<string, string>>
  /** Answers every endpoint; never throws for what a request contains. */
  handle(request: Request): Promise<Response>
}
