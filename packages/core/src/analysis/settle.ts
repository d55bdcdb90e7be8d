/**
 * Settle: where every variable has a value left, choose values, ask the engine, and learn from its answer.
 *
 * What was left out of the formula until now is what the engine names: a denial that fires, scopes that cut.
 * Leaving out can only let too much through, so that no way being left is a proof all the same.
 *
 * @module
 */
import type { Json } from '../types.ts'
import type { Formula } from './formula.ts'
import { type Assigned, type Literal, momentOf } from './literals.ts'
import { outOfSteps, type Settled, type Store } from './solve.ts'
import { timeVariable } from './sources.ts'
import { isOpen, pointsOf, type ValueSearch, type Values, valuesFor } from './values.ts'
import type { Answer, Values as Chosen, Counterexample } from './witness.ts'

export interface Settling {
  search(store: Store, assigned: Assigned): ValueSearch
  /** The engine's answer to a request with these values. */
  ask(chosen: Chosen, store: Store): Answer | undefined
  /** What the answer shows that was left out, each part under its own name. */
  learn(answer: Counterexample): ReadonlyMap<string, Formula>
}

/** Requests that are tried for one way before it is given up. */
const maxTries = 48
/** Values that are tried for a variable that others compare with. */
const maxShared = 10

export function settle(
  store: Store,
  known: ReadonlySet<string>,
  settling: Settling,
): Settled<Counterexample> {
  const times = timesFor(store, settling)
  if (times.values.length === 0) {
    return times.isProof
      ? { kind: 'none' }
      : { kind: 'unknown', reason: 'times are compared with each other in more ways than can be settled' }
  }
  let tries = 0
  let refusal = 'no request could be put together for what is compared with each other'
  for (const time of times.values) {
    const start = new Map<string, Json | undefined>(time === undefined ? [] : [[timeVariable, time]])
    for (const chosen of choices(store, start, settling)) {
      if (tries++ >= maxTries) break
      const answer = settling.ask(chosen, store)
      if (answer === undefined) continue
      const { isForbidden, ...counterexample } = answer
      if (isForbidden && answer.decision.allowed) return { kind: 'found', answer: counterexample }
      if (!isForbidden) continue
      refusal = `no request was found that is allowed, the last refusal was \`${answer.decision.reason}\``
      const more = [...settling.learn(answer)].filter(([name]) => !known.has(name))
      if (more.length > 0) return { kind: 'more', formulas: new Map(more) }
    }
  }
  return {
    kind: 'unknown',
    reason: settling.search(store, () => undefined).budget.isSpent ? outOfSteps : refusal,
  }
}

function* choices(
  store: Store,
  start: ReadonlyMap<string, Json | undefined>,
  settling: Settling,
): Iterable<Chosen> {
  const literals = [...store.values()].flat()
  const shared = [...new Set(literals.flatMap(({ needs }) => needs))].filter((name) => name !== timeVariable)
  const needsOf = (variable: string) => (store.get(variable) ?? []).flatMap(({ needs }) => needs).length
  shared.sort((a, b) => needsOf(a) - needsOf(b))
  const others = [...store.keys()].filter((name) => !shared.includes(name) && name !== timeVariable)

  function* choose(i: number, chosen: ReadonlyMap<string, Json | undefined>): Iterable<Chosen> {
    const variable = shared[i]
    if (variable === undefined) {
      const all = new Map(chosen)
      for (const other of others) {
        const values = settledValues(other, all, 1)
        if (values.length === 0) return
        all.set(other, values[0])
      }
      yield all
      return
    }
    for (const value of settledValues(variable, chosen, maxShared)) {
      yield* choose(i + 1, new Map([...chosen, [variable, value]]))
    }
  }

  function settledValues(variable: string, chosen: ReadonlyMap<string, Json | undefined>, wanted: number) {
    const assigned = assignedIn(chosen)
    const search = settling.search(store, assigned)
    const own = store.get(variable) ?? []
    const seeds =
      wanted === 1
        ? []
        : literals
            .filter(({ needs }) => needs.includes(variable))
            .flatMap((literal) => seedsFrom(literal, chosen, store, search))
            .filter((value) => own.every((literal) => literal.holds(value, assigned) !== false))
    const { values } = valuesFor(variable, own, search, wanted)
    // What is compared has to be there, most of the time.
    const there = [...seeds, ...values.filter((value) => value !== undefined)]
    return wanted === 1 ? values : [...new Set([...there.slice(0, wanted), ...values.slice(0, 1)])]
  }

  yield* choose(0, start)
}

