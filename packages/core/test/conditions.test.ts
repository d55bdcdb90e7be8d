import { describe, expect, test } from 'vitest'
import { compileCondition, type Truth } from '../src/compile/conditions.ts'
import { type FactPath, writeCondition } from '../src/policy/condition.ts'
import { readPolicyCondition } from '../src/policy/condition-faults.ts'
import type { Json, RequestContext } from '../src/types.ts'
import { judge } from './reference-judge.ts'
import { accessOf, now, principalOf } from './support.ts'

function read(document: { readonly [key: string]: Json }) {
  return readPolicyCondition(document, {
    roots: ['resource', 'principal', 'context'],
    checkFact: () => undefined,
    report: (fault) => {
      throw new Error(fault.message)
    },
  })
}

function truthOf(
  document: { readonly [key: string]: Json },
  facts: { readonly [name: string]: Json },
): Truth {
  const condition = read(document)
  const reader = (path: FactPath) => () => facts[`${path.root}.${path.name}`]
  const judged = compileCondition(condition, reader)(undefined)
  // What is written is what was read; and the obvious evaluator thinks the same.
  expect(compileCondition(read(writeCondition(condition)), reader)(undefined)).toBe(judged)
  expect(judge(condition, (path) => facts[`${path.root}.${path.name}`])).toBe(judged)
  return judged
}

const unknown = undefined

describe('operators', () => {
  test.each<[string, Json, Json | undefined, Truth]>([
    ['a bare value is equality', false, false, true],
    ['a bare value is equality', false, true, false],
    ['$eq finds a value in a list, as CASL does', { $eq: 'a' }, ['a', 'b'], true],
    ['$ne', { $ne: 'a' }, 'b', true],
    ['$in', { $in: ['a', 'b'] }, 'b', true],
    ['$nin', { $nin: ['a', 'b'] }, 'b', false],
    ['$lt', { $lt: 3 }, 2, true],
    ['$lte', { $lte: 3 }, 3, true],
    ['$gt', { $gt: 3 }, 3, false],
    ['$gte', { $gte: 3 }, 3, true],
    ['$lt across types is not known', { $lt: 3 }, '2', unknown],
    ['$exists is never unknown', { $exists: false }, unknown, true],
    ['$exists', { $exists: true }, 'x', true],
    ['$all', { $all: ['a', 'b'] }, ['b', 'a', 'c'], true],
    ['$all', { $all: ['a', 'd'] }, ['b', 'a'], false],
    ['$size', { $size: 2 }, ['a', 'b'], true],
    ['$contains', { $contains: 'a' }, ['a'], true],
    ['$contains of what is no list is not known', { $contains: 'a' }, 'a', unknown],
    ['$elemMatch', { $elemMatch: { role: 'admin', name: 'acme' } }, [{ role: 'admin', name: 'acme' }], true],
    [
      '$elemMatch needs one element that has it all',
      { $elemMatch: { role: 'admin', name: 'acme' } },
      [
        { role: 'admin', name: 'x' },
        { role: 'read', name: 'acme' },
      ],
      false,
    ],
    ['$glob', { $glob: 'v*' }, 'v1.2', true],
    ['$glob stops at a slash', { $glob: 'v*' }, 'v1/2', false],
    ['$cidr', { $cidr: '192.0.2.0/24' }, '192.0.2.77', true],
    ['$cidr', { $cidr: ['10.0.0.0/8', '2001:db8::/32'] }, '2001:db8::1', true],
    ['$cidr sees through a mapped address', { $cidr: '192.0.2.0/24' }, '::ffff:192.0.2.77', true],
    ['$cidr of what is no address is not known', { $cidr: '192.0.2.0/24' }, '192.0.2.077', unknown],
    ['$before a date', { $before: '2026-06-02T00:00:00Z' }, '2026-06-01T00:00:00Z', true],
    ['$after a moment ago', { $after: '-15m' }, now - 60_000, true],
    ['$after a moment ago', { $after: '-15m' }, now - 3_600_000, false],
    ['$before a moment ahead', { $before: '7d' }, '2026-06-30T00:00:00Z', false],
    ['$not', { $not: { $in: ['a'] } }, 'b', true],
    ['a missing fact is unknown', { $ne: 'a' }, unknown, unknown],
    ['null says nothing', { $ne: 'a' }, null, unknown],
  ])('%s: %j of %j is %s', (_, test, value, expected) => {
    const facts: Record<string, Json> = { 'context.time': now }
    if (value !== undefined) facts['resource.x'] = value
    expect(truthOf({ 'resource.x': test }, facts)).toBe(expected)
  })

  test('several tests on one fact, and several facts, must all hold', () => {
    expect(
      truthOf(
        { 'resource.x': { $gt: 1, $lt: 5 }, 'resource.y': true },
        { 'resource.x': 3, 'resource.y': true },
      ),
    ).toBe(true)
    expect(
      truthOf(
        { 'resource.x': { $gt: 1, $lt: 5 }, 'resource.y': true },
        { 'resource.x': 7, 'resource.y': true },
      ),
    ).toBe(false)
  })

  test('a reference compares with another fact', () => {
    const document = { 'resource.team': { $in: { $ref: 'principal.groups' } } }
    expect(truthOf(document, { 'resource.team': 'a', 'principal.groups': ['a', 'b'] })).toBe(true)
    expect(truthOf(document, { 'resource.team': 'c', 'principal.groups': ['a', 'b'] })).toBe(false)
    expect(truthOf(document, { 'resource.team': 'c' })).toBe(unknown)
  })
})

