/**
 * Log: gives every event its number, and says that it is on record only when it is.
 *
 * decide → audit entry → **log** → sink. One queue and one write at a time, so that numbers follow the
 * order of writing and none is missing: an event that a sink refuses gives its number back. What is lost is
 * counted, and the count is the first thing on record once the sink takes events again.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import { numberOption } from '../internal/number-option.ts'
import { createLosses } from './losses.ts'
import { createMinimiser, type PersonalDataRules } from './minimise.ts'
import { recordableText, recordedFields } from './recorded-fields.ts'
import type { AuditEntry, AuditLog, AuditSink, RecordedEvent } from './types.ts'
import { createUuid7 } from './uuid7.ts'

export interface AuditLogOptions {
  readonly sink: AuditSink
  /** Environment of the policy that is in force. */
  readonly environment: string
  /** Name and version of what enforces: `hfauth-proxy/1.2.0`. */
  readonly service: string
  /** Id of this writer. Default that of the sink, else a random one: numbers start at 1 with each process. */
  readonly writer?: string
  /**
   * What happens when an event cannot be put on record. `strict`, the default: the caller gets an error, and refuses
   * what it was asked for. `available`: the caller goes on; the event waits for the sink, in memory, and is counted
   * as lost where there is no room.
   */
  readonly lossPolicy?: 'strict' | 'available'
  /** Most events that wait for the sink. Default 10,000. */
  readonly maxWaiting?: number
  /** How much of a person goes on record. Default everything that an event has a place for. */
  readonly personalData?: PersonalDataRules
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Longest wait of a caller for its event to be on record, in milliseconds. Default 250. */
  readonly timeoutMs?: number
  /** Under `available`, how long a sink that failed is left alone, in milliseconds. Default 1000. */
  readonly retryMs?: number
  /** Makes the ids of events. Default UUIDv7. */
  readonly randomId?: () => string
}

type Unnumbered = Omit<RecordedEvent, 'seq'>

interface Waiting {
  readonly event: Unnumbered
  settle(outcome: { readonly event: RecordedEvent } | { readonly error: HfAuthError }): void
}

