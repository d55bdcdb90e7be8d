/**
 * Rule list: the rules of a snapshot, by the action, the type and the owner they are about.
 *
 * read snapshot → **rule list** → decide. A snapshot is one principal's, so nothing is shared or merged: a page does not
 * have to load the engine's index.
 *
 * @module
 */
import type { CompiledRule } from '../compile/compiled-rule.ts'
import type { RequestFacts } from '../compile/facts.ts'
import { ownerOf } from '../compile/rule-table.ts'
import type { Vocabulary } from '../compile/topics.ts'
import { getOrAdd } from '../internal/maps.ts'
import type { RuleIndex } from './standing.ts'

/** Rules on any owner stand under `*`, which no id can hold. */
type ByOwner = Map<string, CompiledRule[]>

export class RuleList implements RuleIndex {
  private readonly rules: readonly CompiledRule[]
  private readonly vocabulary: Vocabulary
  /** By type, then by action, as asked for. */
  private readonly found = new Map<string, Map<string, ByOwner>>()

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

  candidates(action: string, { type, owner }: RequestFacts): readonly CompiledRule[] {
    const { actions, types } = this.vocabulary
    if (!actions.has(action) || !types.has(type)) return []
    const byAction = getOrAdd(this.found, type, () => new Map<string, ByOwner>())
    const byOwner = getOrAdd(byAction, action, () => this.file(action, type))
    return [...(byOwner.get(owner) ?? []), ...(byOwner.get('*') ?? [])]
  }

  private file(action: string, type: string): ByOwner {
    const byOwner: ByOwner = new Map()
    for (const compiled of this.rules) {
      const { actions, types, id = '*' } = compiled.rule
      if (!actions.includes('*') && !actions.includes(action)) continue
      if (!types.includes('**') && !types.includes(type)) continue
      const owner = ownerOf(id)
      getOrAdd(byOwner, owner.includes('*') ? '*' : owner, () => []).push(compiled)
    }
    return byOwner
  }
}
