/**
 * Allowances: every way in which a policy could allow what an invariant forbids, as formulas.
 *
 * Someone of an issuer, under one binding, by one allow of its roles, with one action on one type. Actions and
 * types that the policy treats alike are looked at once.
 *
 * @module
 */
import { isHubType } from '../hub/actions.ts'
import { getOrAdd } from '../internal/maps.ts'
import { pathsIn } from '../policy/condition.ts'
import type { Pattern } from '../policy/pattern.ts'
import type { Environment, Invariant, Policy, Statement } from '../policy/policy.ts'
import { any, comesOut, type Formula } from './formula.ts'
import type { Asker } from './sources.ts'
import { isMeant } from './subjects.ts'

/** One allow of a role, for one action on one type. */
export interface Allowance {
  readonly statement: Statement
  readonly action: string
  readonly type: string
  /** What it takes, apart from who is asking. */
  readonly formulas: readonly Formula[]
}

export function askersOf(policy: Policy): readonly Asker[] {
  return [...[...policy.issuers.values()].map(({ alias, preset }) => ({ alias, preset })), undefined]
}

/** What holds of everyone of this issuer whom the invariant means and the environment lets in; `undefined` if nobody. */
export function entryOf(
  invariant: Invariant,
  environment: Environment,
  asker: Asker,
): readonly Formula[] | undefined {
  const formulas: Formula[] = []
  if (invariant.for !== undefined) {
    const { claims } = invariant
    const asked = isMeant({ to: invariant.for, ...(claims === undefined ? {} : { claims }) }, asker)
    if (asked === undefined) return undefined
    formulas.push(comesOut(asked, 'true'))
  }
  const { require, exempt, maxTokenAgeSeconds } = environment
  if (require !== undefined && !exempt.has(asker?.alias ?? '')) formulas.push(comesOut(require, 'true'))
  if (asker !== undefined) formulas.push(isTold('id'))
  if (asker !== undefined && maxTokenAgeSeconds !== undefined) formulas.push(isTold('issuedAt'))
  return formulas
}

function isTold(name: string): Formula {
  return {
    kind: 'fact',
    test: {
      kind: 'test',
      path: { root: 'principal', name },
      operator: '$exists',
      operand: { literal: true },
    },
    want: 'true',
  }
}

/** The allowances of a set of roles, made once for each set. */
export function createAllowances(
  policy: Policy,
  environment: Environment,
  invariant: Invariant,
): (roles: readonly string[]) => readonly Allowance[] {
  const actions = actionsOf(policy, environment, invariant)
  const types = typesOf(policy, invariant)
  const byRoles = new Map<string, readonly Allowance[]>()
  const byStatement = new Map<Statement, readonly Allowance[]>()
  const ofStatement = (statement: Statement) =>
    getOrAdd(byStatement, statement, () =>
      types.flatMap((type) => {
        const allowed = statement.patterns.filter(isOf(type))
        const forbidden = invariant.patterns.filter(isOf(type))
        if (allowed.length === 0 || forbidden.length === 0) return []
        const ids = [isIn(allowed), isIn(forbidden)]
        const { condition } = statement
        const formulas = condition === undefined ? ids : [...ids, comesOut(condition, 'true')]
        return actions
          .filter((action) => names(statement.actions, action))
          .map((action) => ({ statement, action, type, formulas }))
      }),
    )
  return (roles) =>
    getOrAdd(byRoles, roles.join('\n'), () =>
      statementsOf(policy, roles)
        .filter(
          ({ effect, environments }) => effect === 'allow' && environments?.has(environment.name) !== false,
        )
        .flatMap(ofStatement),
    )
}

function statementsOf(policy: Policy, roles: readonly string[]): Statement[] {
  const closure = new Set(roles.flatMap((role) => policy.roles.get(role)?.closure ?? []))
  return [...closure].flatMap((role) => policy.roles.get(role)?.statements ?? [])
}

/** No denial for everyone fires. */
export function denialsOf(
  policy: Policy,
  environment: Environment,
  { action, type }: Allowance,
): readonly Formula[] {
  return policy.deny
    .filter(({ environments }) => environments?.has(environment.name) !== false)
    .filter(({ actions, patterns }) => names(actions, action) && patterns.some(isOf(type)))
    .map((statement) => doesNotFire(statement, type))
}

/** The denial does not fire: surely not in what it asks, or not on this resource. */
export function doesNotFire(statement: Statement, type: string): Formula {
  const outside: Formula = {
    kind: 'all',
    of: statement.patterns
      .filter(isOf(type))
      .map((pattern): Formula => ({ kind: 'id', pattern, wanted: false })),
  }
  return statement.condition === undefined ? outside : any(comesOut(statement.condition, 'false'), outside)
}

export function isIn(patterns: readonly Pattern[]): Formula {
  return any(...patterns.map((pattern): Formula => ({ kind: 'id', pattern, wanted: true })))
}

export function isOf(type: string) {
  return (pattern: Pattern) => pattern.type === '**' || pattern.type === type
}

export function names(actions: readonly string[], action: string): boolean {
  return actions.includes('*') || actions.includes(action)
}

/** Actions that are forbidden and that the environment lets through. */
function actionsOf(policy: Policy, environment: Environment, invariant: Invariant): readonly string[] {
  const named = new Set([
    ...everyStatement(policy).flatMap(({ actions }) => actions),
    ...[...policy.scopes.values()].flatMap(({ actions }) => actions),
  ])
  const asked = [...policy.actions].filter(
    (action) => names(invariant.actions, action) && environment.actions?.has(action) !== false,
  )
  return firstOfEach(asked, (action) => (named.has(action) ? action : ''))
}

function typesOf(policy: Policy, invariant: Invariant): readonly string[] {
  const statements = everyStatement(policy)
  const patterns = [
    ...statements.flatMap((statement) => statement.patterns),
    ...[...policy.scopes.values()].flatMap((scope) => scope.patterns),
    ...invariant.patterns,
  ]
  const named = new Set(patterns.map(({ type }) => type))
  const isAsked = statements.some(
    ({ condition }) =>
      condition !== undefined &&
      pathsIn(condition).some(({ root, name }) => root === 'resource' && name === 'type'),
  )
  return firstOfEach([...policy.types.keys()], (type) =>
    isAsked || named.has(type) ? type : isHubType(type) ? 'hub' : 'own',
  )
}

function everyStatement(policy: Policy): readonly Statement[] {
  return [...[...policy.roles.values()].flatMap(({ statements }) => statements), ...policy.deny]
}

function firstOfEach(list: readonly string[], classOf: (item: string) => string): readonly string[] {
  const classes = new Map<string, string>()
  for (const item of list) getOrAdd(classes, `${classOf(item)} `, () => item)
  return [...classes.values()]
}
