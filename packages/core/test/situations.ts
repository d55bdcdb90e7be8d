/** A question about somebody in production, as explanations look at it. */
import { compilePolicy } from '../src/compile/compile.ts'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
import type { Situation } from '../src/explain/counterfactual.ts'
import type { Json, Policy, Principal, ResourceInput } from '../src/index.ts'
import { now } from './support.ts'

export interface SituationQuestion {
  readonly action: string
  readonly resource: ResourceInput
  readonly context?: { readonly [name: string]: Json }
}

/** `undefined` for a resource that cannot be read. */
export function situationOf(
  policy: Policy,
  principal: Principal,
  { action, resource, context }: SituationQuestion,
): Situation | undefined {
  const compiledIn = (name: string) => {
    const environment = policy.environments.get(name)
    return environment && compilePolicy(policy, environment)
  }
  const compiled = compiledIn('production')
  const request = readFacts(emptyFacts(), resource, context, now)
  if (compiled === undefined || request === undefined) return undefined
  return { compiled, principal, action, request, now, compiledIn }
}
