/**
 * Job token: the ID token by which a CI job proves itself, from whichever provider it runs at.
 *
 * job → **job token** → exchange. No stored secret is involved. Errors say what to change in the job's
 * settings, and never hold a token.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { numberOption } from '../../internal/number-option.ts'
import type { Fetch } from '../../internal/request.ts'
import { readCompactJwt } from '../../token/compact-jwt.ts'
import { isBearerText, readTokenKind } from '../../token/kind.ts'
import { readAudiences } from '../../verify/check-claims.ts'
import { isForkBuild } from './fork.ts'
import { githubToken } from './github-actions.ts'
import { runProgram } from './program.ts'
import type { CiEnvironment, CiProvider, CiRequest, RunProgram } from './types.ts'

export interface JobTokenOptions {
  /** For whom the token is: `https://huggingface.co` for the Hub. */
  readonly audience: string
  /** The job's environment variables. */
  readonly env: CiEnvironment
  /** Default whichever provider the variables tell of. */
  readonly provider?: CiProvider
  /** Variable with the token, where the job's settings choose its name. Default `HF_OIDC_ID_TOKEN`. */
  readonly variable?: string
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch
  /** Replaces the running of a provider's own tool. */
  readonly run?: RunProgram
  /** Longest wait for one answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
  /** Wait before the second try, in milliseconds; doubled before each further one. Default 500. */
  readonly retryMs?: number
}

/**
 * Gets the ID token of the CI job that this process runs in.
 *
 * @returns A compact JWT for `audience`. Not verified: whoever takes it does that.
 * @throws HfAuthError `HFAUTH_CI_TOKEN_UNAVAILABLE` when the job has none, or one for somebody else;
 * `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when the provider does not answer.
 */
export async function requestJobToken(options: JobTokenOptions): Promise<string> {
  const { audience, env, variable = 'HF_OIDC_ID_TOKEN' } = options
  const provider = options.provider ?? detectProvider(env)
  if (provider === undefined) {
    throw missing(
      'this is no CI job that is known: hand over its ID token by a variable or on standard input',
    )
  }
  const request: CiRequest = {
    audience,
    env,
    variable,
    fetch: options.fetch ?? globalThis.fetch,
    run: options.run ?? runProgram,
    timeoutMs: numberOption('timeoutMs', options.timeoutMs ?? 10_000, { min: 1 }),
    retryMs: numberOption('retryMs', options.retryMs ?? 500),
  }
  try {
    return readJobToken(await sources[provider](request), audience)
  } catch (error) {
    const withoutToken = error instanceof HfAuthError && error.code === 'HFAUTH_CI_TOKEN_UNAVAILABLE'
    if (!withoutToken || !(await isForkBuild(provider, env))) throw error
    throw missing(
      'this job was started by a pull request from a fork, which gets no token: ' +
        'run the step on branches of the repository only, after the change has been merged',
    )
  }
}

/** The provider whose job this is, by the variables that it sets in all of them. */
export function detectProvider(env: CiEnvironment): CiProvider | undefined {
  if (env.GITHUB_ACTIONS === 'true') return 'github-actions'
  if (env.GITLAB_CI === 'true') return 'gitlab-ci'
  if (env.CIRCLECI === 'true') return 'circleci'
  return env.BUILDKITE === 'true' ? 'buildkite' : undefined
}

/**
 * Reads an ID token that was handed over, and looks whether it is for `audience` before it is shown to anybody.
 *
 * @throws HfAuthError `HFAUTH_CI_TOKEN_UNAVAILABLE`.
 */
export function readJobToken(text: string, audience: string): string {
  const token = text.trim()
  const kind = isBearerText(token) ? readTokenKind(token) : undefined
  if (kind?.kind !== 'jwt') throw missing('what was given is not an ID token, which is a signed JWT')
  let audiences: readonly string[] | undefined
  try {
    audiences = readAudiences(readCompactJwt(kind.jwt).payload)
  } catch {
    throw missing('what was given is not an ID token: its parts cannot be read')
  }
  if (audiences?.includes(audience) !== true) {
    throw missing(`the ID token is not for \`${audience}\`: ask for it with this audience (\`aud\`)`)
  }
  return kind.jwt
}

const sources: Readonly<Record<CiProvider, (request: CiRequest) => string | Promise<string>>> = {
  'github-actions': githubToken,

  'gitlab-ci': ({ env, variable, audience }) =>
    env[variable] ||
    missingIn(
      `the variable \`${variable}\` is not set: add \`id_tokens: { ${variable}: { aud: "${audience}" } }\` to the job`,
    ),

  async circleci({ env, run, audience }) {
    // Only the tool can be told an audience; the variable has the organisation's unless that was changed.
    const made = await run('circleci', ['run', 'oidc', 'get', '--claims', JSON.stringify({ aud: audience })])
    if (made?.code === 0 && made.stdout.trim() !== '') return made.stdout
    return (
      env.CIRCLE_OIDC_TOKEN_V2 ||
      missingIn('`CIRCLE_OIDC_TOKEN_V2` is not set: the job needs a context, which gives it ID tokens')
    )
  },

  async buildkite({ run, audience }) {
    const made = await run('buildkite-agent', ['oidc', 'request-token', '--audience', audience])
    if (made === undefined) {
      return missingIn(
        '`buildkite-agent` is not on the path: run the step where the agent is, not in a container',
      )
    }
    return made.code === 0 ? made.stdout : missingIn('`buildkite-agent oidc request-token` failed')
  },
}

function missing(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_CI_TOKEN_UNAVAILABLE', message)
}

function missingIn(message: string): never {
  throw missing(message)
}
