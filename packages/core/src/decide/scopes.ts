/**
 * Scopes, turned round: the smallest set of Hugging Face scopes for what rules allow.
 *
 * @module
 */
import type { ResidualRule } from '../compile/rule.ts'
import { hubActions, hubTypes } from '../hub/actions.ts'
import { smallestScopes, sufficientScopes } from '../hub/scopes.ts'

/**
 * The scopes to ask for at login or in a token exchange, sorted.
 *
 * What cannot be had by any scope (managing an organisation) asks for none; reading counts as reading
 * what is private, since a pattern does not say.
 */
export function scopesForRules(
  rules: readonly ResidualRule[],
  ceiling: ReadonlySet<string> | undefined,
): string[] {
  const needed = []
  for (const { effect, actions, types } of rules) {
    if (effect === 'deny') continue
    for (const action of actions.includes('*') ? hubActions : actions) {
      if (ceiling !== undefined && !ceiling.has(action)) continue
      for (const type of types.includes('**') ? hubTypes : types) {
        const alternatives = sufficientScopes(action, type)
        if (alternatives !== undefined && alternatives.length > 0) needed.push(alternatives)
      }
    }
  }
  return smallestScopes(needed) ?? []
}
