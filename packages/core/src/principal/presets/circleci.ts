/**
 * CircleCI: the OIDC token of a job. Each organisation has an address of its own; jobs that ask for the root
 * issuer are told apart by `org-id` alone, which is checked in both cases.
 *
 * A job that someone re-ran with SSH is theirs to type in, and refused.
 *
 * @see circleci.com/docs: openid-connect-tokens
 * @module
 */
import { definePreset } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

const member = (name: string) => `oidc.circleci.com/${name}`
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const circleci: Preset = /* @__PURE__ */ definePreset({
  name: 'circleci',
  kind: 'workload',
  issuer: {
    known: 'https://oidc.circleci.com/org/{tenant}',
    form: /^https:\/\/oidc\.circleci\.com(?:\/org\/\{tenant\})?$/,
    distinctive: true,
    example: 'https://oidc.circleci.com',
  },
  sharedAudience: { form: uuid, what: 'the default of all jobs of an organisation' },
  algorithms: ['RS256'],
  accessTokens: 'none',
  subjectClaims: [[member('project-id')]],
  tenant: { claim: member('org-id'), required: true, form: uuid, what: 'ids of organisations (UUIDs)' },
  requires: [member('org-id'), member('project-id')],
  coerce: { booleans: [member('ssh-rerun')], oddBoolean: true },
  reads: { name: member('vcs-origin') },
  refuse: (claims) =>
    claims[member('ssh-rerun')] === true
      ? 'the job was run again with SSH, so someone may be typing in it'
      : undefined,
  revocation: 'none',
  logout: [],
})
