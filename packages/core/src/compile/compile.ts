/**
 * Compile: a checked policy, ready to be narrowed to one environment and one principal.
 *
 * policy → **compile** → narrow (here) → decide. What depends on nobody is worked out once;
 * `narrow` evaluates the environment and the principal away and leaves residual rules.
 *
 * @module
 */

import { hubTypes, isHubType } from '../hub/actions.ts'
import { canonicalId } from '../hub/ids.ts'
import { present } from '../internal/present.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import { type Condition, writeCondition } from '../policy/condition.ts'
import type { Pattern } from '../policy/pattern.ts'
import type { Environment, Policy, ScopeGrant, Statement } from '../policy/policy.ts'
import type { Json, PrincipalShape } from '../types.ts'
import { type BoundRoles, indexBindings } from './bindings.ts'
import { principalFact } from './facts.ts'
import type { ResidualRule } from './rule.ts'
import { specialise } from './specialise.ts'

export interface Narrowed {
  readonly bound: BoundRoles
  /** Names, sorted, with everything they extend. */
  readonly roles: readonly string[]
  readonly rules: readonly ResidualRule[]
}

export interface CompiledPolicy {
  readonly policy: Policy
  statement(id: string): Statement | undefined
  narrow(principal: PrincipalShape, environment: Environment, now: number): Narrowed
  /** What a scope of an own issuer covers, as rules. */
  coveredBy(scope: ScopeGrant): readonly ResidualRule[]
  /** The rules of these roles, with no principal known: what anyone who has them could do at most. */
  rulesOf(roles: Iterable<string>, environment: Environment): readonly ResidualRule[]
}

export function compilePolicy(policy: Policy): CompiledPolicy {
  const bindingsOf = indexBindings(policy.bindings)
  const statements = new Map(
    [...[...policy.roles.values()].flatMap((role) => role.statements), ...policy.deny].map((statement) => [
      statement.id,
      statement,
    ]),
  )
  const ownTypes = [...policy.types.keys()].filter((type) => !isHubType(type))

  const statementsOf = (roles: readonly string[], environment: Environment): Statement[] =>
    [...roles.flatMap((role) => policy.roles.get(role)?.statements ?? []), ...policy.deny].filter(
      ({ environments }) => environments === undefined || environments.has(environment.name),
    )

  return {
    policy,
    statement: (id) => statements.get(id),
    coveredBy: ({ name, actions, patterns }) =>
      rulesFor({ id: `scopes.${name}`, effect: 'allow', actions, patterns }, undefined, ownTypes),
    narrow(principal, environment, now) {
      const bound = bindingsOf(principal, now)
      const roles = closureOf(
        policy,
        bound.bindings.flatMap((binding) => binding.roles),
      )
      const rules = statementsOf(roles, environment).flatMap((statement) =>
        rulesFor(statement, principal, ownTypes),
      )
      return { bound, roles, rules: rules.sort(byContent) }
    },
    rulesOf(roles, environment) {
      return statementsOf(closureOf(policy, roles), environment).flatMap((statement) =>
        rulesFor(statement, undefined, ownTypes),
      )
    },
  }
}

function closureOf(policy: Policy, roles: Iterable<string>): string[] {
  return sortedUnique([...roles].flatMap((role) => policy.roles.get(role)?.closure ?? []))
}

/** One rule for each pattern that can match; none when the condition is already known not to hold. */
function rulesFor(
  statement: Statement,
  principal: PrincipalShape | undefined,
  ownTypes: readonly string[],
): ResidualRule[] {
  const residual =
    statement.condition === undefined || principal === undefined
      ? undefined
      : specialise(statement.condition, principal)
  if (residual?.kind === 'constant' && !residual.truth) return []
  // An allow that can never be known to hold is kept: the decision says what was missing.
  const when =
    residual === undefined || residual.kind === 'constant'
      ? undefined
      : writeCondition(residual satisfies Condition)
  return statement.patterns.flatMap((pattern) =>
    globsOf(pattern, principal, ownTypes).map(({ types, id }) => ({
      statement: statement.id,
      effect: statement.effect,
      actions: statement.actions,
      types,
      ...present({ id, when }),
    })),
  )
}

/** Globs over canonical ids. Hub ids are lower case, ids of other types are as they are, so `**` may take two. */
function globsOf(
  pattern: Pattern,
  principal: PrincipalShape | undefined,
  ownTypes: readonly string[],
): { types: readonly string[]; id?: string }[] {
  const id = fillIn(pattern, principal)
  if (id === undefined) return []
  if (id === '**') return [{ types: [pattern.type] }]
  const lower = id.toLowerCase()
  if (pattern.type !== '**') return [{ types: [pattern.type], id: isHubType(pattern.type) ? lower : id }]
  if (ownTypes.length === 0 || lower === id) return [{ types: ['**'], id: lower }]
  return [
    { types: hubTypes, id: lower },
    { types: ownTypes, id },
  ]
}

/** The pattern as one glob; `undefined` when a placeholder has no value, or one that no id could have. */
function fillIn(pattern: Pattern, principal: PrincipalShape | undefined): string | undefined {
  let glob = ''
  for (const piece of pattern.pieces) {
    if ('text' in piece) glob += piece.text
    else {
      const value = principal === undefined ? '*' : placeholderValue(piece.placeholder, principal)
      if (value === undefined) return undefined
      glob += value
    }
  }
  return glob
}

function placeholderValue(path: string, principal: PrincipalShape): string | undefined {
  const value: Json | undefined = principalFact(principal, path.slice('principal.'.length))
  if (typeof value !== 'string') return undefined
  // Canonical ids have no `*`, so what passes here is literal text in a glob.
  return canonicalId('literal', value)
}

function byContent(a: ResidualRule, b: ResidualRule): number {
  return compareCodeUnits(sortKey(a), sortKey(b))
}

function sortKey(rule: ResidualRule): string {
  return `${rule.statement} ${rule.types.join(',')} ${rule.id ?? ''}`
}
