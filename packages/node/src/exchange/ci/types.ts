/**
 * What a CI job knows of itself, and how it is asked for its ID token.
 *
 * @module
 */
import type { Fetch } from '../../internal/request.ts'

export type CiProvider = 'github-actions' | 'gitlab-ci' | 'circleci' | 'buildkite'

export type CiEnvironment = Readonly<Record<string, string | undefined>>

/** Runs a program without a shell; `undefined` when there is none of that name. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  options?: { readonly input?: string },
) => Promise<{ readonly code: number; readonly stdout: string } | undefined>

export interface CiRequest {
  /** For whom the token is asked: `aud`. */
  readonly audience: string
  readonly env: CiEnvironment
  /** Replaces the global `fetch`. */
  readonly fetch: Fetch
  readonly run: RunProgram
  /** Name of the variable that holds the token, where a job's settings choose it. */
  readonly variable: string
  /** Longest wait for one answer, in milliseconds. */
  readonly timeoutMs: number
  /** Wait before the second try, in milliseconds; doubled before each further one. */
  readonly retryMs: number
}
