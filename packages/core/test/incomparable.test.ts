/** Values of another kind than a test compares leave it unknown, also where a reference or a snapshot brings them. */
import { describe, expect, test } from 'vitest'
import { type Json, loadSnapshot } from '../src/index.ts'
import { accessOf, now, principalOf } from './support.ts'

const all = { actions: ['read'], on: ['model:**'] }

function reasonOf(
  when: { [key: string]: Json },
  context: { [name: string]: Json },
  claims: { [name: string]: Json } = {},
) {
  const access = accessOf({ roles: { r: { allow: [{ ...all, when }] } } }, principalOf('oidc', claims))
  const question = { action: 'read', resource: 'model:acme/x', context }
  const { reason } = access.decide(question)
  expect(loadSnapshot(access.snapshot(), { now: () => now }).decide(question).reason).toBe(reason)
  return reason
}

describe('a reference to', () => {
  test.each<[string, string, Json, Json, string]>([
    ['no list, for `$in`', '$in', 'a', 'a', 'condition_unknown'],
    ['no list, for `$nin`', '$nin', 'a', 'a', 'condition_unknown'],
    ['a list, for `$in`', '$in', 'a', ['a', 'b'], 'allowed'],
    ['a list, for `$nin`', '$nin', 'a', ['b'], 'allowed'],
    ['no list, for `$all`', '$all', ['a'], 'a', 'condition_unknown'],
    ['a list, for `$all`', '$all', ['a', 'b'], ['a'], 'allowed'],
    ['a truth, for `$lt`', '$lt', 1, true, 'condition_unknown'],
    ['a text, for `$lt` of a number', '$lt', 1, '2', 'condition_unknown'],
    ['a number, for `$lte`', '$lte', 1, 1, 'allowed'],
    ['a truth, for `$before`', '$before', now, true, 'condition_unknown'],
    ['a number, for `$before`', '$before', now, now + 1, 'allowed'],
    ['a text, for `$after`', '$after', now, '2026-01-01T00:00:00Z', 'allowed'],
    ['a text that is no time, for `$after`', '$after', now, 'soon', 'condition_unknown'],
    ['a list, for `$eq` of a list', '$eq', ['a', 'b'], ['a', 'b'], 'allowed'],
    ['a truth, for `$lt` of a truth', '$lt', false, true, 'condition_unknown'],
    ['a list that differs in part, for `$eq` of a list', '$eq', ['a', 'b'], ['a', 'c'], 'no_matching_rule'],
    ['a list, for `$eq` of the text in it', '$eq', 'a', ['a'], 'no_matching_rule'],
    ['a list of lists, for `$eq` of the same', '$eq', [['a'], 'b'], [['a'], 'b'], 'allowed'],
    ['a list of lists, for `$eq` of a flat one', '$eq', ['a', 'b'], [['a'], 'b'], 'no_matching_rule'],
    ['a longer list, for `$eq` of a list', '$eq', ['a'], ['a', 'b'], 'no_matching_rule'],
    ['an element, for `$contains` of no list', '$contains', 'a', 'a', 'condition_unknown'],
    ['nothing, for `$eq`', '$eq', 'a', null, 'condition_unknown'],
    ['something, of nothing', '$eq', null, 'a', 'condition_unknown'],
  ])('%s', (_, operator, value, operand, reason) => {
    // Told by the request, by the principal on either side, and by the principal on both.
    expect(reasonOf({ 'context.a': { [operator]: { $ref: 'context.b' } } }, { a: value, b: operand })).toBe(
      reason,
    )
    expect(
      reasonOf({ 'context.a': { [operator]: { $ref: 'principal.claims.b' } } }, { a: value }, { b: operand }),
    ).toBe(reason)
    expect(
      reasonOf({ 'principal.claims.a': { [operator]: { $ref: 'context.b' } } }, { b: operand }, { a: value }),
    ).toBe(reason)
    expect(
      reasonOf(
        { 'principal.claims.a': { [operator]: { $ref: 'principal.claims.b' } } },
        {},
        { a: value, b: operand },
      ),
    ).toBe(reason)
  })
})

