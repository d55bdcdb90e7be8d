/**
 * What the guard takes and gives.
 *
 * Types only, shared by the guard, the adapters and the proxy.
 *
 * @module
 */
import type {
  Access,
  AuditClient,
  AuditTrace,
  Decision,
  Engine,
  Principal,
  RequestContext,
  ResourceInput,
} from '@hfauth/core'
import type { AuditLog } from '../audit/types.ts'
import type { SessionReader } from '../session/types.ts'
import type { VerifiedCredential, Verifier } from '../verify/types.ts'

export interface GuardOptions {
  readonly engine: Engine
  readonly verifier: Verifier
  /** Takes the session cookies of `createSessions` as well as bearer tokens. Default: bearer tokens only. */
  readonly sessions?: SessionReader
  /** Every decision goes here before it has an effect. */
  readonly audit: AuditLog
  /** Address of the protected resource metadata (RFC 9728 §5.1), shown in every challenge. Default none. */
  readonly resourceMetadataUrl?: string
  /** Makes the id of one request. Default a random UUID; a client's own id is never taken. */
  readonly requestId?: () => string
  /**
   * Addresses and ranges (`10.9.0.1`, `10.0.0.0/8`) whose `X-Forwarded-For` is believed. Default none, so
   * that the client is whoever holds the socket.
   */
  readonly trustedProxies?: readonly string[]
  /**
   * A header in which one of `trustedProxies` hands over a signed token of the person whom it signed in, such as
   * `x-amzn-oidc-data` of AWS load balancers. From anybody else it is refused, as it is beside another
   * credential. Default none.
   */
  readonly proxyTokenHeader?: string
  /** Current time in epoch milliseconds, for durations on record. Default `Date.now`. */
  readonly now?: () => number
}

/** The part of a Web `Request` that a decision needs. A `Request` is one. */
export type GuardRequest = Pick<Request, 'method' | 'url' | 'headers'>

/** What a request object does not tell. */
export interface Connection {
  /** Address of the socket's other end. */
  readonly remoteAddress?: string | undefined
  /** The request target as it came over the wire; a `Request` has already rewritten its own. */
  readonly target?: string | undefined
}

export interface GuardQuestion {
  readonly action: string
  readonly resource: ResourceInput
  /** More facts for conditions under `context.`; they cannot replace the guard's own. */
  readonly context?: RequestContext
  /** Name of the route on record. Default `custom`. */
  readonly route?: string
}

export interface Allowed {
  readonly allowed: true
  readonly principal: Principal
  readonly access: Access
  readonly decision: Decision
  readonly requestId: string
  /** To be sent with the answer, when the session's cookie has to be renewed. */
  readonly setCookie?: string
}

export interface Refused {
  readonly allowed: false
  /** Ready to send: problem JSON, with the challenge that would help. */
  readonly response: Response
  /** The exact reason, as it is on record. The response may say less. */
  readonly reason: string
  readonly requestId: string
  readonly principal?: Principal
  readonly decision?: Decision
}

export interface Guard {
  /**
   * Who sent this. {@link GuardRequest} without a credential is `anonymous`.
   *
   * @throws HfAuthError `HFAUTH_REQUEST_INVALID` for a malformed or doubled credential, and whatever the
   * verifier or the sessions throw for one that they refuse.
   */
  identify(request: GuardRequest, connection?: Connection): Promise<Principal>
  /**
   * Who, what, may they: answered, and on the record.
   *
   * Without a question the policy's own `routes` name it, and a request that none of them fits is refused.
   * Never throws for what a request contains.
   */
  check(request: GuardRequest, question?: GuardQuestion, connection?: Connection): Promise<Allowed | Refused>
}

/** One request being answered, before anybody knows whose it is. */
export interface Visit {
  readonly requestId: string
  readonly client: AuditClient
  readonly trace?: AuditTrace
  readonly context: RequestContext
  /** Whether one of `trustedProxies` holds the socket. */
  readonly isFromProxy: boolean
  /** Epoch milliseconds. */
  readonly startedAt: number
}

/** One request whose sender is known. */
export interface Caller extends Visit {
  readonly principal: Principal
  readonly access: Access
  /** The raw credential and what the verifier said of it; absent for anonymous. */
  readonly presented?: { readonly token: string; readonly credential: VerifiedCredential }
  /** Of a session, in the place of a credential. */
  readonly session?: {
    /** Epoch milliseconds. */
    readonly endsAt: number
  }
  /** As in {@link Allowed}; or it removes a cookie that came twice. */
  readonly setCookie?: string
}
