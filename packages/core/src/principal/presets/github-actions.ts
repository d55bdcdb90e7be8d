/**
 * GitHub Actions: a CI job that proves itself with its own short-lived ID token.
 *
 * Bind on `claims` (`repository_id`, `ref`, `environment`, `event_name`), not on `sub`, which has several
 * shapes, with and without ids, and can be replaced by a template. The subject is the repository's id, which
 * survives a rename and cannot be taken over.
 *
 * @see docs.github.com: Actions, OpenID Connect reference; securely using pull_request_target
 * @module
 */
import { definePreset } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

export const githubActions: Preset = /* @__PURE__ */ definePreset({
  name: 'github-actions',
  kind: 'workload',
  issuer: {
    known: 'https://token.actions.githubusercontent.com',
    form: /^https:\/\/(?:token\.actions\.githubusercontent\.com(?:\/[^/]+)?|token\.actions\.[^/.]+\.ghe\.com|[^/]+\/_services\/token)$/,
    distinctive: true,
    example: 'https://github.acme.dev/_services/token',
  },
  sharedAudience: { form: /^https:\/\/github\.com\/[^/]+$/, what: 'the default of all jobs of an owner' },
  algorithms: ['RS256'],
  accessTokens: 'none',
  subjectClaims: [['repository_id'], ['sub']],
  tenant: {
    claim: 'repository_owner_id',
    form: /^[1-9]\d*$/,
    what: 'numeric ids of owners (`repository_owner_id`)',
  },
  requires: ['repository_id', 'repository_owner_id', 'event_name'],
  // They run with the repository's rights on what a stranger sent.
  gate: { claim: 'event_name', values: ['pull_request_target', 'issue_comment', 'workflow_run'] },
  coerce: {
    texts: [
      'repository_id',
      'repository_owner_id',
      'enterprise_id',
      'actor_id',
      'run_id',
      'run_number',
      'run_attempt',
    ],
  },
  reads: { name: 'repository' },
  singleValues: true,
  weak: {
    enterprise: 'enterprise_id',
    actor: '',
    actor_id: '',
    triggering_actor: '',
    head_ref: '',
    workflow: 'job_workflow_ref',
  },
  revocation: 'none',
  logout: [],
})
