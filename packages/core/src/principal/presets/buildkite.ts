/**
 * Buildkite: the OIDC token of a job. All customers have one issuer, so the organisation is required, by id:
 * jobs ask for it with `--claim organization_id --claim pipeline_id`, since slugs can change hands.
 *
 * @see buildkite.com/docs: pipelines/security/oidc, agent/v3/cli-oidc
 * @module
 */
import { definePreset } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const buildkite: Preset = /* @__PURE__ */ definePreset({
  name: 'buildkite',
  kind: 'workload',
  issuer: { known: 'https://agent.buildkite.com' },
  sharedAudience: {
    form: /^https:\/\/buildkite\.com\/[^/]+$/,
    what: 'the default of all jobs of an organisation',
  },
  algorithms: ['RS256'],
  accessTokens: 'none',
  subjectClaims: [['pipeline_id']],
  tenant: {
    claim: 'organization_id',
    required: true,
    form: uuid,
    what: 'ids of organisations (UUIDs; jobs ask with `--claim organization_id`)',
  },
  requires: ['organization_id', 'pipeline_id'],
  coerce: { texts: ['build_number'] },
  reads: { name: 'pipeline_slug' },
  weak: {
    organization_slug: 'organization_id',
    pipeline_slug: 'pipeline_id',
    build_branch: '',
    build_tag: '',
  },
  revocation: 'none',
  logout: [],
})
