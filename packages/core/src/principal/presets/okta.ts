/**
 * Okta. A custom authorization server makes JWT access tokens for your API; the org server's are for Okta's
 * own, its keys for them are not published, and only Okta can say whether one is good.
 *
 * @see developer.okta.com: concepts/auth-servers, guides/validate-access-tokens, guides/validate-id-tokens
 * @module
 */
import { textClaim } from '../claims.ts'
import { definePreset, standardMembers } from '../define-preset.ts'
import type { Preset, PresetData } from '../preset.ts'

const shared = {
  kind: 'user',
  algorithms: ['RS256'],
  // `scope` in the answer of introspection.
  reads: { ...standardMembers, scopes: ['scp', 'scope'] },
  // In an access token `sub` is an editable login name and the user's id is `uid`; in an ID token `sub` is that id.
  subjectClaims: [['uid'], ['sub']],
  refuse(claims, credential) {
    const uid = textClaim(claims, 'uid')
    if (credential === 'access_token') {
      return uid === undefined ? 'the token is a machine’s, not a person’s: it has no `uid`' : undefined
    }
    return uid === undefined || uid === textClaim(claims, 'sub')
      ? undefined
      : '`uid` and `sub` of the ID token name two people'
  },
  revocation: 'rfc7009',
  logout: ['gtr', 'ssf'],
} as const satisfies Partial<PresetData>

export const okta: Preset = /* @__PURE__ */ definePreset({
  ...shared,
  name: 'okta',
  issuer: { form: /\/oauth2\/[^/]+$/, example: 'https://acme.okta.com/oauth2/default' },
  accessTokens: 'jwt',
  // Typed `JWT` or not at all; only they have `scp`.
  accessMark: { claim: 'scp' },
})

export const oktaOrg: Preset = /* @__PURE__ */ definePreset({
  ...shared,
  name: 'okta-org',
  issuer: { form: /^https:\/\/[^/]+$/, example: 'https://acme.okta.com' },
  accessTypes: ['at+jwt', 'okta-internal-at+jwt'],
  accessMark: { claim: 'scp' },
  accessTokens: 'introspection',
  // The audience of such a token is Okta itself, so the app it was given to must be ours.
  introspectedAudience: 'client_id',
})
