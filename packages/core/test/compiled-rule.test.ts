/** One residual rule on its own, without the index that shows it most of what cannot match. */
import { describe, expect, test } from 'vitest'
import { CompiledRule } from '../src/compile/casl.ts'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
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
    const rule = new CompiledRule({ ...about, ...(id === undefined ? {} : { id }) })
    const facts = readFacts(emptyFacts(), { type: 'model', id: asked }, undefined, now)
    if (facts === undefined) throw new Error('an id that can be read')
    expect(rule.fits(asked)).toBe(fits)
    expect(rule.matches(facts)).toBe(fits)
    expect(rule.truth(facts)).toBe(fits)
  })

  test('with a condition, on no action or no type, is refused when it is asked', () => {
    const when = { 'context.a': { $eq: 1 } }
    const facts = readFacts(emptyFacts(), 'model:acme/x', { a: 1 }, now)
    if (facts === undefined) throw new Error('an id that can be read')
    expect(new CompiledRule({ ...about, when }).matches(facts)).toBe(true)
    for (const lacking of [{ actions: [] }, { types: [] }])
      expect(() => new CompiledRule({ ...about, ...lacking, when }).matches(facts)).toThrow(
        expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
      )
  })

  test('with a condition of no known kind is refused when it is made', () => {
    expect(() => new CompiledRule({ ...about, when: { 'context.a': { $is: 1 } } as never })).toThrow(
      expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
    )
  })
})
