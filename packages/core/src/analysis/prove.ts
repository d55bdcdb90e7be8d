/**
 * Prove: whether what an invariant forbids could ever be allowed, over every request there can be.
 *
 * policy → allowances → formulas → **proof**. `holds` is said only when every way has been ruled out, and
 * that it does not only with a request that the engine itself allows; everything else is unknown, with a reason.
 *
 * @module
 */
import { present } from '../internal/present.ts'
import type { Environment, Invariant, Policy } from '../policy/policy.ts'
import type { SourceLocation } from '../types.ts'
import { type Allowance, askersOf, createAllowances, denialsOf, entryOf } from './allowances.ts'
import { Budget } from './budget.ts'
import type { Formula } from './formula.ts'
import { createLessons } from './lessons.ts'
import { couldHold, createRequestKind, type RequestKind } from './request.ts'
import { settle } from './settle.ts'
import { firstFound, type Outcome, outOfSteps, solve } from './solve.ts'
import { type Asker, clockVariable } from './sources.ts'
import { isBound } from './subjects.ts'
import { valuesFor } from './values.ts'
import { type Counterexample, Replay } from './witness.ts'

export interface ProveOptions {
  /** Most steps of work for one invariant in one environment; beyond it the answer is unknown. Default 2,000,000. */
  readonly steps?: number
  /** The time, in epoch milliseconds, at which counterexamples are asked where any would do. Default the start of 2026. */
  readonly now?: number
}

export type Verdict =
  | { readonly holds: true }
  | { readonly holds: false; readonly counterexample: Counterexample }
  | { readonly holds: 'unknown'; readonly reason: string }

export type Proof = Verdict & {
  /** Name of the invariant. */
  readonly invariant: string
  readonly environment: string
  /** Where the invariant stands in the policy. */
  readonly location?: SourceLocation
}

const defaultSteps = 2_000_000
const defaultNow = Date.UTC(2026, 0, 1)

/**
 * Proves every invariant in every environment of the policy, or finds a request that breaks it.
 *
 * Over every principal whom `for` means, all attributes and context, any clock and any scopes. Pure, and bounded
 * by `steps`.
 */
export function proveInvariants(policy: Policy, options: ProveOptions = {}): Proof[] {
  const { steps = defaultSteps, now = defaultNow } = options
  return policy.invariants.flatMap((invariant) =>
    [...policy.environments.values()].map((environment) => {
      const replay = new Replay(policy, environment.name, invariant)
      const attempt: Attempt = { policy, environment, invariant, replay, budget: new Budget(steps), now }
      return {
        invariant: invariant.name,
        environment: environment.name,
        ...present({ location: invariant.location }),
        ...verdictOf(search(attempt)),
      }
    }),
  )
}

const unassigned = () => undefined

interface Attempt {
  readonly policy: Policy
  readonly environment: Environment
  readonly invariant: Invariant
  readonly replay: Replay
  readonly budget: Budget
  readonly now: number
}

function verdictOf(outcome: Outcome<Counterexample>): Verdict {
  switch (outcome.kind) {
    case 'found':
      return { holds: false, counterexample: outcome.answer }
    case 'none':
      return { holds: true }
    case 'unknown':
      return { holds: 'unknown', reason: outcome.reason }
  }
}

function search(attempt: Attempt): Outcome<Counterexample> {
  const { policy, environment, invariant } = attempt
  const allowancesOf = createAllowances(policy, environment, invariant)
  return firstFound(askersOf(policy), (asker) => {
    const entry = entryOf(invariant, environment, asker)
    if (entry === undefined) return { kind: 'none' }
    return searchFor(asker, entry, allowancesOf, attempt)
  })
}

function searchFor(
  asker: Asker,
  entry: readonly Formula[],
  allowancesOf: ReturnType<typeof createAllowances>,
  attempt: Attempt,
): Outcome<Counterexample> {
  const { policy, environment, budget, now } = attempt
  const kinds = new Map<string, RequestKind>()
  const kindOn = (type: string) => {
    const kind = kinds.get(type) ?? createRequestKind(policy, { asker, type }, budget, now)
    kinds.set(type, kind)
    return kind
  }
  const possible = new Map<Allowance, boolean>()
  const isPossible = (allowance: Allowance) => {
    const known = possible.get(allowance)
    if (known !== undefined) return known
    // What everyone is denied rules out most of what no binding is needed for.
    const denied = denialsOf(policy, environment, allowance)
    const could = couldHold([...entry, ...allowance.formulas, ...denied], kindOn(allowance.type))
    possible.set(allowance, could)
    return could
  }
  return firstFound(policy.bindings, (binding) => {
    const bound = isBound(binding, asker)
    if (bound.kind === 'any' && bound.of.length === 0) return { kind: 'none' }
    const allowances = allowancesOf(binding.roles).filter(isPossible)
    const [first] = allowances
    if (first === undefined || !couldHold([...entry, bound], kindOn(first.type))) return { kind: 'none' }
    return firstFound(allowances, (allowance) => {
      if (budget.isSpent) return { kind: 'unknown', reason: outOfSteps }
      return solveFor(allowance, [...entry, bound, ...allowance.formulas], kindOn(allowance.type), attempt)
    })
  })
}

function solveFor(
  { action }: Allowance,
  formulas: readonly Formula[],
  kind: RequestKind,
  { policy, replay }: Attempt,
): Outcome<Counterexample> {
  const { setting } = kind
  const learn = createLessons(policy, setting)
  return solve(formulas, {
    ...kind,
    settle: (store, known) =>
      settle(store, known, {
        search: kind.search,
        learn,
        ask(chosen, there) {
          const clock = there.get(clockVariable) ?? []
          const times = valuesFor(clockVariable, clock, kind.search(there, unassigned)).values.map(Number)
          const isInTime = (time: number) =>
            clock.every((literal) => literal.holds(time, unassigned) !== false)
          return replay.ask(chosen, { setting, action, times, isInTime })
        },
      }),
  })
}
