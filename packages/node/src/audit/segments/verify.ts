/**
 * Verify: whether a log is what was written, and if not, where it differs and how.
 *
 * segments → **verify** → report. Reads every line once, in order, with no more memory than one of them. Needs
 * public keys only, and no network.
 *
 * @module
 */
import type { AuditLoss } from '@hfauth/core'
import { chainHash, genesisHash, splitLine } from './chain.ts'
import {
  type RemovedSegment,
  readEntry,
  type SegmentEnd,
  type SegmentEntry,
  type SegmentStart,
} from './entries.ts'
import { listSegments, readLines, type SegmentFile } from './files.ts'
import { type Finding, type FindingCode, Numbers } from './findings.ts'
import { leafHash, MerkleTree } from './merkle.ts'
import { readPublicKeys, readPublishedKeys } from './published-keys.ts'
import { checkSignatures, readHead, type SignedHead } from './signed-note.ts'

export interface VerifySegmentsOptions {
  /** Public keys, one a line, as `keys` beside the log has them. Default those, which prove nothing by themselves. */
  readonly keys?: string
  /** Heads that were kept elsewhere: signed notes. What they cover must be there. */
  readonly heads?: readonly string[]
  /** Most findings that are told. Default 100. */
  readonly maxFindings?: number
}

export interface VerifyReport {
  /** True when nothing is wrong with what is there. Losses that the log itself tells do not count. */
  readonly ok: boolean
  readonly writer?: string
  readonly segments: number
  /** Segments that retention took away, as the log says. */
  readonly removedSegments: number
  readonly lines: number
  readonly events: number
  readonly heads: number
  /** The last line that a good signature covers; what stands behind it could have been written again. */
  readonly covered?: { readonly segment: number; readonly line: number; readonly seq: number }
  /** Events behind it. */
  readonly uncovered: number
  /** Whether the keys came from the caller. */
  readonly hasTrustedKeys: boolean
  /** Losses on record. */
  readonly losses: readonly (AuditLoss & { readonly seq: number })[]
  readonly findings: readonly Finding[]
  /** Findings beyond `maxFindings`. */
  readonly moreFindings: number
  /** Number and time of the first and the last event. */
  readonly first?: { readonly seq: number; readonly time: string }
  readonly last?: { readonly seq: number; readonly time: string }
}

