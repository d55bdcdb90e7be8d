/**
 * Ability: one principal's rules as an instance of CASL, for CASL's companions.
 *
 * portable rules → **ability**. Ceiling, sign-in, freshness and scopes are applied when it is made. It
 * never says yes where `can` says no, and agrees with it where a subject tells every field the rules mention.
 *
 * @module
 */
import { type CaslAbility, createAbility } from '../compile/casl-ability.ts'
import { type Attributes, type RequestFacts, requestReader } from '../compile/facts.ts'
import { type Access, standingOf } from '../decide/access.ts'
import { emptyFacts, readFacts } from '../decide/resource.ts'
import type { Json, RequestContext } from '../types.ts'
import type { FieldKind } from './mongo-tests.ts'
import { type PortableRules, portableRulesOf } from './portable-rules.ts'

export interface AbilityOptions {
  /** Facts of the request, the same for every question. What is left out stays unknown. */
  readonly context?: RequestContext
  /**
   * `mongo` for rules that leave this process, to a database or to another ability: CASL's own operators
   * only. Allows that need others are left out, denials are widened. Default `extended`.
   */
  readonly vocabulary?: 'extended' | 'mongo'
}

export type HfAuthAbility = CaslAbility & {
  /** Epoch milliseconds from which on it has to be made anew: it does not age by itself. */
  readonly relevantUntil: number | undefined
}

/**
 * A CASL ability for the principal of an access, live or from a snapshot.
 *
 * Subjects are flat (`{ type, id, private, … }`, or marked by CASL's `subject()`), and conditions are about
 * their fields, with `owner` and `name` read from the id. A question about a type alone means, as always with
 * CASL, whether there may be any such resource.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the access comes neither from an engine nor from a snapshot.
 */
export function abilityOf(access: Access, options: AbilityOptions = {}): HfAuthAbility {
  const { context = {}, vocabulary = 'extended' } = options
  const { clock } = standingOf(access)
  const { rules, fields, relevantUntil } = portableRulesOf(access, context, vocabulary)
  const ability = createAbility({
    rules,
    factsOf: (type, subject) => {
      const { id, ...attributes } = subject as Attributes
      if (typeof id !== 'string') return undefined
      return readFacts(emptyFacts(), { type, id, attributes }, context, clock())
    },
    fieldsOf: (facts) => viewOf(facts, fields),
  })
  return Object.assign(ability, { relevantUntil })
}

/** The fields the rules mention, as our own conditions see them; what is of another kind is not told. */
function viewOf(facts: RequestFacts, fields: PortableRules['fields']): object {
  const view: { [field: string]: Json } = { id: facts.id }
  for (const [name, kinds] of fields) {
    const value = requestReader({ root: 'resource', name })(facts) ?? undefined
    if (value !== undefined && (kinds.size === 0 || kinds.has(kindOf(value)))) setPath(view, name, value)
  }
  return view
}

function kindOf(value: Json): FieldKind {
  return Array.isArray(value) ? 'list' : (typeof value as FieldKind)
}

/** Puts a value where CASL looks for it: step by step along the dots. */
function setPath(view: { [field: string]: Json }, name: string, value: Json): void {
  const dot = name.indexOf('.')
  const key = dot < 0 ? name : name.slice(0, dot)
  if (dot < 0) {
    if (!Object.hasOwn(view, key)) Object.defineProperty(view, key, { value, enumerable: true })
    return
  }
  const before = Object.hasOwn(view, key) ? view[key] : undefined
  const next = { ...(typeof before === 'object' && !Array.isArray(before) ? before : {}) } as typeof view
  setPath(next, name.slice(dot + 1), value)
  Object.defineProperty(view, key, { value: next, enumerable: true, configurable: true })
}
