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
import { pathsIn, writeCondition } from '../policy/condition.ts'
import type { Pattern } from '../policy/pattern.ts'
import type { Binding, Environment, Policy, ScopeGrant, Statement } from '../policy/policy.ts'
import type { PrincipalShape } from '../types.ts'
import { type BindingIndex, indexBindings } from './bindings.ts'
import { CompiledRule } from './casl.ts'
import { principalFact } from './facts.ts'
import type { ResidualRule } from './rule.ts'
import { type BucketSearch, type Buckets, bucketsIn, mergeBuckets, RuleTable } from './rule-table.ts'
import { specialise } from './specialise.ts'

/** What somebody holds: the rules of their roles, which others share, and what depends on them alone. */
export interface Holding {
  /** Names of the bound roles, each once, without those they extend. */
  readonly bound: readonly string[]
  /** One table for each bound role, with what it extends, and one for everybody. */
  readonly tables: readonly RuleTable[]
  /** Statements whose rules depend on the principal. */
  readonly personal: readonly Statement[]
}

export interface Glob {
  /** Resource types; `**` for all. */
  readonly types: readonly string[]
  /** Absent when every id matches. */
  readonly id?: string
}

export interface CompiledPolicy {
  readonly policy: Policy
  readonly environment: Environment
  readonly bindingsOf: BindingIndex
  statement(id: string): Statement | undefined
  /** Roles with everything they extend, sorted. */
  closureOf(roles: readonly string[]): readonly string[]
  holdingOf(bindings: readonly Binding[]): Holding
  /**
   * Shows a search the rules that these bindings lead to, and those for everybody.
   *
   * @returns Whether there are also statements that depend on the principal.
   */
  show(bindings: readonly Binding[], search: BucketSearch): boolean
  /** The buckets of a holding, merged once for all who hold the same roles. */
  mergedBuckets(holding: Holding, action: string, type: string): Buckets
  /** All residual rules of somebody, sorted; with no principal, what anyone with the roles could do at most. */
  rulesOf(roles: readonly string[], principal?: PrincipalShape): readonly ResidualRule[]
  /** The residual rules of statements that depend on the principal. */
  personalRules(statements: readonly Statement[], principal: PrincipalShape): RuleTable
  /** Statements of these roles, with those they extend, and the denials for everybody, that apply here. */
  statementsOf(roles: readonly string[]): readonly Statement[]
  /** A statement's patterns as globs over canonical ids; with no principal, placeholders match any text without `/`. */
  globsFor(statement: Statement, principal?: PrincipalShape): readonly Glob[]
  /** What a scope of an own issuer covers, as rules. */
  coveredBy(scope: ScopeGrant): readonly ResidualRule[]
}

