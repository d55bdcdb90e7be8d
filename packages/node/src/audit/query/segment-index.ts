/**
 * Segment index: which times, types, principals and resources a closed segment has, so that it need not be read
 * for a question about others.
 *
 * Kept beside the log in `index/`, made again when it is missing or not that of the segment as the next one
 * names its end. It only says what can be left out; a report, which is evidence, does without.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SegmentEnd } from '../segments/entries.ts'
import type { RecordedEvent } from '../types.ts'
import { createBloom, mayContain } from './bloom.ts'
import { type AuditFilter, actorIds, resourceKey } from './source.ts'

export interface SegmentIndex {
  readonly v: 1
  /** Of the segment's last line. */
  readonly hash: string
  readonly lines: number
  /** Epoch milliseconds of the earliest and the latest event; absent when there is none. */
  readonly first?: number
  readonly last?: number
  readonly types: readonly string[]
  readonly actors: string
  readonly resources: string
}

/** Whether the segment can have an event that the filter wants. */
export function mayHold(index: SegmentIndex, filter: AuditFilter): boolean {
  const { first, last } = index
  if (first === undefined || last === undefined) return false
  if (last < (filter.from ?? last) || first >= (filter.to ?? Number.POSITIVE_INFINITY)) return false
  if (index.types.includes('io.hfauth.audit.gap')) return true
  const { types, actor, resource } = filter
  return (
    (types?.some((type) => index.types.includes(type)) ?? true) &&
    (actor === undefined || mayContain(index.actors, actor)) &&
    (resource === undefined || mayContain(index.resources, resourceKey(resource)))
  )
}

export interface IndexBuilder {
  add(event: RecordedEvent): void
  build(end: SegmentEnd): SegmentIndex
}

export function createIndexBuilder(): IndexBuilder {
  const types = new Set<string>()
  const actors = new Set<string>()
  const resources = new Set<string>()
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  return {
    add(event) {
      const time = Date.parse(event.time)
      first = Math.min(first, time)
      last = Math.max(last, time)
      types.add(event.type)
      for (const id of actorIds(event)) actors.add(id)
      if (event.resource !== undefined) resources.add(resourceKey(event.resource))
    },
    build: ({ hash, lines }) => ({
      v: 1,
      hash,
      lines,
      ...(Number.isFinite(first) ? { first, last } : {}),
      types: [...types],
      actors: createBloom(actors),
      resources: createBloom(resources),
    }),
  }
}

/** `undefined` when there is none, or it is not that of a segment which ends so. */
export async function readIndex(directory: string, end: SegmentEnd): Promise<SegmentIndex | undefined> {
  try {
    const index = JSON.parse(await readFile(pathOf(directory, end.number), 'utf8')) as SegmentIndex
    return isIndex(index) && index.hash === end.hash && index.lines === end.lines ? index : undefined
  } catch {
    return undefined
  }
}

/** Leaves it when it cannot be written: whoever asks may not be allowed to. */
export async function writeIndex(directory: string, number: number, index: SegmentIndex): Promise<void> {
  const path = pathOf(directory, number)
  const draft = `${path}.${randomUUID()}`
  try {
    await mkdir(join(directory, folder), { recursive: true, mode: 0o700 })
    await writeFile(draft, JSON.stringify(index), { mode: 0o600 })
    await rename(draft, path)
  } catch {
    await rm(draft, { force: true }).catch(() => {})
  }
}

const folder = 'index'

function pathOf(directory: string, number: number): string {
  return join(directory, folder, `${String(number).padStart(8, '0')}.json`)
}

function isIndex({ v, first, last, types, actors, resources }: SegmentIndex): boolean {
  const isTime = (time: unknown) => time === undefined || Number.isFinite(time)
  return (
    v === 1 &&
    isTime(first) &&
    isTime(last) &&
    Array.isArray(types) &&
    typeof actors === 'string' &&
    typeof resources === 'string'
  )
}
