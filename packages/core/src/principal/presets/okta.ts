/**
 * Okta, custom authorization servers: JWT access tokens and ID tokens.
 *
 * @see developer.okta.com: concepts/auth-servers, guides/validate-access-tokens
 * @module
 */
import { present } from '../../internal/present.ts'
import { scopeClaim, textClaim } from '../claims.ts'
import type { Preset } from '../preset.ts'
import { readStandardClaims } from './oidc.ts'

export const okta: Preset = {
  name: 'okta',
  kind: 'user',
  huggingface: false,
  algorithms: ['RS256'],
  accessTokens: 'jwt',
  // In an access token `sub` is an editable login name and the user's id is `uid`; in an ID token `sub` is that id.
  subject: (claims) => textClaim(claims, 'uid') ?? textClaim(claims, 'sub'),
  read: (claims) => ({ ...readStandardClaims(claims), ...present({ scopes: scopeClaim(claims, 'scp') }) }),
}
