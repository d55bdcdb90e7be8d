/**
 * Memory sink: keeps events in an array, for tests and for trying things out.
 *
 * @module
 */
import type { AuditSink, RecordedEvent } from './types.ts'

export interface MemorySink extends AuditSink {
  readonly events: readonly RecordedEvent[]
}

export function memorySink(): MemorySink {
  const events: RecordedEvent[] = []
  return {
    events,
    async write(event) {
      events.push(event)
    },
    async writeAll(batch) {
      events.push(...batch)
    },
  }
}
