/**
 * Loads: who loaded a resource, in which revision, and what became of it.
 *
 * @module
 */
import type { RecordedEvent } from '../types.ts'
import { Gaps, limitOf, OldestRows, resourceText, row } from './rows.ts'
import type { AuditSource } from './source.ts'
import type { AuditAnswers, LoadRow, LoadsQuestion } from './types.ts'

const outcomes = ['io.hfauth.model.load', 'io.hfauth.inference.completed'] as const
const begun = 'io.hfauth.stream.started'

/** Actions whose permission alone already says that bytes or answers may have left. */
const uses: ReadonlySet<string | undefined> = new Set(['read', 'infer'])

export async function loads(
  source: AuditSource,
  { resource, revision, from, to, environment, limit }: LoadsQuestion,
): Promise<AuditAnswers['loads']> {
  const gaps = new Gaps()
  const found = new OldestRows<LoadRow>(limitOf(limit))
  const revisions = new Map<string, number>()
  /** Permissions of which no end is known yet, by request. */
  const open = new Map<string, LoadRow>()
  const take = (load: LoadRow) => {
    if (revision !== undefined && load.revision !== revision && load.commit !== revision) return
    found.add(load)
    const name = load.commit ?? load.revision ?? 'unknown'
    revisions.set(name, (revisions.get(name) ?? 0) + 1)
  }

  const filter = {
    from,
    to,
    environment,
    resource,
    types: ['io.hfauth.decision', begun, ...outcomes],
  } as const
  for await (const event of source.events(definedOnly(filter))) {
    if (gaps.take(event)) continue
    if (event.type === begun) {
      // Of a permission that has no end yet; anything else that streams is not a load.
      if (open.has(event.requestId)) open.set(event.requestId, rowOf(event, 'begun'))
    } else if (event.type !== 'io.hfauth.decision') {
      open.delete(event.requestId)
      take(rowOf(event, outcomeOf(event)))
    } else if (event.decision?.effect === 'allow' && uses.has(event.action)) {
      open.set(event.requestId, rowOf(event, 'unknown'))
      // An end that is not there after so many other requests will not come.
      if (open.size > maxOpen) {
        const [[oldest, load] = ['', undefined]] = open
        open.delete(oldest)
        if (load !== undefined) take(load)
      }
    }
  }
  for (const load of open.values()) take(load)
  return {
    ...found.finish(),
    revisions: Object.fromEntries([...revisions].sort(([a], [b]) => (a < b ? -1 : 1))),
    gaps: gaps.rows,
  }
}

const maxOpen = 100_000

function outcomeOf({ http, error }: RecordedEvent): string {
  return error ?? (http?.status === undefined ? 'completed' : String(http.status))
}

function rowOf(event: RecordedEvent, outcome: string): LoadRow {
  const { time, actor, resource, http, client, decision, requestId } = event
  return row<LoadRow>({
    time,
    actor: actor.id,
    issuer: actor.issuer,
    name: actor.name,
    resource: resourceText(resource) ?? '',
    revision: resource?.revision,
    commit: resource?.commit,
    path: resource?.path,
    outcome,
    bytes: http?.bytesOut,
    ip: client?.ip,
    policy: decision?.policy,
    requestId,
  })
}

/** The same without members that are `undefined`. */
export function definedOnly<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never
}