/** Most merged buckets kept; beyond that they are merged anew. */
const maxMerged = 10_000
const noStatements: readonly Statement[] = []

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
  const everybody = joinParts([compileStatements(policy.deny.filter(applies), ownTypes)])
  const compiled = new Map<string, CompiledStatements>()
  const parts = new Map<string, RolePart>()
  const merged = new Map<string, Buckets>()

  /** A role's own statements. */
  const statementsCompiled = (role: string) =>
    getOrAdd(compiled, role, () =>
      compileStatements((policy.roles.get(role)?.statements ?? []).filter(applies), ownTypes),
    )
  /** A role with everything it extends; the compiled rules are the same for every role that has them. */
  const partOf = (role: string): RolePart => parts.get(role) ?? buildPart(role)
  const buildPart = (role: string): RolePart => {
    const part = joinParts((policy.roles.get(role)?.closure ?? []).map(statementsCompiled))
    parts.set(role, part)
    return part
  }
  const closureOf = (roles: readonly string[]) =>
    sortedUnique(roles.flatMap((role) => policy.roles.get(role)?.closure ?? []))
  const statementsOf = (roles: readonly string[]) =>
    [...closureOf(roles).flatMap((role) => policy.roles.get(role)?.statements ?? []), ...policy.deny].filter(
      applies,
    )

  return {
    policy,
    environment,
    bindingsOf: indexBindings(policy.bindings),
    statement: (id) => statements.get(id),
    closureOf,
    holdingOf(bindings) {
      const bound = boundRoles(bindings)
      const tables: RuleTable[] = []
      let personal = noStatements
      for (const role of bound) {
        const part = partOf(role)
        if (part.table !== undefined) tables.push(part.table)
        if (part.personal.length > 0) personal = [...new Set([...personal, ...part.personal])]
      }
      if (everybody.table !== undefined) tables.push(everybody.table)
      if (everybody.personal.length > 0) personal = [...personal, ...everybody.personal]
      return { bound, tables, personal }
    },
    show(bindings, search) {
      let isPersonal = everybody.personal.length > 0
      for (const { roles } of bindings) {
        for (const role of roles) {
          const { table, personal } = partOf(role)
          table?.show(search)
          isPersonal ||= personal.length > 0
        }
      }
      everybody.table?.show(search)
      return isPersonal
    },
    mergedBuckets({ bound, tables }, action, type) {
      if (merged.size >= maxMerged) merged.clear()
      return getOrAdd(merged, [type, action, ...sortedUnique(bound)].join('\n'), () =>
        mergeBuckets(bucketsIn(tables, action, type)),
      )
    },
    rulesOf(roles, principal) {
      return statementsOf(roles)
        .flatMap((statement) => rulesFor(statement, principal, ownTypes))
        .sort(byContent)
    },
    personalRules: (personal, principal) =>
      new RuleTable(
        personal
          .flatMap((statement) => rulesFor(statement, principal, ownTypes))
          .map((rule) => new CompiledRule(rule)),
      ),
    statementsOf,
    globsFor: ({ patterns }, principal) =>
      patterns.flatMap((pattern) => globsOf(pattern, principal, ownTypes)),
    coveredBy: ({ name, actions, patterns }) =>
      rulesFor({ id: `scopes.${name}`, effect: 'allow', actions, patterns }, undefined, ownTypes),
  }
}

function boundRoles(bindings: readonly Binding[]): readonly string[] {
  const [first] = bindings
  if (first === undefined) return []
  if (bindings.length === 1) return first.roles
  const bound: string[] = []
  for (const { roles } of bindings) for (const role of roles) if (!bound.includes(role)) bound.push(role)
  return bound
}

/** One role with what it extends, or the denials for everybody. */
interface RolePart {
  readonly table: RuleTable | undefined
  readonly personal: readonly Statement[]
}

interface CompiledStatements {
  readonly rules: readonly CompiledRule[]
  readonly personal: readonly Statement[]
}

function compileStatements(
  statements: readonly Statement[],
  ownTypes: readonly string[],
): CompiledStatements {
  const rules = statements
    .filter((statement) => !isPersonal(statement))
    .flatMap((statement) => rulesFor(statement, undefined, ownTypes))
  return { rules: rules.map((rule) => new CompiledRule(rule)), personal: statements.filter(isPersonal) }
}

function joinParts(list: readonly CompiledStatements[]): RolePart {
  const rules = list.flatMap((part) => part.rules)
  return {
    table: rules.length === 0 ? undefined : new RuleTable(rules),
    personal: list.flatMap((part) => part.personal),
  }
}

function isPersonal({ condition, patterns }: Statement): boolean {
  return (
    patterns.some(({ pieces }) => pieces.some((piece) => 'placeholder' in piece)) ||
    (condition !== undefined && pathsIn(condition).some(({ root }) => root === 'principal'))
  )
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
): Glob[] {
  const id = fillIn(pattern, principal)
  if (id === undefined) return []
  if (id === '**') return [{ types: [pattern.type] }]
  const lower = id.toLowerCase().normalize('NFC')
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
