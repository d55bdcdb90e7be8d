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

/** What a caller knows; the log adds version, id, time, environment, service, writer, number, and what it has cut. */
export type AuditEntry = Omit<AuditEvent, 'v' | 'id' | 'time' | 'environment' | 'service' | 'cut'>

/** What of an event only its recorder knows. */
export interface AuditEffect {
  /** It lets somebody see a description or a list, and nothing of what files or programs hold. */
  readonly describes?: boolean | undefined
}

export interface AuditLog {
  /**
   * Records one event and resolves when its effect may begin: when it is on record, or for one that may be there a
   * little later when it is taken in. Under the loss policy `available` also when it is not on record. Its `seq` is
   * 0 unless it is there.
   *
   * @throws HfAuthError `HFAUTH_AUDIT_UNAVAILABLE` (retryable) when, under the loss policy `strict`, the sink refuses
   * or takes too long, or too many events wait for it.
   */
  record(entry: AuditEntry, effect?: AuditEffect): Promise<RecordedEvent>
  /** Hears every event after it is on record; returns the way to stop. A hook never sees a token. */
  subscribe(hook: (event: RecordedEvent) => void): () => void
  /** Whether the last event could not be put on record, so that requests are refused. Never under `available`. */
  isFailing(): boolean
  /** Puts on record what is not there yet, and takes no more. */
  close(): Promise<void>
}
