/**
 * What a verifier takes and gives.
 *
 * @module
 */
import type { Issuer, Principal } from '@hfauth/core'

/** A credential that passed every check, and who it speaks for. */
export interface VerifiedCredential {
  readonly principal: Principal
  readonly issuer: Issuer
  readonly kind: 'id_token' | 'access_token'
  /** As `tokenFingerprint` gives it: names the token in revocations and records, and is useless as one. */
  readonly fingerprint: string
  /** Epoch seconds after which the credential must not be used, when it says so. */
  readonly expiresAt?: number
}

/** What is known of a credential or a session when one asks whether it has been revoked. */
export interface RevocableIdentity {
  /** Address of the issuer, as the policy has it. */
  readonly issuer: string
  /** `sub`, as the issuer spells it. */
  readonly subject?: string | undefined
  /** `sid` (OpenID Connect Back-Channel Logout 1.0 §2.1). */
  readonly sessionId?: string | undefined
  /** `jti` (RFC 7519 §4.1.7). */
  readonly tokenId?: string | undefined
  /** As in {@link VerifiedCredential}. */
  readonly fingerprint?: string | undefined
  /** `iat`, in epoch seconds; what does not tell is taken as issued before any revocation. */
  readonly issuedAt?: number | undefined
}

/** What has been taken back. Held in memory, so that asking costs nothing. */
export interface Revocations {
  isRevoked(identity: RevocableIdentity): boolean
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void
}

export interface Verifier {
  /**
   * Checks one bearer credential.
   *
   * @param token - The raw credential, without the word `Bearer`.
   * @throws HfAuthError `HFAUTH_TOKEN_UNSUPPORTED`, `HFAUTH_TOKEN_INVALID`, `HFAUTH_TOKEN_EXPIRED`,
   * `HFAUTH_TOKEN_AUDIENCE`, `HFAUTH_TOKEN_REVOKED`; `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when the issuer
   * cannot be asked.
   */
  verify(token: string): Promise<VerifiedCredential>
}
