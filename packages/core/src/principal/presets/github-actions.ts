/**
 * GitHub Actions: a CI job that proves itself with its own short-lived ID token.
 *
 * Bind on `claims` (`repository_id`, `ref`, `environment`, `event_name`), not on `sub`, which has
 * several shapes and can be replaced by a template.
 *
 * @see docs.github.com: Actions, OpenID Connect reference
 * @module
 */
import { present } from '../../internal/present.ts'
import { textClaim, timeClaim } from '../claims.ts'
import type { Preset } from '../preset.ts'

export const githubActions: Preset = {
  name: 'github-actions',
  kind: 'workload',
  issuer: 'https://token.actions.githubusercontent.com',
  huggingface: false,
  algorithms: ['RS256'],
  accessTokens: 'none',
  subject: (claims) => textClaim(claims, 'sub'),
  read: (claims) =>
    present({
      name: textClaim(claims, 'repository'),
      issuedAt: timeClaim(claims, 'iat'),
      expiresAt: timeClaim(claims, 'exp'),
    }),
}
