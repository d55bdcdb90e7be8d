/** What a glob asks of an id, in the words of each vocabulary; never more for an allow, never less for a denial. */
import { describe, expect, test } from 'vitest'
import { idAlternatives, idCondition } from '../src/reach/mongo-ids.ts'

const owner = { field: 'owner', operator: '$eq', operand: 'acme' }
const name = (operator: string, operand: string) => ({ field: 'name', operator, operand })
const id = (operator: string, operand: string) => ({ field: 'id', operator, operand })

describe('a glob on ids', () => {
  test.each(['extended', 'mongo', 'prisma'] as const)(
    'without more than an owner is the same in %s',
    (words) => {
      for (const mode of ['true', 'not false'] as const) {
        expect(idAlternatives('acme/x', mode, words)).toEqual([[id('$eq', 'acme/x')]])
        expect(idAlternatives('acme/**', mode, words)).toEqual([[owner]])
        expect(idAlternatives('**', mode, words)).toEqual([[]])
      }
    },
  )

  test('is a glob on the name, or on the id where the owner is open', () => {
    const of = (glob: string) => idAlternatives(glob, 'true', 'extended')
    expect(of('acme/v-*')).toEqual([[owner, name('$glob', 'v-*')]])
    expect(of('acme/*')).toEqual([[owner, name('$glob', '*')]])
    expect(of('*/x')).toEqual([[id('$glob', '*/x')]])
    expect(of('ac*/x')).toEqual([[id('$glob', 'ac*/x')]])
    expect(of('/x*')).toEqual([[id('$glob', '/x*')]])
    expect(of('a*')).toEqual([[id('$glob', 'a*')]])
  })

  test('is for a database an expression of which only the wildcard is none of the text', () => {
    const of = (glob: string) => idAlternatives(glob, 'true', 'mongo')
    expect(of('acme/v-*')).toEqual([[owner, name('$regex', '^v\\-[^/]*$')]])
    expect(of('acme/a.b**c')).toEqual([[owner, name('$regex', '^a\\.b.*c$')]])
    expect(of('*/x')).toEqual([[id('$regex', '^[^/]*\\/x$')]])
  })

  test('is for Prisma what it begins and ends with', () => {
    const of = (glob: string) => idAlternatives(glob, 'true', 'prisma')
    expect(of('acme/v-*')).toEqual([[owner, name('$startsWith', 'v-'), name('$without', '/')]])
    expect(of('acme/*-v')).toEqual([[owner, name('$endsWith', '-v'), name('$without', '/')]])
    expect(of('acme/a**b')).toEqual([[owner, name('$startsWith', 'a'), name('$endsWith', 'b')]])
    expect(of('acme/*')).toEqual([[owner, name('$without', '/')]])
    expect(of('acme/a/**')).toEqual([[owner, name('$startsWith', 'a/')]])
  })

  test.each([
    ['acme/a/*', 'whose text has a slash beside one level'],
    ['acme/*/a', 'whose text has a slash behind one level'],
    ['acme/ab*ba', 'that may begin and end with the same letters'],
    ['acme/aba*ba', 'that may begin and end with the same two letters'],
    ['acme/a*b*c', 'with several wildcards'],
  ])('has no words in Prisma: %s, %s', (glob) => {
    expect(idAlternatives(glob, 'true', 'prisma')).toEqual([])
    expect(idAlternatives(glob, 'not false', 'prisma')).toEqual([[owner]])
  })

  test('with several wildcards has none for a database either', () => {
    expect(idAlternatives('*/a*', 'true', 'mongo')).toEqual([])
    expect(idAlternatives('*/a*', 'not false', 'mongo')).toEqual([[]])
  })
})

test('as a condition it is equality, or a glob', () => {
  const path = { root: 'resource', name: 'id' }
  expect(idCondition('a/x')).toEqual({ kind: 'test', path, operator: '$eq', operand: { literal: 'a/x' } })
  expect(idCondition('a/*')).toEqual({ kind: 'test', path, operator: '$glob', operand: { literal: 'a/*' } })
})
