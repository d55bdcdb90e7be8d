/**
 * Mongo conditions: our three-valued conditions in the two-valued vocabulary that CASL shares with MongoDB.
 *
 * reach → **mongo conditions** → ability. An allow becomes conditions that match when it surely holds, a
 * denial conditions that match unless it surely does not. CASL's vocabulary has neither `$or` nor a `$not`
 * on the whole, so a condition becomes alternatives, each one rule of its own.
 *
 * @module
 */
import { compileCondition } from '../compile/conditions.ts'
import { type RequestFacts, requestReader } from '../compile/facts.ts'
import { type Condition, type TestCondition, writeCondition } from '../policy/condition.ts'
import type { Json } from '../types.ts'
import {
  type Alternatives,
  always,
  type Conjunction,
  conditionsOf,
  type FieldTest,
  maxAlternatives,
  never,
  product,
  union,
} from './mongo-tests.ts'
import { hasPrismaWord } from './prisma-words.ts'

/** What is to be expressed: known to hold, known not to hold, or that either is not known. */
export type Mode = 'true' | 'false' | 'not true' | 'not false'

/** Ours as well as CASL's, CASL's own alone, or Prisma's alone. */
export type Words = 'extended' | 'mongo' | 'prisma'

export interface Vocabulary {
  readonly words: Words
  /** What is known of every subject: its type where it matters, the request's context, the time. */
  readonly facts: RequestFacts
  readonly typeIsKnown: boolean
}

/** The condition in the given mode; in a plain vocabulary at most that for an allow, at least that for a denial. */
export function alternativesOf(condition: Condition, mode: Mode, vocabulary: Vocabulary): Alternatives {
  const found = translate(condition, mode, vocabulary)
  return found !== undefined && found.length <= maxAlternatives ? found : asWhole(condition, mode, vocabulary)
}

/** A condition for which the vocabulary has no words. */
export function asWhole(condition: Condition, mode: Mode, { words }: Vocabulary): Alternatives {
  const widens = mode === 'not true' || mode === 'not false'
  if (words !== 'extended') return widens ? always : never
  const document = writeCondition(condition) as Json
  const operand = mode === 'true' || mode === 'not false' ? document : { $not: document }
  return [[{ field: '', operator: widens ? '$possibly' : '$surely', operand: [operand] }]]
}

const opposite = { true: 'false', false: 'true', 'not true': 'not false', 'not false': 'not true' } as const

/** `undefined` when there are too many alternatives. */
function translate(condition: Condition, mode: Mode, vocabulary: Vocabulary): Alternatives | undefined {
  switch (condition.kind) {
    case 'test':
      return testAlternatives(condition, mode, vocabulary) ?? asWhole(condition, mode, vocabulary)
    case 'not':
      return translate(condition.of, opposite[mode], vocabulary)
    case 'unknown':
      return mode === 'true' || mode === 'false' ? never : always
    case 'element':
      return elementAlternatives(condition, mode, vocabulary) ?? asWhole(condition, mode, vocabulary)
    default: {
      const parts = condition.of.map((part) => translate(part, mode, vocabulary))
      const together = (condition.kind === 'all') === (mode === 'true' || mode === 'not false')
      return together ? product(parts) : union(parts)
    }
  }
}

/** Fields that every resource has. */
const alwaysTold: ReadonlySet<string> = new Set(['id', 'type', 'owner', 'name'])

/** `undefined` when the vocabulary has no words for it. */
function testAlternatives(test: TestCondition, mode: Mode, vocabulary: Vocabulary): Alternatives | undefined {
  const found = inCaslWords(test, mode, vocabulary)
  const isExpressible = vocabulary.words !== 'prisma' || found?.flat().every(hasPrismaWord)
  return isExpressible ? found : undefined
}

function inCaslWords(
  test: TestCondition,
  mode: Mode,
  { facts, typeIsKnown }: Vocabulary,
): Alternatives | undefined {
  const { path, operand } = test
  const isTold = path.root === 'resource' && alwaysTold.has(path.name)
  const settled = (root: string, name: string) =>
    root === 'context' || (root === 'resource' && name === 'type' && typeIsKnown)
  if (test.known !== undefined || settled(path.root, path.name)) {
    if ('ref' in operand && !settled(operand.ref.root, operand.ref.name)) return undefined
    const truth = compileCondition(test, requestReader)(facts)
    const holds = {
      true: truth === true,
      false: truth === false,
      'not true': truth !== true,
      'not false': truth !== false,
    }
    return holds[mode] ? always : never
  }
  if ('literal' in operand) return fieldAlternatives({ ...test, value: operand.literal }, mode, isTold)
  if (!settled(operand.ref.root, operand.ref.name)) return undefined
  const value = requestReader(operand.ref)(facts) ?? undefined
  if (value === undefined) return mode === 'true' || mode === 'false' ? never : always
  return fieldAlternatives({ ...test, value }, mode, isTold)
}

/** A test of which both sides are settled but for the fact. */
type ValueTest = Pick<TestCondition, 'path' | 'operator'> & { readonly value: Json }

