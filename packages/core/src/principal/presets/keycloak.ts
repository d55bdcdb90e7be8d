/**
 * Keycloak: ID tokens and JWT access tokens of one realm.
 *
 * `azp` is the client that asked and says nothing of whom a token is for: `aud` needs an audience mapper.
 * Groups need a mapper as well; roles are `realm_access.roles` in `claims`.
 *
 * @see keycloak.org: server administration, audience support, OpenID Connect clients; the source of Keycloak,
 * `ServiceAccountConstants` (what tells service accounts)
 * @module
 */
import { own, textClaim } from '../claims.ts'
import { definePreset, standardMembers } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

export const keycloak: Preset = /* @__PURE__ */ definePreset({
  name: 'keycloak',
  kind: 'user',
  issuer: { form: /\/realms\/[^/]+$/, example: 'https://id.acme.dev/realms/acme' },
  // The realm's own account page, which default roles add to every token.
  ownAudiences: ['account'],
  algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'],
  accessTokens: 'jwt',
  // A member of the payload, not of the header: `ID`, `Bearer`, `Refresh`, `Offline`, `Logout`.
  accessMark: { claim: 'typ', value: 'Bearer' },
  subjectClaims: [['sub']],
  reads: standardMembers,
  refuse(claims, credential) {
    const typ = textClaim(claims, 'typ')
    if (typ !== (credential === 'access_token' ? 'Bearer' : 'ID')) {
      return '`typ` in the payload is that of neither an ID token nor an access token'
    }
    // The name is told with the scope `profile` only; the rest are what the realm's own mappers add. The client's id
    // has been `client_id` for years, which a mapper may add for people too: they have a session, and it has none.
    const isMachine =
      textClaim(claims, 'preferred_username')?.startsWith('service-account-') === true ||
      ['clientId', 'clientHost', 'clientAddress'].some((name) => own(claims, name) !== undefined) ||
      (own(claims, 'client_id') !== undefined && own(claims, 'sid') === undefined)
    return isMachine ? 'the token is a service account’s, not a person’s' : undefined
  },
  revocation: 'rfc7009',
  logout: ['back-channel'],
})
