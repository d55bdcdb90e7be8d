/**
 * Source: where events are read from to answer a question, and which of them are wanted.
 *
 * log, PostgreSQL → **source** → query, report. A source may leave out only what a filter does not want; what
 * it gives too much is sorted out here, so that every source leads to the same answer.
 *
 * @module
 */
import type { AuditEventType } from '@hfauth/core'
import { actorIds, resourceKey } from '../found-by.ts'
import type { RecordedEvent } from '../types.ts'

export interface AuditFilter {
  /** Epoch milliseconds; `from` belongs to the period, `to` does not. */
  readonly from?: number
  readonly to?: number
  readonly types?: readonly AuditEventType[]
  /** Id of the principal, or of one who acted for it. */
  readonly actor?: string
  /** Compared without case, as the Hub does. */
  readonly resource?: { readonly kind: string; readonly id: string }
  readonly environment?: string
}

export interface AuditSource {
  /**
   * Every event that the filter wants, and every gap in its period, in the order of their times or of writing.
   *
   * @throws HfAuthError `HFAUTH_AUDIT_UNREADABLE` when some of them cannot be read.
   */
  events(filter: AuditFilter): AsyncIterable<RecordedEvent>
}

/** Whatever a filter leaves out, the gaps of its period belong to the answer: without them it seems complete. */
export function isWanted(event: RecordedEvent, filter: AuditFilter): boolean {
  const time = Date.parse(event.time)
  if (time < (filter.from ?? time) || time >= (filter.to ?? Number.POSITIVE_INFINITY)) return false
  if (event.type === 'io.hfauth.audit.gap') return true
  const { types, actor, resource, environment } = filter
  return (
    (types?.includes(event.type) ?? true) &&
    (environment === undefined || event.environment === environment) &&
    (actor === undefined || actorIds(event).includes(actor)) &&
    (resource === undefined || resourceKey(resource) === resourceKey(event.resource))
  )
}

/** Oldest first, and always in the same order. */
export function byTime(
  a: { readonly time: string; readonly requestId: string },
  b: { readonly time: string; readonly requestId: string },
): number {
  return compare(a.time, b.time) || compare(a.requestId, b.requestId)
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
