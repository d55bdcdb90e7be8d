/**
 * Destination: a place that events are sent to after they are on record here.
 *
 * local log → shipper → **destination**. Requests never wait for one: what it does not take stays in the log.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { RecordedEvent } from '../types.ts'

/** What a shipper delivers to: `createShipper({ directory, name, deliver: destination.deliver })`. */
export interface AuditDestination {
  /**
   * Resolves when all of `events` are there for good. An event can come again after a failure or a restart: ids tell.
   *
   * @throws HfAuthError `HFAUTH_AUDIT_UNDELIVERED` (retryable), which quotes nothing of what was sent.
   */
  readonly deliver: (events: readonly RecordedEvent[]) => Promise<void>
}

export function undelivered(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_AUDIT_UNDELIVERED', `audit events were not delivered: ${reason}`, {
    retryable: true,
  })
}
