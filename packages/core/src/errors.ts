/**
 * Errors: a class to catch and a code to switch on.
 *
 * A refusal is an answer, not an error: `decide` returns it as data. Errors are
 * for what could not be answered at all.
 *
 * @module
 */

/** Every code hfauth puts on an error. Adding one is minor; renaming one is major. */
export type HfAuthErrorCode =
  /** Options are wrong: the program has to be changed. */
  | 'HFAUTH_CONFIG_INVALID'
  /** The policy text has faults; see `PolicyError.faults`. */
  | 'HFAUTH_POLICY_INVALID'
  /** The policy cannot be read from where it is. */
  | 'HFAUTH_POLICY_UNAVAILABLE'
  /** The environment is not in the policy. */
  | 'HFAUTH_ENVIRONMENT_UNKNOWN'
  /** A JSON text is not strict JSON, or beyond its bounds. */
  | 'HFAUTH_JSON_INVALID'
  /** A snapshot is not one this version can read. */
  | 'HFAUTH_SNAPSHOT_INVALID'
  /** Claims lack what their preset needs. */
  | 'HFAUTH_CLAIMS_INVALID'
  /** What was asked of an access has no sound answer for somebody who acts for another. */
  | 'HFAUTH_DELEGATION_UNSUPPORTED'
  /** An HTTP request is malformed or ambiguous. */
  | 'HFAUTH_REQUEST_INVALID'
  /** No configured issuer vouches for the token, or it is of a kind we do not take. */
  | 'HFAUTH_TOKEN_UNSUPPORTED'
  /** Signature, structure, algorithm or a claim other than those below is wrong. */
  | 'HFAUTH_TOKEN_INVALID'
  | 'HFAUTH_TOKEN_EXPIRED'
  | 'HFAUTH_TOKEN_AUDIENCE'
  /** The token, its session, its subject or all of its issuer's tokens of that time have been revoked. */
  | 'HFAUTH_TOKEN_REVOKED'
  /** Revocations cannot be read from, or told to, the other replicas. */
  | 'HFAUTH_REVOCATION_UNAVAILABLE'
  /** A provider refused to revoke a token. */
  | 'HFAUTH_REVOCATION_REFUSED'
  /** A client secret has reached its end, or the age at which it is no longer used. */
  | 'HFAUTH_SECRET_EXPIRED'
  /** No usable secret could be read. */
  | 'HFAUTH_SECRET_UNAVAILABLE'
  /** The issuer cannot be reached, or answers out of order. */
  | 'HFAUTH_ISSUER_UNAVAILABLE'
  /** The provider refused a token exchange. */
  | 'HFAUTH_EXCHANGE_REFUSED'
  /** A CI job has no ID token to show; the message says what to change. */
  | 'HFAUTH_CI_TOKEN_UNAVAILABLE'
  /** The audit sink did not take the event, so the request was refused. */
  | 'HFAUTH_AUDIT_UNAVAILABLE'
  /** A stored audit log cannot be read, or continued, as one. */
  | 'HFAUTH_AUDIT_UNREADABLE'
  /** The audit log has nothing that would prove it: no such event, or no signed head that covers it. */
  | 'HFAUTH_AUDIT_UNPROVABLE'
  /** A destination did not take events of the audit log; they stay there and are sent again. */
  | 'HFAUTH_AUDIT_UNDELIVERED'
  /** The answer at the redirect address belongs to no sign-in started here. */
  | 'HFAUTH_SIGNIN_STATE'
  /** The provider ended the sign-in with an error. */
  | 'HFAUTH_SIGNIN_REFUSED'
  /** The provider's answer failed a check of the protocol. */
  | 'HFAUTH_SIGNIN_INVALID'
  /** The page is in a frame of another site, where no provider shows its login page. */
  | 'HFAUTH_SIGNIN_FRAMED'
  /** The browser did not let the page open a window; see `PopupBlockedError`. */
  | 'HFAUTH_POPUP_BLOCKED'
  /** A sign-in in another window was given up: aborted, replaced by another, or waited for too long. */
  | 'HFAUTH_SIGNIN_ABANDONED'
  /** The sign-in is over: the token has expired, or nobody has signed in. */
  | 'HFAUTH_SIGNED_OUT'
  /** The answer of a renewal did not arrive: whether the refresh token is used up is unknown. */
  | 'HFAUTH_RENEWAL_LOST'
  /** The clock of this device is too far off to judge a sign-in by; the message says by how much. */
  | 'HFAUTH_CLOCK_WRONG'
  /** A token would have gone to an origin that is not on the list. */
  | 'HFAUTH_ORIGIN_REFUSED'
  /** An unsafe request with a session cookie does not prove that our own page sent it. */
  | 'HFAUTH_REQUEST_FORGED'
  /** What a session holds does not fit into its cookie. */
  | 'HFAUTH_SESSION_TOO_LARGE'
  /** A shared store (sessions, revocations) cannot be reached, or answers out of order. */
  | 'HFAUTH_STORE_UNAVAILABLE'

export interface HfAuthErrorOptions {
  /** The lower layer's error, only when it is known to carry no credential. */
  readonly cause?: unknown
  /** True when the same call may succeed later. Default false. */
  readonly retryable?: boolean
}

export class HfAuthError extends Error {
  readonly code: HfAuthErrorCode
  /** True when the same call may succeed later: a timeout or a 503, never a bad signature. */
  readonly retryable: boolean

  constructor(code: HfAuthErrorCode, message: string, options: HfAuthErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
  }
}
