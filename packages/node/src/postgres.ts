/**
 * `@hfauth/node/postgres`: the audit log in PostgreSQL, through a client of the caller's.
 *
 * @module
 */

export type { PostgresClient } from './postgres/client.ts'
export {
  type PostgresDestination,
  type PostgresDestinationOptions,
  postgresDestination,
} from './postgres/destination.ts'
export { type PostgresAuditSourceOptions, postgresAuditSource } from './postgres/source.ts'
