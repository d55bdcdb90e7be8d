/**
 * Token exchange at Hugging Face: a short-lived upstream credential for somebody already verified.
 *
 * @see RFC 8693; huggingface.co/docs/hub: OAuth token exchange, Trusted Publishers
 * @module
 */

export interface ExchangedToken {
  /** The credential. Never logged, never stored, never shown to the caller. */
  readonly token: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scopes: readonly string[]
}

export interface TokenExchange {
  /**
   * For a member of the organisation that the OAuth app belongs to. Cached per e-mail and scope set for
   * at most half of its life; parallel calls share one request.
   *
   * @throws HfAuthError `HFAUTH_EXCHANGE_REFUSED`, or `HFAUTH_ISSUER_UNAVAILABLE` (retryable);
   * `HFAUTH_CONFIG_INVALID` when no client was configured.
   */
  forMember(request: { readonly email: string; readonly scopes: readonly string[] }): Promise<ExchangedToken>
  /**
   * For a CI job, by the ID token it came with: no secret is involved. `resource` is `ns/name`,
   * `datasets/ns/name`, `spaces/ns/name` … Cached per ID token and resource in the same way.
   */
  forPublisher(request: { readonly idToken: string; readonly resource: string }): Promise<ExchangedToken>
}
