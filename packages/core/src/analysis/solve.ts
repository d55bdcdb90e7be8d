/**
 * Solve: looks through the ways in which a formula can hold.
 *
 * formula → literals by variable → values. A way ends as soon as some variable has no value left. Where one is
 * left for every variable, `settle` says whether that is an answer, or what else has to hold.
 *
 * @module
 */
import { getOrAdd } from '../internal/maps.ts'
import type { Budget } from './budget.ts'
import type { Formula } from './formula.ts'
import { type Literal, literalOf, type Setting } from './literals.ts'
import type { Values } from './values.ts'

/** Literals by the variable that they limit. */
export type Store = ReadonlyMap<string, readonly Literal[]>

export type Outcome<Answer> =
  | { readonly kind: 'found'; readonly answer: Answer }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly reason: string }

export type Settled<Answer> =
  | Outcome<Answer>
  /** Something that was left out so far and has to hold as well; each is left out under its own name. */
  | { readonly kind: 'more'; readonly formulas: ReadonlyMap<string, Formula> }

export interface Solving<Answer> {
  readonly setting: Setting
  readonly budget: Budget
  /** The values that a variable may have while nothing is known of others. */
  values(variable: string, store: Store): Values
  settle(store: Store, known: ReadonlySet<string>): Settled<Answer>
}

const none = { kind: 'none' } as const
export const outOfSteps = 'it takes more steps than are allowed'

export function solve<Answer>(formulas: readonly Formula[], solving: Solving<Answer>): Outcome<Answer> {
  return explore(formulas, [], new Map(), new Set(), solving)
}

type Choice = Extract<Formula, { kind: 'any' }>

function explore<Answer>(
  formulas: readonly Formula[],
  open: readonly Formula[],
  before: Store,
  known: ReadonlySet<string>,
  solving: Solving<Answer>,
): Outcome<Answer> {
  const { budget } = solving
  const store = new Map(before)
  const choices: Choice[] = []
  const pending = [...open, ...formulas]
  for (let formula = pending.pop(); formula !== undefined; formula = pending.pop()) {
    if (!budget.spend()) return { kind: 'unknown', reason: outOfSteps }
    if (formula.kind === 'all') pending.push(...formula.of)
    else if (formula.kind === 'any') choices.push(formula)
    else {
      const literal = literalOf(formula, solving.setting)
      if ('kind' in literal) pending.push(literal)
      else {
        const ended = add(literal, store, solving)
        if (ended !== undefined) return ended
      }
    }
  }
  const left = choices.filter((choice) => !isSatisfied(choice, store, solving.setting))
  // The fewer ways, the sooner one is known to be the wrong one.
  left.sort((a, b) => a.of.length - b.of.length)
  const [choice, ...others] = left
  if (choice !== undefined) {
    return firstFound(choice.of, (option) => explore([option], others, store, known, solving))
  }
  const settled = solving.settle(store, known)
  if (settled.kind !== 'more') return settled
  return explore(
    [...settled.formulas.values()],
    [],
    store,
    new Set([...known, ...settled.formulas.keys()]),
    solving,
  )
}

/** Adds a literal; tells the outcome when that leaves its variable without a value. */
function add<Answer>(
  literal: Literal,
  store: Map<string, readonly Literal[]>,
  solving: Solving<Answer>,
): Outcome<Answer> | undefined {
  const there = getOrAdd(store, literal.variable, () => [])
  if (there.some(({ key }) => key === literal.key)) return undefined
  if (there.some(({ key }) => literal.opposites.includes(key))) return none
  store.set(literal.variable, [...there, literal])
  // What compares with this variable may have become impossible as well.
  const compared = [...store].filter(([, list]) => list.some(({ needs }) => needs.includes(literal.variable)))
  for (const variable of [literal.variable, ...compared.map(([name]) => name)]) {
    const { values, isProof } = solving.values(variable, store)
    if (values.length > 0) continue
    if (solving.budget.isSpent) return { kind: 'unknown', reason: outOfSteps }
    if (isProof) return none
    return { kind: 'unknown', reason: `what is asked of \`${variable}\` is too much to settle` }
  }
  return undefined
}

function isSatisfied(choice: Choice, store: Store, setting: Setting): boolean {
  return choice.of.some((option) => {
    if (option.kind === 'all' || option.kind === 'any') return option.kind === 'all' && option.of.length === 0
    const literal = literalOf(option, setting)
    if ('kind' in literal) return literal.kind === 'all' && literal.of.length === 0
    return store.get(literal.variable)?.some(({ key }) => key === literal.key) === true
  })
}

/** The first answer; without one, whether that is for sure. */
export function firstFound<Item, Answer>(
  items: Iterable<Item>,
  look: (item: Item) => Outcome<Answer>,
): Outcome<Answer> {
  let result: Outcome<Answer> = none
  for (const item of items) {
    const outcome = look(item)
    if (outcome.kind === 'found') return outcome
    if (outcome.kind === 'unknown' && result.kind === 'none') result = outcome
  }
  return result
}