/** Most events that are handed to a sink in one go. */
const maxBatch = 1000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is out of its range. */
export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { sink, now = Date.now, lossPolicy = 'strict' } = options
  const { randomId = createUuid7({ now }), writer = sink.resume?.writer ?? randomUUID() } = options
  if (lossPolicy !== 'strict' && lossPolicy !== 'available')
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`lossPolicy` must be `strict` or `available`')
  const isStrict = lossPolicy === 'strict'
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 250, { min: 1 })
  const retryMs = numberOption('retryMs', options.retryMs ?? 1000, { min: 1 })
  const maxWaiting = numberOption('maxWaiting', options.maxWaiting ?? 10_000, { min: 1, max: 10_000_000 })
  const minimise = createMinimiser(options.personalData)
  const environment = recordableText(options.environment)
  const service = recordableText(options.service)
  const hooks = new Set<(event: RecordedEvent) => void>()
  const queue = new Set<Waiting>()
  /** Taken before the queue: what the sink did not take the first time. */
  const again: Waiting[] = []
  const losses = createLosses(sink.resume?.tornBytes ?? 0)
  let writing: Promise<void> | undefined
  let retryTimer: NodeJS.Timeout | undefined
  let lastSeq = sink.resume?.lastSeq ?? 0
  let closed = false

  /** Takes what is waiting, batch by batch, until nothing is. */
  async function drain(): Promise<void> {
    // After the current turn, so that what is recorded together is written together.
    await undefined
    while (again.length > 0 || queue.size > 0 || losses.isDue()) {
      const batch = nextBatch(sink.writeAll === undefined ? 1 : maxBatch)
      const events = batch.map(({ event }, index) => Object.freeze({ ...event, seq: lastSeq + 1 + index }))
      let written = 0
      let isRefused = false
      try {
        if (sink.writeAll !== undefined) {
          await sink.writeAll(events)
          written = events.length
        } else {
          for (const event of events) {
            await sink.write(event)
            written++
          }
        }
      } catch {
        isRefused = true
      }
      lastSeq += written
      for (const [index, event] of events.slice(0, written).entries()) {
        batch[index]?.settle({ event })
        announce(event)
      }
      if (isRefused && !refuse(batch.slice(written))) break
    }
    // In the same turn as the last look into the queue, or an event could come in between and wait for ever.
    writing = undefined
  }

  /** Losses first, then what waited longest. */
  function nextBatch(size: number): Waiting[] {
    const gaps = losses.take().map((loss): Waiting => {
      const entry = { type: 'io.hfauth.audit.gap', requestId: randomId(), actor: self, loss } as const
      return { event: complete(entry), settle: (outcome) => 'error' in outcome && losses.giveBack(loss) }
    })
    const waiting = again.splice(0, size)
    // Never a count of losses alone while events wait: a sink that fails has to fail them too.
    return [...gaps, ...waiting, ...take(queue, size - waiting.length)]
  }

  /** After a failure of the sink; says whether it is to be tried with the next batch at once. */
  function refuse(batch: readonly Waiting[]): boolean {
    // What a sink throws may quote the event's surroundings; that it failed is all there is to know here.
    const error = unavailable('the sink did not take the event')
    if (isStrict || closed) {
      for (const { event, settle } of batch) {
        settle({ error })
        if (event.loss === undefined) losses.add('unavailable', event)
      }
      losses.defer()
      return true
    }
    for (const { event, settle } of batch) {
      settle(event.loss === undefined ? { event: { ...event, seq: 0 } } : { error })
    }
    again.unshift(...batch.filter(({ event }) => event.loss === undefined))
    losses.defer()
    retryTimer = setTimeout(() => {
      retryTimer = undefined
      writing ??= drain()
    }, retryMs).unref()
    return false
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

  function complete(entry: AuditEntry): Unnumbered {
    const time = new Date(now()).toISOString()
    return { v: 1, id: randomId(), time, environment, service, writer, ...recordedFields(minimise(entry)) }
  }

  function record(entry: AuditEntry): Promise<RecordedEvent> {
    if (closed) return Promise.reject(unavailable('the log is closed'))
    const event = complete(entry)
    if (queue.size + again.length >= maxWaiting) {
      losses.add('overflow', event)
      if (isStrict) return Promise.reject(unavailable('too many events wait for the sink'))
      return Promise.resolve({ ...event, seq: 0 })
    }
    return new Promise<RecordedEvent>((resolve, reject) => {
      const waiting: Waiting = {
        event,
        settle(outcome) {
          clearTimeout(timer)
          if ('event' in outcome) resolve(outcome.event)
          else reject(outcome.error)
        },
      }
      const timer = setTimeout(() => {
        if (!isStrict) return waiting.settle({ event: { ...event, seq: 0 } })
        // Still in the queue: then it will never be written. Under way: it may yet be, and is announced if so.
        if (queue.delete(waiting)) losses.add('unavailable', event)
        waiting.settle({ error: unavailable(`not on record within ${timeoutMs} ms`) })
      }, timeoutMs)
      queue.add(waiting)
      // A sink that failed is left alone for a while; until then nobody waits for it.
      if (retryTimer !== undefined) waiting.settle({ event: { ...event, seq: 0 } })
      else writing ??= drain()
    })
  }

  if (losses.isDue()) writing = drain()
  return {
    record,
    subscribe(hook) {
      // Each subscription is its own, also of the same function.
      const own = (event: RecordedEvent) => hook(event)
      hooks.add(own)
      return () => void hooks.delete(own)
    },
    async close() {
      if (closed) return
      closed = true
      clearTimeout(retryTimer)
      await writing
      losses.hurry()
      await drain()
      await sink.close?.()
    },
  }
}

/** Who speaks where the log speaks of itself. */
const self = { kind: 'workload', id: 'hfauth', issuer: 'hfauth', roles: [] } as const

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
