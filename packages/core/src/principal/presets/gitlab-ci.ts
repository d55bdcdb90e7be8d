/**
 * GitLab CI: the `id_tokens` of a job, at gitlab.com or an instance of one's own.
 *
 * In a merge request from a fork, `project_id` names the fork and `job_project_id` where the job ran; a token
 * in which they differ is refused. The issuer is that of signing in with GitLab, so a job's claims are required.
 *
 * @see docs.gitlab.com: ci/secrets/id_token_authentication
 * @module
 */
import { own } from '../claims.ts'
import { definePreset } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

export const gitlabCi: Preset = /* @__PURE__ */ definePreset({
  name: 'gitlab-ci',
  kind: 'workload',
  issuer: { known: 'https://gitlab.com' },
  algorithms: ['RS256'],
  accessTokens: 'none',
  subjectClaims: [['project_id']],
  tenant: { claim: 'namespace_id', form: /^[1-9]\d*$/, what: 'numeric ids of namespaces (`namespace_id`)' },
  requires: ['project_id', 'namespace_id', 'job_id', 'pipeline_source', 'ref'],
  coerce: {
    booleans: ['ref_protected', 'environment_protected'],
    texts: [
      'project_id',
      'namespace_id',
      'job_project_id',
      'job_namespace_id',
      'user_id',
      'pipeline_id',
      'job_id',
      'runner_id',
    ],
  },
  reads: { name: 'project_path' },
  refuse(claims) {
    const foreign = ['project_id', 'namespace_id'].some((name) => {
      const ran = own(claims, `job_${name}`)
      return ran !== undefined && ran !== own(claims, name)
    })
    return foreign
      ? 'the job ran in another project than its code comes from (a merge request of a fork)'
      : undefined
  },
  weak: {
    project_path: 'project_id',
    namespace_path: 'namespace_id',
    job_project_path: 'job_project_id',
    job_namespace_path: 'job_namespace_id',
    user_login: '',
    user_email: '',
    user_id: '',
    user_access_level: '',
    groups_direct: '',
  },
  revocation: 'none',
  logout: [],
})
