/** The rules of a snapshot: those that a question is about, without the index that an engine shares. */
import { describe, expect, test } from 'vitest'
import { CompiledRule } from '../src/compile/compiled-rule.ts'
import type { ResidualRule } from '../src/compile/rule.ts'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
import { RuleList } from '../src/decide/rule-list.ts'
import { now } from './support.ts'

/** Names with blanks, so that no two pairs of them may be mistaken for each other. */
const vocabulary = {
  actions: new Set(['read', 'write', 'c', 'b c']),
  types: new Set(['model', 'dataset', 'a', 'a b']),
}

function listOf(rules: readonly Partial<ResidualRule>[], ceiling?: readonly string[]) {
  const whole = rules.map((rule, i): ResidualRule => {
    return { statement: `s${i}`, effect: 'allow', actions: ['read'], types: ['model'], ...rule }
  })
  const list = new RuleList(
    whole.map((rule) => new CompiledRule(rule)),
    { ...vocabulary, ceiling: ceiling && new Set(ceiling) },
  )
  const about = (resource: string) => {
    const facts = readFacts(emptyFacts(), resource, undefined, now)
    if (facts === undefined) throw new Error('an id that can be read')
    return facts
  }
  return {
    allow: (action: string, resource: string) => list.allow(action, about(resource)),
    candidates: (action: string, resource: string) =>
      list.candidates(action, about(resource)).map(({ rule }) => rule.statement),
  }
}

describe('a list of rules', () => {
  test.each<[string, Partial<ResidualRule>, string, string, boolean]>([
    ['its action and type', {}, 'read', 'model:acme/x', true],
    ['another action', {}, 'write', 'model:acme/x', false],
    ['another type', {}, 'read', 'dataset:acme/x', false],
    ['one of many actions', { actions: ['write', 'read'] }, 'read', 'model:acme/x', true],
    ['any action', { actions: ['*'] }, 'write', 'model:acme/x', true],
    ['any type', { types: ['**'] }, 'read', 'dataset:acme/x', true],
    ['an id that fits', { id: 'acme/*' }, 'read', 'model:acme/x', true],
    ['an id that does not', { id: 'acme/*' }, 'read', 'model:other/x', false],
    ['an action nobody knows', { actions: ['*'] }, 'stroke', 'model:acme/x', false],
    ['a type nobody knows', { types: ['**'] }, 'read', 'unicorn:acme/x', false],
  ])('asked about %s', (_, rule, action, resource, allowed) => {
    const { allow } = listOf([rule])
    // What is found is remembered.
    expect([allow(action, resource), allow(action, resource)]).toEqual([allowed, allowed])
  })

  test('without rules allows nothing', () => {
    expect(listOf([]).allow('read', 'model:acme/x')).toBe(false)
  })

  test.each([
    ['before', ['deny', 'allow']],
    ['after', ['allow', 'deny']],
  ] as const)('denies when a denial matches, though it stands %s the allow', (_, effects) => {
    const { allow } = listOf(
      effects.map((effect) => (effect === 'deny' ? { effect, id: 'acme/secret' } : { effect })),
    )
    expect([allow('read', 'model:acme/secret'), allow('read', 'model:acme/open')]).toEqual([false, true])
  })

  test('takes what is unknown for no allow, and for a denial', () => {
    const when = { 'resource.private': { $eq: true } }
    expect(listOf([{ when }]).allow('read', 'model:acme/x')).toBe(false)
    expect(listOf([{}, { effect: 'deny', when }]).allow('read', 'model:acme/x')).toBe(false)
  })

  test('is closed where the ceiling leaves the action out, and shows its rules all the same', () => {
    const { allow, candidates } = listOf([{ actions: ['read', 'write'] }], ['read'])
    expect([allow('read', 'model:acme/x'), allow('write', 'model:acme/x')]).toEqual([true, false])
    expect(candidates('write', 'model:acme/x')).toEqual(['s0'])
  })

  test.each<[string, boolean]>([
    ['acme/x', true],
    ['acme/*', true],
    ['acme/**', true],
    ['**', true],
    ['*/x', true],
    ['ac*/x', true],
    ['acme*/x', true],
    ['a**', true],
    ['acme', false],
    ['acm/*', false],
    ['x/acme', false],
  ])('finds a rule on %s for `acme/x`: %s', (id, allowed) => {
    expect(listOf([{ id }]).allow('read', 'model:acme/x')).toBe(allowed)
  })

  test('finds a rule on an id without an owner', () => {
    const { allow } = listOf([{ id: 'x' }])
    expect([allow('read', 'model:x'), allow('read', 'model:x/y')]).toEqual([true, false])
  })

  test('shows no rule on another owner', () => {
    const rules = [{ id: 'other/*' }, { id: 'acme/y' }, {}]
    expect(listOf(rules).candidates('read', 'model:acme/x')).toEqual(['s1', 's2'])
  })

  test('shows each rule once', () => {
    const rules = [
      { actions: ['read', '*'], types: ['model', '**'] },
      { id: 'other/*' },
      { types: ['dataset'] },
    ]
    expect(listOf(rules).candidates('read', 'model:acme/x')).toEqual(['s0'])
  })

  test('does not mistake names with blanks for each other', () => {
    const { allow } = listOf([{ actions: ['b c'], types: ['a'] }])
    expect([allow('b c', 'a:x'), allow('c', 'a b:x')]).toEqual([true, false])
  })
})
