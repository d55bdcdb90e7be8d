/**
 * Each test of a condition in CASL's own words: surely so, surely not, and what is left when either is not known.
 * An allow may match less than this says and never more, a denial more and never less.
 */
import { describe, expect, test } from 'vitest'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
import type { Json } from '../src/index.ts'
import { alternativesOf, type Mode, type Words } from '../src/reach/mongo-conditions.ts'
import { now, policyOf } from './support.ts'

type When = { readonly [fact: string]: Json }

const modes: readonly Mode[] = ['true', 'false', 'not true', 'not false']
const facts =
  readFacts(emptyFacts(), { type: 'app', id: 'any' }, { tier: 'gold', list: ['a', 'b'] }, now) ?? emptyFacts()

/** Alternatives as text: `or` between them, `and` within one. */
function written(when: When, mode: Mode, words: Words, typeIsKnown: boolean): string {
  const policy = policyOf({
    resources: { app: { actions: ['read'] } },
    roles: { reader: { allow: [{ actions: ['read'], on: ['app:**'], when }] } },
  })
  const condition = policy.roles.get('reader')?.statements[0]?.condition
  if (condition === undefined) throw new Error('a condition')
  const alternatives = alternativesOf(condition, mode, { words, facts, typeIsKnown })
  if (alternatives.length === 0) return 'never'
  return alternatives
    .map((tests) =>
      tests.length === 0
        ? 'always'
        : tests
            .map(({ field, operator, operand, kind }) =>
              [field, operator, JSON.stringify(operand), kind].filter(Boolean).join(' '),
            )
            .join(' and '),
    )
    .join(' or ')
}

const inWords = (when: When, words: Words = 'mongo', typeIsKnown = true) =>
  modes.map((mode) => written(when, mode, words, typeIsKnown))

/** What no words are for: an allow never matches, a denial always does. */
const wordless = ['never', 'never', 'always', 'always']
const license = (is: Json): When => ({ 'resource.license': is })
/** A test with words for both of its sides. */
const sides = (field: string, holds: string, fails: string) => [
  `${field} ${holds} and ${field} $ne null`,
  `${field} ${fails} and ${field} $ne null`,
  `${field} ${fails} or ${field} $eq null`,
  `${field} ${holds} or ${field} $eq null`,
]

