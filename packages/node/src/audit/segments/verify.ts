/**
 * Verify: whether a log is what was written, and if not, where it differs and how.
 *
 * segments → **verify** → report. Reads every line once, in order, with no more memory than one of them. Needs
 * public keys only, and no network.
 *
 * @module
 */
import type { AuditLoss } from '@hfauth/core'
import type { SegmentEnd } from './entries.ts'
import { listSegments } from './files.ts'
import type { Finding } from './findings.ts'
import { readPublicKeys, readPublishedKeys } from './published-keys.ts'
import { checkSegment } from './segment-check.ts'
import { Trail } from './trail.ts'

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
  { keys, heads = [], maxFindings = 100 }: VerifySegmentsOptions = {},
): Promise<VerifyReport> {
  const files = await listSegments(directory)
  const known = keys === undefined ? await readPublishedKeys(directory) : readPublicKeys(keys)
  const trail = new Trail(known, heads, maxFindings)
  let before: SegmentEnd | undefined
  for (const file of files) before = await checkSegment(file, before, trail)
  findMissing(
    trail,
    files.map(({ number }) => number),
  )
  trail.findings.sort((a, b) => a.segment - b.segment || (a.line ?? 0) - (b.line ?? 0))
  const { writer, covered, first, last, losses, findings, counts } = trail
  return {
    ok: findings.length + counts.more === 0,
    ...(writer === undefined ? {} : { writer }),
    segments: files.length,
    removedSegments: trail.removed.size,
    lines: counts.lines,
    events: counts.events,
    heads: counts.heads,
    ...(covered === undefined ? {} : { covered }),
    uncovered: counts.uncovered,
    hasTrustedKeys: keys !== undefined,
    losses,
    findings,
    moreFindings: counts.more,
    ...(first === undefined ? {} : { first }),
    ...(last === undefined ? {} : { last }),
  }
}

/** What is sure only at the end: segments that nothing tells of, and numbers that did not come later. */
function findMissing(trail: Trail, present: readonly number[]): void {
  const told = [...present, ...trail.removed.keys()].sort((a, b) => a - b)
  let next = 1
  for (const number of [...told, ...trail.anchors.map(({ segment }) => segment + 1).sort((a, b) => a - b)]) {
    if (number > next) {
      const what =
        number === next + 1 ? `segment ${next} is missing` : `segments ${next} to ${number - 1} are missing`
      trail.find('segment_missing', next, `${what}, and the log does not say that it was removed`)
    }
    next = Math.max(next, told.includes(number) ? number + 1 : number)
  }
  for (const { writer, segment } of trail.anchors) {
    if (trail.writer !== undefined && writer !== trail.writer)
      trail.find(
        'writer_changed',
        segment,
        `a head that was kept elsewhere is by \`${writer}\`, and the log is not`,
      )
  }
  for (const { number, firstSeq, lastSeq, lines, root, hash } of trail.removed.values()) {
    if (firstSeq <= lastSeq) trail.numbers.forgive(firstSeq, lastSeq)
    const end = trail.ends.get(number)
    if (end !== undefined && (end.lines !== lines || end.root !== root || end.hash !== hash))
      trail.find('segment_detached', number, 'the segment that was removed is not the one that was there')
  }
  for (const { code, segment, message, ...more } of trail.numbers.removed())
    trail.find(code, segment, message, more)
}
