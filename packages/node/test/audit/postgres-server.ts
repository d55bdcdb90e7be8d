/**
 * PostgreSQL server: the real one, at `DATABASE_URL` or on this machine, through both clients that people use.
 *
 * A test that needs it says so and is skipped where there is none, except in CI, where it fails.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import postgres from 'postgres'
import { test } from 'vitest'
import type { PostgresClient } from '../../src/postgres.ts'

export const databaseUrl = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'

export interface ConnectedDatabase {
  readonly client: PostgresClient
  close(): Promise<void>
}

export async function connectPg(): Promise<ConnectedDatabase> {
  const pool = new Pool({ connectionString: databaseUrl, connectionTimeoutMillis: 2000, max: 4 })
  pool.on('error', () => {})
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await pool.end()
    throw error
  }
  return { client: pool, close: () => pool.end() }
}

export async function connectPostgresJs(): Promise<ConnectedDatabase> {
  const sql = postgres(databaseUrl, { connect_timeout: 2, max: 4, onnotice: () => {} })
  await sql`SELECT 1`
  const client: PostgresClient = {
    query: async (text, values) => ({ rows: await sql.unsafe(text, values) }),
  }
  return { client, close: () => sql.end() }
}

/** A table of this run and of no other. */
export function randomTable(): string {
  return `hfauth_test_${randomBytes(6).toString('hex')}`
}

export async function removeTable({ client }: ConnectedDatabase, table: string): Promise<void> {
  await client.query(`DROP TABLE IF EXISTS ${table}; DROP FUNCTION IF EXISTS ${table}_month(date)`)
}

export const postgresIsThere: boolean = await connectPg().then(
  ({ close }) => close().then(() => true),
  () => false,
)

/** `test`, or a test that is skipped by name because there is no PostgreSQL here. */
export const postgresTest = postgresIsThere || process.env.CI !== undefined ? test : test.skip