describe('a test of a field', () => {
  test.each<[Json, string, string]>([
    ['mit', '$eq "mit"', '$nin ["mit"]'],
    [{ $ne: 'mit' }, '$nin ["mit"]', '$eq "mit"'],
    [{ $in: ['a', 'b'] }, '$in ["a","b"]', '$nin ["a","b"]'],
    [{ $nin: ['a'] }, '$nin ["a"]', '$in ["a"]'],
    [{ $lt: 2 }, '$lt 2 number', '$gte 2 number'],
    [{ $lte: 'm' }, '$lte "m" string', '$gt "m" string'],
    [{ $gt: 2 }, '$gt 2 number', '$lte 2 number'],
    [{ $gte: 2 }, '$gte 2 number', '$lt 2 number'],
    [{ $contains: 'a' }, '$all ["a"] list', '$nin ["a"] list'],
    [{ $ref: 'context.tier' }, '$eq "gold"', '$nin ["gold"]'],
    [{ $in: { $ref: 'context.list' } }, '$in ["a","b"]', '$nin ["a","b"]'],
    [{ $ref: 'resource.type' }, '$eq "app"', '$nin ["app"]'],
  ])('%j has words for both of its sides', (is, holds, fails) => {
    expect(inWords(license(is))).toEqual(sides('license', holds, fails))
    expect(inWords({ $not: license(is) })).toEqual(sides('license', fails, holds))
  })

  test.each<[Json, string]>([
    [{ $all: ['a', 'b'] }, '$all ["a","b"] list'],
    [{ $size: 2 }, '$size 2 list'],
  ])('%j has words for what it is, and none for what it is not', (is, holds) => {
    expect(inWords(license(is))).toEqual([
      `license ${holds} and license $ne null`,
      'never',
      'always',
      `license ${holds} or license $eq null`,
    ])
  })

  test.each<[Json]>([
    [{ $eq: ['a'] }],
    [{ $all: [] }],
    [{ $glob: 'a*' }],
    [{ $cidr: '10.0.0.0/8' }],
    [{ $before: '2026-01-01T00:00:00Z' }],
    [{ $ref: 'context.none' }],
    [{ $ref: 'resource.other' }],
    [{ $in: { $ref: 'context.tier' } }],
    [{ $contains: { $ref: 'context.list' } }],
    [{ $lt: { $ref: 'context.list' } }],
  ])('%j has none', (is) => {
    expect(inWords(license(is))).toEqual(wordless)
  })

  test('`$exists` is about the field alone', () => {
    expect(inWords(license({ $exists: true }))).toEqual([
      'license $ne null',
      'license $eq null',
      'license $eq null',
      'license $ne null',
    ])
    expect(inWords(license({ $exists: false }))).toEqual([
      'license $eq null',
      'license $ne null',
      'license $ne null',
      'license $eq null',
    ])
  })

  test('a member of a mapping is not there either when the mapping is not', () => {
    expect(inWords({ 'resource.team.name': 'ml' })).toEqual([
      'team.name $eq "ml" and team.name $ne null and team.name $exists true',
      'team.name $nin ["ml"] and team.name $ne null and team.name $exists true',
      'team.name $nin ["ml"] or team.name $eq null or team.name $exists false',
      'team.name $eq "ml" or team.name $eq null or team.name $exists false',
    ])
  })

  test.each(['id', 'owner', 'name'])('`%s` is always there', (name) => {
    const [holds, fails] = [`${name} $eq "x"`, `${name} $nin ["x"]`]
    expect(inWords({ [`resource.${name}`]: 'x' })).toEqual([holds, fails, fails, holds])
    expect(inWords({ [`resource.${name}`]: { $exists: true } })).toEqual([
      'always',
      'never',
      'never',
      'always',
    ])
  })
})

describe('what is known of every subject', () => {
  test('is settled: the context, and the type where it is known', () => {
    const [yes, no] = [
      ['always', 'never', 'never', 'always'],
      ['never', 'always', 'always', 'never'],
    ]
    expect(inWords({ 'context.tier': 'gold' })).toEqual(yes)
    expect(inWords({ 'context.tier': 'x' })).toEqual(no)
    expect(inWords({ 'context.none': 'x' })).toEqual(wordless)
    expect(inWords({ 'resource.type': 'app' })).toEqual(yes)
    expect(inWords({ 'context.tier': { $ref: 'resource.type' } })).toEqual(no)
    expect(inWords({ 'resource.type': { $ref: 'context.tier' } })).toEqual(no)
  })

  test('a type that is not known is a field as any other, and nothing is compared with it', () => {
    expect(inWords({ 'resource.type': 'app' }, 'mongo', false)).toEqual([
      'type $eq "app"',
      'type $nin ["app"]',
      'type $nin ["app"]',
      'type $eq "app"',
    ])
    expect(inWords({ 'context.tier': { $ref: 'resource.type' } }, 'mongo', false)).toEqual(wordless)
    expect(inWords(license({ $ref: 'resource.type' }), 'mongo', false)).toEqual(wordless)
    expect(inWords({ 'context.tier': { $ref: 'resource.license' } })).toEqual(wordless)
  })
})

describe('several tests', () => {
  const size: When = { 'resource.size': 1 }

  test('`$and` and `$or` trade places when they are negated', () => {
    const both = inWords({ $and: [license('a'), size] })
    expect(both).toEqual([
      'license $eq "a" and license $ne null and size $eq 1 and size $ne null',
      'license $nin ["a"] and license $ne null or size $nin [1] and size $ne null',
      'license $nin ["a"] or license $eq null or size $nin [1] or size $eq null',
      [
        'license $eq "a" and size $eq 1',
        'license $eq "a" and size $eq null',
        'license $eq null and size $eq 1',
        'license $eq null and size $eq null',
      ].join(' or '),
    ])
    const none = inWords({ $or: [{ $not: license('a') }, { $not: size }] })
    expect(none).toEqual([both[1], both[0], both[3], both[2]])
  })

  test('more alternatives than are kept are as good as no words', () => {
    const many = (count: number): When => ({
      $and: Array.from({ length: count }, (_, i) => ({
        $or: [{ [`resource.a${i}`]: 1 }, { [`resource.b${i}`]: 1 }],
      })),
    })
    expect(written(many(6), 'true', 'mongo', true).split(' or ')).toHaveLength(64)
    expect(inWords(many(7))).toEqual(['never', expect.any(String), expect.any(String), 'always'])
    const wide: When = { $or: Array.from({ length: 65 }, (_, i) => ({ [`resource.a${i}`]: 1 })) }
    expect(inWords(wide)[0]).toBe('never')
  })
})

