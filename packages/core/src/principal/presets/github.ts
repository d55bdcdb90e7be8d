/**
 * GitHub people: OAuth access tokens, which are opaque. GitHub tells the app that a token was given to whose
 * it is, and nobody else, so the check proves that it is ours.
 *
 * The verifier writes GitHub's answers as claims: `sub` is the numeric id (a login can be registered again
 * by someone else), `orgs` and `teams` hold ids, and `email` is the verified primary address or absent.
 *
 * @see docs.github.com: REST, apps/oauth-applications; orgs/members; teams; users/emails
 * @module
 */
import { definePreset } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

export const github: Preset = /* @__PURE__ */ definePreset({
  name: 'github',
  kind: 'user',
  issuer: { known: 'https://github.com', form: /^https:\/\/[^/]+$/, example: 'https://github.acme.dev' },
  algorithms: [],
  keys: 'none',
  accessTokens: 'github',
  subjectClaims: [['sub']],
  tenant: { claim: 'org', form: /^[1-9]\d*$/, what: 'numeric ids of organisations' },
  reads: {
    username: 'preferred_username',
    name: 'name',
    groups: 'groups',
    scopes: ['scope'],
    email: { verified: 'email_verified' },
  },
  weak: { preferred_username: 'sub' },
  revocation: 'github',
  logout: [],
})
