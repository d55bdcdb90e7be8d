import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Bag, type Placed } from '../src/internal/bag.ts'

const make = (name: string) => ({ name, place: -1 })

function bagOf(...names: string[]) {
  const items = names.map(make)
  const bag = new Bag<(typeof items)[number]>()
  for (const item of items) bag.add(item)
  return { bag, items, namesIn: () => [...bag].map(({ name }) => name).sort() }
}

describe('a bag', () => {
  test('holds what a set holds, whatever is added and taken out', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(7)), (changes) => {
        const all: Placed[] = Array.from({ length: 8 }, () => ({ place: -1 }))
        const [bag, set] = [new Bag<Placed>(), new Set<Placed>()]
        for (const which of changes) {
          const item = all[which] as Placed
          // In comes what is out, and out goes what is in.
          if (set.has(item)) expect(bag.delete(item)).toBe(set.delete(item))
          else for (const side of [bag, set]) side.add(item)
          expect(bag.size).toBe(set.size)
          expect(all.map((one) => bag.has(one))).toEqual(all.map((one) => set.has(one)))
          expect(new Set(bag)).toEqual(set)
        }
      }),
    )
  })

  test('says that what is not in it was not taken out', () => {
    const { bag, items } = bagOf('a', 'b')
    const [a] = items as [(typeof items)[0]]
    expect([bag.delete(a), bag.delete(a), bag.delete(make('stranger'))]).toEqual([true, false, false])
    expect(bag.size).toBe(1)
  })

  test('does not take what lies in another bag for its own', () => {
    const [here, there] = [bagOf('a'), bagOf('b')]
    const [b] = there.items as [(typeof there.items)[0]]
    expect([here.bag.has(b), here.bag.delete(b)]).toEqual([false, false])
    expect([here.namesIn(), there.namesIn()]).toEqual([['a'], ['b']])
  })

  test('goes over each once, though each is taken out in its turn', () => {
    const { bag, namesIn } = bagOf('a', 'b', 'c', 'd')
    const met: string[] = []
    for (const item of bag) {
      met.push(item.name)
      bag.delete(item)
    }
    expect(met.sort()).toEqual(['a', 'b', 'c', 'd'])
    expect(namesIn()).toEqual([])
  })

  test('does not come to what was taken out before its turn, nor to what came in meanwhile', () => {
    const { bag, items, namesIn } = bagOf('a', 'b', 'c')
    const met: string[] = []
    for (const { name } of bag) {
      met.push(name)
      if (met.length > 1) continue
      for (const other of items) if (other.name !== name) bag.delete(other)
      bag.add(make('late'))
    }
    expect(met).toHaveLength(1)
    expect(namesIn()).toEqual([...met, 'late'].sort())
  })
})
