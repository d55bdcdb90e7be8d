/**
 * Search: which actions, and on which patterns, somebody could be allowed.
 *
 * standing → **search**. Answers from the same rules as `can`, without a list of resources to try.
 *
 * @module
 */

import type { Standing } from '../decide/standing.ts'
import type { ConditionDocument } from '../policy/schema.ts'
import { type Reach, reachOf } from './reach.ts'

/** Resources by what they must match. */
export interface PatternGrant {
  /** Id of the statement it comes from. */
  readonly statement: string
  /** Globs over canonical ids, all of which must match; none when every id does. */
  readonly ids: readonly string[]
  /** Conditions on the resource and the request, all of which must hold. */
  readonly when: readonly ConditionDocument[]
}

/** An action is allowed where a grant under `allow` holds and none under `deny` does, or could. */
export interface Patterns {
  readonly allow: readonly PatternGrant[]
  readonly deny: readonly PatternGrant[]
}

export function patternsFor(standing: Standing, action: string, type: string, now: number): Patterns {
  const about = reachOf(standing, now).filter(
    ({ actions, types }) => actions.includes(action) && types.includes(type),
  )
  const grants = (effect: Reach['effect']) =>
    about
      .filter((reach) => reach.effect === effect)
      .map(({ statement, ids, when }) => ({ statement, ids, when }))
  const allow = grants('allow')
  // Where nothing is allowed there is nothing to take away.
  return { allow, deny: allow.length === 0 ? [] : grants('deny') }
}
