/**
 * Segment index: which times, types, principals and resources a closed segment has, so that it need not be read
 * for a question about others.
 *
 * Made while the segment is written, and named by its digest in the first line of the next one: so the chain and
 * its heads cover it as they cover events. Kept in `index/` beside the log; a file that is not what was named is
 * not used, and made again from the segment.
 *
 * @module
 */
import { hash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { actorIds, resourceKey } from '../found-by.ts'
import type { RecordedEvent } from '../types.ts'
import { createBloom } from './bloom.ts'

export interface SegmentIndex {
  readonly v: 1
  /** Epoch milliseconds of the earliest and the latest event; absent when there is none. */
  readonly first?: number
  readonly last?: number
  readonly types: readonly string[]
  readonly actors: string
  readonly resources: string
}

/** Its text as it is stored, and the digest that names it: SHA-256 of the text, in base64url. */
export interface IndexText {
  readonly text: string
  readonly digest: string
}

export interface IndexBuilder {
  add(event: RecordedEvent): void
  /** The same events in any order make the same text; `undefined` when there are too many to be told apart. */
  build(): IndexText | undefined
}

/** Most principals, and most resources, of one segment; one with more has no index, and is read. */
const maxItems = 50_000

export function createIndexBuilder(): IndexBuilder {
  const types = new Set<string>()
  const actors = new Set<string>()
  const resources = new Set<string>()
  // As texts, which compare as the times do: parsing each would cost more than all the rest.
  let first: string | undefined
  let last: string | undefined
  let isFull = false
  return {
    add(event) {
      if (isFull) return
      const { time } = event
      if (first === undefined || time < first) first = time
      if (last === undefined || time > last) last = time
      types.add(event.type)
      for (const id of actorIds(event)) actors.add(id)
      if (event.resource !== undefined) resources.add(resourceKey(event.resource))
      isFull = actors.size > maxItems || resources.size > maxItems
      if (isFull) for (const items of [actors, resources]) items.clear()
    },
    build() {
      if (isFull) return undefined
      const index: SegmentIndex = {
        v: 1,
        ...(first === undefined || last === undefined
          ? {}
          : { first: Date.parse(first), last: Date.parse(last) }),
        types: [...types].sort(),
        actors: createBloom(actors),
        resources: createBloom(resources),
      }
      const text = JSON.stringify(index)
      return { text, digest: digestOf(text) }
    },
  }
}

/** The index of a segment under this digest; `undefined` when there is none, or it is another. */
export async function readIndex(
  directory: string,
  number: number,
  digest: string,
): Promise<SegmentIndex | undefined> {
  try {
    const text = await readFile(pathOf(directory, number), 'utf8')
    return digestOf(text) === digest ? (JSON.parse(text) as SegmentIndex) : undefined
  } catch {
    return undefined
  }
}

/** Leaves it when it cannot be written: whoever asks may not be allowed to, and segments can be read without. */
export async function writeIndex(directory: string, number: number, text: string): Promise<void> {
  const path = pathOf(directory, number)
  const draft = `${path}.${randomUUID()}`
  try {
    await mkdir(join(directory, folder), { recursive: true, mode: 0o700 })
    await writeFile(draft, text, { mode: 0o600 })
    await rename(draft, path)
  } catch {
    await rm(draft, { force: true }).catch(() => {})
  }
}

export async function removeIndex(directory: string, number: number): Promise<void> {
  await rm(pathOf(directory, number), { force: true })
}

const folder = 'index'

function pathOf(directory: string, number: number): string {
  return join(directory, folder, `${String(number).padStart(8, '0')}.json`)
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64url')
}
