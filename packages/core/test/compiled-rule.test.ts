/** One residual rule on its own, without the index that shows it most of what cannot match. */
import { describe, expect, test } from 'vitest'
import { compileRule } from '../src/compile/casl.ts'
import { CompiledRule } from '../src/compile/compiled-rule.ts'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
import { RuleList } from '../src/decide/rule-list.ts'
import { now } from './support.ts'

const about = { statement: 's', effect: 'allow', actions: ['read'], types: ['model'] } as const

describe('a rule', () => {
  test.each<[string | undefined, string, boolean]>([
    [undefined, 'acme/x', true],
    ['acme/x', 'acme/x', true],
    ['acme/x', 'acme/xy', false],
    ['acme/x', 'acme/y', false],
    ['acme/*', 'acme/x', true],
    ['acme/*', 'acme/x/y', false],
    ['acme/*', 'other/x', false],
    ['acme/v*', 'acme/x', false],
    ['acme/**', 'acme/x/y', true],
    ['acme/*-large', 'acme/v-large', true],
    ['acme/*-large', 'acme/v-small', false],
    ['*/x', 'acme/x', true],
    ['*/x', 'acme/y', false],
  ])('on %s about %s: %s', (id, asked, fits) => {
    const rule = compileRule({ ...about, ...(id === undefined ? {} : { id }) })
    const facts = readFacts(emptyFacts(), { type: 'model', id: asked }, undefined, now)
    if (facts === undefined) throw new Error('an id that can be read')
    expect(rule.fits(asked)).toBe(fits)
    expect(rule.matches(facts)).toBe(fits)
    expect(rule.truth(facts)).toBe(fits)
  })

  test.each([
    ['allow', { a: 1 }, true],
    ['allow', { a: 2 }, false],
    ['allow', {}, false],
    ['deny', { a: 1 }, true],
    ['deny', { a: 2 }, false],
    ['deny', {}, true],
  ] as const)(
    'that would %s, asked with %j, matches through CASL and without it: %s',
    (effect, context, matches) => {
      const facts = readFacts(emptyFacts(), 'model:acme/x', context, now)
      if (facts === undefined) throw new Error('an id that can be read')
      const rule = { ...about, effect, when: { 'context.a': { $eq: 1 } } }
      const everything = { ...about, effect: 'allow' } as const
      const withoutCasl = new RuleList(
        [rule, ...(effect === 'deny' ? [everything] : [])].map((each) => new CompiledRule(each)),
        { actions: new Set(['read']), types: new Set(['model']) },
      )
      expect(compileRule(rule).matches(facts)).toBe(matches)
      expect(withoutCasl.allow('read', facts)).toBe(effect === 'deny' ? !matches : matches)
    },
  )

  test('with a condition, on no action or no type, is refused when it is asked', () => {
    const when = { 'context.a': { $eq: 1 } }
    const facts = readFacts(emptyFacts(), 'model:acme/x', { a: 1 }, now)
    if (facts === undefined) throw new Error('an id that can be read')
    expect(compileRule({ ...about, when }).matches(facts)).toBe(true)
    for (const lacking of [{ actions: [] }, { types: [] }])
      expect(() => compileRule({ ...about, ...lacking, when }).matches(facts)).toThrow(
        expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
      )
  })

  test('with a condition of no known kind is refused when it is made', () => {
    expect(() => compileRule({ ...about, when: { 'context.a': { $is: 1 } } as never })).toThrow(
      expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
    )
  })
})
