/** Single tests of fields, put together without saying more or less than they did. */
import { describe, expect, test } from 'vitest'
import {
  type Alternatives,
  conditionsOf,
  type FieldTest,
  isImpossible,
  maxAlternatives,
  product,
  union,
} from '../src/reach/mongo-tests.ts'

const eq = (field: string, operand: FieldTest['operand'] = 1): FieldTest => ({
  field,
  operator: '$eq',
  operand,
})
const many = (count: number): Alternatives => Array.from({ length: count }, (_, i) => [eq(`f${i}`)])

describe('alternatives', () => {
  test('of one of the parts are those of each', () => {
    expect(union([[[eq('a')]], [], [[eq('b')], [eq('c')]]])).toEqual([[eq('a')], [eq('b')], [eq('c')]])
    expect(union([])).toEqual([])
  })

  test('of all parts join each with each', () => {
    expect(product([[[eq('a')], [eq('b')]], [[eq('c')]]])).toEqual([
      [eq('a'), eq('c')],
      [eq('b'), eq('c')],
    ])
    expect(product([])).toEqual([[]])
    expect(product([[[eq('a')]], []])).toEqual([])
  })

  test('may be as many as the bound, and no more', () => {
    expect(union([many(maxAlternatives)])).toHaveLength(maxAlternatives)
    expect(union([many(maxAlternatives), many(1)])).toBeUndefined()
    expect(product([many(8), many(8)])).toHaveLength(64)
    expect(product([many(13), many(5)])).toBeUndefined()
  })

  test('are too many when a part of them was', () => {
    expect(union([many(1), undefined])).toBeUndefined()
    expect(product([many(1), undefined])).toBeUndefined()
  })
})

describe('tests as one mapping', () => {
  const of = (...tests: readonly [string, string, FieldTest['operand']][]) =>
    conditionsOf(tests.map(([field, operator, operand]) => ({ field, operator, operand })))

  test('stand side by side, by field and by operator', () => {
    expect(of(['a', '$eq', 1], ['a', '$ne', null], ['b', '$lt', 2])).toEqual({
      a: { $eq: 1, $ne: null },
      b: { $lt: 2 },
    })
    expect(of()).toEqual({})
  })

  test('join what may be joined, each value once', () => {
    expect(of(['a', '$nin', ['x']], ['a', '$nin', ['y', 'x']])).toEqual({ a: { $nin: ['x', 'y'] } })
    expect(of(['a', '$all', ['x']], ['a', '$all', ['y']])).toEqual({ a: { $all: ['x', 'y'] } })
    expect(of(['id', '$glob', 'a*'], ['id', '$glob', '*b'])).toEqual({ id: { $glob: ['a*', '*b'] } })
    expect(of(['', '$surely', ['p']], ['', '$surely', ['q']])).toEqual({ $surely: ['p', 'q'] })
  })

  test('fit when they say the same, and not when they differ', () => {
    expect(of(['a', '$eq', 1], ['a', '$eq', 1])).toEqual({ a: { $eq: 1 } })
    expect(of(['a', '$in', ['x']], ['a', '$in', ['x']])).toEqual({ a: { $in: ['x'] } })
    expect(of(['a', '$eq', 1], ['a', '$eq', 2])).toBeUndefined()
    expect(of(['a', '$in', ['x']], ['a', '$in', ['y']])).toBeUndefined()
  })

  test('take a field by any name', () => {
    expect(Object.keys(of(['__proto__', '$eq', 1], ['constructor', '$eq', 2]) ?? {}).sort()).toEqual([
      '__proto__',
      'constructor',
    ])
  })
})

test('a field that is to be there and not is impossible, and nothing else is', () => {
  const absent = eq('a', null)
  const there = (field: string): FieldTest => ({ field, operator: '$ne', operand: null })
  expect(isImpossible([absent, there('a')])).toBe(true)
  expect(isImpossible([there('a'), absent])).toBe(true)
  expect(isImpossible([absent, there('b')])).toBe(false)
  const exists = (field: string, operand: boolean): FieldTest => ({ field, operator: '$exists', operand })
  expect(isImpossible([exists('a', true), exists('a', false)])).toBe(true)
  expect(isImpossible([exists('a', true), exists('b', false)])).toBe(false)
  expect(isImpossible([exists('a', true), exists('a', true)])).toBe(false)
  expect(isImpossible([absent])).toBe(false)
  expect(isImpossible([eq('a', 1), there('a')])).toBe(false)
  expect(isImpossible([absent, { field: 'a', operator: '$ne', operand: 1 }])).toBe(false)
  expect(isImpossible([absent, { field: 'a', operator: '$nin', operand: null }])).toBe(false)
})
