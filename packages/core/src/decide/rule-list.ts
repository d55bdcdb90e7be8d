/**
 * Rule list: the rules of a snapshot, by the action and the type they are about.
 *
 * read snapshot → **rule list** → decide. A snapshot is one principal's and its rules are few, so nothing is shared and
 * nothing filed by id: a page would have to load the engine's index to save less than it can measure.
 *
 * @module
 */
import type { CompiledRule } from '../compile/compiled-rule.ts'
import type { RequestFacts } from '../compile/facts.ts'
import type { Vocabulary } from '../compile/topics.ts'
import { getOrAdd } from '../internal/maps.ts'
import type { RuleIndex } from './standing.ts'

export class RuleList implements RuleIndex {
  private readonly rules: readonly CompiledRule[]
  private readonly vocabulary: Vocabulary
  /** By type, then by action. */
  private readonly found = new Map<string, Map<string, readonly CompiledRule[]>>()

  constructor(rules: readonly CompiledRule[], vocabulary: Vocabulary) {
    this.rules = rules
    this.vocabulary = vocabulary
  }

  /** An allow that is unknown does not match, a denial that is unknown does. */
  allow(action: string, facts: RequestFacts): boolean {
    const { ceiling } = this.vocabulary
    if (ceiling !== undefined && !ceiling.has(action)) return false
    let allowed = false
    for (const rule of this.candidates(action, facts)) {
      const truth = rule.truth(facts)
      if (rule.isDenial) {
        if (truth !== false) return false
      } else if (truth === true) allowed = true
    }
    return allowed
  }

  candidates(action: string, { type }: RequestFacts): readonly CompiledRule[] {
    const { actions, types } = this.vocabulary
    if (!actions.has(action) || !types.has(type)) return []
    const about = ({ rule }: CompiledRule) =>
      (rule.actions.includes('*') || rule.actions.includes(action)) &&
      (rule.types.includes('**') || rule.types.includes(type))
    return getOrAdd(
      getOrAdd(this.found, type, () => new Map<string, readonly CompiledRule[]>()),
      action,
      () => this.rules.filter(about),
    )
  }
}
