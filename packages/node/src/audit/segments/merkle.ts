/**
 * Merkle: a tree over the lines of a segment, of which only the right edge is kept.
 *
 * chain → **tree** → head. Appending costs two hashes on average, and a tree of a million leaves is twenty hashes.
 *
 * @see RFC 9162 §2.1.1
 * @module
 */
import { hash } from 'node:crypto'

const leafInput = Buffer.alloc(33)
const nodeInput = Buffer.alloc(65)
nodeInput[0] = 1

/** Hash of a leaf whose data are 32 bytes: `SHA-256(0x00 ‖ data)`. */
export function leafHash(data: Uint8Array): Buffer {
  if (data.length !== 32) throw new RangeError('the data of a leaf are 32 bytes')
  leafInput.set(data, 1)
  return hash('sha256', leafInput, 'buffer')
}

/** Hash of a node: `SHA-256(0x01 ‖ left ‖ right)`, of 32 bytes each. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1)
  nodeInput.set(right, 33)
  return hash('sha256', nodeInput, 'buffer')
}

export class MerkleTree {
  /** Roots of the full trees that the leaves make, the largest first: one for each bit of the size. */
  private readonly edge: Buffer[]
  private count: number

  constructor(from?: MerkleTree) {
    this.edge = [...(from?.edge ?? [])]
    this.count = from?.count ?? 0
  }

  /** Number of leaves. */
  get size(): number {
    return this.count
  }

  append(leaf: Buffer): void {
    let node = leaf
    // One carry for each full tree that this leaf completes.
    for (let rest = this.count; rest % 2 === 1; rest = (rest - 1) / 2) {
      node = nodeHash(this.edge.pop() as Buffer, node)
    }
    this.edge.push(node)
    this.count++
  }

  root(): Buffer {
    const [last, ...others] = [...this.edge].reverse()
    if (last === undefined) return hash('sha256', '', 'buffer')
    return others.reduce((right, left) => nodeHash(left, right), last)
  }
}
