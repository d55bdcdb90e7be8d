/**
 * PostgreSQL destination: events of the local log, each exactly once, in a table that questions can be asked of.
 *
 * shipper → **PostgreSQL destination** → table. A batch is one statement, so it is there whole or not at all, and
 * an event that comes again changes nothing. One batch at a time: what a client still waits for keeps its rows in
 * memory, and a database that never answers must not be given more.
 *
 * @module
 */

import { actorIds } from '../audit/found-by.ts'
import { type AuditDestination, undelivered } from '../audit/sinks/destination.ts'
import type { RecordedEvent } from '../audit/types.ts'
import type { PostgresClient } from './client.ts'
import { assertTableName, columns, defaultTable, migration } from './table.ts'

export interface PostgresDestinationOptions {
  readonly client: PostgresClient
  /** Default `hfauth_audit`; its partitions are `hfauth_audit_2026_11` and so on. */
  readonly table?: string
}

export interface PostgresDestination extends AuditDestination {
  /** Creates the table, or brings it to the shape of this version; to be called by its owner before the rest. */
  migrate(): Promise<void>
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` for a table that cannot be named so. */
export function postgresDestination({
  client,
  table = defaultTable,
}: PostgresDestinationOptions): PostgresDestination {
  assertTableName(table)
  const insert = insertInto(table)
  const months = new Set<string>()
  let isBusy = false

  async function insertAll(events: readonly RecordedEvent[]): Promise<void> {
    const rows = events.map(rowOf)
    try {
      for (const month of new Set(rows.map(({ time }) => `${time.slice(0, 7)}-01`))) {
        if (months.has(month)) continue
        await client.query(`SELECT ${table}_month($1::date)`, [month])
        months.add(month)
      }
      await client.query(insert, [JSON.stringify(rows)])
    } catch (error) {
      // A month may have been dropped meanwhile; the next time makes it again.
      months.clear()
      throw undelivered(`the database failed${stateOf(error)}`)
    }
  }

  return {
    async migrate() {
      await client.query(migration(table))
    },
    async deliver(events) {
      if (isBusy) throw undelivered('the database has not answered the batch before')
      isBusy = true
      try {
        await insertAll(events)
      } finally {
        isBusy = false
      }
    },
  }
}

function insertInto(table: string): string {
  const names = columns.map(([name]) => name).join(', ')
  const types = columns.map(([name, type]) => `${name} ${type.split(/[ (]/, 1)[0]}`).join(', ')
  return `INSERT INTO ${table} (${names}) SELECT ${names} FROM json_to_recordset($1::text::json) AS row (${types}) ON CONFLICT (time, id) DO NOTHING`
}

/** Its SQLSTATE or the code of the connection's error; a message may quote values. */
function stateOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  return /^[A-Z0-9_]{2,40}$/.test(code) ? ` (${code})` : ''
}

type Column = (typeof columns)[number][0]

function rowOf(
  event: RecordedEvent,
): Record<Column, string | number | string[] | undefined> & { time: string } {
  const { actor, resource, decision } = event
  return {
    time: new Date(event.time).toISOString(),
    id: plain(event.id),
    writer: plain(event.writer),
    seq: event.seq,
    type: plain(event.type),
    environment: plain(event.environment),
    request_id: plain(event.requestId),
    actor_issuer: plain(actor.issuer),
    actor_id: plain(actor.id),
    actors: actorIds(event).map((id) => plain(id)),
    resource_kind: plain(resource?.kind),
    // As questions compare it.
    resource_id: plain(resource?.id.toLowerCase()),
    revision: plain(resource?.revision),
    action: plain(event.action),
    effect: plain(decision?.effect),
    reason: plain(decision?.reason),
    policy: plain(decision?.policy),
    event: JSON.stringify(event),
  }
}

/** What a text of PostgreSQL cannot hold is replaced, in the columns for finding; the event itself is kept escaped. */
export function plain<T extends string | undefined>(text: T): T {
  return text?.replaceAll(/\0|\p{Surrogate}/gu, '\ufffd') as T
}
