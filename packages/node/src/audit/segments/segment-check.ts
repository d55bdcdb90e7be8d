/**
 * Segment check: one segment, line by line, against what is known of the log so far.
 *
 * files → **segment check** → verify. A line whose hash is wrong does not make those after it wrong: each is
 * held against the hash that the one before it tells.
 *
 * @module
 */
import { chainHash, genesisHash, splitLine } from './chain.ts'
import { checkStart } from './check-start.ts'
import { readEntry, type SegmentEnd, type SegmentEntry } from './entries.ts'
import { readLines, type SegmentFile } from './files.ts'
import type { Numbers } from './findings.ts'
import { HeadCheck } from './head-check.ts'
import type { Trail } from './trail.ts'

/** One segment, line by line; gives how it ended. */
export async function checkSegment(
  file: SegmentFile,
  before: SegmentEnd | undefined,
  trail: Trail,
): Promise<SegmentEnd> {
  const check = new SegmentCheck(file.number, before, trail)
  let line = 0
  try {
    for await (const { lines, rest } of readLines(file)) {
      for (const raw of lines) check.take(raw, ++line)
      if (rest.length > 0) {
        const message = 'the file ends in the middle of this line: cut off, or being written'
        trail.find('line_unfinished', file.number, message, { line: line + 1 })
      }
    }
  } catch {
    trail.find('segment_unreadable', file.number, `the file cannot be read behind line ${line}`, { line })
  }
  return check.end(line)
}

class SegmentCheck {
  private readonly number: number
  private readonly before: SegmentEnd | undefined
  private readonly trail: Trail
  private readonly heads: HeadCheck
  /** What the next line follows. */
  private previous: Buffer = genesisHash

  constructor(number: number, before: SegmentEnd | undefined, trail: Trail) {
    this.number = number
    this.before = before
    this.trail = trail
    this.heads = new HeadCheck(number, trail)
  }

  take(raw: Buffer, line: number): void {
    const { number, trail, heads } = this
    const sealed = splitLine(raw)
    const entry = sealed === undefined ? undefined : readEntry(sealed.body)
    if (sealed === undefined || entry === undefined) {
      trail.find('line_malformed', number, 'this is not a line of an audit log', { line })
      return
    }
    if (line === 1 && entry.kind === 'segment') {
      checkStart(entry.segment, number, this.before, trail)
      const { previous } = entry.segment
      if (previous !== undefined) this.previous = Buffer.from(previous.hash, 'base64url')
      heads.firstSeq = entry.segment.firstSeq
    } else if (line === 1 || entry.kind === 'segment') {
      const message = 'a segment begins with its own line, and has no other'
      trail.find('line_malformed', number, message, { line })
    }
    this.checkPlace(entry, line, sealed.hash.equals(chainHash(this.previous, sealed.body)))
    this.previous = sealed.hash
    this.note(entry, line)
    heads.append(sealed.hash, line)
  }

  end(lines: number): SegmentEnd {
    this.heads.end(lines)
    this.trail.counts.lines += lines
    return {
      number: this.number,
      lines,
      root: this.heads.root().toString('base64url'),
      hash: this.previous.toString('base64url'),
    }
  }

  /** Whether the line has its hash, and its number. */
  private checkPlace(entry: SegmentEntry, line: number, hasHash: boolean): void {
    const { trail, number } = this
    const order = entry.kind === 'event' ? trail.numbers.take(entry.event.seq, number, line) : undefined
    if (!hasHash || order === 'repeated' || order === 'reordered') this.explain(entry, order, line)
    else if (order === 'later') trail.reported.add(number)
  }

  private explain(entry: SegmentEntry, order: ReturnType<Numbers['take']>, line: number): void {
    const { trail, number } = this
    const seq = entry.kind === 'event' ? entry.event.seq : undefined
    const more = { line, ...(seq === undefined ? {} : { seq }) }
    if (order === 'reordered')
      trail.find('record_reordered', number, `event ${seq} stands behind a later one`, more)
    else if (order === 'repeated')
      trail.find('record_repeated', number, `event ${seq} was there already`, more)
    // The number that is missing is told at the end, when it is sure that it does not come later.
    else if (order === 'later') trail.reported.add(number)
    else {
      const what = seq === undefined ? 'this line' : `event ${seq}`
      const message = `${what} does not have its hash: it was changed, or what stood before it`
      trail.find('record_changed', number, message, more)
    }
  }

  private note(entry: SegmentEntry, line: number): void {
    const { trail, number, heads } = this
    if (entry.kind === 'removed') heads.removed(entry.removed)
    if (entry.kind === 'head') heads.check(entry.head.note, line)
    if (entry.kind !== 'event') return
    const { seq, time, writer, loss } = entry.event
    trail.counts.events++
    trail.counts.uncovered++
    if (writer !== trail.writer)
      trail.find('writer_changed', number, `event ${seq} is by \`${writer}\``, { line, seq })
    trail.first ??= { seq, time }
    trail.last = { seq, time }
    if (loss !== undefined) trail.losses.push({ ...loss, seq })
  }
}
