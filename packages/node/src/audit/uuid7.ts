/**
 * UUIDv7: ids that sort by the time they were made.
 *
 * @see RFC 9562 §5.7, §6.2 (method 1: a counter within the millisecond)
 * @module
 */
import { randomBytes } from 'node:crypto'

export interface Uuid7Options {
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Default `crypto.randomBytes`. */
  readonly random?: (size: number) => Uint8Array
}

/** A source of ids, each greater than the one before, even when the clock is set back. */
export function createUuid7({ now, random = randomBytes }: Uuid7Options): () => string {
  let lastMs = 0
  let counter = 0
  return () => {
    const bytes = Buffer.from(random(10))
    const nowMs = Math.floor(now())
    if (nowMs > lastMs) {
      lastMs = nowMs
      // Starts in the lower half, so that there is room to count.
      counter = bytes.readUInt16BE(0) & 0x7ff
    } else if (counter < 0xfff) {
      counter++
    } else {
      lastMs++
      counter = 0
    }
    const time = lastMs.toString(16).padStart(12, '0').slice(-12)
    const version = (0x7000 | counter).toString(16)
    const variant = (0x8000 | (bytes.readUInt16BE(2) & 0x3fff)).toString(16)
    const rest = bytes.toString('hex', 4, 10)
    return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${rest}`
  }
}
