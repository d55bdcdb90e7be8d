/**
 * Trace context: which trace a request says it belongs to, for the record.
 *
 * request → **trace context** → audit. The caller's own word: it joins records and decides nothing.
 *
 * @see W3C Trace Context §3.2 (`traceparent`)
 * @module
 */
import type { AuditTrace } from '@hfauth/core'

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/

/** The trace of a `traceparent` header; `undefined` when there is none that the standard allows. */
export function readTraceContext(header: string | null): AuditTrace | undefined {
  const [, version, traceId = '', spanId = '', more] = form.exec(header ?? '') ?? []
  // Only later versions may say more; ff is none, and an id of zeros names nothing.
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  return /^0+$/.test(traceId) || /^0+$/.test(spanId) ? undefined : { traceId, spanId }
}
