/**
 * Remedies: the smallest sets of changes that would turn a denial into an allow.
 *
 * candidates → **remedies** → explain. Every set is tried on the same `decide`, by size, so that what is
 * given works and nothing less would; how far is looked is bounded, and said.
 *
 * @module
 */
import { compareCodeUnits } from '../internal/sort.ts'
import { byText, candidateChanges } from './candidates.ts'
import { type Change, createCounterfactual, type Situation } from './counterfactual.ts'

/** Who reads an explanation: the principal, or somebody who may read the whole policy. */
export type Audience = 'self' | 'administrator'

export type Remedy = readonly Change[]

export interface Remedies {
  /** Each works, and no part of it alone does. Sorted by the number of changes, then by what they are. */
  readonly sets: readonly Remedy[]
  /** False when the bounds of the search were met: there may be others, and smaller ones among them. */
  readonly complete: boolean
}

/** Most changes in one remedy. */
export const maxChanges = 3
/** Most sets of changes that are tried. */
const maxTries = 4000
/** Most remedies that are given. */
const maxRemedies = 24

export function remediesFor(situation: Situation, audience: Audience): Remedies {
  const { changes, complete } = candidateChanges(situation)
  const found: Change[][] = []
  const allowed = createCounterfactual(situation)
  let tries = 0
  let exhausted = true
  for (let size = 1; size <= maxChanges && found.length < maxRemedies; size++) {
    for (const set of subsets(changes, size)) {
      if (tries >= maxTries) {
        exhausted = false
        break
      }
      if (found.some((smaller) => smaller.every((change) => set.includes(change)))) continue
      tries += 1
      if (allowed(set)) found.push([...set])
    }
  }
  const told: readonly Remedy[] =
    audience === 'administrator' ? found : found.map(asToldToSelf).filter((set) => set !== undefined)
  const sets = distinct(told.map((set) => [...set].sort(byText)))
  return { sets: sets.slice(0, maxRemedies), complete: complete && exhausted && sets.length <= maxRemedies }
}

/** All sets of that many changes which can be made together. */
function* subsets(
  changes: readonly Change[],
  size: number,
  from = 0,
  chosen: readonly Change[] = [],
): Iterable<readonly Change[]> {
  if (chosen.length === size) {
    yield chosen
    return
  }
  for (let i = from; i < changes.length; i++) {
    const change = changes[i] as Change
    if (chosen.some((other) => excludes(other, change))) continue
    yield* subsets(changes, size, i + 1, [...chosen, change])
  }
}

/** One cannot be in two environments, sign in twice, or give one fact two values. */
function excludes(a: Change, b: Change): boolean {
  if (a.kind !== b.kind) return a.kind === 'sign_in' && b.kind === 'fresher_token'
  if (a.kind === 'attribute' && b.kind === 'attribute') return a.fact === b.fact
  return a.kind === 'environment' || a.kind === 'sign_in'
}

/**
 * What somebody may know of a remedy of their own: what they can do about it themselves, facts by name,
 * and of roles only that one is lacking. `undefined` when it is about something they cannot act on.
 */
function asToldToSelf(set: readonly Change[]): Change[] | undefined {
  if (set.some(({ kind }) => kind === 'environment')) return undefined
  const withRole = set.some(({ kind }) => kind === 'role')
  return set.flatMap((change): Change[] => {
    if (change.kind === 'role') return [{ kind: 'role' }]
    // What a role asks beyond is the text of a role that they do not hold.
    if (change.kind === 'attribute')
      return withRole ? [] : [{ kind: 'attribute', fact: change.fact, told: change.told }]
    return [change]
  })
}

/** Each set once, smallest first; a set that another is part of says nothing new. */
function distinct(sets: readonly Remedy[]): Remedy[] {
  const unique = [...new Map(sets.map((set) => [JSON.stringify(set), set])).values()]
  return unique
    .filter((set) => !unique.some((other) => other.length < set.length && isPart(other, set)))
    .sort((a, b) => a.length - b.length || compareCodeUnits(JSON.stringify(a), JSON.stringify(b)))
}

function isPart(part: Remedy, whole: Remedy): boolean {
  const texts = new Set(whole.map((change) => JSON.stringify(change)))
  return part.every((change) => texts.has(JSON.stringify(change)))
}