describe('three-valued logic (Kleene)', () => {
  const facts = { 'resource.t': true, 'resource.f': true }
  const t = { 'resource.t': true }
  const f = { 'resource.f': false }
  const u = { 'resource.u': true }

  test.each<[string, { readonly [key: string]: Json }, Truth]>([
    ['true and unknown', { $and: [t, u] }, unknown],
    ['false and unknown', { $and: [u, f] }, false],
    ['true or unknown', { $or: [u, t] }, true],
    ['false or unknown', { $or: [f, u] }, unknown],
    ['not unknown', { $not: u }, unknown],
    ['not (false or unknown)', { $not: { $or: [f, u] } }, unknown],
  ])('%s', (_, document, expected) => {
    expect(truthOf(document, facts)).toBe(expected)
  })
})

describe('an unknown never opens a door', () => {
  const allow = {
    reader: { allow: [{ actions: ['read'], on: ['model:acme/*'], when: { 'resource.gated': false } }] },
  }
  const everything = { reader: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] } }
  const deny = [
    { actions: ['read'], on: ['model:acme/*'], when: { 'resource.tags': { $contains: 'secret' } } },
  ]

  test('an allow whose condition is unknown does not grant, and the decision names what was missing', () => {
    const access = accessOf({ roles: allow })
    expect(access.can('read', 'model:acme/x')).toBe(false)
    expect(access.likelihood('read', 'model:acme/x')).toBe('maybe')
    expect(access.decide({ action: 'read', resource: 'model:acme/x' })).toMatchObject({
      reason: 'condition_unknown',
      missingAttributes: ['resource.gated'],
    })
  })

  test('a deny whose condition is unknown denies, and the decision names what was missing', () => {
    const access = accessOf({ roles: everything, deny })
    expect(access.can('read', 'model:acme/x')).toBe(false)
    expect(access.likelihood('read', 'model:acme/x')).toBe('maybe')
    expect(access.decide({ action: 'read', resource: 'model:acme/x' })).toMatchObject({
      reason: 'explicit_deny',
      missingAttributes: ['resource.tags'],
    })
    expect(access.can('read', { type: 'model', id: 'acme/x', attributes: { tags: ['open'] } })).toBe(true)
  })

  test('a claim the token does not carry is unknown, not empty', () => {
    const unless = [
      { actions: ['read'], on: ['**'], unless: { 'principal.groups': { $contains: 'trusted' } } },
    ]
    const withGroups = (groups: string[]) =>
      accessOf({ roles: everything, deny: unless }, principalOf('oidc', { groups }))
    expect(withGroups(['trusted']).can('read', 'model:acme/x')).toBe(true)
    expect(withGroups([]).can('read', 'model:acme/x')).toBe(false)
    expect(
      accessOf({ roles: everything, deny: unless }).decide({ action: 'read', resource: 'model:acme/x' }),
    ).toMatchObject({
      reason: 'explicit_deny',
      missingAttributes: ['principal.groups'],
    })
  })

  test('a value of another kind than the test compares stays unknown beside parts that hold', () => {
    const roles = {
      r: {
        allow: [
          {
            actions: ['read'],
            on: ['model:acme/*'],
            when: { 'principal.username': { $gt: 5 }, 'resource.gated': false },
          },
        ],
      },
    }
    const access = accessOf({ roles }, principalOf('oidc', { preferred_username: 'ana' }))
    expect(access.can('read', { type: 'model', id: 'acme/x', attributes: { gated: false } })).toBe(false)
  })

  test('what no request can settle is not settled by a request that names it', () => {
    const roles = {
      r: {
        allow: [
          {
            actions: ['read'],
            on: ['model:acme/*'],
            when: { 'principal.mfa': true, 'resource.gated': false },
          },
        ],
      },
    }
    const access = accessOf({ roles })
    const context = { mfa: true, 'principal.mfa': true } as RequestContext
    expect(
      access.can('read', { type: 'model', id: 'acme/x', attributes: { gated: false, mfa: true } }, context),
    ).toBe(false)
  })
})

