/**
 * Proofs: that a leaf is in a tree, and that a tree grew out of a smaller one.
 *
 * Made from all leaves, checked with nothing but hashes.
 *
 * @see RFC 9162 §2.1.3 (inclusion), §2.1.4 (consistency)
 * @module
 */
import { MerkleTree, nodeHash } from './merkle.ts'

/** Hashes that lead from leaf `index` to the root of the tree over `leaves`. */
export function inclusionProof(leaves: readonly Buffer[], index: number): Buffer[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leaves.length)
    throw new RangeError('no such leaf')
  const proof: Buffer[] = []
  let start = 0
  let end = leaves.length
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      proof.push(rootOf(leaves, middle, end))
      end = middle
    } else {
      proof.push(rootOf(leaves, start, middle))
      start = middle
    }
  }
  return proof.reverse()
}

/** Hashes that show the tree over the first `size` of `leaves` within the tree over all. */
export function consistencyProof(leaves: readonly Buffer[], size: number): Buffer[] {
  if (!Number.isSafeInteger(size) || size < 1 || size > leaves.length) throw new RangeError('no such size')
  const proof: Buffer[] = []
  let start = 0
  let end = leaves.length
  let isWhole = true
  while (size !== end) {
    const middle = start + splitOf(end - start)
    if (size <= middle) {
      proof.push(rootOf(leaves, middle, end))
      end = middle
    } else {
      proof.push(rootOf(leaves, start, middle))
      start = middle
      isWhole = false
    }
  }
  // The smaller tree itself is known to whoever checks, a part of it is not.
  if (!isWhole) proof.push(rootOf(leaves, start, end))
  return proof.reverse()
}

/** Whether `leaf` is number `index` of the tree of `size` leaves with this root. */
export function isIncluded(
  leaf: Uint8Array,
  {
    index,
    size,
    root,
    proof,
  }: { index: number; size: number; root: Uint8Array; proof: readonly Uint8Array[] },
): boolean {
  if (!isCount(size) || !Number.isSafeInteger(index) || index < 0 || index >= size) return false
  if (![leaf, root, ...proof].every(isHash)) return false
  let at = index
  let last = size - 1
  let node: Uint8Array = leaf
  for (const other of proof) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      node = nodeHash(other, node)
      while (at % 2 === 0 && at !== 0) {
        at = half(at)
        last = half(last)
      }
    } else {
      node = nodeHash(node, other)
    }
    at = half(at)
    last = half(last)
  }
  return last === 0 && isSame(node, root)
}

export interface GrownTree {
  readonly size: number
  readonly root: Uint8Array
}

/** Whether the tree `after` begins with all leaves of the tree `before`. Size 0 proves nothing, and is refused. */
export function isConsistent(before: GrownTree, after: GrownTree, proof: readonly Uint8Array[]): boolean {
  if (!isCount(before.size) || !isCount(after.size) || before.size > after.size) return false
  if (![before.root, after.root, ...proof].every(isHash)) return false
  if (before.size === after.size) return proof.length === 0 && isSame(before.root, after.root)
  const isFull = Number.isInteger(Math.log2(before.size))
  const [first, ...others] = isFull ? [before.root, ...proof] : proof
  if (first === undefined || proof.length === 0) return false
  let at = before.size - 1
  let last = after.size - 1
  while (at % 2 === 1) {
    at = half(at)
    last = half(last)
  }
  let old = first
  let grown = first
  for (const other of others) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      old = nodeHash(other, old)
      grown = nodeHash(other, grown)
      while (at % 2 === 0 && at !== 0) {
        at = half(at)
        last = half(last)
      }
    } else {
      grown = nodeHash(grown, other)
    }
    at = half(at)
    last = half(last)
  }
  return last === 0 && isSame(old, before.root) && isSame(grown, after.root)
}

function rootOf(leaves: readonly Buffer[], start: number, end: number): Buffer {
  const tree = new MerkleTree()
  for (let at = start; at < end; at++) tree.append(leaves[at] as Buffer)
  return tree.root()
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  return 2 ** (Math.ceil(Math.log2(size)) - 1)
}

/** Sizes go beyond 32 bits, where `>>` would not. */
function half(value: number): number {
  return Math.floor(value / 2)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}

function isHash(value: Uint8Array): boolean {
  return value.length === 32
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
