/**
 * Words: sentences that stand in several places of a report.
 *
 * @module
 */
import { number } from './charts.ts'
import type { AuditReport } from './types.ts'

export function integrityText({
  events,
  covered,
  hasTrustedKeys,
}: NonNullable<AuditReport['integrity']>): string {
  const signed =
    covered === undefined ? 'no signature covers it' : `signed up to event ${number(covered.seq)}`
  const keys = hasTrustedKeys
    ? 'with keys kept elsewhere'
    : 'with the keys beside the log, which prove nothing by themselves'
  return `The chain of ${number(events)} events is whole; ${signed}, checked ${keys}.`
}

export function missingOf({ totals, writers }: AuditReport): number {
  return totals.lost + writers.reduce((sum, { missing }) => sum + missing, 0)
}
