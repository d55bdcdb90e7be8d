/**
 * Shape: which members an audit event has, of which kind, and how long each may be.
 *
 * The one description from which the log copies what goes on record, and from which the published JSON Schema
 * is made (`scripts/audit-schema.ts`). A member added to the event's type has to be added here to compile.
 *
 * @module
 */
import type { PrincipalKind } from '../types.ts'
import { type AuditEvent, type AuditEventType, auditEventTypes } from './event.ts'

export interface AuditText {
  readonly kind: 'text'
  /** In UTF-16 code units; longer ones are cut. */
  readonly maxLength: number
  /** All there are. */
  readonly values?: readonly string[]
  readonly pattern?: string
}

export interface AuditTexts {
  readonly kind: 'texts'
  readonly maxLength: number
  readonly maxItems: number
}

export interface AuditNumber {
  readonly kind: 'number'
  readonly isInteger?: true
}

/** Said only where something is not so. */
export interface AuditFalse {
  readonly kind: 'false'
}

export interface AuditObject {
  readonly kind: 'object'
  readonly members: Readonly<Record<string, AuditMember>>
}

export type AuditField = AuditText | AuditTexts | AuditNumber | AuditFalse | AuditObject
export type AuditMember = AuditField & { readonly isOptional?: true }

type MemberOf<T> = (NonNullable<T> extends string
  ? AuditText
  : NonNullable<T> extends number
    ? AuditNumber
    : NonNullable<T> extends false
      ? AuditFalse
      : NonNullable<T> extends readonly string[]
        ? AuditTexts
        : AuditObject) &
  (undefined extends T ? { readonly isOptional: true } : { readonly isOptional?: never })
/** One description for each member, so that none is forgotten and none is recorded as what it is not. */
type MembersOf<T> = { readonly [K in keyof T]-?: MemberOf<T[K]> }

const text = (maxLength = 256, more: Omit<Partial<AuditText>, 'kind' | 'maxLength'> = {}) =>
  ({ kind: 'text', maxLength, ...more }) as const
const texts = { kind: 'texts', maxLength: 256, maxItems: 1000 } as const
const number = { kind: 'number' } as const
const integer = { kind: 'number', isInteger: true } as const
const object = <T>(members: MembersOf<T>) =>
  ({ kind: 'object', members: members as unknown as AuditObject['members'] }) as const
const optional = <const F extends AuditField>(field: F) => ({ ...field, isOptional: true }) as const

const kinds: readonly PrincipalKind[] = ['user', 'workload', 'anonymous']
const types: readonly AuditEventType[] = auditEventTypes

/** The members of an event that is on record, `hash` aside, which a log of segments adds. */
export const auditEventShape: AuditObject = /* @__PURE__ */ describeEvent()

// A function, so that a bundler can see that pages do not need it.
function describeEvent(): AuditObject {
  const time = text(32, { pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$` })
  return object<AuditEvent & { readonly writer: string; readonly seq: number }>({
    v: integer,
    id: text(64),
    type: text(64, { values: types }),
    time,
    environment: text(),
    service: text(),
    writer: text(64),
    seq: integer,
    requestId: text(128),
    actor: object<AuditEvent['actor']>({
      kind: text(32, { values: kinds }),
      id: text(512),
      issuer: text(),
      name: optional(text()),
      roles: texts,
      actedBy: optional(texts),
    }),
    client: optional(
      object<NonNullable<AuditEvent['client']>>({ ip: optional(text(64)), userAgent: optional(text()) }),
    ),
    trace: optional(
      object<NonNullable<AuditEvent['trace']>>({
        traceId: text(32, { pattern: '^[0-9a-f]{32}$' }),
        spanId: text(16, { pattern: '^[0-9a-f]{16}$' }),
      }),
    ),
    action: optional(text(64)),
    resource: optional(
      object<NonNullable<AuditEvent['resource']>>({
        kind: text(64),
        id: text(512),
        revision: optional(text()),
        commit: optional(text(40, { pattern: '^[0-9a-f]{40}$' })),
        path: optional(text(1024)),
      }),
    ),
    model: optional(
      object<NonNullable<AuditEvent['model']>>({ id: text(512), provider: optional(text(64)) }),
    ),
    usage: optional(
      object<NonNullable<AuditEvent['usage']>>({ input: optional(integer), output: optional(integer) }),
    ),
    http: optional(
      object<NonNullable<AuditEvent['http']>>({
        method: text(32),
        route: text(512),
        status: optional(integer),
        bytesIn: optional(integer),
        bytesOut: optional(integer),
      }),
    ),
    decision: optional(
      object<NonNullable<AuditEvent['decision']>>({
        effect: text(8, { values: ['allow', 'deny'] }),
        reason: text(),
        statements: texts,
        policy: text(),
        missingAttributes: optional(texts),
        enforced: optional({ kind: 'false' }),
        refused: optional(text(512)),
      }),
    ),
    error: optional(text(64)),
    scopes: optional(texts),
    revocation: optional(
      object<NonNullable<AuditEvent['revocation']>>({
        door: text(64),
        by: optional(text(16)),
        issuer: optional(text(512)),
        target: optional(text(512)),
        event: optional(text(128)),
        eventId: optional(text()),
        latencyMs: optional(number),
      }),
    ),
    loss: optional(
      object<NonNullable<AuditEvent['loss']>>({
        reason: text(32, { values: ['unavailable', 'overflow', 'torn'] }),
        count: optional(integer),
        bytes: optional(integer),
        since: optional(time),
        until: optional(time),
      }),
    ),
    durationMs: optional(number),
    cut: optional(texts),
  })
}
