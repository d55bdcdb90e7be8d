/**
 * First access: who used something for the first time ever, within the period.
 *
 * @module
 */
import { resourceKey } from '../found-by.ts'
import type { RecordedEvent } from '../types.ts'
import { definedOnly } from './loads.ts'
import { Gaps, limitOf, OldestRows, resourceText, row } from './rows.ts'
import { type AuditSource, byTime } from './source.ts'
import type { AuditAnswers, FirstAccessQuestion, FirstAccessRow } from './types.ts'

export async function firstAccess(
  source: AuditSource,
  { actor, resource, from, to, environment, limit }: FirstAccessQuestion,
): Promise<AuditAnswers['first-access']> {
  const gaps = new Gaps()
  const firsts = new Map<string, FirstAccessRow>()
  const types = ['io.hfauth.decision'] as const
  for await (const event of source.events(definedOnly({ actor, resource, to, environment, types }))) {
    if (gaps.take(event) || event.decision?.effect !== 'allow' || event.resource === undefined) continue
    const key = JSON.stringify([event.actor.issuer, event.actor.id, resourceKey(event.resource)])
    const access = rowOf(event)
    const before = firsts.get(key)
    if (before === undefined || byTime(access, before) < 0) firsts.set(key, access)
  }
  const found = new OldestRows<FirstAccessRow>(limitOf(limit))
  for (const access of firsts.values()) {
    if (from === undefined || Date.parse(access.time) >= from) found.add(access)
  }
  return { ...found.finish(), gaps: gaps.rows }
}

function rowOf({ time, actor, action, resource, requestId }: RecordedEvent): FirstAccessRow {
  return row<FirstAccessRow>({
    time,
    actor: actor.id,
    issuer: actor.issuer,
    name: actor.name,
    action,
    resource: resourceText(resource) ?? '',
    requestId,
  })
}
