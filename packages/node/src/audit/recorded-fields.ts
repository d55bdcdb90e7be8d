/**
 * Recorded fields: copies of an entry exactly what an event may have.
 *
 * caller → **recorded fields** → log. An allow-list: what is not named here is dropped, so that a token
 * that somebody hung on an object by mistake has nowhere to go. Texts are cut and cleaned.
 *
 * @module
 */
import { type AuditActor, type AuditDecision, type AuditRevocation, recordedText } from '@hfauth/core'
import { maskTokens } from '../internal/mask-tokens.ts'
import type { AuditEntry } from './types.ts'

type Reader<T> = (value: unknown) => T | undefined
/** One reader for each member, so that a field added to the event has to be added here. */
type Shape<T> = { readonly [K in keyof T]-?: Reader<NonNullable<T[K]>> }

/** The members of `entry` that go on record; those of another type than they should be are left out. */
export function recordedFields(entry: AuditEntry): AuditEntry {
  return readEntry(entry) as AuditEntry
}

/** Text fit for a record: cut to `maxLength` characters, without controls, halves of characters or tokens. */
export function recordableText(text: string, maxLength = 256): string {
  return recordedText(maskTokens(text.slice(0, 4 * maxLength + 16_384)), maxLength).replaceAll(
    /\p{Surrogate}/gu,
    '\ufffd',
  )
}

const text =
  <T extends string>(maxLength?: number): Reader<T> =>
  (value) =>
    typeof value === 'string' ? (recordableText(value, maxLength) as T) : undefined

const number: Reader<number> = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined

const texts: Reader<readonly string[]> = (value) =>
  Array.isArray(value)
    ? Object.freeze(
        value.slice(0, maxItems).flatMap((item) => (typeof item === 'string' ? [recordableText(item)] : [])),
      )
    : undefined

/** Most entries of one list on record. */
const maxItems = 1000

function object<T extends object>(shape: Shape<T>): Reader<T> {
  const readers = Object.entries(shape) as [string, Reader<unknown>][]
  return (value) => {
    if (typeof value !== 'object' || value === null) return undefined
    const copy: Record<string, unknown> = {}
    for (const [name, read] of readers) {
      const member = Object.hasOwn(value, name) ? read((value as Record<string, unknown>)[name]) : undefined
      if (member !== undefined) copy[name] = member
    }
    return Object.freeze(copy) as T
  }
}

const readEntry = object<AuditEntry>({
  type: text(),
  requestId: text(128),
  actor: object<AuditActor>({
    kind: text(),
    id: text(512),
    issuer: text(),
    name: text(),
    roles: texts,
    actedBy: texts,
  }),
  client: object({ ip: text(64), userAgent: text(256) }),
  trace: object({ traceId: text(32), spanId: text(16) }),
  action: text(64),
  resource: object({ kind: text(64), id: text(512), revision: text(), path: text(1024) }),
  http: object({ method: text(32), route: text(512), status: number, bytesOut: number }),
  decision: object<AuditDecision>({
    effect: text(),
    reason: text(),
    statements: texts,
    policy: text(),
    missingAttributes: texts,
    refused: text(512),
  }),
  error: text(64),
  scopes: texts,
  revocation: object<AuditRevocation>({
    door: text(64),
    by: text(16),
    issuer: text(512),
    target: text(512),
    event: text(128),
    eventId: text(256),
    latencyMs: number,
  }),
  durationMs: number,
})
