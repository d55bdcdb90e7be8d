/**
 * Segment check: one segment, line by line, against what is known of the log so far.
 *
 * files → **segment check** → verify. A line whose hash is wrong does not make those after it wrong: each is
 * held against the hash that the one before it tells.
 *
 * @module
 */
import { chainHash, genesisHash, splitLine } from './chain.ts'
import {
  type RemovedSegment,
  readEntry,
  type SegmentEnd,
  type SegmentEntry,
  type SegmentStart,
} from './entries.ts'
import { readLines, type SegmentFile } from './files.ts'
import type { Numbers } from './findings.ts'
import { leafHash, MerkleTree } from './merkle.ts'
import { checkSignatures, originOf, readHead, type SignedHead } from './signed-note.ts'
import type { Trail } from './trail.ts'

/** One segment, line by line; gives how it ended. */
export async function checkSegment(
  file: SegmentFile,
  before: SegmentEnd | undefined,
  trail: Trail,
): Promise<SegmentEnd> {
  const { numbers, counts } = trail
  const find = trail.find.bind(trail)
  const { number } = file
  const tree = new MerkleTree()
  let previous = genesisHash
  let start: SegmentStart | undefined
  /** Removals that no head covers yet: anybody could have written them. */
  const unsigned: RemovedSegment[] = []
  const expectedHeads = trail.anchors.filter(({ segment }) => segment === number)

  function lineOf(raw: Buffer, line: number): void {
    const sealed = splitLine(raw)
    const entry = sealed === undefined ? undefined : readEntry(sealed.body)
    if (sealed === undefined || entry === undefined) {
      find('line_malformed', number, 'this is not a line of an audit log', { line })
      return
    }
    if (line === 1 && entry.kind === 'segment') {
      start = entry.segment
      begin(start)
    } else if (line === 1 || entry.kind === 'segment') {
      find('line_malformed', number, 'a segment begins with its own line, and has no other', { line })
    }
    const order = entry.kind === 'event' ? numbers.take(entry.event.seq, number, line) : undefined
    if (!sealed.hash.equals(chainHash(previous, sealed.body))) explain(entry, order, line)
    else if (order === 'repeated' || order === 'reordered') explain(entry, order, line)
    else if (order === 'later') trail.reported.add(number)
    previous = sealed.hash
    note(entry, line)
    tree.append(leafHash(sealed.hash))
    for (const head of expectedHeads)
      if (head.size === line) compare(head, line, 'a head that was kept elsewhere')
  }

  /** The first line says what was before it. */
  function begin({ number: own, firstSeq, previous: told, writer: name }: SegmentStart): void {
    trail.writer ??= name
    if (own !== number)
      find('segment_detached', number, `this file says that it is segment ${own}`, { line: 1 })
    if (name !== trail.writer) find('writer_changed', number, `this segment is by \`${name}\``, { line: 1 })
    if (told !== undefined) previous = Buffer.from(told.hash, 'base64url')
    if (told !== undefined && before?.number !== told.number) trail.ends.set(told.number, told)
    if (told !== undefined && before?.number === number - 1) compareEnds(told, before)
    if ((told === undefined) !== (number === 1) || (told !== undefined && told.number !== number - 1))
      find('segment_detached', number, 'this segment names another one before it', { line: 1 })
    numbers.expect(firstSeq, number, 1)
  }

  function compareEnds(told: SegmentEnd, real: SegmentEnd): void {
    if (real.lines < told.lines) {
      const message = `the segment ends after line ${real.lines}, and had ${told.lines}`
      find('segment_truncated', real.number, message, { line: real.lines })
    } else if (real.lines > told.lines || real.hash !== told.hash || real.root !== told.root) {
      // What was changed in the segment before was found there already.
      if (!trail.reported.has(real.number))
        find('segment_detached', number, 'the segment before did not end as this one says', { line: 1 })
    }
  }

  function explain(entry: SegmentEntry, order: ReturnType<Numbers['take']>, line: number): void {
    const seq = entry.kind === 'event' ? entry.event.seq : undefined
    const more = { line, ...(seq === undefined ? {} : { seq }) }
    if (order === 'reordered')
      find('record_reordered', number, `event ${seq} stands behind a later one`, more)
    else if (order === 'repeated') find('record_repeated', number, `event ${seq} was there already`, more)
    // The number that is missing is told at the end, when it is sure that it does not come later.
    else if (order === 'later') trail.reported.add(number)
    else {
      const what = seq === undefined ? 'this line' : `event ${seq}`
      find(
        'record_changed',
        number,
        `${what} does not have its hash: it was changed, or what stood before it`,
        more,
      )
    }
  }

  function note(entry: SegmentEntry, line: number): void {
    if (entry.kind === 'removed') unsigned.push(entry.removed)
    if (entry.kind === 'head') checkHead(entry.head.note, line)
    if (entry.kind !== 'event') return
    const { seq, time, writer: name, loss } = entry.event
    counts.events++
    counts.uncovered++
    if (name !== trail.writer) find('writer_changed', number, `event ${seq} is by \`${name}\``, { line, seq })
    trail.first ??= { seq, time }
    trail.last = { seq, time }
    if (loss !== undefined) trail.losses.push({ ...loss, seq })
  }

  function checkHead(text: string, line: number): void {
    counts.heads++
    const head = readHead(text)
    if (
      head === undefined ||
      head.size !== line - 1 ||
      head.origin !== originOf(trail.writer ?? '', number)
    ) {
      if (head === undefined || !trail.reported.has(number))
        find('head_malformed', number, 'this head is not one of the lines before it', { line })
      return
    }
    const signed = checkSignatures(head, trail.keys)
    if (signed === 'invalid')
      find('signature_invalid', number, 'the signature of this head is wrong', { line })
    if (signed === 'unknown')
      find('signature_unknown', number, 'this head is signed by no known key', { line })
    if (signed !== 'valid' || !compare(head, line, 'this head')) return
    trail.covered = { segment: number, line: line - 1, seq: trail.last?.seq ?? (start?.firstSeq ?? 1) - 1 }
    counts.uncovered = 0
    for (const each of unsigned.splice(0)) trail.removed.set(each.number, each)
  }

  function compare(head: SignedHead, line: number, name: string): boolean {
    if (tree.root().equals(head.root)) return true
    // A line that was changed has been named; its root cannot be right.
    if (!trail.reported.has(number))
      find(
        'head_mismatch',
        number,
        `the lines up to here are not those that ${name} covers: they were written again`,
        { line },
      )
    return false
  }

  let line = 0
  try {
    for await (const { lines, rest } of readLines(file)) {
      for (const raw of lines) lineOf(raw, ++line)
      if (rest.length > 0)
        find(
          'line_unfinished',
          number,
          'the file ends in the middle of this line: cut off, or being written',
          { line: line + 1 },
        )
    }
  } catch {
    find('segment_unreadable', number, `the file cannot be read behind line ${line}`, { line })
  }
  for (const { size } of expectedHeads) {
    if (size > line)
      find(
        'segment_truncated',
        number,
        `the segment ends after line ${line}; a head that was kept elsewhere covers ${size}`,
        { line },
      )
  }
  counts.lines += line
  return {
    number,
    lines: line,
    root: tree.root().toString('base64url'),
    hash: previous.toString('base64url'),
  }
}
