/**
 * PostgreSQL source: the events in the table, as answers to questions.
 *
 * table → **PostgreSQL source** → query. Reads page by page along the primary key, so that memory stays flat.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { isEvent } from '../audit/is-event.ts'
import { type AuditFilter, type AuditSource, isWanted } from '../audit/query/source.ts'
import type { RecordedEvent } from '../audit/types.ts'
import type { PostgresClient } from './client.ts'
import { plain } from './destination.ts'
import { assertTableName, defaultTable } from './table.ts'

export interface PostgresAuditSourceOptions {
  readonly client: PostgresClient
  /** Default `hfauth_audit`. */
  readonly table?: string
}

const pageSize = 1000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` for a table that cannot be named so. */
export function postgresAuditSource({
  client,
  table = defaultTable,
}: PostgresAuditSourceOptions): AuditSource {
  assertTableName(table)

  async function page(
    conditions: Conditions,
  ): Promise<readonly { event: unknown; id: unknown; time: unknown }[]> {
    const query = `SELECT to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time, id, event FROM ${table} WHERE ${conditions.text()} ORDER BY ${table}.time, id LIMIT ${pageSize}`
    try {
      return (await client.query(query, conditions.values)).rows
    } catch {
      // Without what the client says: it may quote values.
      throw unreadable('the database did not answer')
    }
  }

  return {
    async *events(filter) {
      for (let after: { time: string; id: string } | undefined; ; ) {
        const conditions = conditionsOf(filter, table)
        if (after !== undefined)
          conditions.add((p) => `(${table}.time, id) > (${p(after?.time)}::timestamptz, ${p(after?.id)})`)
        const rows = await page(conditions)
        for (const { event } of rows) {
          const read = readEvent(event)
          if (isWanted(read, filter)) yield read
        }
        const last = rows.at(-1)
        if (last === undefined || rows.length < pageSize) return
        after = { time: String(last.time), id: String(last.id) }
      }
    },
  }
}

/** Conditions that all hold, and their values in the order of their numbers. */
class Conditions {
  readonly values: string[] = []
  private readonly texts: string[] = []

  add(write: (parameter: (value: string | undefined) => string) => string): void {
    this.texts.push(write((value) => `$${this.values.push(value ?? '')}`))
  }

  text(): string {
    return this.texts.length === 0 ? 'true' : this.texts.join(' AND ')
  }
}

function conditionsOf(
  { from, to, types, actor, resource, environment }: AuditFilter,
  table: string,
): Conditions {
  const conditions = new Conditions()
  const iso = (ms: number) => new Date(ms).toISOString()
  if (from !== undefined) conditions.add((p) => `${table}.time >= ${p(iso(from))}::timestamptz`)
  if (to !== undefined) conditions.add((p) => `${table}.time < ${p(iso(to))}::timestamptz`)
  conditions.add((p) => {
    const wanted = [
      types === undefined ? undefined : `type = ANY (string_to_array(${p(types.join(' '))}, ' '))`,
      actor === undefined ? undefined : `actors @> ARRAY[${p(plain(actor))}]::text[]`,
      resource === undefined
        ? undefined
        : `resource_kind = ${p(plain(resource.kind))} AND resource_id = ${p(plain(resource.id.toLowerCase()))}`,
      environment === undefined ? undefined : `environment = ${p(plain(environment))}`,
    ].filter((text) => text !== undefined)
    return wanted.length === 0 ? 'true' : `(type = 'io.hfauth.audit.gap' OR (${wanted.join(' AND ')}))`
  })
  return conditions
}

function readEvent(text: unknown): RecordedEvent {
  let event: unknown
  try {
    event = JSON.parse(String(text))
  } catch {
    throw unreadable('an event in it is not JSON')
  }
  if (isEvent(event)) return event
  throw unreadable('it holds what is not a whole event')
}

function unreadable(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_AUDIT_UNREADABLE', `the audit log in PostgreSQL cannot be read: ${reason}`)
}
