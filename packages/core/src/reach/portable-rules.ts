/**
 * Portable rules: what a principal reaches, as rules that another evaluator than ours can judge.
 *
 * reach → **portable rules** → ability, prisma rules. One rule for each alternative of a condition; nothing is
 * ever allowed by them that `can` denies.
 *
 * @module
 */

import type { PortableRule } from '../compile/casl-ability.ts'
import { readResidual } from '../compile/compiled-rule.ts'
import type { RequestFacts } from '../compile/facts.ts'
import { type Access, standingOf } from '../decide/access.ts'
import { emptyFacts, readFacts } from '../decide/resource.ts'
import { getOrAdd } from '../internal/maps.ts'
import type { Condition } from '../policy/condition.ts'
import type { RequestContext } from '../types.ts'
import { alternativesOf, asWhole, type Vocabulary, type Words } from './mongo-conditions.ts'
import { idAlternatives, idCondition } from './mongo-ids.ts'
import {
  type Alternatives,
  type Conjunction,
  conditionsOf,
  type FieldKind,
  isImpossible,
  product,
} from './mongo-tests.ts'
import { prismaConditionsOf } from './prisma-words.ts'
import { type Reach, reachOf } from './reach.ts'
import { relevantUntil } from './relevance.ts'

export interface PortableRules {
  /** Allows first, since with CASL later rules win. */
  readonly rules: readonly PortableRule[]
  /** Every field that a rule mentions, with the kinds of value it is compared as. */
  readonly fields: ReadonlyMap<string, ReadonlySet<FieldKind>>
  /** Epoch milliseconds from which on they have to be made anew. */
  readonly relevantUntil: number | undefined
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the access comes neither from an engine nor from a snapshot. */
export function portableRulesOf(access: Access, context: RequestContext, words: Words): PortableRules {
  const { standing, now } = standingOf(access)
  const reaches = reachOf(standing, now)
  const facts = readFacts(emptyFacts(), { type: 'org', id: 'any' }, context, now) ?? emptyFacts()
  const made = new RuleList(facts, words)
  for (const reach of reaches) made.add(reach)
  const { rules, fields } = made
  return { rules, fields, relevantUntil: relevantUntil(standing, reaches, context, now) }
}

class RuleList {
  readonly rules: PortableRule[] = []
  readonly fields = new Map<string, Set<FieldKind>>()
  private readonly facts: RequestFacts
  private readonly words: Words
  private readonly seen = new Set<string>()

  constructor(facts: RequestFacts, words: Words) {
    this.facts = facts
    this.words = words
  }

  add(reach: Reach): void {
    const conditions = reach.when.map(readResidual)
    // Where a condition asks for the type, each type has a rule of its own, in which that is settled.
    const byType = JSON.stringify(reach.when).includes('"resource.type"')
    for (const types of byType ? reach.types.map((type) => [type]) : [reach.types]) {
      const facts = byType ? { ...this.facts, type: types[0] ?? '' } : this.facts
      const vocabulary = { words: this.words, facts, typeIsKnown: byType }
      for (const conjunction of conjunctionsOf(reach, conditions, vocabulary)) {
        this.addRule({ ...reach, types }, conjunction)
      }
    }
  }

  private addRule({ effect, actions, types, statement }: Reach, conjunction: Conjunction): void {
    const conditions = this.words === 'prisma' ? prismaConditionsOf(conjunction) : conditionsOf(conjunction)
    const rule: PortableRule = { action: [...actions], subject: [...types] }
    if (conditions !== undefined && conjunction.length > 0) rule.conditions = conditions
    if (effect === 'deny') rule.inverted = true
    const text = JSON.stringify(rule)
    if (this.seen.has(text)) return
    this.seen.add(text)
    this.rules.push({ ...rule, reason: statement })
    for (const { field, kind } of conjunction) {
      if (field === '') continue
      const kinds = getOrAdd(this.fields, field, () => new Set<FieldKind>())
      if (kind !== undefined) kinds.add(kind)
    }
  }
}

/** One rule for each; an allow that cannot be expressed gives none, such a denial one that is wider. */
function conjunctionsOf(
  reach: Reach,
  conditions: readonly Condition[],
  vocabulary: Vocabulary,
): Alternatives {
  const mode = reach.effect === 'allow' ? 'true' : 'not false'
  // A subject of CASL's may be without an id, a row of Prisma's never is.
  const guard: Alternatives =
    reach.effect === 'allow' && vocabulary.words !== 'prisma'
      ? [[{ field: 'id', operator: '$ne', operand: null }]]
      : [[]]
  const found = product([
    guard,
    ...reach.ids.map((id) => idAlternatives(id, mode, vocabulary.words)),
    ...conditions.map((condition) => alternativesOf(condition, mode, vocabulary)),
  ])?.filter((conjunction) => !isImpossible(conjunction))
  if (found?.every((conjunction) => fitsIntoOne(conjunction, vocabulary))) return found
  const whole: Condition = { kind: 'all', of: [...reach.ids.map(idCondition), ...conditions] }
  return product([guard, asWhole(whole, mode, vocabulary)]) ?? []
}

/** CASL has one mapping of operators for each field; Prisma's conditions stand side by side. */
function fitsIntoOne(conjunction: Conjunction, { words }: Vocabulary): boolean {
  return words === 'prisma' || conditionsOf(conjunction) !== undefined
}
