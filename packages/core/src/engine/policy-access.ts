/**
 * Policy access: what one can ask of a live policy, beyond what a snapshot can answer.
 *
 * @module
 */

import type { Access } from '../decide/access.ts'
import type { Snapshot } from '../decide/snapshot.ts'
import type { ExplainOptions, Explanation } from '../explain/explain.ts'
import type { AbilityOptions, HfAuthAbility } from '../reach/ability.ts'
import type { Patterns } from '../reach/search.ts'
import type { Question } from '../types.ts'

/** Access to a live policy: what a snapshot cannot tell as well. */
export interface PolicyAccess extends Access {
  /** A decision, how every statement came out and why and, on a denial, what would turn it into an allow. */
  explain(question: Question, options?: ExplainOptions): Explanation
  /** The patterns and conditions under which an action could be allowed on a type, for building queries. */
  patternsFor(action: string, type: string): Patterns
  /** This principal's grants alone, as JSON for the browser. */
  snapshot(): Snapshot
  /** A CASL ability; see {@link abilityOf}, which takes a snapshot's access as well. */
  ability(options?: AbilityOptions): HfAuthAbility
}