describe('a snapshot with an operand of another kind', () => {
  test.each<[string, Json]>([
    ['$glob', 1],
    ['$cidr', 1],
    ['$cidr', ['nowhere']],
    ['$in', 'a'],
    ['$nin', 'a'],
    ['$all', 'a'],
    ['$lt', true],
    ['$before', true],
    ['$before', 'soon'],
    ['$size', 'x'],
  ])('allows nothing: %s %j', (operator, operand) => {
    const rule = {
      effect: 'allow',
      actions: ['read'],
      types: ['model'],
      when: { 'context.a': { [operator]: operand } },
    }
    const snapshot = { ...accessOf({ roles: {} }).snapshot(), rules: [rule] }
    const access = loadSnapshot(snapshot, { now: () => now })
    for (const a of ['a', 1, true, ['a'], '10.0.0.1', now])
      expect(access.can('read', 'model:acme/x', { a } as never)).toBe(false)
  })
})

test('elements that are no mappings, and lists that are none, are unknown', () => {
  const when = { 'context.files': { $elemMatch: { kind: 'code' } } }
  expect(reasonOf(when, { files: ['code', null, ['code']] })).toBe('condition_unknown')
  expect(reasonOf(when, { files: 'code' })).toBe('condition_unknown')
  expect(reasonOf(when, { files: [] })).toBe('no_matching_rule')
  const ofPrincipal = {
    'principal.claims.files': { $elemMatch: { kind: 'code', size: { $lt: { $ref: 'context.limit' } } } },
  }
  expect(reasonOf(ofPrincipal, { limit: 2 }, { files: [{ kind: 'x' }, { kind: 'code', size: 1 }] })).toBe(
    'allowed',
  )
  expect(reasonOf(ofPrincipal, { limit: 1 }, { files: [{ kind: 'code', size: 1 }] })).toBe('no_matching_rule')
  expect(reasonOf(ofPrincipal, { limit: 1 }, { files: 'code' })).toBe('condition_unknown')
  expect(
    reasonOf(
      { 'context.files': { $elemMatch: { kind: { $ref: 'principal.claims.kind' } } } },
      { files: [{ kind: 'code' }] },
      { kind: 'code' },
    ),
  ).toBe('allowed')
})

describe('what is no time is neither before nor after', () => {
  test.each<[string, Json, Json]>([
    ['a moment', true, '2026-06-01T00:00:00Z'],
    ['a moment', 'soon', '2026-06-01T00:00:00Z'],
    ['a moment from now', true, '-7d'],
    ['a moment from now', ['2026-06-01T00:00:00Z'], '+7d'],
  ])('%s, against %j', (_, told, moment) => {
    for (const operator of ['$before', '$after'])
      expect(reasonOf({ 'context.a': { [operator]: moment } }, { a: told })).toBe('condition_unknown')
  })

  test('and nothing counts from a now that is no time', () => {
    const told = { a: now, time: 'noon' }
    expect(reasonOf({ 'context.a': { $after: '-7d' } }, told)).toBe('condition_unknown')
    expect(reasonOf({ 'context.a': { $after: '-7d' } }, { a: now })).toBe('allowed')
  })
})

describe('an element of a list', () => {
  test('is compared with what the request and the principal tell', () => {
    const same = (ref: string) => ({ 'context.team': { $elemMatch: { name: { $ref: ref } } } })
    const team = [{ name: 'ana' }, { name: 'ben' }]
    expect(reasonOf(same('context.user'), { team, user: 'ben' })).toBe('allowed')
    expect(reasonOf(same('context.user'), { team, user: 'eve' })).toBe('no_matching_rule')
    expect(reasonOf(same('principal.username'), { team }, { preferred_username: 'ana' })).toBe('allowed')
    expect(reasonOf(same('context.user'), { team })).toBe('condition_unknown')
  })

  test('that is a text or a list has no members, not even a length', () => {
    const when = { 'context.team': { $elemMatch: { length: 3 } } }
    expect(reasonOf(when, { team: [{ length: 3 }] })).toBe('allowed')
    expect(reasonOf(when, { team: ['ana', [1, 2, 3], null] })).toBe('condition_unknown')
  })
})