const inverse = { $lt: '$gte', $lte: '$gt', $gt: '$lte', $gte: '$lt' } as const

/** A test of a field against a value. `told`: the field is always there. */
function fieldAlternatives(test: ValueTest, mode: Mode, told: boolean): Alternatives | undefined {
  const { operator, value } = test
  const field = test.path.name
  const { here, absent } = presenceOf(field, told)
  const flipped = (other: TestCondition['operator']) =>
    fieldAlternatives({ ...test, operator: other }, opposite[mode], told)
  /** Of a test whose two sides are both tests of the field. */
  const sides = (holds: FieldTest, fails: FieldTest): Alternatives => {
    if (mode === 'true') return [[holds, ...here]]
    if (mode === 'false') return [[fails, ...here]]
    return [[mode === 'not true' ? fails : holds], ...absent]
  }
  switch (operator) {
    case '$eq':
    case '$ne': {
      if (!isScalar(value)) return undefined
      if (operator === '$ne') return flipped('$eq')
      return sides({ field, operator: '$eq', operand: value }, { field, operator: '$nin', operand: [value] })
    }
    case '$in':
    case '$nin': {
      if (!isScalars(value)) return undefined
      if (operator === '$nin') return flipped('$in')
      return sides({ field, operator: '$in', operand: value }, { field, operator: '$nin', operand: value })
    }
    case '$exists': {
      const present = (mode === 'true' || mode === 'not false') === (value === true)
      return present ? [[...here]] : absent
    }
    case '$lt':
    case '$lte':
    case '$gt':
    case '$gte': {
      if (typeof value !== 'number' && typeof value !== 'string') return undefined
      const kind = typeof value as 'number' | 'string'
      return sides(
        { field, operator, operand: value, kind },
        { field, operator: inverse[operator], operand: value, kind },
      )
    }
    case '$contains':
      if (!isScalar(value)) return undefined
      return sides(
        { field, operator: '$all', operand: [value], kind: 'list' },
        { field, operator: '$nin', operand: [value], kind: 'list' },
      )
    case '$all':
    case '$size': {
      if (operator === '$all' ? !isScalars(value) || value.length === 0 : typeof value !== 'number')
        return undefined
      // CASL cannot say that a list has another length, or lacks one of several.
      if (mode === 'false' || mode === 'not true') return undefined
      const holds: FieldTest = { field, operator, operand: value, kind: 'list' }
      return mode === 'true' ? [[holds, ...here]] : [[holds], ...absent]
    }
    default:
      return undefined
  }
}

/**
 * That a field is there, and that it is not. A member of a mapping that is not there itself is no `null` to CASL,
 * and only `$exists` sees that it is lacking.
 */
function presenceOf(field: string, told: boolean): { here: readonly FieldTest[]; absent: Alternatives } {
  if (told) return { here: [], absent: never }
  const some: FieldTest = { field, operator: '$ne', operand: null }
  const none: FieldTest = { field, operator: '$eq', operand: null }
  if (!field.includes('.')) return { here: [some], absent: [[none]] }
  return {
    here: [some, { field, operator: '$exists', operand: true }],
    absent: [[none], [{ field, operator: '$exists', operand: false }]],
  }
}

/** Some element that surely fits; what is said of all elements has no words in CASL. */
function elementAlternatives(
  { path, of }: Extract<Condition, { kind: 'element' }>,
  mode: Mode,
  vocabulary: Vocabulary,
): Alternatives | undefined {
  if (path.root !== 'resource' || mode !== 'true' || vocabulary.words === 'prisma') return undefined
  const inner = translate(of, 'true', { ...vocabulary, words: 'mongo' })
  if (inner === undefined || hasOpaque(of)) return undefined
  const alternatives: Conjunction[] = []
  for (const conjunction of inner) {
    // An element that is no mapping has no members at all.
    const guarded = conjunction.flatMap((test) => [
      test,
      { field: test.field, operator: '$exists', operand: true },
    ])
    const operand = conditionsOf(guarded)
    if (operand === undefined || Object.keys(operand).length === 0) return undefined
    alternatives.push([{ field: path.name, operator: '$elemMatch', operand, kind: 'list' }])
  }
  return alternatives
}

/** Other tests compare values of one kind, and an element's members may be of any. */
const plainInElements: readonly string[] = ['$eq', '$ne', '$in', '$nin', '$exists']

/** Whether something in a condition on elements would be left out in a plain vocabulary. */
function hasOpaque(condition: Condition): boolean {
  switch (condition.kind) {
    case 'test':
      return (
        condition.path.root !== 'element' ||
        'ref' in condition.operand ||
        !plainInElements.includes(condition.operator) ||
        fieldAlternatives({ ...condition, value: condition.operand.literal }, 'true', false) === undefined
      )
    case 'not':
      return hasOpaque(condition.of)
    case 'element':
    case 'unknown':
      return true
    default:
      return condition.of.some(hasOpaque)
  }
}

function isScalar(value: Json): value is string | number | boolean {
  return typeof value !== 'object'
}

function isScalars(value: Json): value is readonly (string | number | boolean)[] {
  return Array.isArray(value) && value.every(isScalar)
}
