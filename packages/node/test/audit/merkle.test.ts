import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leafHash, MerkleTree, nodeHash } from '../../src/audit/segments/merkle.ts'
import {
  consistencyProof,
  inclusionProof,
  isConsistent,
  isIncluded,
} from '../../src/audit/segments/proofs.ts'

const sha256 = (...parts: (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** RFC 9162 §2.1 as it is written, over leaf hashes. */
const split = (n: number): number => {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}
const mth = (d: readonly Buffer[]): Buffer => {
  if (d.length === 0) return sha256('')
  if (d.length === 1) return d[0] as Buffer
  const k = split(d.length)
  return sha256(Buffer.of(1), mth(d.slice(0, k)), mth(d.slice(k)))
}
const path = (m: number, d: readonly Buffer[]): Buffer[] => {
  if (d.length === 1) return []
  const k = split(d.length)
  return m < k
    ? [...path(m, d.slice(0, k)), mth(d.slice(k))]
    : [...path(m - k, d.slice(k)), mth(d.slice(0, k))]
}
const subproof = (m: number, d: readonly Buffer[], whole: boolean): Buffer[] => {
  if (m === d.length) return whole ? [] : [mth(d)]
  const k = split(d.length)
  return m <= k
    ? [...subproof(m, d.slice(0, k), whole), mth(d.slice(k))]
    : [...subproof(m - k, d.slice(k), false), mth(d.slice(0, k))]
}

const rootOf = (leaves: readonly Buffer[]): Buffer => {
  const tree = new MerkleTree()
  for (const leaf of leaves) tree.append(leaf)
  return tree.root()
}
const leavesOf = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => sha256(`leaf ${i}`))
const hex = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('hex'))

/** The leaves that Certificate Transparency's implementations test with. */
const knownLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((data) => sha256(Buffer.of(0), Buffer.from(data, 'hex')))
const knownRoots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

/** Proofs that those implementations give for these leaves: by [index, size], and by [earlier, later size]. */
const known = Object.fromEntries(
  [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  ].map((hash) => [hash.slice(0, 4), hash]),
)
const knownInclusions = [
  [0, 1, []],
  [0, 8, ['96a2', '5f08', '6b47']],
  [5, 8, ['bc1a', 'ca85', 'd37e']],
  [2, 3, ['fac5']],
  [1, 5, ['6e34', '5f08', 'bc1a']],
] as const
const knownConsistencies = [
  [1, 1, []],
  [1, 8, ['96a2', '5f08', '6b47']],
  [6, 8, ['0ebc', 'ca85', 'd37e']],
  [2, 5, ['5f08', 'bc1a']],
] as const

describe('a tree', () => {
  test.each(knownRoots.map((root, size) => [size, root] as const))(
    'of %i known leaves has the known root',
    (size, root) => {
      expect(rootOf(knownLeaves.slice(0, size)).toString('hex')).toBe(root)
    },
  )

  test('hashes leaves and nodes under different prefixes', () => {
    const data = Buffer.alloc(32, 7)
    expect(leafHash(data)).toEqual(sha256(Buffer.of(0), data))
    expect(nodeHash(data, data)).toEqual(sha256(Buffer.of(1), data, data))
    expect(() => leafHash(Buffer.alloc(31))).toThrow(RangeError)
  })

  test('grows to the root of its definition, and a copy of it grows by itself', () => {
    const leaves = leavesOf(70)
    const tree = new MerkleTree()
    for (const [i, leaf] of leaves.entries()) {
      const copy = new MerkleTree(tree)
      tree.append(leaf)
      copy.append(sha256('another'))
      expect(tree.size).toBe(i + 1)
      expect(tree.root()).toEqual(mth(leaves.slice(0, i + 1)))
    }
  })
})