/** Values that the other side of a comparison suggests. */
function seedsFrom(
  literal: Literal,
  chosen: ReadonlyMap<string, Json | undefined>,
  store: Store,
  search: ValueSearch,
): readonly Json[] {
  const values = chosen.has(literal.variable)
    ? [chosen.get(literal.variable)]
    : valuesFor(literal.variable, store.get(literal.variable) ?? [], search, 3).values
  const constants = (store.get(literal.variable) ?? []).flatMap(({ test }) =>
    test?.of.kind === 'test' && 'literal' in test.of.operand ? [test.of.operand.literal].flat() : [],
  )
  const seen = [...values.map((value) => literal.view.read(value)), ...constants].flatMap((value) =>
    value === undefined ? [] : [value].flat(),
  )
  return seen.flatMap((value) =>
    literal.id !== undefined && typeof value === 'string' ? [...value.split('/'), value] : [value],
  )
}

export function assignedIn(chosen: ReadonlyMap<string, Json | undefined>): Assigned {
  return (variable) => (chosen.has(variable) ? { value: chosen.get(variable) } : undefined)
}

/**
 * Times of the request under which everything that is compared with it can be; `undefined` when nothing is.
 *
 * Each such fact is compared with the time alone. So what is possible changes only where a fact's own points,
 * moved by a duration, meet the time, and one time between two of these stands for all others there.
 */
function timesFor(
  store: Store,
  settling: Settling,
): { readonly values: readonly (number | undefined)[]; readonly isProof: boolean } {
  const relative = [...store].filter(([, list]) => list.some(({ needs }) => needs.includes(timeVariable)))
  const own = store.get(timeVariable) ?? []
  if (relative.length === 0 && own.length === 0) return { values: [undefined], isProof: true }
  const nothing: Assigned = () => undefined
  const points = new Set(own.flatMap((literal) => pointsOf(literal, nothing)))
  let isProof = !own.some((literal) => isOpen(literal, nothing))
  for (const [, list] of relative) {
    const shifts = list.map(({ test }) => {
      const moment = test === undefined ? undefined : momentOf(test.of)
      return moment !== undefined && 'fromNow' in moment ? moment.fromNow : undefined
    })
    for (const [i, shift] of shifts.entries()) {
      if (shift === undefined) {
        // A duration inside of a list's elements, or behind a reference.
        if (list[i]?.needs.includes(timeVariable)) isProof = false
        continue
      }
      for (const literal of list) for (const point of pointsOf(literal, nothing)) points.add(point - shift)
    }
  }
  const { now } = settling.search(store, nothing)
  const sorted = [...points].sort((a, b) => a - b)
  const between = sorted.slice(1).map((point, i) => ((sorted[i] ?? point) + point) / 2)
  const candidates = [now, (sorted[0] ?? now) - 1000, (sorted.at(-1) ?? now) + 1000, ...sorted, ...between]
  const values = [...new Set(candidates)].filter((time) => {
    const assigned = assignedIn(new Map([[timeVariable, time]]))
    const search = settling.search(store, assigned)
    if (!own.every((literal) => literal.holds(time, assigned) !== false)) return false
    return relative.every(([variable, list]) => {
      const found: Values = valuesFor(variable, list, search)
      if (found.values.length === 0 && !found.isProof) isProof = false
      return found.values.length > 0
    })
  })
  return { values, isProof }
}
