/**
 * Request: what the search for values knows of one kind of request, somebody of one issuer on one type.
 *
 * @module
 */
import type { Policy } from '../policy/policy.ts'
import type { Json } from '../types.ts'
import type { Budget } from './budget.ts'
import type { Formula } from './formula.ts'
import type { SolveElement } from './list-values.ts'
import type { Assigned, Setting } from './literals.ts'
import { type Solving, type Store, solve } from './solve.ts'
import { type ValueSearch, type Values, valuesFor } from './values.ts'

export interface RequestKind {
  readonly setting: Setting
  readonly budget: Budget
  search(store: Store, assigned: Assigned): ValueSearch
  /** The values that a variable may have while nothing is known of others; each set of literals is looked at once. */
  values(variable: string, store: Store): Values
}

const elementPrefix = 'element.'
const nothing: Assigned = () => undefined
/** Most sets of literals that are remembered. */
const maxRemembered = 20_000

export function createRequestKind(
  policy: Policy,
  setting: Setting,
  budget: Budget,
  now: number,
): RequestKind {
  const attributes = policy.types.get(setting.type)?.attributes ?? {}
  const declared = (variable: string) => {
    const name = variable.slice('resource.'.length)
    return variable.startsWith('resource.') && Object.hasOwn(attributes, name) ? attributes[name] : undefined
  }
  const search = (store: Store, assigned: Assigned): ValueSearch => ({
    setting,
    assigned,
    pinned: (variable) => pinnedIn(store, variable),
    budget,
    now,
    declared,
    solveElement,
  })
  const solveElement: SolveElement = (formulas, assigned) => {
    const solving: Solving<Json> = {
      setting,
      budget,
      values: (variable, store) => valuesFor(variable, store.get(variable) ?? [], search(store, assigned)),
      settle: (store) => ({ kind: 'found', answer: elementOf(store, assigned, search) }),
    }
    const outcome = solve(formulas, solving)
    return outcome.kind === 'found' ? { element: outcome.answer } : { isProof: outcome.kind === 'none' }
  }
  const remembered = new Map<string, Values>()
  return {
    setting,
    budget,
    search,
    values(variable, store) {
      const literals = store.get(variable) ?? []
      const find = () => valuesFor(variable, literals, search(store, nothing))
      // What other variables show counts only for literals that compare with them.
      if (literals.some(({ needs }) => needs.length > 0)) return find()
      const key = literals.map((literal) => literal.key).join('\n')
      const known = remembered.get(key)
      if (known !== undefined) return known
      if (remembered.size >= maxRemembered) remembered.clear()
      const found = find()
      if (!budget.isSpent) remembered.set(key, found)
      return found
    },
  }
}

function elementOf(
  store: Store,
  assigned: Assigned,
  search: (store: Store, assigned: Assigned) => ValueSearch,
): Json {
  const members: { [name: string]: Json } = {}
  for (const [variable, literals] of store) {
    // What elements are compared with is a fact of its own.
    if (!variable.startsWith(elementPrefix)) continue
    const [value] = valuesFor(variable, literals, search(store, assigned)).values
    if (value !== undefined) members[variable.slice(elementPrefix.length)] = value
  }
  return members
}

/** The texts, up to case, that a claim which is read as a text must be one of. */
function pinnedIn(store: Store, variable: string): readonly string[] | undefined {
  for (const { test, view } of store.get(variable) ?? []) {
    if (test === undefined || test.want !== 'true' || view.name !== 'text') continue
    if (test.of.kind === 'name') return [test.of.name]
    if (test.of.kind !== 'test' || test.isReversed || !('literal' in test.of.operand)) continue
    const { operator, operand } = test.of
    if (operator !== '$eq' && operator !== '$in') continue
    return [operand.literal].flat().filter((value) => typeof value === 'string')
  }
  return undefined
}

/** Whether formulas can hold together as far as single variables show; a mere "maybe" counts as yes. */
export function couldHold(formulas: readonly Formula[], kind: RequestKind): boolean {
  const solving: Solving<true> = { ...kind, settle: () => ({ kind: 'found', answer: true }) }
  return solve(formulas, solving).kind !== 'none'
}
