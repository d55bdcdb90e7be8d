/**
 * Check identity: whether claims that the issuer vouches for name someone whom the policy lets in.
 *
 * signature, audience, times → **check identity** → principal. The rules are the preset's and the policy's;
 * every way of checking a token ends here.
 *
 * @module
 */
import { type Claims, HfAuthError, type Issuer, refusalOfClaims } from '@hfauth/core'

/** @throws HfAuthError `HFAUTH_TOKEN_INVALID` with the reason. */
export function checkIdentity(
  claims: Claims,
  kind: 'id_token' | 'access_token',
  issuer: Issuer,
  tenant?: string,
): void {
  const reason = refusalOfClaims(issuer, kind, claims, tenant)
  if (reason !== undefined) throw new HfAuthError('HFAUTH_TOKEN_INVALID', reason)
  if (issuer.preset.subject(claims) === undefined) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the token has no subject')
  }
}
