/** Rules for Prisma: a query finds only the rows on which `can` says yes. */
import { accessibleBy, createPrismaAbility, prismaQuery } from '@casl/prisma/runtime'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Access,
  canonicalId,
  createEngine,
  prismaRulesOf,
  type RequestContext,
  type Resource,
} from '../src/index.ts'
import type { FieldTest } from '../src/reach/mongo-tests.ts'
import { hasPrismaWord, prismaConditionsOf } from '../src/reach/prisma-words.ts'
import { Dice, rollPrincipal, rollQuestion, world, worldPolicy } from './generators.ts'
import { inFull, lawRuns } from './runs.ts'
import { accessOf, now } from './support.ts'

const wildcards = { anyAction: '*', anySubjectType: '**' }
const models = {
  model: 'Model',
  dataset: 'Dataset',
  space: 'Space',
  endpoint: 'Endpoint',
  prompt: 'Prompt',
} as const
type ModelName = (typeof models)[keyof typeof models]

/** What Prisma gets as `where`. */
function whereOf(access: Access, action: string, model: ModelName, context: RequestContext = {}): object {
  const ability = createPrismaAbility(prismaRulesOf(access, { models, context }) as never, wildcards)
  return accessibleBy(ability as never, action as never).ofType(model as never)
}

const finds = (where: object, row: object) => prismaQuery(where as never)(row)

/** A row as Prisma returns it: the canonical id, its halves, and null in columns that nothing is known of. */
function rowOf({ type, id, attributes }: Resource) {
  const canonical = canonicalId(type, id)
  if (canonical === undefined) return undefined
  const slash = canonical.indexOf('/')
  const columns = { private: null, gated: null, tags: null, license: null, revision: null, path: null }
  const told = Object.entries(attributes ?? {}).filter(([, value]) => value !== undefined)
  return {
    ...columns,
    ...Object.fromEntries(told),
    id: canonical,
    owner: canonical.slice(0, Math.max(0, slash)),
    name: canonical.slice(slash + 1),
  }
}

const allowing = (statement: object) =>
  accessOf({ roles: { r: { allow: [{ actions: ['read'], on: ['model:acme/**'], ...statement }] } } } as never)

describe('in Prisma’s own words', () => {
  test.each<[string, object, object]>([
    ['an exact id', { on: ['model:acme/x'] }, { id: { equals: 'acme/x' } }],
    ['an owner', {}, { owner: { equals: 'acme' } }],
    [
      'a family of names',
      { on: ['model:acme/vision-*'] },
      {
        AND: [
          { owner: { equals: 'acme' } },
          { name: { startsWith: 'vision-' } },
          { NOT: { name: { contains: '/' } } },
        ],
      },
    ],
    [
      'an end',
      { on: ['model:acme/**-gguf'] },
      { AND: [{ owner: { equals: 'acme' } }, { name: { endsWith: '-gguf' } }] },
    ],
    [
      'a truth that has to be told',
      { when: { 'resource.private': false } },
      {
        AND: [
          { owner: { equals: 'acme' } },
          { private: { equals: false } },
          { NOT: { private: { equals: null } } },
        ],
      },
    ],
    [
      'a list that has a value',
      { when: { 'resource.tags': { $contains: 'vision' } } },
      {
        AND: [
          { owner: { equals: 'acme' } },
          { tags: { hasEvery: ['vision'] } },
          { NOT: { tags: { equals: null } } },
        ],
      },
    ],
    [
      'one of several texts',
      { when: { 'resource.license': { $in: ['mit', 'apache-2.0'] } } },
      {
        AND: [
          { owner: { equals: 'acme' } },
          { license: { in: ['mit', 'apache-2.0'] } },
          { NOT: { license: { equals: null } } },
        ],
      },
    ],
  ])('%s', (_, statement, expected) => {
    const [rule, ...others] = prismaRulesOf(allowing(statement), { models })
    expect(others).toEqual([])
    expect(rule?.conditions).toEqual(expected)
  })

  test.each<[string, object]>([
    ['a pattern', { when: { 'resource.path': { $glob: 'a*b*c' } } }],
    ['a list of a certain length', { when: { 'resource.tags': { $size: 2 } } }],
    ['a name whose beginning and end may be the same characters', { on: ['model:acme/ab*ba'] }],
    ['several wildcards', { on: ['model:acme/a*b*c'] }],
  ])('an allow is left out for %s, for which there are none', (_, statement) => {
    expect(prismaRulesOf(allowing(statement), { models })).toEqual([])
  })

  test('a denial for which there are none takes the whole owner', () => {
    const access = accessOf({
      roles: { r: { allow: [{ actions: ['read'], on: ['model:**'] }] } },
      deny: [{ actions: ['read'], on: ['model:acme/a*b*c'] }],
    } as never)
    const where = whereOf(access, 'read', 'Model')
    expect(finds(where, { id: 'acme/zzz', owner: 'acme', name: 'zzz' })).toBe(false)
    expect(finds(where, { id: 'other/x', owner: 'other', name: 'x' })).toBe(true)
  })

  test('types without a Prisma model have no rules, and a principal without rights finds nothing', () => {
    expect(prismaRulesOf(allowing({}), { models: { dataset: 'Dataset' } })).toEqual([])
    expect(whereOf(allowing({}), 'write', 'Model')).toEqual({ OR: [] })
  })
})

