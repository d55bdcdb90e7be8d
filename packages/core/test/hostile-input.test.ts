/** What a program may hand in without a look at it: texts that are lists, numbers that are none, members that do something. */
import { describe, expect, test } from 'vitest'
import { type Access, type Json, loadSnapshot, type Resource } from '../src/index.ts'
import { accessOf, now, principalOf } from './support.ts'

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

describe('a member that asks a question while it is read', () => {
  const parts = {
    roles: {
      reader: { allow: [{ actions: ['read'], on: ['model:**'], when: { 'resource.gated': false } }] },
    },
    deny: [{ actions: ['read'], on: ['model:acme/secret'] }],
  }

  const asking = (on: () => unknown): Resource => ({
    type: 'model',
    id: 'acme/secret',
    attributes: {
      get gated() {
        on()
        return false
      },
    },
  })
  const open = { type: 'model', id: 'acme/open', attributes: { gated: false } }

  test.each<[string, (access: Access, asked: Resource) => boolean]>([
    ['can', (access, asked) => access.can('read', asked)],
    ['likelihood', (access, asked) => access.likelihood('read', asked) !== 'deny'],
    ['decide', (access, asked) => access.decide({ action: 'read', resource: asked }).allowed],
    ['filter', (access, asked) => access.filter('read', [asked]).length > 0],
    ['searchActions', (access, asked) => access.searchActions(asked).length > 0],
  ])('never gets its own answer for the other: %s', (_, isAllowed) => {
    for (const access of everywhere(parts)) {
      const asked = asking(() => {
        expect(() => access.can('read', open)).toThrow(
          expect.objectContaining({ code: 'HFAUTH_REQUEST_INVALID' }),
        )
      })
      // The first question about an action is answered another way than those that follow.
      for (let i = 0; i < 3; i++) {
        expect(isAllowed(access, asked)).toBe(false)
        expect(access.can('read', open)).toBe(true)
      }
    }
  })

  test('and one that throws leaves nothing behind', () => {
    const access = accessOf(parts)
    const throwing = Object.defineProperty({}, 'gated', {
      get() {
        throw new Error('lost')
      },
    })
    const asked = { type: 'model', id: 'acme/open', attributes: throwing as { [name: string]: Json } }
    expect(() => access.can('read', asked)).toThrow('lost')
    expect(access.can('read', { ...asked, attributes: { gated: false } })).toBe(true)
  })
})

describe('a number that is none is not told', () => {
  test.each<[string, { [key: string]: Json }]>([
    ['not above a limit', { $not: { 'context.risk': { $gt: 50 } } }],
    ['not the one that is meant', { 'context.risk': { $ne: 50 } }],
    ['none of those that are meant', { 'context.risk': { $nin: [50] } }],
    ['not after a moment', { $not: { 'context.risk': { $after: '2020-01-01T00:00:00Z' } } }],
    ['there', { 'context.risk': { $exists: true } }],
    ['not above a limit that is none', { $not: { 'context.limit': { $gt: { $ref: 'context.risk' } } } }],
    [
      'not above a limit, in an element',
      { $not: { 'context.risks': { $elemMatch: { risk: { $gt: 50 } } } } },
    ],
  ])('so it is not known to be %s', (_, when) => {
    const risk = Number('high')
    const context = { risk, limit: 3, risks: [{ risk }] }
    for (const access of everywhere({
      roles: { r: { allow: [{ actions: ['read'], on: ['model:**'], when }] } },
    }))
      expect(access.can('read', 'model:acme/x', context)).toBe(false)
    for (const access of everywhere({
      roles: everything,
      deny: [{ actions: ['read'], on: ['model:**'], unless: when }],
    }))
      expect(access.can('read', 'model:acme/x', context)).toBe(false)
  })

  test('and a time that is none is the clock’s, as when none is handed in', () => {
    const when = { $not: { 'context.time': { $after: '2020-01-01T00:00:00Z' } } }
    for (const access of everywhere({
      roles: { r: { allow: [{ actions: ['read'], on: ['model:**'], when }] } },
    }))
      expect(access.can('read', 'model:acme/x', { time: Number('noon') })).toBe(false)
  })

  test('and while the clock tells none, a token that ends is over and nothing is before or after now', () => {
    const when = { $not: { 'principal.claims.joined': { $after: '-7d' } } }
    const roles = { r: { allow: [{ actions: ['read'], on: ['model:**'], when }] } }
    const joined = '2020-01-01T00:00:00Z'
    const ending = principalOf('oidc', { joined })
    const endless = principalOf('oidc', { joined, exp: null })
    const read = { action: 'read', resource: 'model:acme/x' }
    expect(accessOf({ roles }, ending, Number.NaN).decide(read).reason).toBe('token_too_old')
    expect(accessOf({ roles: everything }, ending, Number.NaN).patternsFor('read', 'model').allow).toEqual([])
    expect(accessOf({ roles }, endless, Number.NaN).decide(read).reason).toBe('condition_unknown')
  })
})

test('a list with nothing in a place is not the list that has something there', () => {
  const when = { 'context.tags': { $eq: ['reviewed'] } }
  const access = accessOf({ roles: { r: { allow: [{ actions: ['read'], on: ['model:**'], when }] } } })
  expect(access.can('read', 'model:acme/x', { tags: new Array(1) })).toBe(false)
  expect(access.can('read', 'model:acme/x', { tags: ['reviewed'] })).toBe(true)
})
