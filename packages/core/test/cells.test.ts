/** What one principal's questions look into: worked out once, and shared when they keep coming. */
import { describe, expect, test } from 'vitest'
import type { BucketSearch, Buckets } from '../src/compile/rule-table.ts'
import { Cells } from '../src/decide/cells.ts'

const shared: Buckets = { allows: [], denies: [] }

/** Counts what is asked of whoever the cells belong to. */
function ownerWith(ceiling?: readonly string[]) {
  const asked = { searches: 0, merges: 0 }
  const cells = new Cells({
    actions: new Set(['read', 'write']),
    types: new Set(['model', 'dataset']),
    ceiling: ceiling && new Set(ceiling),
    show(_: BucketSearch) {
      asked.searches += 1
    },
    merged() {
      asked.merges += 1
      return shared
    },
  })
  return { cells, asked }
}

describe('a question about an action and a type', () => {
  test('is searched for once, however often it comes', () => {
    const { cells, asked } = ownerWith()
    const first = cells.find('read', 'model')
    for (let i = 0; i < 100; i++) expect(cells.find('read', 'model')).toBe(first)
    expect(asked.searches).toBe(1)
  })

  test('shares its buckets from the sixteenth repetition on, and is merged but once', () => {
    const { cells, asked } = ownerWith()
    const cell = cells.find('read', 'model')
    for (let i = 0; i < 15; i++) cells.find('read', 'model')
    expect(cell?.buckets).not.toBe(shared)
    cells.find('read', 'model')
    expect(cell?.buckets).toBe(shared)
    for (let i = 0; i < 100; i++) cells.find('read', 'model')
    expect(asked.merges).toBe(1)
  })

  test('has nothing to do with another action or another type', () => {
    const { cells, asked } = ownerWith()
    const found = [cells.find('read', 'model'), cells.find('write', 'model'), cells.find('read', 'dataset')]
    expect(new Set(found).size).toBe(3)
    expect(asked.searches).toBe(3)
    expect(cells.find('read', 'model')).toBe(found[0])
  })

  test.each([
    ['stroke', 'model'],
    ['read', 'unicorn'],
  ])('that the policy does not know (%s, %s) leads nowhere and is not searched for', (action, type) => {
    const { cells, asked } = ownerWith()
    expect(cells.find(action, type)).toBeUndefined()
    expect(asked.searches).toBe(0)
  })

  test('is open unless the ceiling leaves the action out', () => {
    expect(ownerWith().cells.find('write', 'model')?.isOpen).toBe(true)
    const { cells } = ownerWith(['read'])
    expect(cells.find('read', 'model')?.isOpen).toBe(true)
    expect(cells.find('write', 'model')?.isOpen).toBe(false)
  })
})
