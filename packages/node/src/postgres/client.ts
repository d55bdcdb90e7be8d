/**
 * PostgreSQL client: the one method that is needed of whatever client the caller has.
 *
 * @module
 */

/**
 * Connections to PostgreSQL. A `Pool` of `pg` is one; for `postgres` it is
 * `{ query: async (text, values) => ({ rows: await sql.unsafe(text, values) }) }`.
 */
export interface PostgresClient {
  /** Sends one query, or several without values, and resolves to the rows of its answer. */
  query(text: string, values?: string[]): Promise<{ readonly rows: readonly Row[] }>
}

// biome-ignore lint/suspicious/noExplicitAny: rows of the clients people use are typed so, and every column read here is checked.
type Row = any
