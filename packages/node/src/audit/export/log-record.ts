/**
 * Log records: an audit event in the data model of OpenTelemetry logs.
 *
 * log → **log record** → exporter. Standard attributes where the semantic conventions have them, `hfauth.*`
 * for the rest. Times are whole milliseconds since the epoch.
 *
 * @see OpenTelemetry logs data model; semantic conventions: general, HTTP, security rule, GenAI
 * @module
 */
import type { RecordedEvent } from '../types.ts'
import { severityOf } from './severity.ts'

export type LogAttributes = Readonly<Record<string, string | number | readonly string[]>>

export interface AuditLogRecord {
  readonly eventName: string
  readonly timeMs: number
  readonly severityNumber: number
  readonly severityText: 'INFO' | 'INFO2' | 'WARN' | 'ERROR'
  readonly attributes: LogAttributes
  /** Of the process that enforced; the same for all events of one writer. */
  readonly resource: LogAttributes
  readonly trace?: { readonly traceId: string; readonly spanId: string }
}

const severities = {
  1: { severityNumber: 9, severityText: 'INFO' },
  2: { severityNumber: 10, severityText: 'INFO2' },
  3: { severityNumber: 13, severityText: 'WARN' },
  4: { severityNumber: 17, severityText: 'ERROR' },
} as const

export function toLogRecord(event: RecordedEvent): AuditLogRecord {
  const { service, environment, writer, trace } = event
  const { name, version } = serviceOf(service)
  return {
    eventName: event.type,
    timeMs: Date.parse(event.time),
    ...severities[severityOf(event)],
    attributes: attributesOf(event),
    resource: present({
      'service.name': name,
      'service.version': version,
      'service.instance.id': writer,
      'deployment.environment.name': environment,
    }),
    ...(trace === undefined ? {} : { trace }),
  }
}

function attributesOf(event: RecordedEvent): LogAttributes {
  const { actor, client, http, resource, model, usage, decision, revocation, loss } = event
  return present({
    'log.record.uid': event.id,
    'hfauth.seq': event.seq,
    'hfauth.request.id': event.requestId,
    'hfauth.actor.kind': actor.kind,
    'hfauth.actor.issuer': actor.issuer,
    'hfauth.actor.acted_by': actor.actedBy,
    'user.id': actor.kind === 'anonymous' ? undefined : actor.id,
    'user.name': actor.name,
    'user.roles': actor.roles,
    'client.address': client?.ip,
    'user_agent.original': client?.userAgent,
    'hfauth.action': event.action,
    'hfauth.resource.kind': resource?.kind,
    'hfauth.resource.id': resource?.id,
    'hfauth.resource.revision': resource?.revision,
    'hfauth.resource.commit': resource?.commit,
    'hfauth.resource.path': resource?.path,
    'gen_ai.request.model': model?.id,
    'gen_ai.provider.name': model?.provider,
    'gen_ai.usage.input_tokens': usage?.input,
    'gen_ai.usage.output_tokens': usage?.output,
    'http.request.method': http?.method,
    'http.route': http?.route,
    'http.response.status_code': http?.status,
    'http.request.body.size': http?.bytesIn,
    'http.response.body.size': http?.bytesOut,
    'hfauth.decision.effect': decision?.effect,
    'hfauth.decision.reason': decision?.reason,
    'hfauth.decision.refused': decision?.refused,
    'hfauth.decision.missing_attributes': decision?.missingAttributes,
    'security_rule.uuid': decision?.statements[0],
    'hfauth.decision.statements': decision?.statements,
    'security_rule.version': decision?.policy,
    'error.type': event.error,
    'hfauth.scopes': event.scopes,
    'hfauth.revocation.door': revocation?.door,
    'hfauth.revocation.by': revocation?.by,
    'hfauth.revocation.target': revocation?.target,
    'hfauth.revocation.issuer': revocation?.issuer,
    'hfauth.revocation.event': revocation?.event,
    'hfauth.revocation.event_id': revocation?.eventId,
    'hfauth.revocation.latency_ms': revocation?.latencyMs,
    'hfauth.loss.reason': loss?.reason,
    'hfauth.loss.count': loss?.count,
    'hfauth.loss.bytes': loss?.bytes,
    'hfauth.loss.since': loss?.since,
    'hfauth.loss.until': loss?.until,
    'hfauth.duration_ms': event.durationMs,
    'hfauth.cut': event.cut,
  })
}

/** `hfauth-proxy/1.2.0` taken apart. */
export function serviceOf(service: string): { readonly name: string; readonly version?: string } {
  const at = service.lastIndexOf('/')
  return at < 1 ? { name: service } : { name: service.slice(0, at), version: service.slice(at + 1) }
}

function present(values: Readonly<Record<string, LogAttributes[string] | undefined>>): LogAttributes {
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, LogAttributes[string]] => entry[1] !== undefined,
    ),
  )
}