describe('conditions on the principal and on the resource together', () => {
  const membersOfOwner = {
    r: {
      allow: [
        {
          actions: ['read'],
          on: ['model:*/*'],
          when: {
            'principal.orgs': {
              $elemMatch: { handle: { $ref: 'resource.owner' }, role: { $in: ['write', 'admin'] } },
            },
          },
        },
      ],
    },
  }
  const orgs = [
    { sub: '1', preferred_username: 'acme', roleInOrg: 'write' },
    { sub: '2', preferred_username: 'other', roleInOrg: 'read' },
  ]

  test('a membership has to fit in all its parts', () => {
    const access = accessOf({ roles: membersOfOwner }, principalOf('huggingface', { orgs }))
    expect(access.can('read', 'model:acme/x')).toBe(true)
    expect(access.can('read', 'model:other/x')).toBe(false)
    expect(access.can('read', 'model:third/x')).toBe(false)
  })

  test('orgs that were not told are unknown', () => {
    const access = accessOf({ roles: membersOfOwner }, principalOf('huggingface', {}))
    expect(access.decide({ action: 'read', resource: 'model:acme/x' })).toMatchObject({
      reason: 'condition_unknown',
      missingAttributes: ['principal.orgs'],
    })
  })

  test('a list of the principal against a list of the resource needs the very operator that was written', () => {
    const roles = {
      r: {
        allow: [
          {
            actions: ['read'],
            on: ['model:*/*'],
            when: { 'principal.groups': { $contains: { $ref: 'resource.license' } } },
          },
        ],
      },
    }
    const access = accessOf({ roles }, principalOf('oidc', { groups: ['mit', 'apache'] }))
    expect(access.can('read', { type: 'model', id: 'a/b', attributes: { license: 'mit' } })).toBe(true)
    expect(access.can('read', { type: 'model', id: 'a/b', attributes: { license: 'gpl' } })).toBe(false)
    expect(access.can('read', { type: 'model', id: 'a/b', attributes: { license: ['mit'] } })).toBe(false)
  })

  test('a time of the principal relative to now moves with the clock', () => {
    const roles = {
      r: {
        allow: [{ actions: ['read'], on: ['model:*/*'], when: { 'principal.authTime': { $after: '-15m' } } }],
      },
    }
    let clock = now
    const principal = principalOf('oidc', { auth_time: now / 1000 })
    const access = accessOf({ roles }, principal, now)
    expect(access.can('read', 'model:a/b')).toBe(true)
    clock += 16 * 60_000
    expect(access.can('read', 'model:a/b', { time: clock })).toBe(false)
  })
})
