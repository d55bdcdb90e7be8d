/**
 * Check start: whether a segment begins where the one before it ended.
 *
 * segment check → **start** → findings.
 *
 * @module
 */
import type { SegmentEnd, SegmentStart } from './entries.ts'
import type { Trail } from './trail.ts'

/**
 * Holds the first line of a segment against its file and the segment before.
 *
 * @param before - How the segment ended that was read before; not always the one with the number before.
 */
export function checkStart(
  { number: own, firstSeq, previous: told, writer }: SegmentStart,
  number: number,
  before: SegmentEnd | undefined,
  trail: Trail,
): void {
  const find = (code: 'segment_detached' | 'writer_changed', message: string) =>
    trail.find(code, number, message, { line: 1 })
  trail.writer ??= writer
  if (own !== number) find('segment_detached', `this file says that it is segment ${own}`)
  if (writer !== trail.writer) find('writer_changed', `this segment is by \`${writer}\``)
  if (told !== undefined && before?.number !== told.number) trail.ends.set(told.number, told)
  if (told !== undefined && before?.number === number - 1) compareEnds(told, before, number, trail)
  if ((told === undefined) !== (number === 1) || (told !== undefined && told.number !== number - 1))
    find('segment_detached', 'this segment names another one before it')
  trail.numbers.expect(firstSeq, number, 1)
}

function compareEnds(told: SegmentEnd, real: SegmentEnd, number: number, trail: Trail): void {
  if (real.lines < told.lines) {
    const message = `the segment ends after line ${real.lines}, and had ${told.lines}`
    trail.find('segment_truncated', real.number, message, { line: real.lines })
  } else if (real.lines > told.lines || real.hash !== told.hash || real.root !== told.root) {
    // What was changed in the segment before was found there already.
    if (!trail.reported.has(real.number)) {
      const message = 'the segment before did not end as this one says'
      trail.find('segment_detached', number, message, { line: 1 })
    }
  }
}
