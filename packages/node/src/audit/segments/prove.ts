/**
 * Prove: makes proofs out of a log, for whoever has its public key and not the log.
 *
 * segments → **prove** → a text to hand over. Reads the segments that a proof is about, and keeps the hashes of
 * one at a time.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { genesisHash, type SealedLine, splitLine } from './chain.ts'
import { readEntry, type SegmentStart } from './entries.ts'
import { writeEventProof } from './event-proof.ts'
import { listSegments, readLines, type SegmentFile } from './files.ts'
import type { GrowthProof } from './growth-proof.ts'
import { leafHash, MerkleTree } from './merkle.ts'
import { consistencyProof, inclusionProof } from './proofs.ts'
import { readHead, readOrigin, type SignedHead } from './signed-note.ts'

export interface ProveEventOptions {
  /** A signed note that was kept elsewhere, to prove the event under. Default the last head that covers it. */
  readonly head?: string
}

/**
 * Proves that an event is in the log: a text for `checkEventProof`. It has the event in it, as it is stored.
 *
 * @param id - The event's `id`.
 * @throws HfAuthError `HFAUTH_AUDIT_UNPROVABLE` when there is no such event, no head covers it, or the head is not
 * one of these lines; `HFAUTH_AUDIT_UNREADABLE` when the log cannot be read.
 */
export async function proveEvent(
  directory: string,
  id: string,
  { head: note }: ProveEventOptions = {},
): Promise<string> {
  const given = note === undefined ? undefined : placeOf(note)
  for (const file of await listSegments(directory)) {
    if (given !== undefined && given.segment !== file.number) continue
    const found = await findEvent(file, id)
    if (found === undefined) continue
    const head = given ?? found.heads.findLast(({ head: { size } }) => size > found.index)
    if (head === undefined) throw unprovable('no signed head covers this event yet')
    const leaves = await leavesUnder(file, head)
    if (found.index >= leaves.length) throw unprovable('this head does not cover the event')
    const { index, previous, body } = found
    return writeEventProof({
      previous,
      body,
      index,
      hashes: inclusionProof(leaves, index),
      head: head.note,
    })
  }
  throw unprovable('there is no such event, or its segment has been removed')
}

/**
 * Proves that all lines under the head `from` are in the log under the head `to`: a text for `checkGrowthProof`.
 *
 * @param from - A signed note that was kept elsewhere.
 * @param to - Another, of the same or a later segment. Default the last head that is in the log.
 * @throws HfAuthError as {@link proveEvent}.
 */
export async function proveGrowth(
  directory: string,
  { from: fromNote, to: toNote }: { readonly from: string; readonly to?: string },
): Promise<string> {
  const from = placeOf(fromNote)
  const files = (await listSegments(directory)).filter(({ number }) => number >= from.segment)
  const to = toNote === undefined ? await lastHead(files) : placeOf(toNote)
  if (to.writer !== from.writer) throw unprovable('these heads are of two logs')
  if (to.segment < from.segment || (to.segment === from.segment && to.head.size < from.head.size))
    throw unprovable('the later head comes before the earlier one')
  const walked = files.filter(({ number }) => number <= to.segment)
  if (walked.length !== to.segment - from.segment + 1)
    throw unprovable('a segment between these heads is missing')
  const segments: GrowthProof['segments'][number][] = []
  let hashes: string[] = []
  for (const file of walked) {
    const { leaves, start } = file.number === to.segment ? await readUnder(file, to) : await readWhole(file)
    if (file.number === from.segment) {
      assertRoot(leaves.slice(0, from.head.size), from)
      hashes = textsOf(consistencyProof(leaves, from.head.size))
    } else {
      segments.push({ start, hashes: textsOf(inclusionProof(leaves, 0)) })
    }
  }
  const proof: GrowthProof = { v: 1, from: fromNote, to: to.note, hashes, segments }
  return `${JSON.stringify(proof, null, 2)}\n`
}

interface PlacedHead {
  readonly note: string
  readonly head: SignedHead
  readonly writer: string
  readonly segment: number
}

