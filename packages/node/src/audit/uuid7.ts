/**
 * UUIDv7: ids that sort by the time they were made.
 *
 * @see RFC 9562 §5.7, §6.2 (method 1: a counter within the millisecond)
 * @module
 */
import { randomUUID } from 'node:crypto'

export interface Uuid7Options {
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Makes random UUIDs (version 4), whose random bits are used. Default `crypto.randomUUID`. */
  readonly randomUuid?: () => string
}

/** A source of ids, each greater than the one before, even when the clock is set back. */
export function createUuid7({ now, randomUuid = randomUUID }: Uuid7Options): () => string {
  let lastMs = 0
  let counter = 0
  return () => {
    const random = randomUuid()
    const nowMs = Math.floor(now())
    if (nowMs > lastMs) {
      lastMs = nowMs
      // Starts in the lower half, so that there is room to count.
      counter = Number.parseInt(random.slice(0, 3), 16) & 0x7ff
    } else if (counter < 0xfff) {
      counter++
    } else {
      lastMs++
      counter = 0
    }
    const time = lastMs.toString(16).padStart(12, '0').slice(-12)
    const version = (0x7000 | counter).toString(16)
    // The last two groups: variant bits and 62 random ones, as version 7 has them too.
    return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${random.slice(19)}`
  }
}
