/**
 * Turning points: the values of a fact at which a test comes out another way.
 *
 * condition → **turning points** → candidates. A value on each side of every test is enough to try them all.
 *
 * @module
 */
import { parseIp } from '../internal/ip.ts'
import type { TestCondition } from '../policy/condition.ts'
import type { Json } from '../types.ts'
import type { AttributeChange } from './counterfactual.ts'

/** A value that a fact could have; with `not`, an example of any other than that. */
export type Point = Pick<AttributeChange, 'is' | 'not'> & { readonly is: Json }

/** One value on each side of a test. */
export function turningPoints(operator: TestCondition['operator'], operand: Json | undefined): Point[] {
  if (operand === undefined || operand === null) return []
  const list = Array.isArray(operand) ? (operand as readonly Json[]) : undefined
  switch (operator) {
    case '$eq':
    case '$ne':
      return [{ is: operand }, { is: otherThan(operand), not: operand }]
    case '$in':
    case '$nin':
      return [...(list ?? []).map((is) => ({ is })), { is: otherThan(list?.[0] ?? ''), not: operand }]
    case '$contains':
      return [{ is: [operand] }, { is: [], not: [operand] }]
    case '$all':
      return [{ is: operand }, { is: [], not: operand }]
    case '$size':
      return typeof operand === 'number' ? [{ is: Array(Math.min(operand, 64)).fill('') as Json[] }] : []
    case '$lt':
    case '$lte':
    case '$gt':
    case '$gte':
      return typeof operand === 'number'
        ? [{ is: operand - 1 }, { is: operand }, { is: operand + 1 }]
        : [{ is: '' }, { is: operand }, { is: `${String(operand)}~` }]
    case '$glob':
      return [{ is: String(operand).replaceAll('*', '') }, { is: otherThan(operand), not: operand }]
    case '$cidr':
      return [operand].flat().flatMap((range) => {
        const address = String(range).replace(/\/.*/, '')
        return parseIp(address) === undefined ? [] : [{ is: address }]
      })
    case '$exists':
      return [{ is: true }]
    case '$before':
    case '$after':
      return [{ is: 0 }, { is: Date.UTC(9999, 0) }]
  }
}

function otherThan(value: Json): Json {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'number') return value + 1
  return `other than ${String(value)}`
}

export function valuesIn(value: Json | undefined): readonly Json[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}
