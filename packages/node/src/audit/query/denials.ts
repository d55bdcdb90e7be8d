/**
 * Denials: what was refused, by reason, most frequent first. Credentials and sign-ins that were refused count too.
 *
 * @module
 */
import type { RecordedEvent } from '../types.ts'
import { definedOnly } from './loads.ts'
import { Gaps, resourceText, row, Tally } from './rows.ts'
import { type AuditSource, compare } from './source.ts'
import type { AuditAnswers, DenialRow, DenialsQuestion } from './types.ts'

export async function denials(
  source: AuditSource,
  { actor, resource, from, to, environment }: DenialsQuestion,
): Promise<AuditAnswers['denials']> {
  const gaps = new Gaps()
  const reasons = new Map<
    string,
    { count: number; first: string; last: string; actors: Tally; resources: Tally }
  >()
  const types = ['io.hfauth.decision', 'io.hfauth.token.rejected', 'io.hfauth.signin.refused'] as const
  for await (const event of source.events(definedOnly({ actor, resource, from, to, environment, types }))) {
    if (gaps.take(event)) continue
    const reason = refusalOf(event)
    if (reason === undefined) continue
    const { time } = event
    const group = reasons.get(reason) ?? {
      count: 0,
      first: time,
      last: time,
      actors: new Tally(),
      resources: new Tally(),
    }
    reasons.set(reason, group)
    group.count++
    if (time < group.first) group.first = time
    if (time > group.last) group.last = time
    group.actors.add(event.actor.id)
    const what = resourceText(event.resource)
    if (what !== undefined) group.resources.add(what)
  }
  const rows = [...reasons].map(([reason, { count, first, last, actors, resources }]) =>
    row<DenialRow>({
      reason,
      count,
      actors: actors.counts.size,
      resources: resources.counts.size,
      mostActor: actors.most,
      mostResource: resources.most,
      first,
      last,
    }),
  )
  return {
    rows: rows.sort((a, b) => b.count - a.count || compare(a.reason, b.reason)),
    more: 0,
    gaps: gaps.rows,
  }
}

/** Why the event is a refusal; `undefined` when it is none. */
export function refusalOf({ type, decision, error }: RecordedEvent): string | undefined {
  if (type === 'io.hfauth.decision') return decision?.effect === 'deny' ? decision.reason : undefined
  return type === 'io.hfauth.token.rejected' || type === 'io.hfauth.signin.refused'
    ? (error ?? 'unknown')
    : undefined
}
