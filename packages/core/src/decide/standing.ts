/**
 * Standing: all that decides on one principal in one environment, apart from the question.
 *
 * compile → **standing** → decide. Made from a policy by `grants.ts`, or from a snapshot by
 * `snapshot.ts`; what asks questions cannot tell which. Times are epoch milliseconds.
 *
 * @module
 */
import type { CompiledRule } from '../compile/compiled-rule.ts'
import type { RequestFacts } from '../compile/facts.ts'
import type { ResidualRule } from '../compile/rule.ts'
import { impliedScopes, sufficientScopes } from '../hub/scopes.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { BindingReference, PolicyReference, StatementReference } from '../types.ts'

/** What the token's own scopes let through. */
export type ScopeCeiling =
  | { readonly kind: 'huggingface'; readonly scopes: readonly string[]; readonly held: ReadonlySet<string> }
  | { readonly kind: 'own'; readonly covers: readonly ResidualRule[]; readonly allow: RuleIndex['allow'] }

export function huggingfaceCeiling(scopes: readonly string[]): ScopeCeiling {
  return { kind: 'huggingface', scopes: sortedUnique(scopes), held: new Set(impliedScopes(scopes)) }
}

/** Finds the rules that a question is about: for a policy the tables that many share, for a snapshot a list. */
export interface RuleIndex {
  /** Whether an allow matches and no denial does, within the ceiling: all that the hot path asks. */
  allow(action: string, facts: RequestFacts): boolean
  /** Every rule that can match, each once, for those who want to see them all. */
  candidates(action: string, facts: RequestFacts): readonly CompiledRule[]
}

export interface Standing {
  readonly principal: string
  readonly environment: string
  /** Stands in every decision: the policy's, or for a snapshot its own. */
  readonly reference: PolicyReference
  /** False for someone without a credential whom no binding names. */
  readonly authenticated: boolean
  readonly actions: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  /** The environment's ceiling; `undefined` when it has none. */
  readonly ceiling: ReadonlySet<string> | undefined
  /** From this moment on the token is too old. */
  readonly freshUntil: number | undefined
  /** From this moment on it has to be worked out again, since a binding begins or ends. */
  readonly validUntil?: number | undefined
  /** The longest age that the environment allows, for the step-up. */
  readonly maxTokenAgeSeconds: number | undefined
  /** What `require` asks and the principal does not have; `undefined` when nothing is lacking. */
  readonly unmet: readonly string[] | undefined
  readonly scopes: ScopeCeiling | undefined
  readonly index: RuleIndex
  /** Names, sorted, with those they extend. */
  roles(): readonly string[]
  /** All rules, sorted. */
  rules(): readonly ResidualRule[]
  /** Where things stand in the policy; a snapshot does not know. */
  readonly sources: StandingSources | undefined
}

export interface StandingSources {
  readonly bindings: readonly BindingReference[]
  statement(id: string): StatementReference
  /** The first scope of an own issuer, by name, that would cover the question; at most one. */
  scopeCovering(action: string, facts: RequestFacts): readonly string[]
}

/** Whether the token's scopes are no obstacle. */
export function withinScopes({ scopes }: Standing, action: string, facts: RequestFacts): boolean {
  if (scopes === undefined) return true
  if (scopes.kind === 'huggingface') {
    const alternatives = sufficientScopes(action, facts.type, facts.attributes)
    return (
      alternatives === undefined || alternatives.some((set) => set.every((scope) => scopes.held.has(scope)))
    )
  }
  return scopes.allow(action, facts)
}