describe('a proof', () => {
  test.each(knownInclusions)('of leaf %i among %i known leaves is the known one', (index, size, names) => {
    const proof = inclusionProof(knownLeaves.slice(0, size), index)
    expect(hex(proof)).toEqual(names.map((name) => known[name]))
    const root = Buffer.from(knownRoots[size] ?? '', 'hex')
    expect(isIncluded(knownLeaves[index] as Buffer, { index, size, root, proof })).toBe(true)
  })

  test.each(knownConsistencies)('from %i to %i known leaves is the known one', (early, size, names) => {
    const proof = consistencyProof(knownLeaves.slice(0, size), early)
    expect(hex(proof)).toEqual(names.map((name) => known[name]))
    const tree = (count: number) => ({ size: count, root: Buffer.from(knownRoots[count] ?? '', 'hex') })
    expect(isConsistent(tree(early), tree(size), proof)).toBe(true)
  })

  test('of inclusion is that of the definition, and shows every leaf', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 130 }), fc.nat(), (size, at) => {
        const leaves = leavesOf(size)
        const index = at % size
        const proof = inclusionProof(leaves, index)
        expect(hex(proof)).toEqual(hex(path(index, leaves)))
        expect(isIncluded(leaves[index] as Buffer, { index, size, root: mth(leaves), proof })).toBe(true)
      }),
    )
  })

  test('of consistency is that of the definition, and shows every earlier size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 130 }), fc.nat(), (size, at) => {
        const leaves = leavesOf(size)
        const early = 1 + (at % size)
        const proof = consistencyProof(leaves, early)
        expect(hex(proof)).toEqual(hex(subproof(early, leaves, true)))
        const before = { size: early, root: mth(leaves.slice(0, early)) }
        expect(isConsistent(before, { size, root: mth(leaves) }, proof)).toBe(true)
      }),
    )
  })

  test('for what is not there is not made', () => {
    const leaves = leavesOf(4)
    for (const index of [-1, 4, 1.5, Number.NaN])
      expect(() => inclusionProof(leaves, index)).toThrow(RangeError)
    for (const size of [0, 5, 1.5, Number.NaN])
      expect(() => consistencyProof(leaves, size)).toThrow(RangeError)
  })

  /** Everything that somebody could try with a good proof. */
  const spoil = (proof: readonly Buffer[], root: Buffer): Buffer[][] => [
    ...proof.flatMap((hash, i) => [
      proof.with(i, Buffer.from(hash.map((byte, at) => (at === 5 ? byte ^ 1 : byte)))),
      proof.with(i, Buffer.alloc(0)),
      proof.with(i, hash.subarray(0, 31)),
      [...proof.slice(0, i), hash, ...proof.slice(i)],
      [...proof.slice(0, i), ...proof.slice(i + 1)],
    ]),
    ...proof.slice(1).map((hash, i) => proof.with(i, hash).with(i + 1, proof[i] as Buffer)),
    [root, ...proof],
    [...proof, root],
    [...proof, Buffer.alloc(32)],
  ]

  test('of inclusion shows nothing else', () => {
    for (const size of [1, 2, 3, 5, 8, 11]) {
      const leaves = leavesOf(size)
      const root = mth(leaves)
      for (let index = 0; index < size; index++) {
        const leaf = leaves[index] as Buffer
        const proof = path(index, leaves)
        const good = { index, size, root, proof }
        const wrong = [
          ...spoil(proof, root).map((bad) => ({ ...good, proof: bad })),
          ...[index - 1, index + 1, index ^ 2, -1, size, 0.5].map((bad) => ({ ...good, index: bad })),
          ...[0, -1, size * 2 + 1].map((bad) => ({ ...good, size: bad })),
          { ...good, root: sha256('x') },
          { ...good, root: Buffer.alloc(0) },
        ].filter(
          (bad) => !(bad.index === index && bad.size === size && bad.root === root && bad.proof === proof),
        )
        for (const bad of wrong) expect(isIncluded(leaf, bad)).toBe(false)
        expect(isIncluded(Buffer.alloc(0), good)).toBe(false)
        expect(isIncluded(sha256('x'), good)).toBe(false)
      }
    }
  })

  test('of consistency shows nothing else', () => {
    for (const size of [1, 2, 3, 5, 8, 11]) {
      const leaves = leavesOf(size)
      const after = { size, root: mth(leaves) }
      for (let early = 1; early <= size; early++) {
        const before = { size: early, root: mth(leaves.slice(0, early)) }
        const proof = subproof(early, leaves, true)
        for (const bad of spoil(proof, after.root)) expect(isConsistent(before, after, bad)).toBe(false)
        if (early < size) expect(isConsistent(before, after, [])).toBe(false)
        expect(isConsistent({ ...before, size: 0 }, after, proof)).toBe(false)
        expect(isConsistent({ ...before, size: size + 1 }, after, proof)).toBe(false)
        expect(isConsistent({ ...before, root: sha256('x') }, after, proof)).toBe(false)
        expect(isConsistent(before, { ...after, root: sha256('x') }, proof)).toBe(false)
        expect(isConsistent({ ...before, root: Buffer.alloc(0) }, after, proof)).toBe(false)
      }
    }
  })
})