describe('each test of a field', () => {
  const field = 'f'
  test.each<[FieldTest, object]>([
    [{ field, operator: '$eq', operand: 1 }, { f: { equals: 1 } }],
    [{ field, operator: '$ne', operand: null }, { NOT: { f: { equals: null } } }],
    [{ field, operator: '$in', operand: ['a', 'b'] }, { f: { in: ['a', 'b'] } }],
    [
      { field, operator: '$in', operand: ['a', false] },
      { OR: [{ f: { equals: 'a' } }, { f: { equals: false } }] },
    ],
    [{ field, operator: '$nin', operand: ['a'] }, { NOT: { f: { in: ['a'] } } }],
    [{ field, operator: '$nin', operand: ['a'], kind: 'list' }, { NOT: { f: { hasSome: ['a'] } } }],
    [{ field, operator: '$lt', operand: 1 }, { f: { lt: 1 } }],
    [{ field, operator: '$lte', operand: 1 }, { f: { lte: 1 } }],
    [{ field, operator: '$gt', operand: 1 }, { f: { gt: 1 } }],
    [{ field, operator: '$gte', operand: 1 }, { f: { gte: 1 } }],
    [{ field, operator: '$all', operand: ['a'], kind: 'list' }, { f: { hasEvery: ['a'] } }],
    [{ field, operator: '$size', operand: 0, kind: 'list' }, { f: { isEmpty: true } }],
    [{ field, operator: '$startsWith', operand: 'a' }, { f: { startsWith: 'a' } }],
    [{ field, operator: '$endsWith', operand: 'a' }, { f: { endsWith: 'a' } }],
    [{ field, operator: '$without', operand: '/' }, { NOT: { f: { contains: '/' } } }],
  ])('%o has its word', (one, expected) => {
    expect(hasPrismaWord(one)).toBe(true)
    expect(prismaConditionsOf([one])).toEqual(expected)
  })

  test.each<FieldTest>([
    { field, operator: '$size', operand: 2, kind: 'list' },
    { field, operator: '$regex', operand: '^a$' },
    { field, operator: '$elemMatch', operand: {} },
    { field: 'team.name', operator: '$eq', operand: 1 },
    { field: '', operator: '$surely', operand: [] },
    { field: '', operator: '$eq', operand: 1 },
  ])('%o has none', (one) => {
    expect(hasPrismaWord(one)).toBe(false)
  })

  test('stands beside the others of its rule, also on the same column; none is no condition', () => {
    const above: FieldTest = { field, operator: '$gt', operand: 1 }
    const below: FieldTest = { field, operator: '$lt', operand: 9 }
    expect(prismaConditionsOf([above, below])).toEqual({ AND: [{ f: { gt: 1 } }, { f: { lt: 9 } }] })
    expect(prismaConditionsOf([])).toEqual({})
  })
})

test('a query finds no row on which `can` says no', () => {
  let allowed = 0
  let found = 0
  fc.assert(
    fc.property(world, fc.nat(), (document, seed) => {
      const dice = new Dice(seed)
      const engine = createEngine(worldPolicy(document), {
        environment: 'production',
        now: () => now,
      })
      for (let i = 0; i < 3; i++) {
        const access = engine.for(rollPrincipal(dice))
        for (let j = 0; j < 8; j++) {
          const { action, resource, context = {} } = rollQuestion(dice)
          if (typeof resource === 'string' || !(resource.type in models)) continue
          // A list column holds lists.
          const { tags } = resource.attributes ?? {}
          if (tags !== undefined && !Array.isArray(tags)) continue
          const row = rowOf(resource)
          if (row === undefined) continue
          const expected = access.can(action, resource, context)
          const where = whereOf(access, action, models[resource.type as keyof typeof models], context)
          const isFound = finds(where, row)
          if (isFound) expect(expected, JSON.stringify({ action, resource, context, where })).toBe(true)
          if (expected) allowed += 1
          if (isFound) found += 1
        }
      }
    }),
    { numRuns: lawRuns(400) },
  )
  if (inFull) expect(found).toBeGreaterThan(100)
  expect(found).toBeLessThanOrEqual(allowed)
})
