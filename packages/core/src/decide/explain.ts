/**
 * Explain: a decision with every statement that was considered on the way, and how each came out.
 *
 * @module
 */
import type { RequestFacts } from '../compile/facts.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import type { Decision } from '../types.ts'
import { candidateRules, type Standing } from './standing.ts'

export interface ConsideredStatement {
  readonly statement: string
  readonly effect: 'allow' | 'deny'
  /** The glob on ids that was met; `**` when the statement is about every id. */
  readonly pattern: string
  readonly outcome: 'holds' | 'does not hold' | 'unknown'
  /** Facts that were not told, as `resource.gated`. */
  readonly missing: readonly string[]
}

export interface Explanation {
  readonly decision: Decision
  /** Statements on this action, type and id, sorted. */
  readonly considered: readonly ConsideredStatement[]
}

export function considered(standing: Standing, action: string, facts: RequestFacts): ConsideredStatement[] {
  return candidateRules(standing, action, facts)
    .map((compiled): ConsideredStatement => {
      const missing = new Set<string>()
      const truth = compiled.truth(facts, missing)
      const { statement, effect, id } = compiled.rule
      const outcome = truth === undefined ? 'unknown' : truth ? 'holds' : 'does not hold'
      return { statement, effect, pattern: id ?? '**', outcome, missing: sortedUnique(missing) }
    })
    .sort((a, b) => compareCodeUnits(`${a.statement} ${a.pattern}`, `${b.statement} ${b.pattern}`))
}
