/**
 * Reach: what is left of a standing's rules once the ceiling, the sign-in and the token's scopes are applied.
 *
 * standing → **reach** → search, ability. Names instead of wildcards, so that nothing outside the policy is
 * ever matched. What a scope asks of a resource becomes part of the rule's condition.
 *
 * @module
 */
import type { ResidualRule } from '../compile/rule.ts'
import type { ScopeCeiling, Standing } from '../decide/standing.ts'
import { sufficientScopes } from '../hub/scopes.ts'
import { getOrAdd } from '../internal/maps.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { ConditionDocument } from '../policy/schema.ts'

export interface Reach {
  readonly statement: string
  readonly effect: 'allow' | 'deny'
  readonly actions: readonly string[]
  readonly types: readonly string[]
  /** Globs over canonical ids, all of which must match. */
  readonly ids: readonly string[]
  /** Conditions, all of which must hold. */
  readonly when: readonly ConditionDocument[]
}

/** Allows first; nothing at all when no question would be allowed at `now`. */
export function reachOf(standing: Standing, now: number): Reach[] {
  const { authenticated, unmet, freshUntil, scopes } = standing
  if (!authenticated || unmet !== undefined || (freshUntil !== undefined && !(now < freshUntil))) return []
  const rules = standing.rules().map((rule) => named(rule, standing))
  return [
    ...rules.filter(({ effect }) => effect === 'allow').flatMap((rule) => withinScopes(rule, scopes)),
    ...rules.filter(({ effect }) => effect === 'deny'),
  ].filter(({ actions, types }) => actions.length > 0 && types.length > 0)
}

function named(
  { statement, effect, actions, types, id, when }: ResidualRule,
  { actions: allActions, types: allTypes, ceiling }: Standing,
): Reach {
  const known = sortedUnique(actions.includes('*') ? allActions : actions)
  return {
    statement,
    effect,
    actions: effect === 'deny' ? known : known.filter((action) => ceiling?.has(action) !== false),
    types: sortedUnique(types.includes('**') ? allTypes : types),
    ids: id === undefined ? [] : [id],
    when: when === undefined ? [] : [when],
  }
}

function withinScopes(rule: Reach, scopes: ScopeCeiling | undefined): Reach[] {
  if (scopes === undefined) return [rule]
  if (scopes.kind === 'own') return scopes.covers.flatMap((cover) => overlap(rule, cover))
  const byNeed = new Map<string, { type: string; needs: ConditionDocument[]; actions: string[] }>()
  for (const type of rule.types) {
    for (const action of rule.actions) {
      const needs = neededFacts(action, type, scopes.held)
      if (needs === undefined) continue
      getOrAdd(byNeed, JSON.stringify([type, needs]), () => ({ type, needs, actions: [] })).actions.push(
        action,
      )
    }
  }
  return [...byNeed.values()].map(({ type, needs, actions }) => ({
    ...rule,
    actions,
    types: [type],
    when: [...rule.when, ...needs],
  }))
}

const isPublic: ConditionDocument = { 'resource.private': { $eq: false } }
const isUngated: ConditionDocument = { 'resource.gated': { $eq: false } }

/** What must be known of a resource for the scopes held to suffice; `undefined` when nothing would do. */
function neededFacts(
  action: string,
  type: string,
  held: ReadonlySet<string>,
): ConditionDocument[] | undefined {
  const suffices = (attributes: { readonly [name: string]: boolean }) =>
    sufficientScopes(action, type, attributes)?.some((set) => set.every((scope) => held.has(scope))) ?? true
  if (suffices({})) return []
  if (suffices({ private: false })) return [isPublic]
  return suffices({ private: false, gated: false }) ? [isPublic, isUngated] : undefined
}

/** The part of a rule that a scope of an own issuer covers. */
function overlap(rule: Reach, cover: ResidualRule): Reach[] {
  const actions = rule.actions.filter((name) => cover.actions.includes('*') || cover.actions.includes(name))
  const types = rule.types.filter((name) => cover.types.includes('**') || cover.types.includes(name))
  const ids = cover.id === undefined || rule.ids.includes(cover.id) ? rule.ids : [...rule.ids, cover.id]
  return [{ ...rule, actions, types, ids }]
}
