/**
 * Activity: everything on record that one principal did, or did for others.
 *
 * @module
 */
import { definedOnly } from './loads.ts'
import { Gaps, limitOf, OldestRows, resourceText, row } from './rows.ts'
import type { AuditSource } from './source.ts'
import type { ActivityQuestion, ActivityRow, AuditAnswers } from './types.ts'

export async function activity(
  source: AuditSource,
  { actor, from, to, environment, limit }: ActivityQuestion,
): Promise<AuditAnswers['activity']> {
  const gaps = new Gaps()
  const found = new OldestRows<ActivityRow>(limitOf(limit))
  for await (const event of source.events(definedOnly({ actor, from, to, environment }))) {
    if (gaps.take(event)) continue
    const { time, type, action, resource, decision, error, http, client, requestId } = event
    found.add(
      row<ActivityRow>({
        time,
        type,
        action,
        resource: resourceText(resource),
        revision: resource?.revision,
        commit: resource?.commit,
        effect: decision?.effect,
        reason: error ?? decision?.reason,
        status: http?.status,
        ip: client?.ip,
        actedBy: event.actor.actedBy?.join(' '),
        requestId,
      }),
    )
  }
  return { ...found.finish(), gaps: gaps.rows }
}
