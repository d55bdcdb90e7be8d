/**
 * Examples: the policy's own `tests`, each asked of the engine as a real question.
 *
 * @module
 */
import { createEngine } from './engine/engine.ts'
import type { Policy } from './policy/policy.ts'
import { issuerAtAddress } from './principal/actors.ts'
import { anonymous, type Principal, principalFromClaims } from './principal/principal.ts'
import type { Decision, Json } from './types.ts'

export interface ExampleResult {
  /** Name of the test in the policy. */
  readonly test: string
  /** `infer model:acme/vision-large` */
  readonly question: string
  readonly expected: 'allow' | 'deny'
  readonly passed: boolean
  readonly decision: Decision
}

export interface RunExamplesOptions {
  /** Epoch milliseconds at which the questions are asked. */
  readonly now: number
}

/** What an example's resource is taken to be where `resources` does not say: private, open to its readers, untagged. */
const plainAttributes = { private: true, gated: false, tags: [] }

/** Asks every example; a token that does not say otherwise was issued at `now` and lives for an hour. */
export function runExamples(policy: Policy, options: RunExamplesOptions): ExampleResult[] {
  return (policy.document.tests ?? []).flatMap((example) => {
    const engine = createEngine(policy, { environment: example.environment, now: () => options.now })
    const access = engine.for(examplePrincipal(policy, example.principal, options.now))
    return Object.entries(example.expect).map(([question, expected]) => {
      const space = question.indexOf(' ')
      const name = question.slice(space + 1)
      const colon = name.indexOf(':')
      const attributes = { ...plainAttributes, ...example.resources?.[name] }
      const decision = access.decide({
        action: question.slice(0, space),
        resource: { type: name.slice(0, colon), id: name.slice(colon + 1), attributes },
        ...(example.context === undefined ? {} : { context: example.context as { [name: string]: Json } }),
      })
      return {
        test: example.name,
        question,
        expected,
        passed: decision.allowed === (expected === 'allow'),
        decision,
      }
    })
  })
}

type ExamplePrincipal = NonNullable<Policy['document']['tests']>[number]['principal']

function examplePrincipal(policy: Policy, example: ExamplePrincipal, now: number): Principal {
  if (example === 'anonymous') return anonymous
  const issuer = policy.issuers.get(example.issuer)
  if (issuer === undefined) return anonymous
  const seconds = Math.floor(now / 1000)
  return principalFromClaims({
    issuer: example.issuer,
    preset: issuer.preset,
    credential: example.credential ?? 'id_token',
    claims: { iat: seconds, exp: seconds + 3600, ...example.claims },
    issuerAt: issuerAtAddress(policy.issuers.values()),
  })
}
