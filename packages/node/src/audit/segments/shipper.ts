/**
 * Shipper: hands what is in a log to somewhere else, in order, and remembers how far it came.
 *
 * segments → **shipper** → another sink. The log on the disk comes first: a place that is slow or dead holds up
 * the shipper and nobody else, and one batch is all that it keeps in memory. An event comes at least once; its
 * `id` tells that it came before.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { numberOption } from '../../internal/number-option.ts'
import type { RecordedEvent } from '../types.ts'
import { assertCursorName, readCursor, writeCursor } from './cursor.ts'
import { readSegments, type SegmentPlace } from './read.ts'

export interface ShipperOptions {
  readonly directory: string
  /** Under which its place is remembered. One shipper for each name. */
  readonly name: string
  /** Takes some events, all or none: what it rejects comes again. */
  readonly deliver: (events: readonly RecordedEvent[], signal: AbortSignal) => Promise<unknown>
  /** Most events in one go. Default 500. */
  readonly batchSize?: number
  /** How often the log is looked at, in milliseconds; `wake` does it at once. Default 1000. */
  readonly pollMs?: number
  /** Longest time for one delivery, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number
  /** Longest pause after a failure, in milliseconds; the first one is a hundredth of it. Default 30,000. */
  readonly maxRetryMs?: number
}

export interface ShipperStatus {
  /** The last line that was delivered; absent before there was one. */
  readonly place?: SegmentPlace
  readonly delivered: number
  /** Attempts that failed since the last one that did not. */
  readonly failures: number
}

export interface Shipper {
  status(): ShipperStatus
  /** Looks at the log now; something to `subscribe` with. */
  wake(): void
  /** Ends after the delivery under way, which it breaks off. */
  close(): Promise<void>
}

/** Before the first line of all. */
const beginning: SegmentPlace = { segment: 0, line: 0 }

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is out of its range. */
export function createShipper(options: ShipperOptions): Shipper {
  const { directory, name, deliver } = options
  assertCursorName(name)
  const batchSize = numberOption('batchSize', options.batchSize ?? 500, { min: 1, max: 100_000 })
  const pollMs = numberOption('pollMs', options.pollMs ?? 1000, { min: 1 })
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 30_000, { min: 1 })
  const maxRetryMs = numberOption('maxRetryMs', options.maxRetryMs ?? 30_000, { min: 1 })
  const stop = new AbortController()
  let alarm = new AbortController()
  let place: SegmentPlace | undefined
  let delivered = 0
  let failures = 0

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      const woken = alarm.signal
      try {
        place ??= await findPlace()
        await shipNew(place)
        failures = 0
        await pause(pollMs, AbortSignal.any([stop.signal, woken]))
      } catch {
        // It is its own error that tells of the other side; here it only means to try again.
        failures++
        await pause(Math.min(maxRetryMs, (maxRetryMs / 100) * 2 ** (failures - 1)), stop.signal)
      }
    }
  }

  /** Where to go on. The beginning is remembered too: what is not delivered yet must not be removed. */
  async function findPlace(): Promise<SegmentPlace> {
    const known = await readCursor(directory, name)
    if (known === undefined) await writeCursor(directory, name, beginning)
    return known ?? beginning
  }

  /** Everything that is there now. */
  async function shipNew(after: SegmentPlace): Promise<void> {
    let batch: RecordedEvent[] = []
    let end: SegmentPlace | undefined
    for await (const { event, segment, line } of readSegments(directory, { after })) {
      batch.push(event)
      end = { segment, line }
      if (batch.length < batchSize) continue
      await ship(batch, end)
      batch = []
    }
    if (end !== undefined && batch.length > 0) await ship(batch, end)
  }

  async function ship(batch: readonly RecordedEvent[], end: SegmentPlace): Promise<void> {
    stop.signal.throwIfAborted()
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(timeoutMs)])
    await Promise.race([deliver(batch, signal), aborted(signal)])
    await writeCursor(directory, name, end)
    place = end
    delivered += batch.length
  }

  const running = run()
  return {
    status: () => ({
      ...(place === undefined || place.segment === beginning.segment ? {} : { place }),
      delivered,
      failures,
    }),
    wake() {
      const before = alarm
      alarm = new AbortController()
      before.abort()
    },
    async close() {
      stop.abort()
      await running
    },
  }
}

/** Rejects when the signal is aborted, also for a delivery that does not look at it. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => {})
}
