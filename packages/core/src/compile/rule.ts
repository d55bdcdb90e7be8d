/**
 * A residual rule: one statement on one pattern, with the principal and the environment evaluated
 * away. Plain data, so that a snapshot is a list of them.
 *
 * @module
 */
import type { ConditionDocument } from '../policy/schema.ts'

export interface ResidualRule {
  /** Id of the statement it comes from. */
  readonly statement: string
  readonly effect: 'allow' | 'deny'
  /** Action names; `*` for all. */
  readonly actions: readonly string[]
  /** Resource types; `**` for all. */
  readonly types: readonly string[]
  /** A glob over canonical ids; absent when every id matches. */
  readonly id?: string
  /** What still has to be asked of the resource and the request. */
  readonly when?: ConditionDocument
}
