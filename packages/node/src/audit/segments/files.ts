/**
 * Files: the segments of a directory, in their order, and their lines as bytes.
 *
 * writer → directory → **files** → reader, verify, shipper. A segment is `00000001.jsonl` while it is
 * written and `00000001.jsonl.gz` once it is closed and compressed; the plain one counts where both are.
 *
 * @module
 */
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { HfAuthError } from '@hfauth/core'
import { maxLineBytes } from './chain.ts'

export interface SegmentFile {
  /** From 1, one more with each segment. */
  readonly number: number
  readonly path: string
  readonly isCompressed: boolean
}

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.jsonl`
}

/** @throws HfAuthError `HFAUTH_AUDIT_UNREADABLE` when the directory cannot be read. */
export async function listSegments(directory: string): Promise<SegmentFile[]> {
  let names: string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    throw unreadable(directory, error)
  }
  const found = new Map<number, SegmentFile>()
  // Sorted, the plain file comes before the compressed one.
  for (const name of names.sort()) {
    const [, digits, suffix] = /^(\d{8,15})\.jsonl(\.gz)?$/.exec(name) ?? []
    const number = Number(digits)
    if (digits === undefined || number === 0 || found.has(number)) continue
    found.set(number, { number, path: join(directory, name), isCompressed: suffix !== undefined })
  }
  return [...found.values()].sort((a, b) => a.number - b.number)
}

/** Lines that came in one piece of the file, without their line breaks. */
export interface LineBatch {
  readonly lines: readonly Buffer[]
  /** What follows the last line break at the end of the file; empty before that. */
  readonly rest: Buffer
}

/**
 * The lines of one segment, some at a time, so that a large one needs little memory.
 *
 * @throws HfAuthError `HFAUTH_AUDIT_UNREADABLE` when it cannot be read or decompressed, or has a line longer than 4 MiB.
 */
export async function* readLines(segment: SegmentFile): AsyncGenerator<LineBatch, void> {
  const { path } = segment
  const nothing = Buffer.alloc(0)
  const { handle, isCompressed } = await openSegment(segment)
  const file = handle.createReadStream({ highWaterMark: 256 * 1024 })
  const bytes: Readable = isCompressed ? file.pipe(createGunzip({ chunkSize: 256 * 1024 })) : file
  if (bytes !== file) file.once('error', (error) => bytes.destroy(error))
  let rest: Buffer = nothing
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      const whole = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const lines: Buffer[] = []
      let start = 0
      for (let end = whole.indexOf(0x0a, rest.length); end >= 0; end = whole.indexOf(0x0a, start)) {
        lines.push(whole.subarray(start, end))
        start = end + 1
      }
      rest = whole.subarray(start)
      if (rest.length > maxLineBytes) throw new Error('a line is too long')
      if (lines.length > 0) yield { lines, rest: nothing }
    }
  } catch (error) {
    throw unreadable(path, error)
  } finally {
    file.destroy()
  }
  if (rest.length > 0) yield { lines: [], rest }
}

/** The file, or what it has become since it was listed: the compressed one is there before the plain one goes. */
async function openSegment({
  path,
  isCompressed,
}: SegmentFile): Promise<{ readonly handle: FileHandle; readonly isCompressed: boolean }> {
  try {
    return { handle: await open(path), isCompressed }
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (!isGone || isCompressed) throw unreadable(path, error)
  }
  try {
    return { handle: await open(`${path}.gz`), isCompressed: true }
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, cause: unknown): HfAuthError {
  return new HfAuthError('HFAUTH_AUDIT_UNREADABLE', `the audit log \`${path}\` cannot be read`, { cause })
}
