/** What one principal's questions look into: worked out once, and shared when they keep coming. */
import { describe, expect, test } from 'vitest'
import { compileRule } from '../src/compile/casl.ts'
import { type Buckets, bucketsIn, RuleTable } from '../src/compile/rule-table.ts'
import { type Topic, Topics } from '../src/compile/topics.ts'
import { Cells } from '../src/decide/cells.ts'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
import { Scratch } from '../src/internal/scratch.ts'
import { now } from './support.ts'

const vocabulary = { actions: new Set(['read', 'write']), types: new Set(['model', 'dataset']) }

/** Holds rules on models, and counts what is asked of whoever the cells belong to. */
function ownerWith({
  ceiling,
  denied = [],
}: {
  ceiling?: readonly string[]
  denied?: readonly string[]
} = {}) {
  const topics = new Topics({ ...vocabulary, ceiling: ceiling && new Set(ceiling) })
  const rule = (effect: 'allow' | 'deny', id: string) =>
    compileRule({ statement: id, effect, actions: ['read', 'write'], types: ['model'], id })
  const rules = [rule('allow', 'acme/*'), ...denied.map((id) => rule('deny', id))]
  const tables = new Scratch<RuleTable>()
  tables.add(new RuleTable(rules, topics))
  const asked = { searches: 0, merges: 0 }
  const cells = new Cells({
    topics,
    tables() {
      asked.searches += 1
      return tables
    },
    merged(topic: Topic): Buckets {
      asked.merges += 1
      return bucketsIn(tables, topic)
    },
  })
  const facts = emptyFacts()
  const allow = (action: string, resource: string) => {
    const asking = readFacts(facts, resource, undefined, now)
    return asking !== undefined && cells.allow(action, asking)
  }
  return { cells, asked, allow }
}

describe('a question about an action and a type', () => {
  test('has the same answer the first, the second and the hundredth time', () => {
    const { allow } = ownerWith({ denied: ['acme/secret'] })
    const first = (resource: string) => ownerWith({ denied: ['acme/secret'] }).allow('read', resource)
    for (let i = 0; i < 100; i++) {
      expect(allow('read', 'model:acme/open')).toBe(true)
      expect(allow('read', 'model:acme/secret')).toBe(false)
      expect(allow('read', 'model:other/open')).toBe(false)
    }
    expect(['acme/open', 'acme/secret', 'other/open'].map((id) => first(`model:${id}`))).toEqual([
      true,
      false,
      false,
    ])
  })

  test('is searched for twice at most, however often it comes: once to be answered, once to be remembered', () => {
    const { allow, asked } = ownerWith()
    allow('read', 'model:acme/x')
    expect(asked.searches).toBe(1)
    for (let i = 0; i < 100; i++) allow('read', 'model:acme/x')
    expect(asked.searches).toBe(2)
  })

  test('is remembered at once by whoever wants its buckets', () => {
    const { cells, asked } = ownerWith()
    const first = cells.buckets('read', 'model')
    expect(first?.allows).toHaveLength(1)
    expect(cells.buckets('read', 'model')).toBe(first)
    expect(asked.searches).toBe(1)
  })

  test('shares its buckets from the sixteenth repetition on, and is merged but once', () => {
    const { cells, asked } = ownerWith()
    const own = cells.buckets('read', 'model')
    for (let i = 0; i < 15; i++) expect(cells.buckets('read', 'model')).toBe(own)
    expect(asked.merges).toBe(0)
    expect(cells.buckets('read', 'model')).not.toBe(own)
    for (let i = 0; i < 100; i++) cells.buckets('read', 'model')
    expect(asked.merges).toBe(1)
  })

  test('has nothing to do with another action or another type', () => {
    const { cells, asked } = ownerWith()
    const found = [
      cells.buckets('read', 'model'),
      cells.buckets('write', 'model'),
      cells.buckets('read', 'dataset'),
    ]
    expect(new Set(found).size).toBe(3)
    expect(asked.searches).toBe(3)
    expect(cells.buckets('read', 'model')).toBe(found[0])
  })

  test.each([
    ['stroke', 'model'],
    ['read', 'unicorn'],
  ])('that the policy does not know (%s, %s) leads nowhere and is not searched for', (action, type) => {
    const { cells, allow, asked } = ownerWith()
    expect([allow(action, `${type}:acme/x`), allow(action, `${type}:acme/x`)]).toEqual([false, false])
    expect(cells.buckets(action, type)).toBeUndefined()
    expect(asked.searches).toBe(0)
  })

  test('is closed, the first time and later, when the ceiling leaves the action out', () => {
    const { allow } = ownerWith({ ceiling: ['read'] })
    const answers = ['write', 'write', 'read', 'write'].map((action) => allow(action, 'model:acme/x'))
    expect(answers).toEqual([false, false, true, false])
  })
})
