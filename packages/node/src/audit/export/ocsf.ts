/**
 * OCSF: an audit event in the schema that security data lakes and SIEMs read.
 *
 * log → **OCSF event** → Security Lake, Splunk, any SIEM. Each event has the attributes that its class requires;
 * what has no place in OCSF is under `unmapped`, so that nothing is lost on the way.
 *
 * @see ocsf-schema 1.9; profiles security_control and trace
 * @module
 */
import type { RecordedEvent } from '../types.ts'
import { serviceOf } from './log-record.ts'
import { type OcsfClass, ocsfClassOf } from './ocsf-classes.ts'
import { severityOf } from './severity.ts'

/** Version of OCSF whose attributes these are. */
export const ocsfVersion = '1.9.0-dev'

export interface OcsfEvent {
  readonly category_uid: number
  readonly class_uid: OcsfClass
  readonly activity_id: number
  readonly activity_name: string
  readonly type_uid: number
  readonly severity_id: number
  readonly status_id: 1 | 2
  /** Epoch milliseconds. */
  readonly time: number
  readonly metadata: Readonly<Record<string, unknown>>
  readonly [attribute: string]: unknown
}

export function toOcsf(event: RecordedEvent): OcsfEvent {
  const { classUid, activity } = ocsfClassOf(event)
  const { trace, decision, error, durationMs, http, client } = event
  const failed = isFailure(event)
  return {
    category_uid: Math.floor(classUid / 1000),
    class_uid: classUid,
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: classUid * 100 + activity.id,
    severity_id: severityOf(event),
    status_id: failed ? 2 : 1,
    ...present({ status_code: error ?? decision?.reason }),
    time: Date.parse(event.time),
    ...present({ duration: durationMs === undefined ? undefined : Math.round(durationMs) }),
    metadata: metadataOf(event),
    ...partsOf(classUid, event),
    ...(http === undefined && client?.userAgent === undefined ? {} : { http_request: requestOf(event) }),
    ...(http?.status === undefined
      ? {}
      : { http_response: present({ code: http.status, body_length: http.bytesOut }) }),
    ...(decision === undefined
      ? {}
      : {
          // Allowed, or denied and therefore blocked.
          action_id: failed ? 2 : 1,
          disposition_id: failed ? 2 : 1,
          policy: { uid: decision.policy, version: decision.policy },
        }),
    ...(trace === undefined ? {} : { trace: { uid: trace.traceId, span: { uid: trace.spanId } } }),
    ...unmappedOf(event),
  }
}

function isFailure({ type, decision, error }: RecordedEvent): boolean {
  return (
    decision?.effect === 'deny' ||
    error !== undefined ||
    type === 'io.hfauth.token.rejected' ||
    type === 'io.hfauth.signin.refused' ||
    type === 'io.hfauth.audit.gap'
  )
}

function metadataOf(event: RecordedEvent) {
  const { name, version } = serviceOf(event.service)
  const profiles = [
    ...(event.decision === undefined ? [] : ['security_control']),
    ...(event.trace === undefined ? [] : ['trace']),
  ]
  return {
    version: ocsfVersion,
    uid: event.id,
    event_code: event.type,
    sequence: event.seq,
    log_name: event.writer,
    log_version: String(event.v),
    correlation_uid: event.requestId,
    labels: [`environment:${event.environment}`],
    product: present({ name, version, vendor_name: 'hfauth' }),
    ...(profiles.length === 0 ? {} : { profiles }),
  }
}

/** What the class requires, beyond what every event has. */
function partsOf(classUid: OcsfClass, event: RecordedEvent): Readonly<Record<string, unknown>> {
  const { client, resource, revocation, loss } = event
  const source = client?.ip === undefined ? { name: 'unknown' } : { ip: client.ip }
  const actor = { actor: actorOf(event) }
  switch (classUid) {
    case 3002:
      return { user: userOf(event), service: { name: event.service }, src_endpoint: source, ...actor }
    case 3004: {
      const entity =
        revocation === undefined
          ? {
              type: resource?.kind ?? 'policy',
              uid: resource?.id ?? event.decision?.policy ?? event.requestId,
            }
          : { type: revocation.by ?? 'revocation', uid: revocation.target ?? event.requestId }
      return { entity: { ...entity, ...present({ version: resource?.revision }) }, ...actor }
    }
    case 6003:
      return {
        ...actor,
        api: { operation: event.action ?? 'unknown', service: { name: event.service } },
        src_endpoint: source,
        ...(resource === undefined
          ? {}
          : {
              resources: [
                {
                  type: resource.kind,
                  uid: resource.id,
                  name: resource.id,
                  ...present({ version: resource.commit ?? resource.revision }),
                },
              ],
            }),
      }
    case 6008:
      return {
        message: `audit events are missing: ${loss?.reason ?? 'unknown'}`,
        ...present({ count: loss?.count }),
      }
  }
}

const userTypes = { user: 1, workload: 4, anonymous: 0 } as const

function userOf({ actor }: RecordedEvent) {
  return {
    uid: actor.id === '' ? 'anonymous' : actor.id,
    type_id: userTypes[actor.kind],
    ...present({ name: actor.name }),
  }
}

function actorOf(event: RecordedEvent) {
  const { actor, decision } = event
  return {
    user: userOf(event),
    idp: { name: actor.issuer },
    ...(actor.actedBy === undefined ? {} : { invoked_by: actor.actedBy[0] }),
    ...(decision === undefined
      ? {}
      : {
          authorizations: (decision.statements.length === 0 ? ['none'] : decision.statements).map((uid) => ({
            decision: decision.effect,
            policy: { uid, version: decision.policy, is_applied: true },
          })),
        }),
  }
}

function requestOf({ http, client, requestId }: RecordedEvent) {
  return {
    uid: requestId,
    ...present({
      http_method: http?.method,
      body_length: http?.bytesIn,
      user_agent: client?.userAgent,
    }),
    ...(http === undefined ? {} : { url: { path: http.route } }),
  }
}

function unmappedOf(event: RecordedEvent) {
  const { actor, resource, model, usage, decision, scopes, revocation, loss, cut } = event
  const unmapped = present({
    issuer: actor.issuer,
    roles: actor.roles.length === 0 ? undefined : actor.roles,
    acted_by: actor.actedBy,
    path: resource?.path,
    revision: resource?.commit === undefined ? undefined : resource.revision,
    model,
    usage,
    missing_attributes: decision?.missingAttributes,
    refused: decision?.refused,
    scopes,
    revocation,
    loss,
    cut,
    chain_hash: 'hash' in event ? event.hash : undefined,
  })
  return { unmapped }
}

function present(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
