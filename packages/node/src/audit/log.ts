/**
 * Log: gives every event its number, and says that it is on record only when it is.
 *
 * decide → audit entry → **log** → sink. One queue and one write at a time, so that numbers follow the
 * order of writing and none is missing: an event that a sink refuses gives its number back.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import { numberOption } from '../internal/number-option.ts'
import { recordableText, recordedFields } from './recorded-fields.ts'
import type { AuditEntry, AuditLog, AuditSink, RecordedEvent } from './types.ts'
import { createUuid7 } from './uuid7.ts'

export interface AuditLogOptions {
  readonly sink: AuditSink
  /** Environment of the policy that is in force. */
  readonly environment: string
  /** Name and version of what enforces: `hfauth-proxy/1.2.0`. */
  readonly service: string
  /** Id of this writer. Default a random one: numbers start at 1 with each process. */
  readonly writer?: string
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Longest wait of a caller for its event to be on record, in milliseconds. Default 250. */
  readonly timeoutMs?: number
  /** Makes the ids of events. Default UUIDv7. */
  readonly randomId?: () => string
}

interface Waiting {
  readonly event: Omit<RecordedEvent, 'seq'>
  settle(outcome: { readonly event: RecordedEvent } | { readonly error: HfAuthError }): void
}

/** Most events that are handed to a sink in one go. */
const maxBatch = 1000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `timeoutMs` is out of its range. */
export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { sink, writer = randomUUID(), now = Date.now } = options
  const { randomId = createUuid7({ now }) } = options
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 250, { min: 1 })
  const environment = recordableText(options.environment)
  const service = recordableText(options.service)
  const hooks = new Set<(event: RecordedEvent) => void>()
  const queue = new Set<Waiting>()
  let writing: Promise<void> | undefined
  let lastSeq = 0
  let closed = false

  /** Takes what is waiting, batch by batch, until nothing is. */
  async function drain(): Promise<void> {
    // After the current turn, so that what is recorded together is written together.
    await undefined
    while (queue.size > 0) {
      const batch = take(queue, sink.writeAll === undefined ? 1 : maxBatch)
      const events = batch.map(({ event }, index) => Object.freeze({ ...event, seq: lastSeq + 1 + index }))
      try {
        if (sink.writeAll !== undefined) await sink.writeAll(events)
        else for (const event of events) await sink.write(event)
      } catch {
        // What a sink throws may quote the event's surroundings; that it failed is all there is to know here.
        const error = unavailable('the sink did not take the event')
        for (const { settle } of batch) settle({ error })
        continue
      }
      lastSeq += events.length
      for (const [index, event] of events.entries()) {
        batch[index]?.settle({ event })
        announce(event)
      }
    }
    // In the same turn as the last look into the queue, or an event could come in between and wait for ever.
    writing = undefined
  }

  function announce(event: RecordedEvent): void {
    for (const hook of hooks) {
      try {
        // A hook may be an async function all the same; its rejection must not end the process.
        Promise.resolve(hook(event)).catch(() => {})
      } catch {
        // A listener's fault is not the log's.
      }
    }
  }

  function complete(entry: AuditEntry): Omit<RecordedEvent, 'seq'> {
    const time = new Date(now()).toISOString()
    return { v: 1, id: randomId(), time, environment, service, writer, ...recordedFields(entry) }
  }

  return {
    record(entry) {
      if (closed) return Promise.reject(unavailable('the log is closed'))
      return new Promise<RecordedEvent>((resolve, reject) => {
        const waiting: Waiting = {
          event: complete(entry),
          settle(outcome) {
            clearTimeout(timer)
            if ('event' in outcome) resolve(outcome.event)
            else reject(outcome.error)
          },
        }
        const timer = setTimeout(() => {
          // Still in the queue: then it will never be written. Under way: it may yet be, and is announced if so.
          queue.delete(waiting)
          waiting.settle({ error: unavailable(`not on record within ${timeoutMs} ms`) })
        }, timeoutMs)
        queue.add(waiting)
        writing ??= drain()
      })
    },
    subscribe(hook) {
      // Each subscription is its own, also of the same function.
      const own = (event: RecordedEvent) => hook(event)
      hooks.add(own)
      return () => void hooks.delete(own)
    },
    async close() {
      if (closed) return
      closed = true
      await writing
      await sink.close?.()
    },
  }
}

/** Removes and returns the first `count` items. */
function take<T>(items: Set<T>, count: number): T[] {
  const taken: T[] = []
  for (const item of items) {
    if (taken.length === count) break
    taken.push(item)
    items.delete(item)
  }
  return taken
}

function unavailable(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_AUDIT_UNAVAILABLE', `the audit event is not on record: ${reason}`, {
    retryable: true,
  })
}
