/**
 * Any OpenID Connect provider that keeps to the standard claims, found by discovery.
 *
 * @see OpenID Connect Core 1.0 §5.1; OpenID Connect Discovery 1.0 §4
 * @module
 */
import { own, textClaim } from '../claims.ts'
import { definePreset, standardMembers } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

export const oidc: Preset = /* @__PURE__ */ definePreset({
  name: 'oidc',
  kind: 'user',
  issuer: {},
  algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'],
  accessTokens: 'introspection',
  subjectClaims: [['sub']],
  reads: standardMembers,
  // Jobs choose their own audience, so a job's token must not pass for a person who signed in at the same GitLab.
  refuse: (claims) =>
    textClaim(claims, 'sub')?.startsWith('project_path:') ||
    ['pipeline_id', 'job_id'].every((name) => own(claims, name) !== undefined)
      ? 'the token is that of a CI job: use the preset `gitlab-ci` for it'
      : undefined,
  revocation: 'rfc7009',
  logout: ['back-channel', 'ssf'],
})