/** @throws HfAuthError `HFAUTH_AUDIT_UNREADABLE` when the directory cannot be read. */
export async function verifySegments(
  directory: string,
  options: VerifySegmentsOptions = {},
): Promise<VerifyReport> {
  const { maxFindings = 100 } = options
  const files = await listSegments(directory)
  const keys = options.keys === undefined ? await readPublishedKeys(directory) : readPublicKeys(options.keys)
  const findings: Finding[] = []
  const reported = new Set<number>()
  let moreFindings = 0
  const numbers = new Numbers()
  const removed = new Map<number, RemovedSegment>()
  const losses: (AuditLoss & { seq: number })[] = []
  let writer: string | undefined
  let covered: VerifyReport['covered']
  let first: VerifyReport['first']
  let last: VerifyReport['last']
  const counts = { lines: 0, events: 0, heads: 0, uncovered: 0 }

  function find(code: FindingCode, segment: number, message: string, more: Partial<Finding> = {}): void {
    reported.add(segment)
    if (findings.length < maxFindings) findings.push({ code, segment, message, ...more })
    else moreFindings++
  }

  const anchors = readAnchors(options.heads ?? [])
  function readAnchors(notes: readonly string[]): (SignedHead & { segment: number; writer: string })[] {
    return notes.flatMap((note) => {
      const head = readHead(note)
      const [, writer, number] = /^hfauth-audit\/([\w.-]+)\/([1-9]\d{0,14})$/.exec(head?.origin ?? '') ?? []
      if (head === undefined || writer === undefined) {
        find('head_malformed', 0, 'a head that was kept elsewhere cannot be read')
        return []
      }
      const segment = Number(number)
      const signed = checkSignatures(head, keys)
      if (signed === 'invalid')
        find('signature_invalid', segment, 'a head that was kept elsewhere has a wrong signature')
      if (signed === 'unknown')
        find('signature_unknown', segment, 'a head that was kept elsewhere is signed by no known key')
      return signed === 'valid' ? [{ ...head, segment, writer }] : []
    })
  }

  /** One segment, line by line; gives how it ended. */
  async function check(file: SegmentFile, before: SegmentEnd | undefined): Promise<SegmentEnd> {
    const { number } = file
    const tree = new MerkleTree()
    let previous = genesisHash
    let start: SegmentStart | undefined
    const expectedHeads = anchors.filter(({ segment }) => segment === number)

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
      else if (order === 'later') reported.add(number)
      previous = sealed.hash
      note(entry, line)
      tree.append(leafHash(sealed.hash))
      for (const head of expectedHeads)
        if (head.size === line) compare(head, line, 'a head that was kept elsewhere')
    }

    /** The first line says what was before it. */
    function begin({ number: own, firstSeq, previous: told, writer: name }: SegmentStart): void {
      writer ??= name
      if (own !== number)
        find('segment_detached', number, `this file says that it is segment ${own}`, { line: 1 })
      if (name !== writer) find('writer_changed', number, `this segment is by \`${name}\``, { line: 1 })
      if (told !== undefined) previous = Buffer.from(told.hash, 'base64url')
      const after = before ?? removed.get(number - 1)
      if (after !== undefined && told !== undefined && after.number === number - 1) compareEnds(told, after)
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
        if (!reported.has(real.number))
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
      else if (order === 'later') reported.add(number)
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
      if (entry.kind === 'removed') removed.set(entry.removed.number, entry.removed)
      if (entry.kind === 'head') checkHead(entry.head.note, line)
      if (entry.kind !== 'event') return
      const { seq, time, writer: name, loss } = entry.event
      counts.events++
      counts.uncovered++
      if (name !== writer) find('writer_changed', number, `event ${seq} is by \`${name}\``, { line, seq })
      first ??= { seq, time }
      last = { seq, time }
      if (loss !== undefined) losses.push({ ...loss, seq })
    }

    function checkHead(text: string, line: number): void {
      counts.heads++
      const head = readHead(text)
      if (
        head === undefined ||
        head.size !== line - 1 ||
        head.origin !== `hfauth-audit/${writer}/${number}`
      ) {
        if (head === undefined || !reported.has(number))
          find('head_malformed', number, 'this head is not one of the lines before it', { line })
        return
      }
      const signed = checkSignatures(head, keys)
      if (signed === 'invalid')
        find('signature_invalid', number, 'the signature of this head is wrong', { line })
      if (signed === 'unknown')
        find('signature_unknown', number, 'this head is signed by no known key', { line })
      if (signed !== 'valid' || !compare(head, line, 'this head')) return
      covered = { segment: number, line: line - 1, seq: last?.seq ?? (start?.firstSeq ?? 1) - 1 }
      counts.uncovered = 0
    }

    function compare(head: SignedHead, line: number, name: string): boolean {
      if (tree.root().equals(head.root)) return true
      // A line that was changed has been named; its root cannot be right.
      if (!reported.has(number))
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

  let before: SegmentEnd | undefined
  const seen = new Set<number>()
  for (const file of files) {
    seen.add(file.number)
    before = await check(file, before)
  }
  const highest = Math.max(files.at(-1)?.number ?? 0, ...anchors.map(({ segment }) => segment))
  for (let number = 1; number <= highest; number++) {
    if (seen.has(number) || removed.has(number)) continue
    find(
      'segment_missing',
      number,
      `segment ${number} is missing, and the log does not say that it was removed`,
    )
  }
  for (const { writer: name, segment } of anchors) {
    if (writer !== undefined && name !== writer)
      find('writer_changed', segment, `a head that was kept elsewhere is by \`${name}\`, and the log is not`)
  }
  for (const { firstSeq, lastSeq } of removed.values()) {
    if (firstSeq <= lastSeq) numbers.forgive(firstSeq, lastSeq)
  }
  for (const { code, segment, message, ...more } of numbers.removed()) find(code, segment, message, more)
  findings.sort((a, b) => a.segment - b.segment || (a.line ?? 0) - (b.line ?? 0))
  return {
    ok: findings.length === 0,
    ...(writer === undefined ? {} : { writer }),
    segments: files.length,
    removedSegments: removed.size,
    lines: counts.lines,
    events: counts.events,
    heads: counts.heads,
    ...(covered === undefined ? {} : { covered }),
    uncovered: counts.uncovered,
    hasTrustedKeys: options.keys !== undefined,
    losses,
    findings,
    moreFindings,
    ...(first === undefined ? {} : { first }),
    ...(last === undefined ? {} : { last }),
  }
}
