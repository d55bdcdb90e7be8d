/**
 * Options that the audit commands share: which log, and which period.
 *
 * @module
 */
import { auditLogSource } from '@hfauth/node'
import { type CommandIo, UsageError } from '../command.ts'
import { type OpenSource, openPostgres } from './postgres.ts'

export const sourceOptions = {
  log: { type: 'string' },
  postgres: { type: 'boolean', default: false },
  table: { type: 'string' },
} as const

export interface SourceValues {
  readonly log?: string
  readonly postgres: boolean
  readonly table?: string
}

/** @throws UsageError unless exactly one place is named. */
export async function openSource(
  { log, postgres, table }: SourceValues,
  io: Pick<CommandIo, 'env'>,
  { readAll }: { readonly readAll: boolean },
): Promise<OpenSource> {
  if (postgres === (log !== undefined)) throw new UsageError('name the log: `--log PATH` or `--postgres`')
  if (log !== undefined) return { source: auditLogSource(log, { readAll }), close: async () => {} }
  return openPostgres(io.env.DATABASE_URL, table)
}

/**
 * A day (`2026-01-31`) or a moment (`2026-01-31T12:00:00Z`), in UTC, as epoch milliseconds.
 *
 * @throws UsageError when it is none.
 */
export function readTime(text: string, name: string): number {
  const form = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z)?$/
  const time = form.test(text) ? Date.parse(text) : Number.NaN
  // What does not come back as it went in is no day of the calendar.
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(text.slice(0, 10)))
    throw new UsageError(`\`${name}\` must be a day or a moment in UTC: 2026-01-31 or 2026-01-31T12:00:00Z`)
  return time
}

/** @throws UsageError unless it reads `KIND:NAMESPACE/NAME`. */
export function readResource(text: string): { readonly kind: string; readonly id: string } {
  const [, kind, id] = /^([\w-]+):(\S+)$/.exec(text) ?? []
  if (kind === undefined || id === undefined)
    throw new UsageError(`\`${text}\` is not a resource: \`model:ns/name\``)
  return { kind, id }
}
