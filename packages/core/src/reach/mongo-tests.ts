/**
 * Mongo tests: single tests of fields, what can be said with them, and how they become CASL's conditions.
 *
 * Data and its algebra, for {@link alternativesOf} and the ids; knows nothing of our own conditions.
 *
 * @module
 */
import type { Json } from '../types.ts'

/** The kind of value that a test compares; a field of another kind is unknown to it. */
export type FieldKind = 'list' | 'number' | 'string'

/** One test of one field; operators of the whole (`$surely`, `$possibly`) have no field. */
export interface FieldTest {
  readonly field: string
  readonly operator: string
  readonly operand: Json
  readonly kind?: FieldKind
}

/** All tests must match. */
export type Conjunction = readonly FieldTest[]

/** One of the alternatives must match; none never does. */
export type Alternatives = readonly Conjunction[]

/** Beyond this many alternatives a condition is given as a whole. */
export const maxAlternatives = 64

export const never: Alternatives = []
export const always: Alternatives = [[]]

/** One of the parts; `undefined` when there are too many alternatives. */
export function union(parts: readonly (Alternatives | undefined)[]): Alternatives | undefined {
  const all: Conjunction[] = []
  for (const part of parts) {
    if (part === undefined) return undefined
    all.push(...part)
  }
  return all.length > maxAlternatives ? undefined : all
}

/** All of the parts; `undefined` when there are too many alternatives. */
export function product(parts: readonly (Alternatives | undefined)[]): Alternatives | undefined {
  let all: Alternatives = always
  for (const part of parts) {
    if (part === undefined || all.length * part.length > maxAlternatives) return undefined
    all = all.flatMap((left) => part.map((right) => [...left, ...right]))
  }
  return all
}

/** Tests as one mapping of fields to operators; `undefined` when two of them do not fit into one. */
export function conditionsOf(conjunction: Conjunction): { [field: string]: Json } | undefined {
  const fields: { [field: string]: Json } = Object.create(null)
  for (const { field, operator, operand } of conjunction) {
    if (field === '') {
      fields[operator] = [...((fields[operator] as Json[] | undefined) ?? []), ...(operand as Json[])]
      continue
    }
    const operators = { ...(fields[field] as { [operator: string]: Json } | undefined) }
    const already = operators[operator]
    if (already === undefined || same(already, operand)) operators[operator] = operand
    else if (['$nin', '$all', '$glob'].includes(operator))
      operators[operator] = [...new Set([already, operand].flat())] as Json
    else return undefined
    fields[field] = operators
  }
  return { ...fields }
}

/** A field cannot be there and not: such a conjunction never matches. */
export function isImpossible(conjunction: Conjunction): boolean {
  const hasTest = (field: string, operator: string, operand: Json) =>
    conjunction.some((test) => test.field === field && test.operator === operator && test.operand === operand)
  return conjunction.some(
    ({ field, operator, operand }) =>
      (operator === '$eq' && operand === null && hasTest(field, '$ne', null)) ||
      (operator === '$exists' && operand === false && hasTest(field, '$exists', true)),
  )
}

function same(a: Json, b: Json): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
