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
  return scopesForUses([usesOf(rules, ceiling)])
}

/** An action on a type, the two parted by a space, which neither has. */
export type Use = `${string} ${string}`

/** What rules allow on Hugging Face, whichever resource they allow it on. */
export function usesOf(
  rules: readonly ResidualRule[],
  ceiling: ReadonlySet<string> | undefined,
): ReadonlySet<Use> {
  const uses = new Set<Use>()
  for (const { effect, actions, types } of rules) {
    if (effect === 'deny') continue
    for (const action of actions.includes('*') ? hubActions : actions) {
      if (ceiling !== undefined && !ceiling.has(action)) continue
      for (const type of types.includes('**') ? hubTypes : types) uses.add(`${action} ${type}`)
    }
  }
  return uses
}

/** The smallest scopes for the uses that are in every one of the sets. */
export function scopesForUses([first, ...others]: readonly ReadonlySet<Use>[]): string[] {
  const needed = []
  for (const use of first ?? []) {
    if (!others.every((set) => set.has(use))) continue
    const [action = '', type = ''] = use.split(' ')
    const alternatives = sufficientScopes(action, type)
    if (alternatives !== undefined && alternatives.length > 0) needed.push(alternatives)
  }
  return smallestScopes(needed) ?? []
}
