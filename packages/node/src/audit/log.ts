/**
 * Log: gives every event its number, and says that it is on record only when it is.
 *
 * decide → audit entry → **log** → sink. One queue and one write at a time, so that numbers follow the
 * order of writing and none is missing: an event that a sink refuses gives its number back. What is lost is
 * counted, and the count is the first thing on record once the sink takes events again.
 *
 * Events for which nobody has to wait run ahead of the sink, a little way and only while it keeps up.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import { numberOption } from '../internal/number-option.ts'
import { durabilityOf } from './durability.ts'
import { createLosses } from './losses.ts'
import { createMinimiser, type PersonalDataRules } from './minimise.ts'
import { recordableText, recordedFields } from './recorded-fields.ts'
import type { AuditEffect, AuditEntry, AuditLog, AuditSink, RecordedEvent } from './types.ts'
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
  /**
   * `by-event`, the default: denials, descriptions and what came of a request may be on record a little later than
   * they happen, as `durabilityOf` says. `strict`: every event is on record first.
   */
  readonly durability?: 'by-event' | 'strict'
  /** How long events for which nobody waits are collected before they are written, in milliseconds. Default 20. */
  readonly flushMs?: number
  /**
   * How far the sink may be behind. While an event has waited for longer, every caller waits for its own; in
   * milliseconds. Default 1000.
   */
  readonly maxBehindMs?: number
  /** Most events that wait for the sink, half of them without anybody waiting for them. Default 10,000. */
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
  /** When it came, in milliseconds of a clock that nobody sets. */
  readonly at: number
  settle(outcome: { readonly event: RecordedEvent } | { readonly error: HfAuthError }): void
}

