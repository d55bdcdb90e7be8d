/**
 * Bloom filter: a small set that never says no to what is in it, and seldom yes to what is not.
 *
 * @module
 */
import { hash } from 'node:crypto'

/** About one wrong yes in a hundred. */
const bitsPerItem = 10
const hashes = 7

export function createBloom(items: ReadonlySet<string>): string {
  const bits = Buffer.alloc(Math.max(8, Math.ceil((items.size * bitsPerItem) / 8)))
  for (const item of items) {
    for (const bit of bitsOf(item, bits.length * 8)) bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (1 << (bit & 7))
  }
  return bits.toString('base64')
}

export function mayContain(bloom: string, item: string): boolean {
  const bits = Buffer.from(bloom, 'base64')
  return bitsOf(item, bits.length * 8).every((bit) => ((bits[bit >> 3] ?? 0xff) & (1 << (bit & 7))) !== 0)
}

function bitsOf(item: string, size: number): number[] {
  const digest = hash('sha256', item, 'buffer')
  return Array.from({ length: hashes }, (_, i) => digest.readUInt32LE(i * 4) % size)
}
