/**
 * Ability: one principal's rules as an instance of CASL, for CASL's companions.
 *
 * standing → reach → **ability**. Ceiling, sign-in, freshness and scopes are applied when it is made. It
 * never says yes where `can` says no, and agrees with it where a subject tells every field the rules mention.
 *
 * @module
 */
import { readResidual } from '../compile/casl.ts'
import { type CaslAbility, createAbility, type PortableRule } from '../compile/casl-ability.ts'
import { type Attributes, type RequestFacts, requestReader } from '../compile/facts.ts'
import type { Condition } from '../policy/condition.ts'
import type { Json, RequestContext } from '../types.ts'
import { type Access, standingOf } from './access.ts'
import { alternativesOf, asWhole, type Vocabulary } from './mongo-conditions.ts'
import { idAlternatives, idCondition } from './mongo-ids.ts'
import {
  type Alternatives,
  type Conjunction,
  conditionsOf,
  type FieldKind,
  isImpossible,
  product,
} from './mongo-tests.ts'
import { type Reach, reachOf } from './reach.ts'
import { relevantUntil } from './relevance.ts'
import { emptyFacts, readFacts } from './resource.ts'

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
  const { standing, now, clock } = standingOf(access)
  const context = options.context ?? {}
  const reaches = reachOf(standing, now)
  const contextFacts = readFacts(emptyFacts(), { type: 'org', id: 'any' }, context, now) ?? emptyFacts()
  const made = new AbilityRules(contextFacts, options.vocabulary === 'mongo')
  for (const reach of reaches) made.add(reach)
  const ability = createAbility({
    rules: made.rules,
    factsOf: (type, subject) => {
      const { id, ...attributes } = subject as Attributes
      if (typeof id !== 'string') return undefined
      return readFacts(emptyFacts(), { type, id, attributes }, context, clock())
    },
    fieldsOf: (facts) => made.fieldsOf(facts),
  })
  return Object.assign(ability, { relevantUntil: relevantUntil(standing, reaches, context, now) })
}

class AbilityRules {
  readonly rules: PortableRule[] = []
  private readonly facts: RequestFacts
  private readonly plain: boolean
  private readonly seen = new Set<string>()
  /** Every field that a rule mentions, with the kinds of value it is compared as. */
  private readonly fields = new Map<string, Set<FieldKind>>()

  constructor(facts: RequestFacts, plain: boolean) {
    this.facts = facts
    this.plain = plain
  }

  add(reach: Reach): void {
    const conditions = reach.when.map(readResidual)
    // Where a condition asks for the type, each type has a rule of its own, in which that is settled.
    const byType = JSON.stringify(reach.when).includes('"resource.type"')
    for (const types of byType ? reach.types.map((type) => [type]) : [reach.types]) {
      const facts = byType ? { ...this.facts, type: types[0] ?? '' } : this.facts
      const vocabulary = { plain: this.plain, facts, typeIsKnown: byType }
      for (const conjunction of conjunctionsOf(reach, conditions, vocabulary)) {
        this.addRule({ ...reach, types }, conjunction)
      }
    }
  }

  private addRule({ effect, actions, types, statement }: Reach, conjunction: Conjunction): void {
    const conditions = conditionsOf(conjunction)
    const rule: PortableRule = { action: [...actions], subject: [...types] }
    if (conditions !== undefined && conjunction.length > 0) rule.conditions = conditions
    if (effect === 'deny') rule.inverted = true
    const text = JSON.stringify(rule)
    if (this.seen.has(text)) return
    this.seen.add(text)
    this.rules.push({ ...rule, reason: statement })
    for (const { field, kind } of conjunction) {
      const kinds = this.fields.get(field) ?? new Set()
      if (kind !== undefined) kinds.add(kind)
      if (field !== '') this.fields.set(field, kinds)
    }
  }

  /** The fields the rules mention, as our own conditions see them; what is of another kind is not told. */
  fieldsOf(facts: RequestFacts): object {
    const view: { [field: string]: Json } = { id: facts.id }
    for (const [name, kinds] of this.fields) {
      const value = requestReader({ root: 'resource', name })(facts) ?? undefined
      if (value !== undefined && (kinds.size === 0 || kinds.has(kindOf(value)))) setPath(view, name, value)
    }
    return view
  }
}

/** One rule for each; an allow that cannot be expressed gives none, such a denial one that is wider. */
function conjunctionsOf(
  reach: Reach,
  conditions: readonly Condition[],
  vocabulary: Vocabulary,
): Alternatives {
  const mode = reach.effect === 'allow' ? 'true' : 'not false'
  const guard: Alternatives =
    reach.effect === 'allow' ? [[{ field: 'id', operator: '$ne', operand: null }]] : [[]]
  const found = product([
    guard,
    ...reach.ids.map((id) => idAlternatives(id, mode, vocabulary.plain)),
    ...conditions.map((condition) => alternativesOf(condition, mode, vocabulary)),
  ])?.filter((conjunction) => !isImpossible(conjunction))
  if (found?.every((conjunction) => conditionsOf(conjunction) !== undefined)) return found
  const whole: Condition = { kind: 'all', of: [...reach.ids.map(idCondition), ...conditions] }
  return product([guard, asWhole(whole, mode, vocabulary)]) ?? []
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
