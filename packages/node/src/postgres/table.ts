/**
 * Table: how events lie in PostgreSQL, one partition a month.
 *
 * The text of the event is kept as it is in the log; the columns beside it are for finding it. The primary key is
 * time and id, since a partitioned table can have no key without the column that it is divided by, and an event's
 * time never changes.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'

export const defaultTable = 'hfauth_audit'

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` unless it can stand in a statement as it is. */
export function assertTableName(name: string): void {
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(name))
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      '`table` must be up to 40 lower-case letters, digits and `_`, not beginning with a digit',
    )
}

/** Name, type, and what is not always there. */
export const columns = [
  ['time', 'timestamptz(3) NOT NULL'],
  ['id', 'text NOT NULL'],
  ['writer', 'text NOT NULL'],
  ['seq', 'bigint NOT NULL'],
  ['type', 'text NOT NULL'],
  ['environment', 'text NOT NULL'],
  ['request_id', 'text'],
  ['actor_issuer', 'text'],
  ['actor_id', 'text'],
  ['actors', 'text[] NOT NULL'],
  ['resource_kind', 'text'],
  ['resource_id', 'text'],
  ['revision', 'text'],
  ['action', 'text'],
  ['effect', 'text'],
  ['reason', 'text'],
  ['policy', 'text'],
  ['event', 'text NOT NULL'],
] as const

/**
 * Statements that bring the table to the shape of this version, from nothing or from any earlier one. Sent as one
 * query, they are one transaction; two processes that start together take turns.
 *
 * The function that adds a month runs with its owner's rights, so that who delivers needs none to create tables.
 */
export function migration(table: string): string {
  const definitions = columns.map(([name, type]) => `${name} ${type}`).join(', ')
  const index = (name: string, on: string) => `CREATE INDEX IF NOT EXISTS ${table}_${name} ON ${table} ${on};`
  return `
SELECT pg_advisory_xact_lock(hashtext('${table}'));
CREATE TABLE IF NOT EXISTS ${table} (${definitions}, PRIMARY KEY (time, id)) PARTITION BY RANGE (time);
${index('by_resource', '(resource_kind, resource_id, time)')}
${index('by_actor', 'USING gin (actors)')}
${index('by_type', '(type, time)')}
${index('by_request', '(request_id)')}
CREATE OR REPLACE FUNCTION ${table}_month(month date) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $body$
DECLARE
  first date := date_trunc('month', month)::date;
  name text := '${table}_' || to_char(first, 'YYYY_MM');
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('${table}'));
  IF to_regclass(quote_ident(name)) IS NULL THEN
    EXECUTE format('CREATE TABLE %I PARTITION OF ${table} FOR VALUES FROM (%L) TO (%L)', name,
      first::timestamp AT TIME ZONE 'UTC', (first + interval '1 month')::timestamp AT TIME ZONE 'UTC');
  END IF;
END
$body$;
REVOKE ALL ON FUNCTION ${table}_month(date) FROM PUBLIC;
`
}
