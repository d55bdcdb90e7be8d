/**
 * Findings: what is wrong with a log, in words for people and codes for programs.
 *
 * @module
 */

export type FindingCode =
  /** A line is not one of a log. */
  | 'line_malformed'
  /** A line does not have its hash: it, or a line without a number before it, was changed, added or removed. */
  | 'record_changed'
  /** Numbers are missing. */
  | 'record_removed'
  /** A number stands behind a later one. */
  | 'record_reordered'
  /** A number is there twice. */
  | 'record_repeated'
  /** The file ends in the middle of a line. */
  | 'line_unfinished'
  /** A segment has fewer lines than the next segment, or a head, says. */
  | 'segment_truncated'
  | 'segment_missing'
  /** A segment does not begin where the one before it ended. */
  | 'segment_detached'
  | 'segment_unreadable'
  /** Lines do not have the root that was signed: they were written again from some line on. */
  | 'head_mismatch'
  | 'head_malformed'
  | 'signature_invalid'
  /** None of the known keys signed a head. */
  | 'signature_unknown'
  /** An event names another writer than its segment, or a segment another than the one before. */
  | 'writer_changed'

export interface Finding {
  readonly code: FindingCode
  readonly segment: number
  /** From 1; absent when it is about the segment as a whole. */
  readonly line?: number
  /** Numbers of the events that it is about. */
  readonly seq?: number | readonly [from: number, to: number]
  /** One sentence. */
  readonly message: string
}

/** Follows the numbers of events, and tells missing ones from those that stand elsewhere. */
export class Numbers {
  private expected: number | undefined
  /** Numbers that were passed over, as ranges, and where. */
  private missing: { from: number; to: number; segment: number; line: number }[] = []

  /** The next number is this one, whatever came before; what is passed over is missing before `line`. */
  expect(next: number, segment: number, line: number): void {
    if (this.expected !== undefined && next > this.expected)
      this.missing.push({ from: this.expected, to: next - 1, segment, line })
    this.expected = Math.max(next, this.expected ?? next)
  }

  /** Takes the number of a line; `undefined` when it is the one that was expected, or a later one. */
  take(seq: number, segment: number, line: number): 'reordered' | 'repeated' | 'later' | undefined {
    const expected = this.expected ?? seq
    if (seq >= expected) {
      this.expect(seq, segment, line)
      this.expected = seq + 1
      return seq === expected ? undefined : 'later'
    }
    const at = this.missing.findIndex(({ from, to }) => from <= seq && seq <= to)
    const range = this.missing[at]
    if (range === undefined) return 'repeated'
    const parts = [
      { ...range, to: seq - 1 },
      { ...range, from: seq + 1 },
    ]
    this.missing.splice(at, 1, ...parts.filter(({ from, to }) => from <= to))
    return 'reordered'
  }

  /** These are known to be gone. */
  forgive(first: number, last: number): void {
    this.missing = this.missing.flatMap((range) =>
      [
        { ...range, to: Math.min(range.to, first - 1) },
        { ...range, from: Math.max(range.from, last + 1) },
      ].filter(({ from, to }) => from <= to),
    )
  }

  /** What is missing from all that was taken. */
  removed(): Finding[] {
    return this.missing.map(({ from, to, segment, line }) => {
      const what = from === to ? `event ${from} is missing` : `events ${from} to ${to} are missing`
      const seq = from === to ? from : ([from, to] as const)
      return { code: 'record_removed', segment, line, seq, message: `${what} before this line` }
    })
  }
}
