/**
 * Revocations: how long they took to be in force, and whether anybody got through afterwards.
 *
 * @module
 */
import type { Policy } from '@hfauth/core'
import { row } from '../query/rows.ts'
import type { RecordedEvent } from '../types.ts'
import type { AuditReport, RevocationRow, UsedAfterRow } from './types.ts'

/** Most rows of one list; all are counted. */
const maxRows = 1000

/** @param policies - For the aliases of issuers; one that none of them has is taken for whichever has the subject. */
export function createRevocationTally(policies: readonly Policy[]) {
  const rows: RevocationRow[] = []
  const latencies: number[] = []
  const usedAfter: UsedAfterRow[] = []
  const revoked = createRevokedSubjects(policies)
  let count = 0
  return {
    /** @param isBefore - Before the period: nothing is counted, but who has no access since then has none in it. */
    add(event: RecordedEvent, isBefore: boolean): void {
      const { type, time, actor, decision, requestId, revocation, error } = event
      if (type === 'io.hfauth.session.started') revoked.signedIn(actor)
      if (type === 'io.hfauth.revocation.received' && error === undefined) revoked.add(revocation, time)
      if (isBefore) return
      const since = decision?.effect === 'allow' ? revoked.since(actor) : undefined
      if (since !== undefined && time > since && usedAfter.length < maxRows)
        usedAfter.push({ actor: actor.id, revoked: since, used: time, requestId })
      if (type !== 'io.hfauth.revocation.received' || revocation === undefined) return
      count++
      const { door, by, target, latencyMs } = revocation
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

/** Whose access is over, and since when. A revocation names address and subject, and an event alias and id. */
function createRevokedSubjects(policies: readonly Policy[]) {
  const since = new Map<string, string>()
  const keysOf = ({ id, issuer }: RecordedEvent['actor']) => {
    const subject = id.startsWith(`${issuer}|`) ? id.slice(issuer.length + 1) : id
    return [keyOf(issuer, subject), keyOf(anyIssuer, subject)]
  }
  return {
    add(revocation: RecordedEvent['revocation'], time: string): void {
      const { by, issuer, target } = revocation ?? {}
      if (by !== 'subject' || target === undefined) return
      for (const alias of aliasesOf(issuer, policies)) since.set(keyOf(alias, target), time)
    },
    signedIn(actor: RecordedEvent['actor']): void {
      for (const key of keysOf(actor)) since.delete(key)
    },
    since(actor: RecordedEvent['actor']): string | undefined {
      const times = keysOf(actor).flatMap((key) => since.get(key) ?? [])
      return times.sort().at(-1)
    },
  }
}

/** No alias is empty. */
const anyIssuer = ''

function aliasesOf(address: string | undefined, policies: readonly Policy[]): readonly string[] {
  const aliases = policies.flatMap(({ issuers }) =>
    [...issuers.values()].flatMap(({ alias, url }) => (url === address ? [alias] : [])),
  )
  return aliases.length === 0 ? [anyIssuer] : aliases
}

function keyOf(issuer: string, subject: string): string {
  return JSON.stringify([issuer, subject])
}
