/**
 * The audit trail as the page reads it: what has been, and then each event as it is recorded.
 *
 * @module
 */
import type { AuditLog, RecordedEvent } from '@hfauth/node'

export interface Trail {
  readonly events: readonly RecordedEvent[]
  /** The events so far and from then on, until `signal` is aborted or the trail closes. */
  follow(signal: AbortSignal): ReadableStream<RecordedEvent>
  close(): void
}

/** The demo remembers this many events; the file has them all. */
const remembered = 1000

export function createTrail(logs: readonly AuditLog[]): Trail {
  const events: RecordedEvent[] = []
  const followers = new Set<ReadableStreamDefaultController<RecordedEvent>>()
  const stops = logs.map((log) =>
    log.subscribe((event) => {
      events.push(event)
      if (events.length > remembered) events.shift()
      for (const follower of followers) follower.enqueue(event)
    }),
  )
  return {
    events,
    follow(signal) {
      let end = () => {}
      return new ReadableStream<RecordedEvent>({
        start(controller) {
          for (const event of events) controller.enqueue(event)
          followers.add(controller)
          end = () => {
            if (followers.delete(controller)) controller.close()
          }
          signal.addEventListener('abort', end, { once: true })
        },
        cancel() {
          end()
        },
      })
    },
    close() {
      for (const stop of stops) stop()
      for (const follower of followers) follower.close()
      followers.clear()
    },
  }
}
