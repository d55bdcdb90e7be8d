import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalId } from '../src/hub/ids.ts'
import { matchGlob, parseGlob } from '../src/internal/glob.ts'
import { accessOf, principalOf } from './support.ts'

describe('globs', () => {
  test.each([
    ['acme/*', 'acme/vision', true],
    ['acme/*', 'acme/', true],
    ['acme/*', 'acme/a/b', false],
    ['acme/**', 'acme/a/b', true],
    ['**', '', true],
    ['*/vision-*', 'acme/vision-large', true],
    ['**/x', 'a/b/x', true],
    ['**/x', 'x', false],
    ['a*b*c', 'aXbXc', true],
    ['a*b*c', 'aX/bXc', false],
    ['acme/vision', 'acme/vision-large', false],
  ])('`%s` against `%s` is %s', (pattern, text, expected) => {
    expect(matchGlob(parseGlob(pattern), text)).toBe(expected)
  })

  test('agree with an obvious translation on every small pattern and text', () => {
    const obvious = (pattern: string, text: string) =>
      new RegExp(`^${pattern.replaceAll(/\*+/g, (stars) => (stars === '*' ? '[^/]*' : '[^]*'))}$`).test(text)
    const part = fc.constantFrom('a', 'b', '/', '*', '**')
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 })
    fc.assert(
      fc.property(fc.array(part, { maxLength: 7 }), letters, (parts, text) => {
        const pattern = parts.join('')
        expect(matchGlob(parseGlob(pattern), text)).toBe(obvious(pattern, text))
      }),
      { numRuns: 5000 },
    )
  })

  test('take steps in proportion to the text, not to its power', () => {
    // A matcher that backtracks through every star would not come back from this.
    expect(matchGlob(parseGlob('*a*a*a*a*a*a*a*a*b'), 'a'.repeat(100_000))).toBe(false)
    expect(matchGlob(parseGlob('**a**a**a**a**b'), 'a/'.repeat(50_000))).toBe(false)
  })
})

describe('canonical ids', () => {
  test.each([
    ['ACME/Vision-Large', 'acme/vision-large'],
    ['acme%2Fvision', 'acme/vision'],
    ['acme/o\u0308pen', 'acme/\u00f6pen'],
  ])('of a Hub type: `%s` is `%s`', (id, expected) => {
    expect(canonicalId('model', id)).toBe(expected)
  })

  test('of an application’s own type keep their case', () => {
    expect(canonicalId('prompt', 'Team/Draft')).toBe('Team/Draft')
  })

  test.each([
    '',
    '/',
    'acme/',
    '/acme',
    'acme//x',
    'acme/../x',
    'acme/./x',
    '..',
    '%2e%2e/x',
    'acme%252Fx',
    'acme%zz',
    'a\u0000b',
    'a\\b',
    'a?b',
    'a#b',
    'a*',
    'a\u202eb',
    'a\ud800',
  ])('there is none for `%s`', (id) => {
    expect(canonicalId('model', id)).toBeUndefined()
  })

  test('canonical form is stable: taking it twice changes nothing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.constantFrom('model', 'prompt'),
        (id, type) => {
          const once = canonicalId(type, id)
          if (once !== undefined) expect(canonicalId(type, once)).toBe(once)
        },
      ),
    )
  })

  test('a question about an id without canonical form is denied and says so', () => {
    const access = accessOf({ roles: { all: { allow: [{ actions: ['*'], on: ['**'] }] } } })
    expect(access.decide({ action: 'read', resource: 'model:acme/../secret' })).toMatchObject({
      allowed: false,
      reason: 'invalid_resource',
    })
    expect(access.can('read', 'model:acme/../secret')).toBe(false)
  })
})

describe('placeholders', () => {
  const own = { owner: { allow: [{ actions: ['write'], on: ['model:${principal.username}/**'] }] } }

  test('are filled in with the principal’s own value', () => {
    const access = accessOf({ roles: own }, principalOf('oidc', { preferred_username: 'Ana' }))
    expect(access.can('write', 'model:ana/thing')).toBe(true)
    expect(access.can('write', 'model:ben/thing')).toBe(false)
  })

  test('without a value match nothing', () => {
    const access = accessOf({ roles: own }, principalOf('oidc', {}))
    expect(access.can('write', 'model:/thing')).toBe(false)
    expect(access.can('write', 'model:undefined/thing')).toBe(false)
  })

  test.each(['*', '**', 'a*', '..', 'ana/../ben'])(
    'a name of `%s` is literal text, never a wildcard or a way up',
    (name) => {
      const access = accessOf({ roles: own }, principalOf('oidc', { preferred_username: name }))
      expect(access.can('write', 'model:ben/thing')).toBe(false)
      expect(access.can('write', 'model:abc/thing')).toBe(false)
    },
  )

  test.each(['%62en', 'ben%2Fthing', 'ben%2fthing%2f..'])(
    'a name of `%s` is not decoded into another’s',
    (name) => {
      const access = accessOf({ roles: own }, principalOf('oidc', { preferred_username: name }))
      expect(access.can('write', 'model:ben/thing')).toBe(false)
      expect(access.can('write', 'model:ben/thing/x')).toBe(false)
    },
  )

  test('a name with the Kelvin sign is not the one with a k', () => {
    const access = accessOf({ roles: own }, principalOf('oidc', { preferred_username: '\u212aim' }))
    expect(access.can('write', 'model:kim/thing')).toBe(false)
  })
})
