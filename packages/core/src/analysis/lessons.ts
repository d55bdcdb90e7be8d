/**
 * Lessons: what a refusal of the engine shows about all requests like the one that it refused.
 *
 * @module
 */
import type { Binding, Policy, Statement } from '../policy/policy.ts'
import { doesNotFire, isIn, isOf, names } from './allowances.ts'
import { all, any, comesOut, type Formula } from './formula.ts'
import type { Setting } from './literals.ts'
import { isNotBound } from './subjects.ts'
import type { Counterexample } from './witness.ts'

/** Denials that fired, and scopes that cut; nothing for other reasons, which the formulas have ruled out. */
export function createLessons(
  policy: Policy,
  setting: Setting,
): (answer: Counterexample) => ReadonlyMap<string, Formula> {
  return ({ decision, action }) => {
    switch (decision.reason) {
      case 'explicit_deny': {
        const bound = new Set(decision.bindings.map(({ id }) => id))
        const bindings = policy.bindings.filter(({ id }) => bound.has(id))
        return new Map(decision.statements.flatMap(({ id }) => notDenied(id, policy, setting, bindings)))
      }
      case 'insufficient_scope':
        // An access token of Hugging Face's is cut by other scopes than an ID token with the same claims.
        if (setting.asker?.preset.huggingface === true) return new Map()
        return new Map([['scopes', withinScopes(policy, action, setting)]])
      default:
        return new Map()
    }
  }
}

/** The denial does not fire or, where a role brings it, the bindings that gave the role do not. */
function notDenied(
  id: string,
  policy: Policy,
  setting: Setting,
  bindings: readonly Binding[],
): [string, Formula][] {
  const everyone = policy.deny.find((statement) => statement.id === id)
  if (everyone !== undefined) return [[id, doesNotFire(everyone, setting.type)]]
  return [...policy.roles.values()].flatMap(({ name, statements }): [string, Formula][] => {
    const statement: Statement | undefined = statements.find((each) => each.id === id)
    if (statement === undefined) return []
    const gives = (binding: Binding) =>
      binding.roles.some((role) => policy.roles.get(role)?.closure.includes(name))
    const silent = doesNotFire(statement, setting.type)
    const givers = bindings.filter(gives)
    const unbound = all(...givers.map((binding) => isNotBound(binding, setting.asker)))
    return [[[id, ...givers.map((binding) => binding.id)].join(' '), any(silent, unbound)]]
  })
}

/** None of the scopes that cut, or one that covers this. */
function withinScopes(policy: Policy, action: string, { type }: Setting): Formula {
  const has = (name: string, want: 'true' | 'not true') =>
    comesOut(
      {
        kind: 'test',
        path: { root: 'principal', name: 'scopes' },
        operator: '$contains',
        operand: { literal: name },
      },
      want,
    )
  const scopes = [...policy.scopes.values()]
  return any(
    all(...scopes.map(({ name }) => has(name, 'not true'))),
    ...scopes
      .filter(({ actions, patterns }) => names(actions, action) && patterns.some(isOf(type)))
      .map(({ name, patterns }) => all(has(name, 'true'), isIn(patterns.filter(isOf(type))))),
  )
}
