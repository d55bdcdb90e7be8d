/**
 * Recover: how far a segment is good, and what a crash left behind it.
 *
 * directory → **recover** → writer. Everything acknowledged ends with a line break and fits the chain. What
 * follows is cut off only when it cannot be anything but the rest of a write that never ended.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { chainHash, genesisHash, splitLine } from './chain.ts'
import { readEntry, type SegmentStart } from './entries.ts'
import { readLines, type SegmentFile } from './files.ts'
import { leafHash, MerkleTree } from './merkle.ts'
import { createIndexBuilder, type IndexBuilder } from './segment-index.ts'

/** Where a segment ends. */
export interface SegmentState {
  readonly start: SegmentStart
  /** Over all lines. */
  readonly tree: MerkleTree
  /** Hash of the last line. */
  readonly hash: Buffer
  readonly lastSeq: number
  /** Lines up to and with the last head. */
  readonly covered: number
  /** Of its events. */
  readonly index: IndexBuilder
  /** Length of the good part, in bytes. */
  readonly bytes: number
  /** Bytes of a line, or lines, that never became whole. */
  readonly tornBytes: number
}

/**
 * Reads a segment to its end; `undefined` when not even its first line is whole.
 *
 * @throws HfAuthError `HFAUTH_AUDIT_UNREADABLE` when a line is broken that is not the rest of a crash.
 */
export async function readState(file: SegmentFile): Promise<SegmentState | undefined> {
  let start: SegmentStart | undefined
  const tree = new MerkleTree()
  const index = createIndexBuilder()
  let hash = genesisHash
  let lastSeq = 0
  let covered = 0
  let bytes = 0
  let tornBytes = 0
  let line = 0
  for await (const { lines, rest } of readLines(file)) {
    for (const raw of lines) {
      line++
      const sealed = splitLine(raw)
      const entry = sealed === undefined ? undefined : readEntry(sealed.body)
      if (start === undefined && entry?.kind === 'segment') {
        start = entry.segment
        lastSeq = start.firstSeq - 1
        if (start.previous !== undefined) hash = Buffer.from(start.previous.hash, 'base64url')
      }
      const fits = start !== undefined && sealed?.hash.equals(chainHash(hash, sealed.body)) === true
      if (!fits || sealed === undefined || entry === undefined || tornBytes > 0) {
        // A disk may keep a later part of a write and not an earlier one, but never makes a whole line of it.
        if (sealed !== undefined) throw broken(file.path, line)
        tornBytes += raw.length + 1
        continue
      }
      hash = sealed.hash
      if (entry.kind === 'event') {
        lastSeq = entry.event.seq
        index.add(entry.event)
      }
      tree.append(leafHash(hash))
      if (entry.kind === 'head') covered = tree.size
      bytes += raw.length + 1
    }
    tornBytes += rest.length
  }
  return start === undefined ? undefined : { start, tree, hash, lastSeq, covered, index, bytes, tornBytes }
}

function broken(path: string, line: number): HfAuthError {
  return new HfAuthError(
    'HFAUTH_AUDIT_UNREADABLE',
    `line ${line} of \`${path}\` does not follow from the lines before it, and the log is not continued: see \`hfauth audit verify\``,
  )
}
