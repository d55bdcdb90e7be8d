/**
 * PostgreSQL for the audit commands, through `pg` where it is installed.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { AuditSource } from '@hfauth/node'
import { postgresAuditSource } from '@hfauth/node/postgres'
import { UsageError } from '../command.ts'

export interface OpenSource {
  readonly source: AuditSource
  close(): Promise<void>
}

/** @throws UsageError when `DATABASE_URL` is not set; HfAuthError `HFAUTH_CONFIG_INVALID` without `pg`. */
export async function openPostgres(url: string | undefined, table: string | undefined): Promise<OpenSource> {
  if (url === undefined || url === '')
    throw new UsageError('`--postgres` needs the address in `DATABASE_URL`')
  const { Pool } = await loadPg()
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 10_000, max: 1 })
  // What a lost connection has to say comes with the query that needed it.
  pool.on('error', () => {})
  return {
    source: postgresAuditSource({ client: pool, ...(table === undefined ? {} : { table }) }),
    close: () => pool.end(),
  }
}

async function loadPg(): Promise<typeof import('pg')> {
  try {
    return (await import('pg')).default as never
  } catch {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'asking PostgreSQL needs the package `pg` beside this one')
  }
}
