/**
 * Token exchange at Hugging Face: a short-lived upstream credential for somebody already verified.
 *
 * @see RFC 8693; huggingface.co/docs/hub: OAuth token exchange, Trusted Publishers
 * @module
 */
import type { RevocableIdentity } from '../verify/types.ts'

export interface ExchangedToken {
  /** The credential. Never logged, never stored, never shown to the caller. */
  readonly token: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scopes: readonly string[]
}

/** For whom a token is exchanged: it is shared with nobody else, and forgotten when they are revoked. */
export interface ExchangeOwner {
  /** Id of the principal, `alias|sub`. */
  readonly principal: string
  readonly environment: string
  /** Under which names it can have been taken back; any of them ends it. */
  readonly identities: readonly RevocableIdentity[]
}

export interface TokenExchange {
  /**
   * For a member of the organisation that the OAuth app belongs to. Cached per e-mail, scope set and owner
   * (principal and environment) for at most half of its life; parallel calls share one request.
   *
   * Asks for the scopes it is given: `createPolicyExchange` finds the smallest that the policy yields.
   *
   * @throws HfAuthError `HFAUTH_EXCHANGE_REFUSED`, or `HFAUTH_ISSUER_UNAVAILABLE` (retryable);
   * `HFAUTH_CONFIG_INVALID` when no client was configured.
   */
  forMember(request: MemberExchange): Promise<ExchangedToken>
  /**
   * For a CI job, by the ID token it came with: no secret is involved. `resource` is `ns/name`,
   * `datasets/ns/name`, `spaces/ns/name` … Cached per ID token and resource in the same way.
   */
  forPublisher(request: PublisherExchange): Promise<ExchangedToken>
}

export interface MemberExchange {
  readonly email: string
  readonly scopes: readonly string[]
  readonly owner?: ExchangeOwner | undefined
}

export interface PublisherExchange {
  readonly idToken: string
  readonly resource: string
  readonly owner?: ExchangeOwner | undefined
}
