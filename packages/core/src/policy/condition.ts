/**
 * Conditions: CASL's operators and four of our own, read into a tree that can be judged, partially
 * evaluated and explained.
 *
 * text → shape → **condition** → normal form. Every operator is decidable and runs in linear time;
 * there are no regular expressions.
 *
 * @module
 */
import { parseGlob } from '../internal/glob.ts'
import { parseCidr } from '../internal/ip.ts'
import { suggestion } from '../internal/nearest.ts'
import type { JsonPath } from '../json.ts'
import type { Json } from '../types.ts'
import type { FaultCode } from './faults.ts'
import type { ConditionDocument } from './schema.ts'
import { parseMoment } from './time.ts'

export const operators = [
  '$eq',
  '$ne',
  '$in',
  '$nin',
  '$lt',
  '$lte',
  '$gt',
  '$gte',
  '$exists',
  '$all',
  '$size',
  '$elemMatch',
  '$contains',
  '$glob',
  '$cidr',
  '$before',
  '$after',
] as const
export type Operator = (typeof operators)[number]

/** What a path begins with. `claims` and `element` belong to a binding's claims and to `$elemMatch`. */
export type Root = 'resource' | 'principal' | 'context' | 'claims' | 'element'

export interface FactPath {
  readonly root: Root
  /** The rest of the path, dots and all; what it means is up to the root. */
  readonly name: string
}

export type Operand = { readonly literal: Json } | { readonly ref: FactPath }

export interface TestCondition {
  readonly kind: 'test'
  readonly path: FactPath
  /** What is at `path`, once partial evaluation has looked it up. */
  readonly known?: Json
  readonly operator: Exclude<Operator, '$elemMatch'>
  readonly operand: Operand
}

export type Condition =
  | TestCondition
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'element'; readonly path: FactPath; readonly of: Condition }
  /** What partial evaluation found that no request can settle; `facts` names what was not told. */
  | { readonly kind: 'unknown'; readonly facts: readonly string[] }

export interface ConditionFault {
  readonly code: FaultCode
  readonly path: JsonPath
  readonly message: string
}

export interface ConditionReader {
  /** Roots a key may begin with here; for `claims` and `element` the whole key is the name. */
  readonly roots: readonly Root[]
  /** Says what is wrong with a fact of this name, if anything. */
  checkFact(path: FactPath): { code: FaultCode; message: string } | undefined
  /** True for conditions that partial evaluation wrote: they may hold `$unknown`, which no policy may. */
  readonly residual?: boolean
  report(fault: ConditionFault): void
}

/** Reads a condition; what is wrong goes to `reader.report`, and such a part is left out. */
export function readCondition(
  document: ConditionDocument,
  reader: ConditionReader,
  at: JsonPath = [],
): Condition {
  const of: Condition[] = []
  for (const [key, value] of Object.entries(document)) {
    const here = [...at, key]
    if (key === '$and' || key === '$or') {
      of.push({ kind: key === '$and' ? 'all' : 'any', of: readList(value, reader, here) })
    } else if (key === '$not') {
      if (isMapping(value)) of.push({ kind: 'not', of: readCondition(value, reader, here) })
      else reader.report({ code: 'malformed_condition', path: here, message: '`$not` takes a condition' })
    } else if (key === '$unknown' && reader.residual === true && isTexts(value)) {
      of.push({ kind: 'unknown', facts: value })
    } else if (key === '$known' && reader.residual === true && isMapping(value) && isMapping(value.is)) {
      const [test] = readTests({ root: 'principal', name: 'known' }, value.is, reader, here)
      if (test?.kind === 'test' && value.value !== undefined) of.push({ ...test, known: value.value })
    } else if (key.startsWith('$')) {
      reader.report(unknownOperator(key, ['$and', '$or', '$not'], here))
    } else {
      const path = readFactPath(key, reader, here)
      if (path !== undefined) of.push(...readTests(path, value, reader, here))
    }
  }
  return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'all', of }
}

function readList(value: Json, reader: ConditionReader, at: JsonPath): Condition[] {
  if (!Array.isArray(value) || (value.length === 0 && reader.residual !== true) || !value.every(isMapping)) {
    reader.report({
      code: 'malformed_condition',
      path: at,
      message: `\`${at.at(-1)}\` takes a list of conditions`,
    })
    return []
  }
  return value.map((item, i) => readCondition(item, reader, [...at, i]))
}

