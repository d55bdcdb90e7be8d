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

/** As {@link scopesForRules} for whoever may have any of several lists of rules, each with its own denials. */
export function scopesForEither(
  lists: readonly (readonly ResidualRule[])[],
  ceiling: ReadonlySet<string> | undefined,
): string[] {
  return scopesForUses([new Set(lists.flatMap((rules) => [...usesOf(rules, ceiling)]))])
}

/** An action on a type, the two parted by a space, which neither has. */
export type Use = `${string} ${string}`

/** What rules allow on Hugging Face, whichever resource they allow it on, and do not deny on every one of its type. */
export function usesOf(
  rules: readonly ResidualRule[],
  ceiling: ReadonlySet<string> | undefined,
): ReadonlySet<Use> {
  const uses = new Set<Use>()
  for (const rule of rules) {
    if (rule.effect === 'deny') continue
    for (const use of namedBy(rule)) if (ceiling?.has(actionOf(use)) !== false) uses.add(use)
  }
  for (const rule of rules) {
    const isEverywhere = rule.id === undefined && rule.when === undefined
    if (rule.effect === 'deny' && isEverywhere) for (const use of namedBy(rule)) uses.delete(use)
  }
  return uses
}

function namedBy({ actions, types }: ResidualRule): Use[] {
  return (actions.includes('*') ? hubActions : actions).flatMap((action) =>
    (types.includes('**') ? hubTypes : types).map((type): Use => `${action} ${type}`),
  )
}

function actionOf(use: Use): string {
  return use.slice(0, use.indexOf(' '))
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
