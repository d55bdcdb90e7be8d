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
  /** First 16 bytes of the token's SHA-256, in hex: for caches and joins, useless as a credential. */
  readonly fingerprint: string
  /** Epoch seconds after which the credential must not be used, when it says so. */
  readonly expiresAt?: number
}

export interface Verifier {
  /**
   * Checks one bearer credential.
   *
   * @param token - The raw credential, without the word `Bearer`.
   * @throws HfAuthError `HFAUTH_TOKEN_UNSUPPORTED`, `HFAUTH_TOKEN_INVALID`, `HFAUTH_TOKEN_EXPIRED`,
   * `HFAUTH_TOKEN_AUDIENCE`; `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when the issuer cannot be asked.
   */
  verify(token: string): Promise<VerifiedCredential>
}
