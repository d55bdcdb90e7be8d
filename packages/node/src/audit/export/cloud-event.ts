/**
 * CloudEvents: an audit event in the envelope that event buses carry.
 *
 * log → **CloudEvent** → HTTP, Kafka, a broker. The event itself is `data`, unchanged; what routes, orders and
 * joins it stands in attributes of version 1.0 and its published extensions.
 *
 * @see CloudEvents 1.0.2; extensions authcontext, sequence, partitioning, distributed tracing, data classification
 * @module
 */
import type { RecordedEvent } from '../types.ts'

export interface AuditCloudEvent {
  readonly specversion: '1.0'
  readonly id: string
  /** `/hfauth/ENVIRONMENT/WRITER`: with `id`, unique for ever. */
  readonly source: string
  readonly type: string
  readonly time: string
  readonly datacontenttype: 'application/json'
  /** `model/acme/ranker` */
  readonly subject?: string
  /** Twenty digits, so that text sorts as the numbers do. */
  readonly sequence: string
  readonly partitionkey: string
  readonly dataclassification: 'confidential'
  readonly authtype: 'app_user' | 'service_account' | 'unauthenticated'
  readonly authid?: string
  readonly traceparent?: string
  readonly data: RecordedEvent
}

const authTypes = { user: 'app_user', workload: 'service_account', anonymous: 'unauthenticated' } as const

export function toCloudEvent(event: RecordedEvent): AuditCloudEvent {
  const { id, type, time, environment, writer, seq, actor, resource, trace } = event
  return {
    specversion: '1.0',
    id,
    source: `/hfauth/${segment(environment)}/${segment(writer)}`,
    type,
    time,
    datacontenttype: 'application/json',
    ...(resource === undefined ? {} : { subject: `${resource.kind}/${resource.id}` }),
    sequence: String(seq).padStart(20, '0'),
    partitionkey: writer,
    dataclassification: 'confidential',
    authtype: authTypes[actor.kind],
    ...(actor.kind === 'anonymous' || actor.id === '' ? {} : { authid: actor.id }),
    // Whether the caller sampled its trace is not on record.
    ...(trace === undefined ? {} : { traceparent: `00-${trace.traceId}-${trace.spanId}-00` }),
    data: event,
  }
}

/** Halves of characters have no form in a URI. */
function segment(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, '\ufffd'))
}
