/**
 * Compile: a checked policy in one environment, ready to be narrowed to one principal.
 *
 * policy → **compile** → grants → decide. What depends on nobody is worked out once and shared: the
 * rules of each role, and the rules of each set of roles that somebody holds. Statements that ask about
 * the principal are evaluated for each one; what is left of them are rules like the others.
 *
 * @module
 */
import { isHubType } from '../hub/actions.ts'
import { getOrAdd } from '../internal/maps.ts'
import { Memory } from '../internal/memory.ts'
import { Scratch } from '../internal/scratch.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import type { Environment, Policy, ScopeGrant, Statement } from '../policy/policy.ts'
import type { PrincipalShape } from '../types.ts'
import { type BindingIndex, type HeldBinding, indexBindings } from './bindings.ts'
import { compileRule } from './casl.ts'
import { type CompiledStatements, compileStatements, joinParts, type RolePart } from './role-part.ts'
import type { ResidualRule } from './rule.ts'
import { type Buckets, bucketsIn, mergeBuckets, RuleTable } from './rule-table.ts'
import { type Glob, globsOf, rulesFor } from './statement-rules.ts'
import { type Topic, Topics } from './topics.ts'

export interface CompiledPolicy {
  readonly policy: Policy
  readonly environment: Environment
  readonly bindingsOf: BindingIndex
  statement(id: string): Statement | undefined
  /** Roles with everything they extend, sorted. */
  closureOf(roles: readonly string[]): readonly string[]
  /** What questions can be about here. */
  readonly topics: Topics
  /**
   * Puts one table for each bound role, with what it extends, and one for everybody into `tables`.
   *
   * @returns Statements whose rules depend on the principal.
   */
  gather(bindings: readonly HeldBinding[], tables: Scratch<RuleTable>): readonly Statement[]
  /** The buckets in the tables of these bindings, merged once for all who have the same roles. */
  mergedBuckets(bindings: readonly HeldBinding[], topic: Topic): Buckets
  /** All residual rules of somebody, sorted; with no principal, what anyone with the roles could do at most. */
  rulesOf(roles: readonly string[], principal?: PrincipalShape): readonly ResidualRule[]
  /** The residual rules of statements that depend on the principal. */
  personalRules(statements: readonly Statement[], principal: PrincipalShape): RuleTable
  /** Statements of these roles, with those they extend, and the denials for everybody, that apply here. */
  statementsOf(roles: readonly string[]): readonly Statement[]
  /** A statement's patterns as globs over canonical ids; with no principal, placeholders match any text: a claim may have a `/` in it. */
  globsFor(statement: Statement, principal?: PrincipalShape): readonly Glob[]
  /** What a scope of an own issuer covers for this principal, as rules. */
  coveredBy(scope: ScopeGrant, principal: PrincipalShape): readonly ResidualRule[]
}

/** Of merged buckets, by a topic and roles. */
const mergedBounds = { maxTexts: 10_000, maxLength: 10_000 }

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
  const topics = new Topics({
    actions: policy.actions,
    types: new Set(policy.types.keys()),
    ceiling: environment.actions,
  })
  const everybody = joinParts(topics, [compileStatements(policy.deny.filter(applies), ownTypes)])
  const compiled = new Map<string, CompiledStatements>()
  const parts = new Map<string, RolePart>()
  const merged = new Memory<Buckets>(mergedBounds)

  const statementsIn = (role: string) => policy.roles.get(role)?.statements ?? []
  /** The role itself with everything it extends. */
  const closureIn = (role: string) => policy.roles.get(role)?.closure ?? []
  /** A role's own statements. */
  const statementsCompiled = (role: string) =>
    getOrAdd(compiled, role, () => compileStatements(statementsIn(role).filter(applies), ownTypes))
  /** A role with everything it extends; the compiled rules are the same for every role that has them. */
  const partOf = (role: string) =>
    getOrAdd(parts, role, () => joinParts(topics, closureIn(role).map(statementsCompiled)))
  const closureOf = (roles: readonly string[]) => sortedUnique(roles.flatMap(closureIn))
  const statementsOf = (roles: readonly string[]) =>
    [...closureOf(roles).flatMap(statementsIn), ...policy.deny].filter(applies)

  const gather = (bindings: readonly HeldBinding[], tables: Scratch<RuleTable>) => {
    let { personal } = everybody
    tables.clear()
    for (const binding of bindings) {
      binding.parts ??= binding.roles.map(partOf)
      for (const part of binding.parts) {
        if (part.table !== undefined && !tables.has(part.table)) tables.add(part.table)
        if (part.personal.length > 0) personal = [...new Set([...personal, ...part.personal])]
      }
    }
    if (everybody.table !== undefined) tables.add(everybody.table)
    return personal
  }

  const tablesOf = (bindings: readonly HeldBinding[]) => {
    const tables = new Scratch<RuleTable>()
    gather(bindings, tables)
    return tables
  }

  return {
    policy,
    environment,
    bindingsOf: indexBindings(policy.bindings),
    statement: (id) => statements.get(id),
    closureOf,
    topics,
    gather,
    mergedBuckets(bindings, topic) {
      const roles = sortedUnique(bindings.flatMap((binding) => binding.roles))
      const key = [topic.number, ...roles].join('\n')
      return merged.get(key) ?? merged.remember(key, mergeBuckets(bucketsIn(tablesOf(bindings), topic)))
    },
    rulesOf(roles, principal) {
      return statementsOf(roles)
        .flatMap((statement) => rulesFor(statement, principal, ownTypes))
        .sort(byContent)
    },
    personalRules: (personal, principal) =>
      new RuleTable(
        personal.flatMap((statement) => rulesFor(statement, principal, ownTypes)).map(compileRule),
        topics,
      ),
    statementsOf,
    globsFor: ({ patterns }, principal) =>
      patterns.flatMap((pattern) => globsOf(pattern, principal, ownTypes, '**')),
    coveredBy: ({ name, actions, patterns }, principal) =>
      rulesFor({ id: `scopes.${name}`, effect: 'allow', actions, patterns }, principal, ownTypes).sort(
        byContent,
      ),
  }
}

function byContent(a: ResidualRule, b: ResidualRule): number {
  return compareCodeUnits(sortKey(a), sortKey(b))
}

function sortKey(rule: ResidualRule): string {
  return `${rule.statement} ${rule.types.join(',')} ${rule.id ?? ''}`
}
