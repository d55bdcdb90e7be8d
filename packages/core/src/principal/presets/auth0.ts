/**
 * Auth0: ID tokens, and access tokens for an API of yours (`audience`), which are JWTs of one of two profiles.
 * An access token that was asked for without an audience is opaque and cannot be checked here.
 *
 * Roles come under a name that the customer chose: bind on it, and on `permissions`, by `claims`.
 *
 * @see auth0.com/docs: access-token-profiles, back-channel-logout, custom-claims
 * @module
 */
import { type Claims, own, textClaim } from '../claims.ts'
import { definePreset, standardMembers } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

export const auth0: Preset = /* @__PURE__ */ definePreset({
  name: 'auth0',
  kind: 'user',
  issuer: { form: /^https:\/\/[^/]+\/$/, example: 'https://acme.eu.auth0.com/' },
  ownAudiences: ['{iss}userinfo'],
  algorithms: ['RS256'],
  accessTokens: 'jwt',
  accessMark: { claim: 'scope' },
  subjectClaims: [['sub']],
  tenant: { claim: 'org_id', form: /^org_\w+$/, what: 'ids of organisations (`org_…`)' },
  reads: standardMembers,
  refuse: (claims) => (isMachine(claims) ? 'the token is a machine’s, not a person’s' : undefined),
  revocation: 'rfc7009',
  logout: ['back-channel'],
})

/** Any sign is enough: none of them is promised for both profiles. A person is never named for the client. */
function isMachine(claims: Claims): boolean {
  const subject = textClaim(claims, 'sub') ?? ''
  return (
    subject.endsWith('@clients') ||
    [own(claims, 'gty')].flat().includes('client-credentials') ||
    [own(claims, 'azp'), own(claims, 'client_id')].includes(subject.split('@')[0])
  )
}
