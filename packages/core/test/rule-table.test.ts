/** The index in front of the rules: a question meets the rules that can match it, and few others. */
import { describe, expect, test } from 'vitest'
import { CompiledRule } from '../src/compile/casl.ts'
import { bucketsIn, mergeBuckets, ownerOf, RuleTable } from '../src/compile/rule-table.ts'

function ruleOn(id: string | undefined, types = ['model'], actions = ['read']) {
  const statement = `${types} ${actions} ${id}`
  return new CompiledRule({ statement, effect: 'allow', actions, types, ...(id === undefined ? {} : { id }) })
}

const names = (rules: readonly CompiledRule[]) => rules.map(({ rule }) => rule.id)

describe('rules are filed', () => {
  const table = new RuleTable(
    [undefined, '*', '**/x', 'acme/x', 'acme/*', 'acme/vision-*', 'ac*/x', 'other/x', '/x*'].map((id) =>
      ruleOn(id),
    ),
  )
  const [bucket] = bucketsIn([table], 'read', 'model')

  test('by exact id', () => {
    expect(names(bucket?.on('acme/x') ?? [])).toEqual(['acme/x'])
    expect(names(bucket?.on('acme/y') ?? [])).toEqual([])
  })

  test('by owner, where the pattern has one', () => {
    expect(names(bucket?.under('acme') ?? [])).toEqual(['acme/*', 'acme/vision-*'])
    expect(names(bucket?.under('ac') ?? [])).toEqual([])
  })

  test('and under everything where they may match anything', () => {
    expect(names(bucket?.anywhere ?? [])).toEqual([undefined, '*', '**/x', 'ac*/x'])
  })

  test('by type and action, wildcards beside them', () => {
    const wild = new RuleTable([
      ruleOn('a/1'),
      ruleOn('a/2', ['model'], ['*']),
      ruleOn('a/3', ['**'], ['read']),
      ruleOn('a/4', ['**'], ['*']),
      ruleOn('a/5', ['dataset'], ['write']),
    ])
    const found = (action: string, type: string) =>
      bucketsIn([wild], action, type).flatMap((each) =>
        ['a/1', 'a/2', 'a/3', 'a/4', 'a/5'].filter((id) => each.on(id).length > 0),
      )
    expect(found('read', 'model')).toEqual(['a/1', 'a/2', 'a/3', 'a/4'])
    expect(found('write', 'model')).toEqual(['a/2', 'a/4'])
    expect(found('read', 'space')).toEqual(['a/3', 'a/4'])
    expect(found('write', 'dataset')).toEqual(['a/5', 'a/4'])
  })
})

test('merged buckets hold what each of them held', () => {
  const tables = [
    [undefined, 'acme/x', 'acme/*'],
    ['acme/x', 'other/x', 'acme/vision-*', '**/y'],
  ].map((ids) => new RuleTable(ids.map((id) => ruleOn(id))))
  const merged = mergeBuckets(bucketsIn(tables, 'read', 'model'))
  expect(names(merged.on('acme/x'))).toEqual(['acme/x', 'acme/x'])
  expect(names(merged.on('other/x'))).toEqual(['other/x'])
  expect(names(merged.under('acme'))).toEqual(['acme/*', 'acme/vision-*'])
  expect(names(merged.anywhere)).toEqual([undefined, '**/y'])
  expect(names(merged.on('nothing'))).toEqual([])
})

test('the owner is what stands before the first slash, or everything', () => {
  expect(['acme/a/b', 'acme', '/x', ''].map(ownerOf)).toEqual(['acme', 'acme', '', ''])
})
