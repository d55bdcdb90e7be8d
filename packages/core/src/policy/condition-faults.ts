/**
 * Faults of conditions: what an author is told of a condition that cannot be read, and which values operators take.
 *
 * shape → condition → **faults of conditions** → statements, bindings, environments.
 *
 * @module
 */
import { parseGlob } from '../internal/glob.ts'
import { parseCidr } from '../internal/ip.ts'
import { suggestion } from '../internal/nearest.ts'
import type { JsonPath } from '../json.ts'
import type { Json } from '../types.ts'
import {
  type Condition,
  type ConditionProblem,
  type FactPath,
  isMapping,
  type Operator,
  operators,
  type Root,
  readCondition,
} from './condition.ts'
import type { FaultCode } from './faults.ts'
import type { ConditionDocument } from './schema.ts'
import { parseMoment } from './time.ts'

export interface ConditionFault {
  readonly code: FaultCode
  readonly path: JsonPath
  readonly message: string
}

export interface PolicyConditionReader {
  /** As {@link ConditionReader.roots}. */
  readonly roots: readonly Root[]
  /** Says what is wrong with a fact of this name, if anything. */
  checkFact(path: FactPath): { code: FaultCode; message: string } | undefined
  report(fault: ConditionFault): void
}

/** Reads a condition of a policy; what is wrong goes to `report`, and such a part is left out. */
export function readPolicyCondition(
  document: ConditionDocument,
  { roots, checkFact, report }: PolicyConditionReader,
  at: JsonPath = [],
): Condition {
  return readCondition(
    document,
    {
      roots,
      isFact: (path) => checkFact(path) === undefined,
      isOperand: (operator, value) => operandFault(operator, value) === undefined,
      report(problem, path) {
        const fault = problem.kind === 'wrong fact' ? checkFact(problem.path) : undefined
        report({ ...(fault ?? describe(problem, path)), path })
      },
    },
    at,
  )
}

function describe(problem: ConditionProblem, path: JsonPath): { code: FaultCode; message: string } {
  const malformed = (message: string) => ({ code: 'malformed_condition' as const, message })
  switch (problem.kind) {
    case 'no condition':
      return malformed('`$not` takes a condition')
    case 'no list of conditions':
      return malformed(`\`${path.at(-1)}\` takes a list of conditions`)
    case 'no condition on elements':
      return malformed('`$elemMatch` takes a condition on the elements')
    case 'empty':
      return malformed('an empty condition holds for everything; leave it out instead')
    case 'unknown operator': {
      const known = problem.onFact ? [...operators, '$not'] : ['$and', '$or', '$not']
      const hint = suggestion(problem.key, known)
      return { code: 'unknown_operator', message: `unknown operator \`${problem.key}\`${hint}` }
    }
    case 'unknown root': {
      const meant = problem.roots.map((name) => `\`${name}.\``).join(', ')
      return malformed(`\`${problem.key}\` does not begin with one of ${meant}`)
    }
    case 'wrong fact':
      return malformed(`\`${problem.path.name}\` is no fact`)
    case 'wrong operand':
      return malformed(`\`${problem.operator}\` ${operandFault(problem.operator, problem.value) ?? ''}`)
  }
}

function operandFault(operator: Operator, value: Json): string | undefined {
  switch (operator) {
    case '$eq':
    case '$ne':
      return isMapping(value) ? 'compares with a plain value' : undefined
    case '$contains':
      return isScalar(value) ? undefined : 'takes one plain value'
    case '$in':
    case '$nin':
    case '$all':
      return Array.isArray(value) && value.every(isScalar) ? undefined : 'takes a list of plain values'
    case '$lt':
    case '$lte':
    case '$gt':
    case '$gte':
      return typeof value === 'number' || typeof value === 'string' ? undefined : 'takes a number or a text'
    case '$exists':
      return typeof value === 'boolean' ? undefined : 'takes true or false'
    case '$size':
      return typeof value === 'number' && Number.isInteger(value) && value >= 0
        ? undefined
        : 'takes a whole number'
    case '$glob':
      return typeof value === 'string' && parseGlob(value).length > 0 ? undefined : 'takes a pattern'
    case '$cidr':
      return [value].flat().every((range) => typeof range === 'string' && parseCidr(range) !== undefined)
        ? undefined
        : 'takes an address range such as `192.0.2.0/24`, or a list of them'
    case '$before':
    case '$after':
      return typeof value === 'string' && parseMoment(value) !== undefined
        ? undefined
        : 'takes a time such as `2027-01-31T00:00:00Z`, or a duration such as `7d` or `-7d`'
    case '$elemMatch':
      return undefined
  }
}

function isScalar(value: Json): boolean {
  return typeof value !== 'object' || value === null
}
