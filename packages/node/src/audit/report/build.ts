/**
 * Build: reads every event up to the end of a period and counts what the report tells.
 *
 * source → **build** → report → page, JSON. Memory grows with principals, resources and days, not with events.
 *
 * @module
 */
import { HfAuthError, type Policy } from '@hfauth/core'
import { denials } from '../query/denials.ts'
import { Gaps, resourceText, row } from '../query/rows.ts'
import { type AuditSource, compare } from '../query/source.ts'
import { GrantUses } from '../query/unused-grants.ts'
import type { VerifyReport } from '../segments/verify.ts'
import type { RecordedEvent } from '../types.ts'
import { policyDiff } from './policy-diff.ts'
import { createRevocationTally } from './revocations.ts'
import type { AccessRow, AuditReport, DayRow, LoadedRow, PolicyRow, SecretRow, WriterRow } from './types.ts'

export interface AuditReportOptions {
  /** Epoch milliseconds; `from` belongs to the period, `to` does not. */
  readonly from: number
  readonly to: number
  /** Versions of the policy, oldest first: for diffs, and the last one for its unused grants. */
  readonly policies?: readonly Policy[]
  readonly organisation?: string
  /** What `verifySegments` found. */
  readonly integrity?: VerifyReport
  readonly now?: () => number
}

/**
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` for a period that cannot be or is longer than ten years;
 * `HFAUTH_AUDIT_UNREADABLE` when the source cannot be read.
 */
export async function buildAuditReport(
  source: AuditSource,
  options: AuditReportOptions,
): Promise<AuditReport> {
  const { from, to, policies = [], organisation, integrity, now = Date.now } = options
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from >= to || to - from > 3660 * dayMs)
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`from` must be before `to`, and both milliseconds')
  const days = new Map<string, { allowed: number; denied: number }>()
  for (let ms = Math.floor(from / dayMs) * dayMs; ms < to; ms += dayMs)
    days.set(new Date(ms).toISOString().slice(0, 10), { allowed: 0, denied: 0 })
  const totals = { events: 0, allowed: 0, denied: 0, signIns: 0, lost: 0 }
  const access = createAccess()
  const grants = new GrantUses()
  const used = new Map<string, { since: string; decisions: number }>()
  const secrets = createSecrets()
  const revocations = createRevocationTally(policies)
  const loads = createLoads()
  const writers = createWriters()
  const gaps = new Gaps()

  // From the beginning, for the age of secrets that were not changed in the period, and for who has no access in it.
  for await (const event of source.events({ to })) {
    const isBefore = Date.parse(event.time) < from
    secrets.add(event, isBefore)
    revocations.add(event, isBefore)
    if (isBefore) continue
    totals.events++
    writers.add(event)
    if (gaps.take(event)) {
      totals.lost += event.loss?.count ?? 0
      continue
    }
    access.add(event)
    grants.add(event)
    loads.add(event)
    if (event.type === 'io.hfauth.session.started') totals.signIns++
    const { decision } = event
    if (decision === undefined) continue
    const name = decision.effect === 'allow' ? 'allowed' : 'denied'
    totals[name]++
    const day = days.get(event.time.slice(0, 10))
    if (day !== undefined) day[name]++
    const policy = used.get(decision.policy) ?? { since: event.time, decisions: 0 }
    used.set(decision.policy, policy)
    policy.decisions++
    if (event.time < policy.since) policy.since = event.time
  }

  const newest = policies.at(-1)
  const people = access.rows()
  return {
    v: 1,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    made: new Date(now()).toISOString(),
    ...(organisation === undefined ? {} : { organisation }),
    totals: { ...totals, principals: people.length },
    days: [...days].map(([day, counts]): DayRow => ({ day, ...counts })),
    access: people,
    grants: newest === undefined ? [] : grants.rows(newest),
    denials: (await denials(source, { ask: 'denials', from, to })).rows,
    policies: policyRows(used, policies),
    secrets: secrets.rows(to),
    revocations: revocations.result(),
    loads: loads.rows(),
    gaps: gaps.rows,
    writers: writers.rows(),
    ...(integrity === undefined ? {} : { integrity }),
  }
}

export const dayMs = 86_400_000

