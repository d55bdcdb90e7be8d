/**
 * Sign in with Slack: ID tokens of people in the workspaces that a policy lists. App tokens (`xoxb-`,
 * `xoxp-`) are opaque and for Slack only.
 *
 * @see docs.slack.dev: authentication/sign-in-with-slack
 * @module
 */
import { definePreset } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

const team = 'https://slack.com/team_id'

export const slack: Preset = /* @__PURE__ */ definePreset({
  name: 'slack',
  kind: 'user',
  issuer: { known: 'https://slack.com' },
  algorithms: ['RS256'],
  accessTokens: 'none',
  subjectClaims: [[team, 'sub']],
  tenant: { claim: team, required: true, form: /^[TE][A-Z0-9]+$/, what: 'workspace ids (`T…`)' },
  reads: { name: 'name', email: { verified: 'email_verified' } },
  weak: { email: 'sub', 'https://slack.com/team_domain': team, 'https://slack.com/team_name': team },
  revocation: 'slack',
  logout: [],
})
