/**
 * Policy access: what one can ask of a live policy, beyond what a snapshot can answer.
 *
 * @module
 */
import type { Question } from '../types.ts'
import type { AbilityOptions, HfAuthAbility } from './ability.ts'
import type { Access } from './access.ts'
import type { ExplainOptions, Explanation } from './explain.ts'
import type { Patterns } from './search.ts'

/** Access to a live policy: what a snapshot cannot tell as well. */
export interface PolicyAccess extends Access {
  /** A decision, how every statement came out and why and, on a denial, what would turn it into an allow. */
  explain(question: Question, options?: ExplainOptions): Explanation
  /** The patterns and conditions under which an action could be allowed on a type, for building queries. */
  patternsFor(action: string, type: string): Patterns
  /** A CASL ability; see {@link abilityOf}, which takes a snapshot's access as well. */
  ability(options?: AbilityOptions): HfAuthAbility
}
