/**
 * Shown claims: what of a job's ID token helps to register a trusted publisher.
 *
 * Names of repositories, branches and workflows; never ids of a single run, never the token.
 *
 * @module
 */
import { recordedText } from '@hfauth/core'
import { claim } from '../../token/claims.ts'
import { readCompactJwt } from '../../token/compact-jwt.ts'

const names = [
  'iss',
  'aud',
  'sub',
  // GitHub Actions
  'repository',
  'ref',
  'environment',
  'event_name',
  'workflow_ref',
  'job_workflow_ref',
  // GitLab
  'project_path',
  'ref_path',
  'ref_protected',
  'pipeline_source',
  // CircleCI
  'oidc.circleci.com/project-id',
  'oidc.circleci.com/vcs-origin',
  'oidc.circleci.com/vcs-ref',
  // Buildkite
  'organization_slug',
  'pipeline_slug',
  'build_branch',
]

/** @param token - A compact JWT. @throws HfAuthError `HFAUTH_TOKEN_INVALID` when it is none. */
export function shownClaims(token: string): ReadonlyMap<string, string> {
  const { payload } = readCompactJwt(token)
  const shown = new Map<string, string>()
  for (const name of names) {
    const value = claim(payload, name)
    if (typeof value === 'string') shown.set(name, recordedText(value))
  }
  return shown
}
