/** Portable rules: exactly what leaves the process, before CASL or Prisma see it. */
import { describe, expect, test } from 'vitest'
import type { Json, PolicyDocument } from '../src/index.ts'
import type { Words } from '../src/reach/mongo-conditions.ts'
import { portableRulesOf } from '../src/reach/portable-rules.ts'
import { accessOf } from './support.ts'

type When = { readonly [fact: string]: Json }
type Statement = NonNullable<PolicyDocument['deny']>[number]

const reading = (when?: When): Statement => ({ actions: ['read'], on: ['app:**'], ...(when && { when }) })

function rulesOf(
  allow: Statement[],
  { deny = [], words = 'mongo' }: { deny?: Statement[]; words?: Words } = {},
) {
  const access = accessOf({
    resources: { app: { actions: ['read', 'write'] }, prompt: { actions: ['read'] } },
    roles: { reader: { allow } },
    deny,
  })
  return portableRulesOf(access, {}, words)
}

const anyId = { id: { $ne: null } }
const ruleOf = (statement: string, conditions?: { readonly [field: string]: Json }) => ({
  action: ['read'],
  subject: ['app'],
  reason: expect.stringContaining(statement) as string,
  ...(conditions === undefined ? {} : { conditions }),
})
const rule = (conditions?: { readonly [field: string]: Json }) => ruleOf('roles.reader.allow#', conditions)
const denialOfAll = { ...ruleOf('deny#'), inverted: true }
const license = (is: Json): When => ({ 'resource.license': is })

describe('one rule', () => {
  test('an allow is for whatever has an id, which a row of Prisma always has', () => {
    expect(rulesOf([reading()]).rules).toEqual([rule(anyId)])
    expect(rulesOf([reading()], { words: 'prisma' }).rules).toEqual([rule()])
  })

  test('a denial without conditions has none, and comes after what is allowed', () => {
    expect(rulesOf([reading()], { deny: [reading()] }).rules).toEqual([rule(anyId), denialOfAll])
  })

  test('is there once, however many statements say it', () => {
    expect(rulesOf([reading(), { ...reading(), reason: 'again' }]).rules).toHaveLength(1)
    expect(
      rulesOf([reading(license('a')), reading({ $or: [license('a'), license('b')] })]).rules,
    ).toHaveLength(2)
  })

  test('stands for each alternative of a condition', () => {
    const { rules } = rulesOf([reading({ $or: [license('a'), license('b')] })])
    expect(rules).toEqual([
      rule({ ...anyId, license: { $eq: 'a', $ne: null } }),
      rule({ ...anyId, license: { $eq: 'b', $ne: null } }),
    ])
  })

  test('is made for each type where a condition asks for it, with the type settled', () => {
    const both: Statement = {
      actions: ['read'],
      on: ['app:**', 'prompt:**'],
      when: { 'resource.type': 'prompt' },
    }
    expect(rulesOf([both]).rules).toEqual([{ ...rule(anyId), subject: ['prompt'] }])
  })
})

describe('fields', () => {
  test('are those that a rule mentions, with the kinds of value they are compared as', () => {
    const { fields } = rulesOf([
      reading({ 'resource.size': { $gt: 2 }, 'resource.tags': { $contains: 'a' }, ...license('mit') }),
    ])
    expect([...fields].map(([name, kinds]) => [name, [...kinds]]).sort()).toEqual([
      ['id', []],
      ['license', []],
      ['size', ['number']],
      ['tags', ['list']],
    ])
  })

  test('of a condition that is given as a whole are none', () => {
    const { fields, rules } = rulesOf([reading(license({ $glob: 'a*' }))], { words: 'extended' })
    expect(rules).toEqual([rule({ ...anyId, $surely: [license({ $glob: 'a*' })] as unknown as Json })])
    expect([...fields.keys()]).toEqual(['id'])
  })
})

describe('what one mapping of operators cannot say', () => {
  const twice: When = { $and: [license({ $in: ['a', 'b'] }), license({ $in: ['b', 'c'] })] }

  test('gives no allow in CASL’s words, and two conditions side by side in Prisma’s', () => {
    expect(rulesOf([reading(twice)]).rules).toEqual([])
    expect(JSON.stringify(rulesOf([reading(twice)], { words: 'prisma' }).rules)).toContain(
      '{"license":{"in":["b","c"]}}',
    )
  })

  test('gives a denial of all in CASL’s words', () => {
    expect(rulesOf([reading()], { deny: [reading(twice)] }).rules).toEqual([rule(anyId), denialOfAll])
  })

  test('is given as a whole in our own', () => {
    const { rules } = rulesOf([reading(twice)], { words: 'extended' })
    expect(rules).toHaveLength(1)
    expect(JSON.stringify(rules)).toContain('$surely')
  })

  test('a field that is there and not is no alternative', () => {
    const when: When = {
      $and: [license({ $exists: true }), { $or: [license({ $exists: false }), license('a')] }],
    }
    expect(rulesOf([reading(when)]).rules).toEqual([rule({ ...anyId, license: { $ne: null, $eq: 'a' } })])
  })

  test('too many alternatives give no allow, and a denial of all', () => {
    const many: When = {
      $and: Array.from({ length: 7 }, (_, i) => ({
        $or: [{ [`resource.a${i}`]: 1 }, { [`resource.b${i}`]: 1 }],
      })),
    }
    expect(rulesOf([reading(many)]).rules).toEqual([])
    expect(rulesOf([reading()], { deny: [reading(many)] }).rules.at(-1)).toEqual(denialOfAll)
  })
})
