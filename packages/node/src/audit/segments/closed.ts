/**
 * Closed: what becomes of a segment that is no longer written. Compressed at once, removed when its time is over.
 *
 * @module
 */
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { splitLine } from './chain.ts'
import { readCursors } from './cursor.ts'
import { type RemovedSegment, readEntry, type SegmentEnd } from './entries.ts'
import { listSegments, readLines, type SegmentFile } from './files.ts'
import { readState } from './recover.ts'
import { removeIndex } from './segment-index.ts'

/** Compresses every segment before `newest` that is not, and removes what attempts before left. */
export async function compressClosed(directory: string, newest: number): Promise<void> {
  for (const { number, path, isCompressed } of await listSegments(directory)) {
    if (isCompressed || number >= newest) continue
    const draft = `${path}.gz.draft`
    await pipeline(
      createReadStream(path),
      createGzip(),
      createWriteStream(draft, { mode: 0o600, flush: true }),
    )
    await rename(draft, `${path}.gz`)
    await syncDirectory(directory)
    await rm(path)
  }
}

/** Segments that ended before `before`, are not held, and have been shipped by everyone who ships. */
export async function removableSegments(
  directory: string,
  newest: number,
  before: number,
): Promise<Omit<RemovedSegment, 'time'>[]> {
  if (before === Number.NEGATIVE_INFINITY || existsSync(join(directory, 'hold'))) return []
  const cursors = await readCursors(directory)
  const files = await listSegments(directory)
  const removable: Omit<RemovedSegment, 'time'>[] = []
  for (const [index, file] of files.entries()) {
    const next = files[index + 1]
    if (next === undefined || file.number >= newest) break
    // It ended when the next one began.
    if ((await startTime(next)) >= before) break
    if (existsSync(join(directory, `${basenameOf(file)}.hold`))) continue
    if (cursors.some(({ segment }) => segment <= file.number)) continue
    const state = await readState(file)
    if (state === undefined) continue
    removable.push({
      number: file.number,
      lines: state.tree.size,
      root: state.tree.root().toString('base64url'),
      hash: state.hash.toString('base64url'),
      firstSeq: state.start.firstSeq,
      lastSeq: state.lastSeq,
    })
  }
  return removable
}

/** Removes segments of which the log already says that they are gone. */
export async function removeSegments(directory: string, segments: readonly SegmentEnd[]): Promise<void> {
  const gone = new Set(segments.map(({ number }) => number))
  for (const name of await readdir(directory)) {
    const [, digits] = /^(\d{8,15})\.jsonl(?:\.gz)?$/.exec(name) ?? []
    if (digits !== undefined && gone.has(Number(digits))) await rm(join(directory, name))
  }
  for (const number of gone) await removeIndex(directory, number)
}

async function startTime(file: SegmentFile): Promise<number> {
  for await (const { lines } of readLines(file)) {
    const sealed = lines[0] === undefined ? undefined : splitLine(lines[0])
    const entry = sealed === undefined ? undefined : readEntry(sealed.body)
    return entry?.kind === 'segment' ? Date.parse(entry.segment.time) : Number.POSITIVE_INFINITY
  }
  return Number.POSITIVE_INFINITY
}

function basenameOf({ number }: SegmentFile): string {
  return String(number).padStart(8, '0')
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
