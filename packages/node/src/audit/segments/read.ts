/**
 * Read: the events of a directory, oldest first, from any place on.
 *
 * segments → **read** → queries, exports, shippers. Takes what is there: whether it is what was written is for
 * `verifySegments` to say. A line that is still being written is left for the next time.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { splitLine } from './chain.ts'
import { readEntry, type StoredEvent } from './entries.ts'
import { listSegments, readLines, type SegmentFile } from './files.ts'

/** A line of a log. */
export interface SegmentPlace {
  readonly segment: number
  /** From 1, all lines counted. */
  readonly line: number
}

export interface ReadSegmentsOptions {
  /** Gives only what stands behind this line. Default: everything. */
  readonly after?: SegmentPlace
}

export interface PlacedEvent extends SegmentPlace {
  readonly event: StoredEvent
}

/**
 * Reads every event behind `after` that is there now, then ends. Memory does not grow with the log.
 *
 * @throws HfAuthError `HFAUTH_AUDIT_UNREADABLE` when a file cannot be read, or a line is not one of a log.
 */
export async function* readSegments(
  directory: string,
  { after = { segment: 0, line: 0 } }: ReadSegmentsOptions = {},
): AsyncGenerator<PlacedEvent, void> {
  for (const file of await listSegments(directory)) {
    if (file.number < after.segment) continue
    yield* readSegmentFile(file, file.number === after.segment ? after.line : 0)
  }
}

/** The events of one segment, without those of its first `skipped` lines. */
export async function* readSegmentFile(file: SegmentFile, skipped = 0): AsyncGenerator<PlacedEvent, void> {
  let line = 0
  for await (const { lines } of readLines(file)) {
    for (const bytes of lines) {
      line++
      if (line <= skipped) continue
      const sealed = splitLine(bytes)
      const entry = sealed === undefined ? undefined : readEntry(sealed.body)
      if (sealed === undefined || entry === undefined) throw unreadableLine(file.path, line)
      if (entry.kind === 'event') {
        const event = { ...entry.event, hash: sealed.hash.toString('base64url') }
        yield { event, segment: file.number, line }
      }
    }
  }
}

function unreadableLine(path: string, line: number): HfAuthError {
  return new HfAuthError(
    'HFAUTH_AUDIT_UNREADABLE',
    `line ${line} of \`${path}\` is not a line of an audit log`,
  )
}
