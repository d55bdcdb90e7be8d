/**
 * The presets there are, by the name a policy uses.
 *
 * @module
 */
import type { Preset } from '../preset.ts'
import { auth0 } from './auth0.ts'
import { aws, awsAlb } from './aws.ts'
import { buildkite } from './buildkite.ts'
import { circleci } from './circleci.ts'
import { entra } from './entra.ts'
import { github } from './github.ts'
import { githubActions } from './github-actions.ts'
import { gitlabCi } from './gitlab-ci.ts'
import { google, googleServiceAccount, googleWorkspace } from './google.ts'
import { huggingface } from './huggingface.ts'
import { keycloak } from './keycloak.ts'
import { awsEks, kubernetes } from './kubernetes.ts'
import { oidc } from './oidc.ts'
import { okta, oktaOrg } from './okta.ts'
import { slack } from './slack.ts'

const people = [
  huggingface,
  okta,
  oktaOrg,
  google,
  googleWorkspace,
  github,
  entra,
  auth0,
  keycloak,
  slack,
  awsAlb,
  oidc,
]
const workloads = [
  githubActions,
  gitlabCi,
  circleci,
  buildkite,
  aws,
  awsEks,
  kubernetes,
  googleServiceAccount,
]

export const presets: ReadonlyMap<string, Preset> = new Map(
  [...people, ...workloads].map((preset) => [preset.name, preset]),
)
