/**
 * Revocations: how long they took to be in force, and whether anybody got through afterwards.
 *
 * @module
 */
import { row } from '../query/rows.ts'
import type { RecordedEvent } from '../types.ts'
import type { AuditReport, RevocationRow, UsedAfterRow } from './types.ts'

/** Most rows of one list; all are counted. */
const maxRows = 1000

export function createRevocationTally() {
  const rows: RevocationRow[] = []
  const latencies: number[] = []
  const usedAfter: UsedAfterRow[] = []
  /** Principals without access, and since when. */
  const revoked = new Map<string, string>()
  let count = 0
  return {
    add(event: RecordedEvent): void {
      const { type, time, actor, decision, requestId, revocation, error } = event
      if (type === 'io.hfauth.session.started') revoked.delete(actor.id)
      const since = revoked.get(actor.id)
      if (since !== undefined && decision?.effect === 'allow' && time > since && usedAfter.length < maxRows)
        usedAfter.push({ actor: actor.id, revoked: since, used: time, requestId })
      if (type !== 'io.hfauth.revocation.received' || revocation === undefined) return
      count++
      const { door, by, target, latencyMs } = revocation
      if (by === 'subject' && target !== undefined && error === undefined) revoked.set(target, time)
      if (latencyMs !== undefined) latencies.push(latencyMs)
      if (rows.length < maxRows) rows.push(row<RevocationRow>({ time, door, by, target, latencyMs, error }))
    },
    result(): AuditReport['revocations'] {
      const sorted = latencies.sort((a, b) => a - b)
      const at = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
      const latency =
        sorted.length === 0 ? undefined : { median: at(0.5), p95: at(0.95), max: at(1), known: sorted.length }
      return { count, ...(latency === undefined ? {} : { latency }), rows, usedAfter }
    },
  }
}
