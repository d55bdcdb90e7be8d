/**
 * Fork: whether a job runs for a pull request from somebody else's copy of the repository.
 *
 * Such jobs are kept from tokens by their provider, and rightly so: they run code that nobody has reviewed.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { isJsonObject, parseJsonObject } from '../../internal/json-object.ts'
import type { CiEnvironment, CiProvider } from './types.ts'

export async function isForkBuild(provider: CiProvider, env: CiEnvironment): Promise<boolean> {
  switch (provider) {
    case 'github-actions':
      return isForkEvent(env)
    case 'gitlab-ci': {
      const { CI_MERGE_REQUEST_SOURCE_PROJECT_ID: source, CI_MERGE_REQUEST_PROJECT_ID: target } = env
      return source !== undefined && target !== undefined && source !== target
    }
    case 'circleci':
      // Set for pull requests from forks only.
      return (env.CIRCLE_PR_USERNAME ?? '') !== ''
    case 'buildkite': {
      const { BUILDKITE_PULL_REQUEST_REPO: source = '', BUILDKITE_REPO: target } = env
      return source !== '' && repository(source) !== repository(target ?? '')
    }
  }
}

/** The event that started the workflow stands in a file. */
async function isForkEvent({ GITHUB_EVENT_PATH, GITHUB_REPOSITORY }: CiEnvironment): Promise<boolean> {
  if (GITHUB_EVENT_PATH === undefined || GITHUB_EVENT_PATH === '') return false
  const text = await readFile(GITHUB_EVENT_PATH, 'utf8').catch(() => '')
  let place: unknown = parseJsonObject(text, { maxDepth: 64, maxValues: 100_000 })
  for (const name of ['pull_request', 'head', 'repo']) {
    place = isJsonObject(place) && Object.hasOwn(place, name) ? place[name] : undefined
  }
  const source = isJsonObject(place) && Object.hasOwn(place, 'full_name') ? place.full_name : undefined
  return typeof source === 'string' && source.toLowerCase() !== GITHUB_REPOSITORY?.toLowerCase()
}

/** `owner/name` of `git@host:owner/name.git`, `https://host/owner/name` … */
function repository(address: string): string {
  return (/[^/:]+\/[^/:]+$/.exec(address.replace(/\/$/, ''))?.[0] ?? address)
    .replace(/\.git$/, '')
    .toLowerCase()
}
