/**
 * Role part: what a role brings with it, or what is denied to everybody.
 *
 * @module
 */
import type { Statement } from '../policy/policy.ts'
import { type CaslRule, compileRule } from './casl.ts'
import { RuleTable } from './rule-table.ts'
import { isPersonal, rulesFor } from './statement-rules.ts'
import type { Topics } from './topics.ts'

export interface RolePart {
  /** Rules that are the same for everybody who has it; absent when there are none. */
  readonly table: RuleTable | undefined
  /** Statements whose rules depend on the principal. */
  readonly personal: readonly Statement[]
}

export interface CompiledStatements {
  readonly rules: readonly CaslRule[]
  readonly personal: readonly Statement[]
}

export function compileStatements(
  statements: readonly Statement[],
  ownTypes: readonly string[],
): CompiledStatements {
  const rules = statements
    .filter((statement) => !isPersonal(statement))
    .flatMap((statement) => rulesFor(statement, undefined, ownTypes))
  return { rules: rules.map(compileRule), personal: statements.filter(isPersonal) }
}

export function joinParts(topics: Topics, list: readonly CompiledStatements[]): RolePart {
  const rules = list.flatMap((part) => part.rules)
  return {
    table: rules.length === 0 ? undefined : new RuleTable(rules, topics),
    personal: list.flatMap((part) => part.personal),
  }
}
