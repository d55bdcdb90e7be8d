/**
 * Unused grants: every allowing statement of a policy with how often it was what allowed, the unused ones first.
 *
 * @module
 */
import type { Policy } from '@hfauth/core'
import type { RecordedEvent } from '../types.ts'
import { definedOnly } from './loads.ts'
import { Gaps, row } from './rows.ts'
import { type AuditSource, compare } from './source.ts'
import type { AuditAnswers, GrantRow, UnusedGrantsQuestion } from './types.ts'

export async function unusedGrants(
  source: AuditSource,
  { policy, from, to, environment }: UnusedGrantsQuestion,
): Promise<AuditAnswers['unused-grants']> {
  const gaps = new Gaps()
  const uses = new GrantUses()
  const others = new Set<string>()
  const types = ['io.hfauth.decision'] as const
  for await (const event of source.events(definedOnly({ from, to, environment, types }))) {
    if (gaps.take(event)) continue
    uses.add(event)
    const digest = event.decision?.policy
    if (digest !== undefined && digest !== policy.reference.digest) others.add(digest)
  }
  return { rows: uses.rows(policy), more: 0, otherPolicies: [...others].sort(), gaps: gaps.rows }
}

/** Counts which statements allowed something, for whom and when last. */
export class GrantUses {
  private readonly uses = new Map<string, { uses: number; actors: Set<string>; lastUse: string }>()

  add({ time, actor, decision }: RecordedEvent): void {
    if (decision?.effect !== 'allow') return
    for (const id of decision.statements) {
      const use = this.uses.get(id) ?? { uses: 0, actors: new Set<string>(), lastUse: time }
      this.uses.set(id, use)
      use.uses++
      use.actors.add(`${actor.issuer} ${actor.id}`)
      if (time > use.lastUse) use.lastUse = time
    }
  }

  rows(policy: Policy): GrantRow[] {
    const rows = [...policy.roles.values()].flatMap(({ name, statements }) =>
      statements
        .filter(({ effect }) => effect === 'allow')
        .map(({ id }) => {
          const use = this.uses.get(id)
          return row<GrantRow>({
            statement: id,
            role: name,
            uses: use?.uses ?? 0,
            actors: use?.actors.size ?? 0,
            lastUse: use?.lastUse,
          })
        }),
    )
    return rows.sort((a, b) => a.uses - b.uses || compare(a.statement, b.statement))
  }
}
