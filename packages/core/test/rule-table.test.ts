/** The index in front of the rules: a question meets the rules that can match it, and few others. */
import { describe, expect, test } from 'vitest'
import { compileRule } from '../src/compile/casl.ts'
import {
  type Buckets,
  bucketsIn,
  mergeBuckets,
  ownerOf,
  RuleTable,
  tablesAllow,
} from '../src/compile/rule-table.ts'
import { type Topic, Topics } from '../src/compile/topics.ts'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
import { Scratch } from '../src/internal/scratch.ts'
import { now } from './support.ts'

const topics = new Topics({
  actions: new Set(['read', 'write']),
  types: new Set(['model', 'dataset', 'space']),
})
const topic = (action: string, type: string) => topics.find(action, type) as Topic

function scratchOf(...tables: RuleTable[]): Scratch<RuleTable> {
  const scratch = new Scratch<RuleTable>()
  for (const table of tables) scratch.add(table)
  return scratch
}

function ruleOn(
  id: string | undefined,
  types = ['model'],
  actions = ['read'],
  effect: 'allow' | 'deny' = 'allow',
) {
  const statement = `${types} ${actions} ${id}`
  return compileRule({ statement, effect, actions, types, ...(id === undefined ? {} : { id }) })
}

const tableOf = (...ids: (string | undefined)[]) =>
  new RuleTable(
    ids.map((id) => ruleOn(id)),
    topics,
  )

/** Ids of the allowing rules that a question about `id` meets. */
function met({ allows }: Buckets, id: string): (string | undefined)[] {
  return allows.flatMap((bucket) => bucket.candidates(id, ownerOf(id)).map(({ rule }) => rule.id))
}

function allowedOnce(tables: Scratch<RuleTable>, action: string, resource: string): boolean {
  const facts = readFacts(emptyFacts(), resource, undefined, now)
  return facts !== undefined && tablesAllow(tables, topic(action, facts.type), facts)
}

describe('rules are filed', () => {
  const table = tableOf(
    undefined,
    '*',
    '**/x',
    'acme/x',
    'acme/*',
    'acme/vision-*',
    'ac*/x',
    'other/x',
    '/x*',
  )
  const anywhere = [undefined, '*', '**/x', 'ac*/x']
  const found = bucketsIn(scratchOf(table), topic('read', 'model'))

  test('by exact id, by owner where the pattern has one, and for everything where they may match anything', () => {
    expect(met(found, 'acme/x')).toEqual(['acme/x', 'acme/*', 'acme/vision-*', ...anywhere])
    expect(met(found, 'acme/y')).toEqual(['acme/*', 'acme/vision-*', ...anywhere])
    expect(met(found, 'ac/x')).toEqual(anywhere)
    expect(met(found, '/y')).toEqual(['/x*', ...anywhere])
  })

  test('by type and action, wildcards beside them', () => {
    const rules = [
      ruleOn('a/1'),
      ruleOn('a/2', ['model'], ['*']),
      ruleOn('a/3', ['**'], ['read']),
      ruleOn('a/4', ['**'], ['*']),
      ruleOn('a/5', ['dataset'], ['write']),
    ]
    const wild = scratchOf(new RuleTable(rules, topics))
    const of = (action: string, type: string) => {
      const buckets = bucketsIn(wild, topic(action, type))
      const ids = ['a/1', 'a/2', 'a/3', 'a/4', 'a/5'].filter((id) => met(buckets, id).length > 0)
      // A question that comes once goes straight to the tables, and meets the same.
      expect(ids).toEqual(
        ['a/1', 'a/2', 'a/3', 'a/4', 'a/5'].filter((id) => allowedOnce(wild, action, `${type}:${id}`)),
      )
      return ids
    }
    expect(of('read', 'model')).toEqual(['a/1', 'a/2', 'a/3', 'a/4'])
    expect(of('write', 'model')).toEqual(['a/2', 'a/4'])
    expect(of('read', 'space')).toEqual(['a/3', 'a/4'])
    expect(of('write', 'dataset')).toEqual(['a/4', 'a/5'])
  })

  test('denials apart from what allows', () => {
    const denying = ruleOn('a/1', ['model'], ['read'], 'deny')
    const { allows, denies } = bucketsIn(scratchOf(new RuleTable([denying], topics)), topic('read', 'model'))
    expect(allows).toEqual([])
    expect(denies.flatMap((bucket) => bucket.candidates('a/1', 'a'))).toEqual([denying])
  })
})

test('merged buckets hold what each of them held', () => {
  const tables = scratchOf(
    tableOf(undefined, 'acme/x', 'acme/*'),
    tableOf('acme/x', 'other/x', 'acme/vision-*', '**/y'),
  )
  const merged = mergeBuckets(bucketsIn(tables, topic('read', 'model')))
  expect(merged.allows).toHaveLength(1)
  expect(merged.denies).toEqual([])
  expect(met(merged, 'acme/x')).toEqual(['acme/x', 'acme/x', 'acme/*', 'acme/vision-*', undefined, '**/y'])
  expect(met(merged, 'other/x')).toEqual(['other/x', undefined, '**/y'])
  expect(met(merged, 'nothing')).toEqual([undefined, '**/y'])
})

test('the owner is what stands before the first slash, or everything', () => {
  expect(['acme/a/b', 'acme', '/x', ''].map(ownerOf)).toEqual(['acme', 'acme', '', ''])
})
