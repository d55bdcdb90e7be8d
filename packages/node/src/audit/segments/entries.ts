/**
 * Entries: what a line can be. Events, and what the log says of itself.
 *
 * @module
 */
import type { RecordedEvent } from '../types.ts'

/** First line of every segment. */
export interface SegmentStart {
  /** Version of the format. */
  readonly v: 1
  readonly writer: string
  readonly number: number
  /** Number of the first event that comes into this segment. */
  readonly firstSeq: number
  /** RFC 3339, UTC, three decimals; so are all times here. */
  readonly time: string
  /**
   * The segment before, as it ended, and the digest of its index; absent in the first. Without a digest it has no
   * index.
   */
  readonly previous?: SegmentEnd & { readonly index?: string }
}

/** A whole segment in short. */
export interface SegmentEnd {
  readonly number: number
  /** Lines, all kinds counted. */
  readonly lines: number
  /** Root of the Merkle tree over them, and hash of the last one, in base64url. */
  readonly root: string
  readonly hash: string
}

/** A signed tree head over the lines before it in the same segment. */
export interface HeadEntry {
  readonly time: string
  /** A checkpoint as a signed note; see `signed-note.ts`. */
  readonly note: string
}

/** A segment that retention has taken away. */
export interface RemovedSegment extends SegmentEnd {
  /** Numbers of the events that were in it. */
  readonly firstSeq: number
  readonly lastSeq: number
  readonly time: string
}

/** An event as it is stored. */
export type StoredEvent = RecordedEvent & {
  /** Hash that ties it to all lines before, in base64url. */
  readonly hash: string
}

export type SegmentEntry =
  | { readonly kind: 'segment'; readonly segment: SegmentStart }
  | { readonly kind: 'head'; readonly head: HeadEntry }
  | { readonly kind: 'removed'; readonly removed: RemovedSegment }
  | { readonly kind: 'event'; readonly event: RecordedEvent }

/** Reads the body of a line; `undefined` when it is none of these. */
export function readEntry(body: string): SegmentEntry | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { segment, head, removed } = value
  if (isObject(segment)) {
    return segment.v === 1 && isCount(segment.number) && isCount(segment.firstSeq)
      ? { kind: 'segment', segment: segment as unknown as SegmentStart }
      : undefined
  }
  if (isObject(head)) {
    return typeof head.note === 'string' ? { kind: 'head', head: head as unknown as HeadEntry } : undefined
  }
  if (isObject(removed)) {
    return isCount(removed.number) && isCount(removed.firstSeq) && Number.isSafeInteger(removed.lastSeq)
      ? { kind: 'removed', removed: removed as unknown as RemovedSegment }
      : undefined
  }
  return isCount(value.seq) && typeof value.type === 'string'
    ? { kind: 'event', event: value as unknown as RecordedEvent }
    : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}
