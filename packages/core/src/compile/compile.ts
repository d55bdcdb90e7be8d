/**
 * Compile: a checked policy in one environment, ready to be narrowed to one principal.
 *
 * policy → **compile** → grants → decide. What depends on nobody is worked out once and shared: the
 * rules of each role, and the rules of each set of roles that somebody holds. Statements that ask about
 * the principal are evaluated for each one; what is left of them are rules like the others.
 *
 * @module
 */
import { hubTypes, isHubType } from '../hub/actions.ts'
import { canonicalId } from '../hub/ids.ts'
import { getOrAdd } from '../internal/maps.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import { type Condition, writeCondition } from '../policy/condition.ts'
import type { Pattern } from '../policy/pattern.ts'
import type { Binding, Environment, Policy, ScopeGrant, Statement } from '../policy/policy.ts'
import type { PrincipalShape } from '../types.ts'
import { type BindingIndex, indexBindings } from './bindings.ts'
import { CompiledRule } from './casl.ts'
import { principalFact } from './facts.ts'
import type { ResidualRule } from './rule.ts'
import { RuleTable, TableUnion } from './rule-table.ts'
import { specialise } from './specialise.ts'

/** The rules of a set of roles, for whoever holds just these. */
export interface RoleSet {
  /** Names, sorted, with everything they extend. */
  readonly roles: readonly string[]
  /** Rules that are the same for everybody who holds the roles, as an index. */
  readonly shared: TableUnion
  /** Statements whose rules depend on the principal. */
  readonly personal: readonly Statement[]
}

export interface CompiledPolicy {
  readonly policy: Policy
  readonly environment: Environment
  readonly bindingsOf: BindingIndex
  statement(id: string): Statement | undefined
  roleSet(bindings: readonly Binding[]): RoleSet
  /** All residual rules of somebody, sorted; with no principal, what anyone with the roles could do at most. */
  rulesOf(roles: readonly string[], principal?: PrincipalShape): readonly ResidualRule[]
  /** The residual rules of statements that depend on the principal. */
  personalRules(statements: readonly Statement[], principal: PrincipalShape): RuleTable
  /** What a scope of an own issuer covers, as rules. */
  coveredBy(scope: ScopeGrant): readonly ResidualRule[]
}

/** Most sets of roles whose rules are kept; beyond that they are worked out anew. */
const maxRoleSets = 10_000

export function compilePolicy(policy: Policy, environment: Environment): CompiledPolicy {
  const ownTypes = [...policy.types.keys()].filter((type) => !isHubType(type))
  const statements = new Map(
    [...[...policy.roles.values()].flatMap((role) => role.statements), ...policy.deny].map((statement) => [
      statement.id,
      statement,
    ]),
  )
  const applies = ({ environments }: Statement) =>
    environments === undefined || environments.has(environment.name)
  const parts = new Map<string, RolePart>()
  const everybody = compilePart(policy.deny.filter(applies), ownTypes)
  const sets = new Map<string, RoleSet>()

  function partOf(role: string): RolePart {
    return getOrAdd(parts, role, () =>
      compilePart((policy.roles.get(role)?.statements ?? []).filter(applies), ownTypes),
    )
  }

  function closureOf(roles: readonly string[]): readonly string[] {
    const [first, ...rest] = roles
    if (first !== undefined && rest.length === 0) return policy.roles.get(first)?.closure ?? []
    return sortedUnique(roles.flatMap((role) => policy.roles.get(role)?.closure ?? []))
  }

  function buildSet(bound: readonly string[]): RoleSet {
    const roles = closureOf(bound)
    const all = [...roles.map(partOf), everybody]
    return {
      roles,
      shared: new TableUnion(all.flatMap(({ table }) => table ?? [])),
      personal: all.flatMap(({ personal }) => personal),
    }
  }

  return {
    policy,
    environment,
    bindingsOf: indexBindings(policy.bindings),
    statement: (id) => statements.get(id),
    roleSet(bindings) {
      const bound =
        bindings.length === 1
          ? (bindings[0]?.roles ?? [])
          : sortedUnique(bindings.flatMap(({ roles }) => roles))
      const key = bound.length === 1 ? (bound[0] ?? '') : bound.join('\n')
      let set = sets.get(key)
      if (set === undefined) {
        set = buildSet(bound)
        if (sets.size >= maxRoleSets) sets.clear()
        sets.set(key, set)
      }
      return set
    },
    rulesOf(roles, principal) {
      return [...closureOf(roles).flatMap((role) => policy.roles.get(role)?.statements ?? []), ...policy.deny]
        .filter(applies)
        .flatMap((statement) => rulesFor(statement, principal, ownTypes))
        .sort(byContent)
    },
    personalRules: (personal, principal) =>
      new RuleTable(
        personal
          .flatMap((statement) => rulesFor(statement, principal, ownTypes))
          .map((rule) => new CompiledRule(rule)),
      ),
    coveredBy: ({ name, actions, patterns }) =>
      rulesFor({ id: `scopes.${name}`, effect: 'allow', actions, patterns }, undefined, ownTypes),
  }
}

/** One role's own statements, or the denials for everybody. */
interface RolePart {
  readonly table: RuleTable | undefined
  readonly personal: readonly Statement[]
}

function compilePart(statements: readonly Statement[], ownTypes: readonly string[]): RolePart {
  const personal = statements.filter(isPersonal)
  const shared = statements.filter((statement) => !isPersonal(statement))
  if (shared.length === 0) return { table: undefined, personal }
  const rules = shared.flatMap((statement) => rulesFor(statement, undefined, ownTypes))
  return { table: new RuleTable(rules.map((rule) => new CompiledRule(rule))), personal }
}

function isPersonal({ condition, patterns }: Statement): boolean {
  return (
    patterns.some(({ pieces }) => pieces.some((piece) => 'placeholder' in piece)) ||
    (condition !== undefined && asksAboutPrincipal(condition))
  )
}

function asksAboutPrincipal(condition: Condition): boolean {
  switch (condition.kind) {
    case 'test':
      return (
        condition.path.root === 'principal' ||
        ('ref' in condition.operand && condition.operand.ref.root === 'principal')
      )
    case 'not':
      return asksAboutPrincipal(condition.of)
    case 'element':
      return condition.path.root === 'principal' || asksAboutPrincipal(condition.of)
    case 'unknown':
      return false
    default:
      return condition.of.some(asksAboutPrincipal)
  }
}

/** One rule for each pattern that can match; none when the condition is already known not to hold. */
function rulesFor(
  statement: Omit<Statement, 'location'>,
  principal: PrincipalShape | undefined,
  ownTypes: readonly string[],
): ResidualRule[] {
  const { condition } = statement
  const residual =
    condition === undefined || principal === undefined ? condition : specialise(condition, principal)
  if (residual?.kind === 'constant' && !residual.truth) return []
  // An allow that can never be known to hold is kept: the decision says what was missing.
  const when = residual === undefined || residual.kind === 'constant' ? undefined : writeCondition(residual)
  return statement.patterns.flatMap((pattern) =>
    globsOf(pattern, principal, ownTypes).map(({ types, id }) => ({
      statement: statement.id,
      effect: statement.effect,
      actions: statement.actions,
      types,
      ...(id === undefined ? {} : { id }),
      ...(when === undefined ? {} : { when }),
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
  const value = principalFact(principal, path.slice('principal.'.length))
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