describe('elements', () => {
  const members = (of: When): When => ({ 'resource.members': { $elemMatch: of } })
  const some = (element: string) => [`members $elemMatch ${element} list`, 'never', 'always', 'always']

  test.each<[When, string]>([
    [{ role: 'owner' }, '{"role":{"$eq":"owner","$exists":true,"$ne":null}}'],
    [{ role: { $ne: 'owner' } }, '{"role":{"$nin":["owner"],"$exists":true,"$ne":null}}'],
    [{ role: { $in: ['a'] } }, '{"role":{"$in":["a"],"$exists":true,"$ne":null}}'],
    [{ $not: { role: 'owner' } }, '{"role":{"$nin":["owner"],"$exists":true,"$ne":null}}'],
    [{ role: { $exists: true } }, '{"role":{"$ne":null,"$exists":true}}'],
    [
      { role: 'owner', left: false },
      '{"role":{"$eq":"owner","$exists":true,"$ne":null},"left":{"$eq":false,"$exists":true,"$ne":null}}',
    ],
  ])('one that surely is %j has words, and nothing that is said of all has', (of, element) => {
    expect(inWords(members(of))).toEqual(some(element))
  })

  test('alternatives of an element are alternatives of the list', () => {
    expect(inWords(members({ $or: [{ role: 'owner' }, { left: true }] }))[0]).toBe(
      'members $elemMatch {"role":{"$eq":"owner","$exists":true,"$ne":null}} list' +
        ' or members $elemMatch {"left":{"$eq":true,"$exists":true,"$ne":null}} list',
    )
  })

  test.each<[When]>([
    [{ role: { $gt: 1 } }],
    [{ role: { $glob: 'o*' } }],
    [{ $not: { role: { $glob: 'o*' } } }],
    [{ $or: [{ role: 'owner' }, { role: { $contains: 'x' } }] }],
    [{ role: { $ref: 'context.tier' } }],
    [{ role: { $ref: 'resource.license' } }],
    [{ role: { $eq: ['a'] } }],
  ])('one that is %j has none', (of) => {
    expect(inWords(members(of))).toEqual(wordless)
  })

  test('of a list that is no field of the resource has none', () => {
    expect(inWords({ 'principal.orgs': { $elemMatch: { handle: 'acme' } } })).toEqual(wordless)
    expect(inWords({ 'context.list': { $elemMatch: { handle: 'acme' } } })).toEqual(wordless)
  })
})

describe('other vocabularies', () => {
  test('with our own operators, a condition without words is given as a whole', () => {
    const whole = '[{"resource.license":{"$glob":"a*"}}]'
    const other = '[{"$not":{"resource.license":{"$glob":"a*"}}}]'
    expect(inWords(license({ $glob: 'a*' }), 'extended')).toEqual([
      `$surely ${whole}`,
      `$surely ${other}`,
      `$possibly ${other}`,
      `$possibly ${whole}`,
    ])
    expect(inWords(license('mit'), 'extended')).toEqual(inWords(license('mit')))
  })

  test('Prisma has no words for lengths, nor for elements', () => {
    expect(inWords(license('mit'), 'prisma')).toEqual(inWords(license('mit')))
    expect(inWords(license({ $size: 2 }), 'prisma')).toEqual(wordless)
    expect(inWords({ 'resource.members': { $elemMatch: { role: 'owner' } } }, 'prisma')).toEqual(wordless)
  })
})
