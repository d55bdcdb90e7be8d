/**
 * Hugging Face's OAuth scopes: what each implies, and which suffice for an action. Data, and the
 * search for the smallest set.
 *
 * Hugging Face publishes no table of scopes against routes; what follows is read from its
 * descriptions of the scopes, and where those are silent the narrower reading is taken.
 *
 * @see huggingface.co/docs/hub/oauth, "Currently supported scopes"
 * @module
 */
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import type { Json } from '../types.ts'
import { type HubAction, type HubType, isHubType } from './actions.ts'
import { scopeImplications } from './scope-implications.ts'

/** Each alternative is a set of scopes that suffices. None: no scope does. One that is empty: no scope is needed. */
type Alternatives = readonly (readonly string[])[]

const repoNeeds: Readonly<Record<HubAction, Alternatives>> = {
  read: [['read-repos']],
  infer: [['inference-api']],
  discuss: [['write-discussions', 'read-repos']],
  write: [['write-repos']],
  create: [['contribute-repos'], ['manage-repos']],
  delete: [['manage-repos']],
  manage: [['manage-repos']],
  run: [['write-repos']],
}

const nothing: Alternatives = []

function uniform(
  read: Alternatives,
  write: Alternatives,
  other: Partial<Record<HubAction, Alternatives>> = {},
) {
  return {
    read,
    infer: nothing,
    discuss: nothing,
    write,
    create: write,
    delete: write,
    manage: write,
    run: nothing,
    ...other,
  }
}

const needs: Readonly<Record<HubType, Readonly<Record<HubAction, Alternatives>>>> = {
  model: repoNeeds,
  dataset: { ...repoNeeds, infer: nothing },
  // Calling the app of a private Space takes the right to read it.
  space: { ...repoNeeds, infer: [['read-repos']] },
  kernel: { ...repoNeeds, infer: nothing },
  bucket: { ...repoNeeds, infer: nothing, discuss: nothing },
  collection: uniform([['read-collections']], [['write-collections']]),
  endpoint: uniform([['read-endpoints']], [['write-endpoints']], {
    infer: [['read-endpoints']],
    run: [['write-endpoints']],
  }),
  job: uniform([['jobs']], [['jobs']], { run: [['jobs']] }),
  org: uniform([['read-memberships']], nothing),
}

/** A scope and everything it implies, sorted. */
export function impliedScopes(scopes: Iterable<string>): string[] {
  const found = new Set(scopes)
  for (const scope of found) {
    for (const implied of scopeImplications.get(scope) ?? []) found.add(implied)
  }
  return sortedUnique(found)
}

/**
 * The sets of scopes that suffice for an action, or `undefined` when the type is not Hugging Face's.
 *
 * What is not known to be public counts as private, and what is not known to be ungated as gated.
 */
export function sufficientScopes(
  action: string,
  type: string,
  attributes: { readonly [name: string]: Json | undefined } = {},
): Alternatives | undefined {
  if (!isHubType(type)) return undefined
  // An application may call an action of its own `constructor`.
  const alternatives = Object.hasOwn(needs[type], action) ? needs[type][action as HubAction] : nothing
  if (attributes.private !== false) return alternatives
  if (action === 'read') return attributes.gated === false ? [[]] : [['gated-repos'], ...alternatives]
  if (action === 'discuss') return [['write-discussions']]
  if (action === 'infer' && type === 'space') return [[]]
  return alternatives
}

/**
 * The smallest set of scopes that covers every need, or `undefined` when some need has no alternative.
 *
 * Smallest means: fewest rights once implications are spelled out, then fewest names, then first by
 * name. Exact: every choice of alternatives is compared, with those that cannot win cut off.
 */
export function smallestScopes(
  needed: readonly Alternatives[],
  held: Iterable<string> = [],
): string[] | undefined {
  const have = new Set(impliedScopes(held))
  const open = dropRepeats(
    needed
      .map((alternatives) => alternatives.map((set) => set.filter((scope) => !have.has(scope))))
      .filter((alternatives) => !alternatives.some((set) => set.length === 0)),
  )
  let best: Candidate | undefined
  const search = (i: number, chosen: readonly string[]): void => {
    const candidate = { rights: impliedScopes(chosen).length, scopes: withoutImplied(chosen) }
    if (best !== undefined && candidate.rights > best.rights) return
    const alternatives = open[i]
    if (alternatives === undefined) {
      if (best === undefined || isSmaller(candidate, best)) best = candidate
      return
    }
    const closure = new Set(impliedScopes(chosen))
    const covered = alternatives.some((set) => set.every((scope) => closure.has(scope)))
    for (const set of covered ? [[]] : alternatives) search(i + 1, [...chosen, ...set])
  }
  if (open.some((alternatives) => alternatives.length === 0)) return undefined
  // Needs with one way to meet them come first: they decide most, and cut off most.
  open.sort((a, b) => a.length - b.length)
  search(0, [])
  return best?.scopes
}

interface Candidate {
  readonly rights: number
  readonly scopes: string[]
}

function isSmaller(a: Candidate, b: Candidate): boolean {
  if (a.rights !== b.rights) return a.rights < b.rights
  if (a.scopes.length !== b.scopes.length) return a.scopes.length < b.scopes.length
  return compareCodeUnits(a.scopes.join(' '), b.scopes.join(' ')) < 0
}

function withoutImplied(scopes: readonly string[]): string[] {
  const unique = sortedUnique(scopes)
  return unique.filter(
    (scope) => !unique.some((other) => other !== scope && impliedScopes([other]).includes(scope)),
  )
}

function dropRepeats(needs: readonly Alternatives[]): Alternatives[] {
  return [...new Map(needs.map((alternatives) => [JSON.stringify(alternatives), alternatives])).values()]
}
