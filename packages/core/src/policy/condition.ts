/**
 * Conditions: CASL's operators and four of our own, read into a tree that can be judged, partially
 * evaluated and explained.
 *
 * text → shape → **condition** → normal form. Every operator is decidable and runs in linear time;
 * there are no regular expressions. A page reads a snapshot with this file, so what it says to the author of a
 * policy stands in another: `condition-faults.ts`.
 *
 * @module
 */
import type { JsonPath } from '../json.ts'
import type { Json } from '../types.ts'
import type { ConditionDocument } from './schema.ts'

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

/** What is wrong in a document, without the words for it. */
export type ConditionProblem =
  | { readonly kind: 'no condition' | 'no list of conditions' | 'no condition on elements' | 'empty' }
  | { readonly kind: 'unknown operator'; readonly key: string; readonly onFact: boolean }
  | { readonly kind: 'unknown root'; readonly key: string; readonly roots: readonly Root[] }
  | { readonly kind: 'wrong fact'; readonly path: FactPath }
  | { readonly kind: 'wrong operand'; readonly operator: Operator; readonly value: Json }

export interface ConditionReader {
  /** Roots a key may begin with here; for `claims` and `element` the whole key is the name. */
  readonly roots: readonly Root[]
  /** Whether facts of this name exist. */
  isFact(path: FactPath): boolean
  /** Whether an operator takes this value. */
  isOperand(operator: Operator, value: Json): boolean
  /** True for conditions that partial evaluation wrote: they may hold `$unknown`, which no policy may. */
  readonly residual?: boolean
  report(problem: ConditionProblem, path: JsonPath): void
}

/** Reads a condition; what is wrong goes to `reader.report`, and such a part is left out. */
export function readCondition(
  document: ConditionDocument,
  reader: ConditionReader,
  at: JsonPath = [],
): Condition {
  const of: Condition[] = []
  const entries = Object.entries(document)
  if (entries.length === 0) reader.report({ kind: 'empty' }, at)
  for (const [key, value] of entries) {
    const here = [...at, key]
    if (key === '$and' || key === '$or') {
      of.push({ kind: key === '$and' ? 'all' : 'any', of: readList(value, reader, here) })
    } else if (key === '$not') {
      if (isMapping(value)) of.push({ kind: 'not', of: readCondition(value, reader, here) })
      else reader.report({ kind: 'no condition' }, here)
    } else if (key === '$unknown' && reader.residual === true && isTexts(value)) {
      of.push({ kind: 'unknown', facts: value })
    } else if (key === '$known' && reader.residual === true && isMapping(value) && isMapping(value.is)) {
      const [test] = readTests({ root: 'principal', name: 'known' }, value.is, reader, here)
      if (test?.kind === 'test' && value.value !== undefined) of.push({ ...test, known: value.value })
    } else if (key.startsWith('$')) {
      reader.report({ kind: 'unknown operator', key, onFact: false }, here)
    } else {
      const path = readFactPath(key, reader, here)
      if (path !== undefined) of.push(...readTests(path, value, reader, here))
    }
  }
  return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'all', of }
}

function readList(value: Json, reader: ConditionReader, at: JsonPath): Condition[] {
  if (!Array.isArray(value) || (value.length === 0 && reader.residual !== true) || !value.every(isMapping)) {
    reader.report({ kind: 'no list of conditions' }, at)
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
    reader.report({ kind: 'unknown root', key: text, roots: reader.roots }, at)
    return undefined
  }
  const path = { root, name: text.slice(dot + 1) }
  if (reader.isFact(path)) return path
  reader.report({ kind: 'wrong fact', path }, at)
  return undefined
}

function readTests(path: FactPath, value: Json, reader: ConditionReader, at: JsonPath): Condition[] {
  if (!isMapping(value) || '$ref' in value) return readTest(path, '$eq', value, reader, at)
  const keys = Object.keys(value)
  if (keys.length === 0) reader.report({ kind: 'empty' }, at)
  return keys.flatMap((key) => {
    const here = [...at, key]
    if (key === '$not') {
      const of = readTests(path, value[key] ?? null, reader, here)
      return [{ kind: 'not' as const, of: { kind: 'all' as const, of } }]
    }
    if (!isOperator(key)) {
      reader.report({ kind: 'unknown operator', key, onFact: true }, here)
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
      const inner: ConditionReader = { ...reader, roots: ['element'], isFact: () => true }
      return [{ kind: 'element', path, of: readCondition(value, inner, at) }]
    }
    reader.report({ kind: 'no condition on elements' }, at)
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
  if (reader.isOperand(operator, value))
    return [{ kind: 'test', path, operator, operand: { literal: value } }]
  reader.report({ kind: 'wrong operand', operator, value }, at)
  return []
}

/** A glob or a range that a caller's own value could widen is no check at all. */
function takesReference(operator: Operator): boolean {
  return !['$glob', '$cidr', '$exists', '$size', '$elemMatch'].includes(operator)
}

const operatorSet: ReadonlySet<string> = new Set(operators)

function isOperator(key: string): key is Operator {
  return operatorSet.has(key)
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
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

/** Every fact that a condition asks for, on either side of a comparison and inside of elements. */
export function pathsIn(condition: Condition): readonly FactPath[] {
  switch (condition.kind) {
    case 'test':
      return 'ref' in condition.operand ? [condition.path, condition.operand.ref] : [condition.path]
    case 'element':
      return [condition.path, ...pathsIn(condition.of)]
    case 'not':
      return pathsIn(condition.of)
    case 'unknown':
      return []
    default:
      return condition.of.flatMap(pathsIn)
  }
}

/** A fact as conditions and messages spell it: `resource.gated`. */
export function factName(path: FactPath): string {
  return path.root === 'element' || path.root === 'claims' ? path.name : `${path.root}.${path.name}`
}