/** Most events that are handed to a sink in one go. */
const maxBatch = 1000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is out of its range. */
export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { sink, now = Date.now, lossPolicy = 'strict' } = options
  const { randomId = createUuid7({ now }), writer = sink.resume?.writer ?? randomUUID() } = options
  const { durability = 'by-event' } = options
  if (durability !== 'by-event' && durability !== 'strict')
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`durability` must be `by-event` or `strict`')
  if (lossPolicy !== 'strict' && lossPolicy !== 'available')
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`lossPolicy` must be `strict` or `available`')
  const isStrict = lossPolicy === 'strict'
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 250, { min: 1 })
  const retryMs = numberOption('retryMs', options.retryMs ?? 1000, { min: 1 })
  const flushMs = numberOption('flushMs', options.flushMs ?? 20, { min: 1 })
  const maxBehindMs = numberOption('maxBehindMs', options.maxBehindMs ?? 1000, { min: 1 })
  const maxWaiting = numberOption('maxWaiting', options.maxWaiting ?? 10_000, { min: 1, max: 10_000_000 })
  const minimise = createMinimiser(options.personalData)
  const environment = recordableText(options.environment)
  const service = recordableText(options.service)
  const hooks = new Set<(event: RecordedEvent) => void>()
  // An array, since a `Set` would make table after table, and those hold what has long been written.
  const queue: Waiting[] = []
  /** Taken before the queue: what the sink did not take the first time. */
  const again: Waiting[] = []
  const losses = createLosses(sink.resume?.tornBytes ?? 0)
  let writing: Promise<void> | undefined
  let retryTimer: NodeJS.Timeout | undefined
  let flushTimer: NodeJS.Timeout | undefined
  /** What came until then is to be written now; as `at`. */
  let urgentUntil = Number.NEGATIVE_INFINITY
  /** Since when the sink has not had what was recorded. */
  let behindSince: number | undefined
  /** Of the sink, as far as anybody can tell. */
  let lastWrite: 'none' | 'done' | 'failed' = 'none'
  let lastSeq = sink.resume?.lastSeq ?? 0
  let closed = false

  /** Takes what is waiting, batch by batch, until nobody waits. */
  async function drain(): Promise<void> {
    // After the current turn, so that what is recorded together is written together.
    await undefined
    while (isDue()) {
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
      lastWrite = isRefused ? 'failed' : 'done'
      behindSince = queue[0]?.at
      for (const [index, event] of events.slice(0, written).entries()) {
        batch[index]?.settle({ event })
        announce(event)
      }
      if (isRefused && !refuse(batch.slice(written))) break
    }
    // In the same turn as the last look into the queue, or an event could come in between and wait for ever.
    writing = undefined
    if (queue.length > 0) flushSoon()
  }

  function isDue(): boolean {
    if (again.length > 0 || losses.isDue()) return true
    const [first] = queue
    return first !== undefined && (closed || queue.length >= maxBatch || first.at <= urgentUntil)
  }

  function flushSoon(): void {
    // Not unreferenced: a process that has nothing else to do still writes what it has taken in.
    flushTimer ??= setTimeout(flush, flushMs)
  }

  function flush(): void {
    clearTimeout(flushTimer)
    flushTimer = undefined
    urgentUntil = performance.now()
    begin()
  }

  function begin(): void {
    if (retryTimer === undefined) writing ??= drain()
  }

  /** Losses first, then what waited longest. */
  function nextBatch(size: number): Waiting[] {
    const gaps = losses.take().map((loss): Waiting => {
      const entry = { type: 'io.hfauth.audit.gap', requestId: randomId(), actor: self, loss } as const
      const settle: Waiting['settle'] = (outcome) => 'error' in outcome && losses.giveBack(loss)
      return { event: complete(entry), at: performance.now(), settle }
    })
    const waiting = again.splice(0, size)
    // Never a count of losses alone while events wait: a sink that fails has to fail them too.
    return [...gaps, ...waiting, ...queue.splice(0, size - waiting.length)]
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

  /** Whether an event may be on record later than it happens: not behind a sink that fails or falls behind. */
  function mayRunAhead(at: number): boolean {
    const isBehind = behindSince !== undefined && at - behindSince >= maxBehindMs
    return lastWrite === 'done' && !isBehind && queue.length < maxWaiting / 2
  }

  function record(entry: AuditEntry, effect?: AuditEffect): Promise<RecordedEvent> {
    if (closed) return Promise.reject(unavailable('the log is closed'))
    const event = complete(entry)
    if (queue.length + again.length >= maxWaiting) {
      losses.add('overflow', event)
      lastWrite = 'failed'
      if (isStrict) return Promise.reject(unavailable('too many events wait for the sink'))
      return Promise.resolve({ ...event, seq: 0 })
    }
    const at = performance.now()
    const isAhead = durability === 'by-event' && durabilityOf(entry, effect) === 'bounded' && mayRunAhead(at)
    behindSince ??= at
    return isAhead ? runAhead(event, at) : wait(event, at)
  }

  function runAhead(event: Unnumbered, at: number): Promise<RecordedEvent> {
    queue.push({ event, at, settle: () => {} })
    flushSoon()
    if (queue.length >= maxBatch) begin()
    return Promise.resolve({ ...event, seq: 0 })
  }

  function wait(event: Unnumbered, at: number): Promise<RecordedEvent> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        event,
        at,
        settle(outcome) {
          clearTimeout(timer)
          if ('event' in outcome) resolve(outcome.event)
          else reject(outcome.error)
        },
      }
      const timer = setTimeout(() => {
        lastWrite = 'failed'
        if (!isStrict) return waiting.settle({ event: { ...event, seq: 0 } })
        // Still in the queue: then it will never be written. Under way: it may yet be, and is announced if so.
        if (remove(queue, waiting)) losses.add('unavailable', event)
        waiting.settle({ error: unavailable(`not on record within ${timeoutMs} ms`) })
      }, timeoutMs)
      queue.push(waiting)
      urgentUntil = at
      // A sink that failed is left alone for a while; until then nobody waits for it.
      if (retryTimer !== undefined) waiting.settle({ event: { ...event, seq: 0 } })
      else writing ??= drain()
    })
  }

  if (losses.isDue()) writing = drain()
  return {
    record,
    isFailing: () => isStrict && lastWrite === 'failed',
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
      retryTimer = undefined
      flush()
      await writing
      losses.hurry()
      await drain()
      await sink.close?.()
    },
  }
}

/** Who speaks where the log speaks of itself. */
const self = { kind: 'workload', id: 'hfauth', issuer: 'hfauth', roles: [] } as const

/** Says whether it was there. */
function remove<T>(items: T[], item: T): boolean {
  const at = items.indexOf(item)
  if (at >= 0) items.splice(at, 1)
  return at >= 0
}

function unavailable(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_AUDIT_UNAVAILABLE', `the audit event is not on record: ${reason}`, {
    retryable: true,
  })
}
