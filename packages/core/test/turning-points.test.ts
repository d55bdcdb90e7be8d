/** For every test there is a value on each side of it, so that remedies need not guess. */
import { describe, expect, test } from 'vitest'
import { compileCondition } from '../src/compile/conditions.ts'
import { turningPoints, valuesIn } from '../src/explain/turning-points.ts'
import type { Json } from '../src/index.ts'
import type { TestCondition } from '../src/policy/condition.ts'

type Operator = TestCondition['operator']

const table: readonly [Operator, Json, readonly { is: Json; not?: Json }[]][] = [
  ['$eq', 'mit', [{ is: 'mit' }, { is: 'other than mit', not: 'mit' }]],
  ['$eq', true, [{ is: true }, { is: false, not: true }]],
  ['$ne', 3, [{ is: 3 }, { is: 4, not: 3 }]],
  ['$in', ['a', 'b'], [{ is: 'a' }, { is: 'b' }, { is: 'other than a', not: ['a', 'b'] }]],
  ['$nin', [1], [{ is: 1 }, { is: 2, not: [1] }]],
  ['$nin', [], [{ is: 'other than ', not: [] }]],
  ['$contains', 'x', [{ is: ['x'] }, { is: [], not: ['x'] }]],
  ['$all', ['x', 'y'], [{ is: ['x', 'y'] }, { is: [], not: ['x', 'y'] }]],
  ['$size', 2, [{ is: ['', ''] }]],
  ['$lt', 5, [{ is: 4 }, { is: 5 }, { is: 6 }]],
  ['$lte', 5, [{ is: 4 }, { is: 5 }, { is: 6 }]],
  ['$gt', 5, [{ is: 4 }, { is: 5 }, { is: 6 }]],
  ['$gte', 'm', [{ is: '' }, { is: 'm' }, { is: 'm~' }]],
  ['$glob', 'v*-**', [{ is: 'v-' }, { is: 'other than v*-**', not: 'v*-**' }]],
  ['$cidr', '10.0.0.0/8', [{ is: '10.0.0.0' }]],
  ['$cidr', ['10.0.0.0/8', '2001:db8::/32'], [{ is: '10.0.0.0' }, { is: '2001:db8::' }]],
  ['$exists', true, [{ is: true }]],
  ['$before', '2026-06-01T12:00:00Z', [{ is: 0 }, { is: Date.UTC(9999, 0) }]],
  ['$after', '-7d', [{ is: 0 }, { is: Date.UTC(9999, 0) }]],
]

describe('a test', () => {
  test.each(table)('with %s %j turns at these values', (operator, operand, points) => {
    expect(turningPoints(operator, operand)).toEqual(points)
  })

  /** What comes out on the other side by leaving the fact out, or is a value of the principal's own address. */
  const oneSided: readonly Operator[] = ['$size', '$cidr', '$exists']
  const sides = table.filter(([operator, operand]) => !oneSided.includes(operator) && String(operand) !== '')

  test.each(sides)('with %s %j comes out both ways at them', (operator, operand, points) => {
    const path = { root: 'resource', name: 'x' } as const
    const judge = compileCondition<Json>(
      { kind: 'test', path, operator, operand: { literal: operand } },
      (asked) => (asked.root === 'context' ? () => 1_780_315_200_000 : (value) => value),
    )
    expect(new Set(points.map(({ is }) => judge(is)))).toEqual(new Set([true, false]))
  })

  test('with nothing to compare with, or with what cannot be one of its kind, turns nowhere', () => {
    expect(turningPoints('$eq', undefined)).toEqual([])
    expect(turningPoints('$eq', null)).toEqual([])
    expect(turningPoints('$size', 'two')).toEqual([])
    expect(turningPoints('$cidr', 'here/8')).toEqual([])
    expect(turningPoints('$in', 'mit')).toEqual([{ is: 'other than ', not: 'mit' }])
  })

  test('of a size makes no list of more than 64', () => {
    expect(turningPoints('$size', 1_000_000).map(({ is }) => (is as Json[]).length)).toEqual([64])
  })
})

test('the values in an operand are its own, or those of its list', () => {
  expect([undefined, 'x', ['x', 'y'], false].map(valuesIn)).toEqual([[], ['x'], ['x', 'y'], [false]])
})
