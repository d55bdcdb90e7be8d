/**
 * Any OpenID Connect provider that keeps to the standard claims.
 *
 * @see OpenID Connect Core 1.0 §5.1
 * @module
 */
import { present } from '../../internal/present.ts'
import {
  booleanClaim,
  type Claims,
  listClaim,
  mfaClaim,
  scopeClaim,
  textClaim,
  timeClaim,
} from '../claims.ts'
import type { ClaimedMembers, Preset } from '../preset.ts'

export const oidc: Preset = {
  name: 'oidc',
  kind: 'user',
  huggingface: false,
  algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'],
  accessTokens: 'none',
  subject: (claims) => textClaim(claims, 'sub'),
  read: readStandardClaims,
}

export function readStandardClaims(claims: Claims): ClaimedMembers {
  return present({
    username: textClaim(claims, 'preferred_username'),
    name: textClaim(claims, 'name'),
    email: textClaim(claims, 'email'),
    emailVerified: booleanClaim(claims, 'email_verified'),
    mfa: mfaClaim(claims),
    authTime: timeClaim(claims, 'auth_time'),
    issuedAt: timeClaim(claims, 'iat'),
    expiresAt: timeClaim(claims, 'exp'),
    groups: listClaim(claims, 'groups'),
    scopes: scopeClaim(claims, 'scope'),
  })
}
