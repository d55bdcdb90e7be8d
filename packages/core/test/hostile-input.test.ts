/** What a program may hand in without a look at it: texts that are lists, numbers that are none, members that do something. */
import { describe, expect, test } from 'vitest'
import { HfAuthError, type Json, loadSnapshot, type Resource } from '../src/index.ts'
import { accessOf, now } from './support.ts'

const everything = { all: { allow: [{ actions: ['*'], on: ['**'] }] } }

function everywhere(parts: Parameters<typeof accessOf>[0]) {
  const live = accessOf(parts)
  return [live, loadSnapshot(live.snapshot(), { now: () => now })]
}

describe('an id, a type or an action that is no text is denied', () => {
  const accesses = everywhere({
    roles: everything,
    deny: [{ actions: ['read'], on: ['model:acme/secret', 'model:acme/hidden-*'] }],
  })

  test.each<[string, unknown]>([
    ['a list of one id, as a query string can bring it', { type: 'model', id: ['acme/secret'] }],
    ['a list of one id under a denied pattern', { type: 'model', id: ['acme/hidden-x'] }],
    ['a list of one type', { type: ['model'], id: 'acme/open' }],
    ['a number', { type: 'model', id: 5 }],
    ['nothing', { type: 'model' }],
    ['an object that would become a text', { type: 'model', id: { toString: () => 'acme/open' } }],
  ])('%s', (_, resource) => {
    const asked = resource as Resource
    for (const access of accesses) {
      expect(access.decide({ action: 'read', resource: asked }).reason).toBe('invalid_resource')
      expect(access.can('read', asked)).toBe(false)
      expect(access.likelihood('read', asked)).toBe('deny')
      expect(access.filter('read', [asked])).toEqual([])
      expect(access.searchActions(asked)).toEqual([])
    }
  })

  test('a list of one action', () => {
    for (const access of accesses) {
      expect(access.can(['read'] as never, 'model:acme/open')).toBe(false)
      expect(access.decide({ action: ['read'] as never, resource: 'model:acme/open' }).reason).toBe(
        'unknown_action',
      )
    }
  })
})
