/**
 * Google: people, people of one's own organisation, and service accounts. All three have the same issuer,
 * and whoever has a cloud project gets tokens signed for any audience, so each preset keeps the others out.
 *
 * Google never tells groups, and its access tokens are opaque without a sound way to check them: ID tokens only.
 *
 * @see developers.google.com: identity/openid-connect/reference, identity/protocols/risc
 * @module
 */
import { type Claims, textClaim } from '../claims.ts'
import { definePreset } from '../define-preset.ts'
import type { Preset, PresetData } from '../preset.ts'

const shared = {
  issuer: { known: 'https://accounts.google.com', also: ['accounts.google.com'] },
  algorithms: ['RS256'],
  maxLifetimeSeconds: 86_400,
  accessTokens: 'none',
  subjectClaims: [['sub']],
  // Old tokens have it as a text.
  coerce: { booleans: ['email_verified'] },
} as const satisfies Partial<PresetData>

const person = {
  ...shared,
  kind: 'user',
  // Without an address it cannot be told from a service account's.
  requires: ['email'],
  reads: { name: 'name', email: { verified: 'email_verified', when: isAuthoritative } },
  refuse: (claims) =>
    isServiceAccount(claims)
      ? 'the token is a service account’s, not a person’s: use the preset `google-service-account` for it'
      : undefined,
  revocation: 'rfc7009',
  logout: ['risc'],
} as const satisfies Partial<PresetData>

export const google: Preset = /* @__PURE__ */ definePreset({ ...person, name: 'google' })

export const googleWorkspace: Preset = /* @__PURE__ */ definePreset({
  ...person,
  name: 'google-workspace',
  tenant: {
    claim: 'hd',
    required: true,
    form: /^(?:[a-z0-9-]+\.)+[a-z0-9-]+$/,
    what: 'Workspace domains, such as `acme.com`',
  },
})

export const googleServiceAccount: Preset = /* @__PURE__ */ definePreset({
  ...shared,
  name: 'google-service-account',
  kind: 'workload',
  sharedAudience: { form: /\.apps\.googleusercontent\.com$/, what: 'an app that people sign in to' },
  // It names the account itself.
  authorizedParty: 'any',
  requires: ['email'],
  reads: { name: 'email', email: { verified: 'email_verified' } },
  refuse: (claims) => (isServiceAccount(claims) ? undefined : 'the token is not a service account’s'),
  weak: { email: 'sub' },
  revocation: 'none',
  logout: [],
})

/** Elsewhere the mailbox may have changed hands since Google saw it. */
function isAuthoritative(claims: Claims): boolean {
  return textClaim(claims, 'hd') !== undefined || textClaim(claims, 'email')?.endsWith('@gmail.com') === true
}

function isServiceAccount(claims: Claims): boolean {
  return /[.@]gserviceaccount\.com$/i.test(textClaim(claims, 'email') ?? '')
}