function createAccess() {
  type Person = { -readonly [K in keyof AccessRow]: AccessRow[K] }
  const people = new Map<string, { person: Person; roles: Set<string>; resources: Set<string> }>()
  return {
    add({ actor, time, decision, resource }: RecordedEvent): void {
      const { id, issuer, kind, name } = actor
      if (kind === 'anonymous') return
      const key = JSON.stringify([issuer, id])
      const none = { roles: [], allowed: 0, denied: 0, resources: 0, first: time, last: time }
      const entry = people.get(key) ?? {
        person: {
          ...row<{ actor: string; issuer: string; kind: string; name?: string }>({
            actor: id,
            issuer,
            kind,
            name,
          }),
          ...none,
        },
        roles: new Set<string>(),
        resources: new Set<string>(),
      }
      people.set(key, entry)
      const { person } = entry
      for (const role of actor.roles) entry.roles.add(role)
      if (time < person.first) person.first = time
      if (time > person.last) person.last = time
      if (decision?.effect === 'deny') person.denied++
      if (decision?.effect !== 'allow') return
      person.allowed++
      const what = resourceText(resource)
      if (what !== undefined) entry.resources.add(what)
    },
    rows: (): AccessRow[] =>
      [...people.values()]
        .map(({ person, roles, resources }) => ({
          ...person,
          roles: [...roles].sort(),
          resources: resources.size,
        }))
        .sort((a, b) => compare(a.last, b.last) || compare(a.actor, b.actor)),
  }
}

function policyRows(
  used: ReadonlyMap<string, { since: string; decisions: number }>,
  policies: readonly Policy[],
): PolicyRow[] {
  const known = new Map(policies.map((policy) => [policy.reference.digest as string, policy]))
  const rows = [...used].sort(([, a], [, b]) => compare(a.since, b.since))
  return rows.map(([digest, { since, decisions }], at) => {
    const before = known.get(rows[at - 1]?.[0] ?? '')
    const after = known.get(digest)
    const diff = before === undefined || after === undefined ? undefined : policyDiff(before, after)
    return row<PolicyRow>({ digest, since, decisions, diff })
  })
}

function createSecrets() {
  const secrets = new Map<string, { rotations: number; warnings: number; lastRotation?: string }>()
  return {
    add({ type, time, resource }: RecordedEvent, isBefore: boolean): void {
      if (!type.startsWith('io.hfauth.secret.')) return
      const name = resourceText(resource) ?? 'unnamed'
      const secret = secrets.get(name) ?? { rotations: 0, warnings: 0 }
      secrets.set(name, secret)
      if (type === 'io.hfauth.secret.rotated') {
        if (!isBefore) secret.rotations++
        if (time > (secret.lastRotation ?? '')) secret.lastRotation = time
      } else if (!isBefore) secret.warnings++
    },
    rows: (to: number): SecretRow[] =>
      [...secrets]
        .map(([secret, { rotations, warnings, lastRotation }]) =>
          row<SecretRow>({
            secret,
            rotations,
            warnings,
            lastRotation,
            ageDays:
              lastRotation === undefined ? undefined : Math.floor((to - Date.parse(lastRotation)) / dayMs),
          }),
        )
        .sort((a, b) => (b.ageDays ?? 0) - (a.ageDays ?? 0) || compare(a.secret, b.secret)),
  }
}

function createLoads() {
  const found = new Map<
    string,
    { loads: number; bytes: number; unpinned: number; actors: Set<string>; revisions: Set<string> }
  >()
  return {
    add({ type, resource, actor, http }: RecordedEvent): void {
      const isLoad = type === 'io.hfauth.model.load' || type === 'io.hfauth.inference.completed'
      if (!isLoad || resource === undefined) return
      const name = resourceText(resource) ?? ''
      const load = found.get(name) ?? {
        loads: 0,
        bytes: 0,
        unpinned: 0,
        actors: new Set<string>(),
        revisions: new Set<string>(),
      }
      found.set(name, load)
      load.loads++
      load.bytes += http?.bytesOut ?? 0
      load.actors.add(actor.id)
      const commit = resource.commit ?? resource.revision ?? ''
      if (/^[0-9a-f]{40}$/.test(commit)) load.revisions.add(commit)
      else load.unpinned++
    },
    rows: (): LoadedRow[] =>
      [...found]
        .map(([resource, { actors, revisions, ...load }]) => ({
          resource,
          ...load,
          actors: actors.size,
          revisions: revisions.size,
        }))
        .sort((a, b) => b.loads - a.loads || compare(a.resource, b.resource)),
  }
}

function createWriters() {
  const writers = new Map<string, { first: number; last: number; events: number }>()
  return {
    add({ writer, seq }: RecordedEvent): void {
      const { first, last, events } = writers.get(writer) ?? { first: seq, last: seq, events: 0 }
      writers.set(writer, { first: Math.min(first, seq), last: Math.max(last, seq), events: events + 1 })
    },
    rows: (): WriterRow[] =>
      [...writers]
        .map(([writer, numbers]) => ({
          writer,
          ...numbers,
          missing: numbers.last - numbers.first + 1 - numbers.events,
        }))
        .sort((a, b) => compare(a.writer, b.writer)),
  }
}
