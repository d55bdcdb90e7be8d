/**
 * Log source: the events of a log on this machine, without reading segments that have none of those wanted.
 *
 * log → **log source** → query. Takes a directory of segments, or one file of JSON lines.
 *
 * @module
 */
import { stat } from 'node:fs/promises'
import { HfAuthError } from '@hfauth/core'
import { isEvent } from '../is-event.ts'
import { splitLine } from '../segments/chain.ts'
import { readEntry, type SegmentStart } from '../segments/entries.ts'
import { listSegments, readLines, type SegmentFile } from '../segments/files.ts'
import { readSegmentFile } from '../segments/read.ts'
import { createIndexBuilder, readIndex, writeIndex } from '../segments/segment-index.ts'
import type { RecordedEvent } from '../types.ts'
import { mayHold } from './may-hold.ts'
import { type AuditFilter, type AuditSource, isWanted } from './source.ts'

export interface AuditLogSourceOptions {
  /** Reads every segment, whatever the index says. Default false. */
  readonly readAll?: boolean
}

/** @param path - A directory of segments, or a file of JSON lines, which may be compressed (`.gz`). */
export function auditLogSource(path: string, { readAll = false }: AuditLogSourceOptions = {}): AuditSource {
  return {
    async *events(filter) {
      const events = (await isFile(path)) ? fromFile(path) : fromSegments(path, filter, readAll)
      for await (const event of events) {
        if (!isEvent(event))
          throw new HfAuthError('HFAUTH_AUDIT_UNREADABLE', `\`${path}\` holds what is not a whole event`)
        if (isWanted(event, filter)) yield event
      }
    },
  }
}

async function* fromSegments(
  directory: string,
  filter: AuditFilter,
  readAll: boolean,
): AsyncGenerator<RecordedEvent, void> {
  const files = await listSegments(directory)
  for (const [at, file] of files.entries()) {
    const next = files[at + 1]
    // Of a closed segment, the one after it names the index.
    const told = readAll || next === undefined ? undefined : await toldBy(next)
    const digest = told?.number === file.number ? told.index : undefined
    const index = digest === undefined ? undefined : await readIndex(directory, file.number, digest)
    if (index !== undefined && !mayHold(index, filter)) continue
    const builder = digest === undefined || index !== undefined ? undefined : createIndexBuilder()
    for await (const { event } of readSegmentFile(file)) {
      builder?.add(event)
      yield event
    }
    const made = builder?.build()
    // What is not as it was named is not that of this segment as it was.
    if (made !== undefined && made.digest === digest) await writeIndex(directory, file.number, made.text)
  }
}

async function toldBy(file: SegmentFile): Promise<SegmentStart['previous']> {
  for await (const { lines } of readLines(file)) {
    const body = splitLine(lines[0] ?? Buffer.alloc(0))?.body
    const entry = body === undefined ? undefined : readEntry(body)
    return entry?.kind === 'segment' ? entry.segment.previous : undefined
  }
  return undefined
}

async function* fromFile(path: string): AsyncGenerator<RecordedEvent, void> {
  let line = 0
  for await (const { lines } of readLines({ number: 1, path, isCompressed: path.endsWith('.gz') })) {
    for (const bytes of lines) {
      line++
      // A line that a crash left unfinished is nobody's; the process after it began a new one.
      const entry = readEntry(bytes.toString())
      if (entry?.kind === 'event') yield entry.event
      else if (bytes.length > 0 && bytes.at(-1) === 0x7d)
        throw new HfAuthError('HFAUTH_AUDIT_UNREADABLE', `line ${line} of \`${path}\` is not an event`)
    }
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    throw new HfAuthError('HFAUTH_AUDIT_UNREADABLE', `there is no audit log at \`${path}\``, { cause: error })
  }
}