/** @throws HfAuthError `HFAUTH_AUDIT_UNPROVABLE` when it is not a head of a log of ours. */
function placeOf(note: string): PlacedHead {
  const head = readHead(note)
  const origin = head === undefined ? undefined : readOrigin(head.origin)
  if (head === undefined || origin === undefined) throw unprovable('the head cannot be read')
  return { note, head, ...origin }
}

interface FoundEvent {
  readonly index: number
  readonly previous: Buffer
  readonly body: string
  /** Of the segment, in their order. */
  readonly heads: readonly PlacedHead[]
}

async function findEvent(file: SegmentFile, id: string): Promise<FoundEvent | undefined> {
  const heads: PlacedHead[] = []
  let found: Omit<FoundEvent, 'heads'> | undefined
  let index = 0
  let previous: Buffer = genesisHash
  for await (const { hash, body } of sealedLines(file)) {
    const isHead = body.startsWith('{"head":')
    // Taking every line apart would cost far more than finding the one.
    if (isHead || index === 0 || (found === undefined && body.includes(id))) {
      const entry = readEntry(body)
      if (entry?.kind === 'segment') previous = hashBefore(entry.segment)
      if (entry?.kind === 'head') heads.push(placeOf(entry.head.note))
      if (entry?.kind === 'event' && entry.event.id === id) found = { index, previous, body }
    }
    previous = hash
    index++
  }
  return found === undefined ? undefined : { ...found, heads }
}

function hashBefore({ previous }: SegmentStart): Buffer {
  return previous === undefined ? genesisHash : Buffer.from(previous.hash, 'base64url')
}

interface ReadSegment {
  readonly leaves: readonly Buffer[]
  /** Body of its first line. */
  readonly start: string
}

async function readWhole(file: SegmentFile, size = Number.POSITIVE_INFINITY): Promise<ReadSegment> {
  const leaves: Buffer[] = []
  let start = ''
  for await (const { hash, body } of sealedLines(file)) {
    if (leaves.length === size) break
    if (leaves.length === 0) start = body
    leaves.push(leafHash(hash))
  }
  return { leaves, start }
}

/** The lines that a head covers. @throws HfAuthError when they are not those that it was made of. */
async function readUnder(file: SegmentFile, head: PlacedHead): Promise<ReadSegment> {
  const segment = await readWhole(file, head.head.size)
  assertRoot(segment.leaves, head)
  return segment
}

async function leavesUnder(file: SegmentFile, head: PlacedHead): Promise<readonly Buffer[]> {
  return (await readUnder(file, head)).leaves
}

function assertRoot(leaves: readonly Buffer[], { head: { size, root } }: PlacedHead): void {
  const tree = new MerkleTree()
  for (const leaf of leaves) tree.append(leaf)
  if (tree.size !== size || !tree.root().equals(root))
    throw unprovable('the log does not have the lines under this head')
}

/** The newest head of the newest segment that has one. */
async function lastHead(files: readonly SegmentFile[]): Promise<PlacedHead> {
  for (const file of files.toReversed()) {
    let last: string | undefined
    for await (const { body } of sealedLines(file)) if (body.startsWith('{"head":')) last = body
    const entry = last === undefined ? undefined : readEntry(last)
    if (entry?.kind === 'head') return placeOf(entry.head.note)
  }
  throw unprovable('the log has no head')
}

async function* sealedLines(file: SegmentFile): AsyncGenerator<SealedLine, void> {
  let line = 0
  for await (const { lines } of readLines(file)) {
    for (const raw of lines) {
      line++
      const sealed = splitLine(raw)
      if (sealed === undefined)
        throw new HfAuthError(
          'HFAUTH_AUDIT_UNREADABLE',
          `line ${line} of \`${file.path}\` is not a line of an audit log`,
        )
      yield sealed
    }
  }
}

function textsOf(hashes: readonly Buffer[]): string[] {
  return hashes.map((hash) => hash.toString('base64'))
}

function unprovable(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_AUDIT_UNPROVABLE', `nothing can be proved: ${reason}`)
}
