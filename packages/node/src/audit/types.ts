/**
 * Where audit events go, and what callers hand over.
 *
 * @module
 */
import type { AuditEvent } from '@hfauth/core'

/** An event as it is written: numbered by its writer, from 1 and without holes. */
export interface RecordedEvent extends AuditEvent {
  readonly writer: string
  readonly seq: number
}

/** A place that events go to. A rejected promise means that the event is not on record. */
export interface AuditSink {
  write(event: RecordedEvent): Promise<void>
  /** As many events as are waiting, all or none: lets a sink make them durable in one go. */
  writeAll?(events: readonly RecordedEvent[]): Promise<void>
  /** What is there already: the log goes on with its numbers, under its writer. */
  readonly resume?: AuditResume
  close?(): Promise<void>
}

export interface AuditResume {
  readonly writer: string
  /** Number of the last event; 0 when there is none. */
  readonly lastSeq: number
  /** Bytes of an unfinished write that a crash left behind, and that were cut off. */
  readonly tornBytes: number
}

/** What a caller knows; the log adds version, id, time, environment, service, writer and number. */
export type AuditEntry = Omit<AuditEvent, 'v' | 'id' | 'time' | 'environment' | 'service'>

export interface AuditLog {
  /**
   * Writes one event and resolves when it is on record. Under the loss policy `available` also when it is not, or
   * not yet; then its `seq` is 0.
   *
   * @throws HfAuthError `HFAUTH_AUDIT_UNAVAILABLE` (retryable) when, under the loss policy `strict`, the sink refuses
   * or takes too long, or too many events wait for it.
   */
  record(entry: AuditEntry): Promise<RecordedEvent>
  /** Hears every event after it is on record; returns the way to stop. A hook never sees a token. */
  subscribe(hook: (event: RecordedEvent) => void): () => void
  close(): Promise<void>
}
