/**
 * The journey: who tries what in which environment, what was decided and why.
 *
 * What is printed comes from the audit trail, and what is expected is said beforehand, so that the
 * journey holds only if people, policy, proxy and trail all agree.
 *
 * @module
 */
import type { RecordedEvent } from '@hfauth/node'
import { type Attempt, chat, commit, download, list, remove } from './attempts.ts'
import type { Deployment } from './deployment.ts'
import { type Actor, signIn, startJob } from './people.ts'
import type { Demo } from './start-demo.ts'

interface Step {
  readonly environment: 'development' | 'production'
  readonly who: string
  readonly what: string
  readonly attempt: Attempt
  /** The reason that the trail must give. */
  readonly expected: string
}

const steps: readonly Step[] = [
  step(
    'development',
    'nobody',
    'download acme/vision-large',
    download('acme/vision-large'),
    'authentication_required',
  ),
  step('development', 'ana', 'list models of acme', list('acme'), 'filtered'),
  step('development', 'ana', 'download acme/vision-large', download('acme/vision-large'), 'allowed'),
  step('development', 'ana', 'chat with acme/text-chat', chat('acme/text-chat'), 'allowed'),
  step('development', 'ana', 'commit to acme/vision-small', commit('acme/vision-small'), 'allowed'),
  step('development', 'ana', 'delete acme/vision-small', remove('acme/vision-small'), 'no_matching_rule'),
  step('development', 'ana', 'chat with acme/restricted', chat('acme/restricted'), 'explicit_deny'),
  step('development', 'ben', 'download acme/vision-large', download('acme/vision-large'), 'allowed'),
  step('development', 'ben', 'chat with acme/text-chat', chat('acme/text-chat'), 'no_matching_rule'),
  step('development', 'ben', 'commit to acme/vision-small', commit('acme/vision-small'), 'no_matching_rule'),
  step('development', 'cleo', 'delete acme/vision-gated', remove('acme/vision-gated'), 'allowed'),
  step('development', 'dan', 'download acme/vision-large', download('acme/vision-large'), 'no_matching_rule'),
  step('production', 'ana', 'chat with acme/text-chat', chat('acme/text-chat'), 'allowed'),
  step('production', 'ana', 'commit to acme/vision-small', commit('acme/vision-small'), 'no_matching_rule'),
  step('production', 'cleo', 'delete acme/vision-small', remove('acme/vision-small'), 'environment_ceiling'),
  step('production', 'release job', 'commit to acme/vision-large', commit('acme/vision-large'), 'allowed'),
  step('production', 'release job', 'commit to acme/text-chat', commit('acme/text-chat'), 'no_matching_rule'),
  step('production', 'release job', 'chat with acme/text-chat', chat('acme/text-chat'), 'no_matching_rule'),
  step(
    'production',
    'pull request',
    'commit to acme/vision-large',
    commit('acme/vision-large'),
    'no_matching_rule',
  ),
  step(
    'production',
    'forged job',
    'commit to acme/vision-large',
    commit('acme/vision-large'),
    'HFAUTH_TOKEN_INVALID',
  ),
]

function step(
  environment: Step['environment'],
  who: string,
  what: string,
  attempt: Attempt,
  expected: string,
): Step {
  return { environment, who, what, attempt, expected }
}

export interface StepResult {
  readonly environment: string
  readonly who: string
  readonly what: string
  /** What the trail says. */
  readonly decided: string
  readonly why: string
  readonly holds: boolean
}

export async function runJourney(demo: Demo): Promise<StepResult[]> {
  const actors = await gather(demo)
  const results: StepResult[] = []
  for (const { environment, who, what, attempt, expected } of steps) {
    const deployment = demo.deployments.find((candidate) => candidate.environment === environment)
    const actor = actors.get(who)
    if (deployment === undefined || actor === undefined) throw new Error(`no ${environment} or no ${who}`)
    const before = deployment.events.length
    const worked = await attempt(actor, deployment.proxyUrl).then(
      () => true,
      () => false,
    )
    const event = telling(deployment, before)
    const why = event?.decision?.reason ?? event?.error ?? 'nothing on record'
    results.push({
      environment,
      who,
      what,
      decided: event?.decision?.effect ?? 'refused',
      why,
      // The client's experience and the record must agree, and be what was expected.
      holds: why === expected && worked === (event?.decision?.effect === 'allow'),
    })
  }
  return results
}

/** The event that settled an attempt: a refusal if there was one, else the last grant. */
function telling({ events }: Deployment, from: number): RecordedEvent | undefined {
  const decided = events
    .slice(from)
    .filter(({ type }) => type === 'io.hfauth.decision' || type === 'io.hfauth.token.rejected')
  return decided.find(({ decision }) => decision?.effect !== 'allow') ?? decided.at(-1)
}

async function gather({ huggingFace, deployments }: Demo): Promise<Map<string, Actor>> {
  const scopes = ['inference-api', 'manage-repos', 'read-memberships']
  if (deployments.length === 0) throw new Error('nothing is deployed')
  const repository = 'acme/vision'
  const release = await startJob(huggingFace, 'release job', {
    repository,
    ref: 'refs/heads/main',
    event_name: 'push',
  })
  const actors = [
    { name: 'nobody' },
    ...(await Promise.all(['ana', 'ben', 'cleo', 'dan'].map((name) => signIn(huggingFace, name, scopes)))),
    release,
    await startJob(huggingFace, 'pull request', {
      repository,
      ref: 'refs/pull/1/merge',
      event_name: 'pull_request',
    }),
    { name: 'forged job', token: tampered(release.token ?? '') },
  ]
  return new Map(actors.map((actor) => [actor.name, actor]))
}

/** The token with another payload under the old signature: the pull request's claim to be the main branch. */
function tampered(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const forged = Buffer.from(JSON.stringify({ ...claims, actor: 'mallory' })).toString('base64url')
  return [header, forged, signature].join('.')
}