function readFactPath(text: string, reader: ConditionReader, at: JsonPath): FactPath | undefined {
  const whole = reader.roots[0]
  if (whole === 'claims' || whole === 'element') return { root: whole, name: text }
  const dot = text.indexOf('.')
  const root = reader.roots.find((name) => name === text.slice(0, dot))
  if (root === undefined || dot === text.length - 1) {
    const meant = reader.roots.map((name) => `\`${name}.\``).join(', ')
    reader.report({
      code: 'malformed_condition',
      path: at,
      message: `\`${text}\` does not begin with one of ${meant}`,
    })
    return undefined
  }
  const path = { root, name: text.slice(dot + 1) }
  const fault = reader.checkFact(path)
  if (fault !== undefined) {
    reader.report({ ...fault, path: at })
    return undefined
  }
  return path
}

function readTests(path: FactPath, value: Json, reader: ConditionReader, at: JsonPath): Condition[] {
  if (!isMapping(value) || '$ref' in value) return readTest(path, '$eq', value, reader, at)
  const keys = Object.keys(value)
  if (keys.length === 0) {
    reader.report({
      code: 'malformed_condition',
      path: at,
      message: 'an empty condition holds for everything; leave it out instead',
    })
  }
  return keys.flatMap((key) => {
    const here = [...at, key]
    if (key === '$not') {
      const of = readTests(path, value[key] ?? null, reader, here)
      return [{ kind: 'not' as const, of: { kind: 'all' as const, of } }]
    }
    if (!isOperator(key)) {
      reader.report(unknownOperator(key, [...operators, '$not'], here))
      return []
    }
    return readTest(path, key, value[key] ?? null, reader, here)
  })
}

function readTest(
  path: FactPath,
  operator: Operator,
  value: Json,
  reader: ConditionReader,
  at: JsonPath,
): Condition[] {
  if (operator === '$elemMatch') {
    if (isMapping(value)) {
      const inner: ConditionReader = { ...reader, roots: ['element'], checkFact: () => undefined }
      return [{ kind: 'element', path, of: readCondition(value, inner, at) }]
    }
    reader.report({
      code: 'malformed_condition',
      path: at,
      message: '`$elemMatch` takes a condition on the elements',
    })
    return []
  }
  if (isMapping(value) && '$ref' in value && takesReference(operator)) {
    const target = value.$ref
    if (typeof target === 'string' && Object.keys(value).length === 1) {
      const facts: ConditionReader = { ...reader, roots: ['principal', 'resource', 'context'] }
      const ref = readFactPath(target, facts, [...at, '$ref'])
      return ref === undefined ? [] : [{ kind: 'test', path, operator, operand: { ref } }]
    }
  }
  // In a residue the principal's own values stand where references were; judging takes any of them.
  const fault = reader.residual === true ? undefined : operandFault(operator, value)
  if (fault !== undefined) {
    reader.report({ code: 'malformed_condition', path: at, message: `\`${operator}\` ${fault}` })
    return []
  }
  return [{ kind: 'test', path, operator, operand: { literal: value } }]
}

/** A glob or a range that a caller's own value could widen is no check at all. */
function takesReference(operator: Operator): boolean {
  return !['$glob', '$cidr', '$exists', '$size', '$elemMatch'].includes(operator)
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

function unknownOperator(key: string, known: readonly string[], path: JsonPath): ConditionFault {
  return { code: 'unknown_operator', path, message: `unknown operator \`${key}\`${suggestion(key, known)}` }
}

const operatorSet: ReadonlySet<string> = new Set(operators)

function isOperator(key: string): key is Operator {
  return operatorSet.has(key)
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isScalar(value: Json): boolean {
  return typeof value !== 'object' || value === null
}

export function isMapping(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The document form of a condition: what {@link readCondition} reads back. */
export function writeCondition(condition: Condition): ConditionDocument {
  switch (condition.kind) {
    case 'test': {
      const { path, known, operator, operand } = condition
      const is = { [operator]: 'literal' in operand ? operand.literal : { $ref: factName(operand.ref) } }
      return known === undefined ? { [factName(path)]: is } : { $known: { value: known, is } }
    }
    case 'not':
      return { $not: writeCondition(condition.of) }
    case 'element':
      return { [factName(condition.path)]: { $elemMatch: writeCondition(condition.of) } }
    case 'unknown':
      return { $unknown: condition.facts }
    default:
      return { [condition.kind === 'all' ? '$and' : '$or']: condition.of.map(writeCondition) }
  }
}

/** A fact as conditions and messages spell it: `resource.gated`. */
export function factName(path: FactPath): string {
  return path.root === 'element' || path.root === 'claims' ? path.name : `${path.root}.${path.name}`
}
