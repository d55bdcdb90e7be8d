/**
 * Relevance: how long an answer that was worked out once stays true.
 *
 * reach → **relevance** → ability. The earliest of: the token too old, a binding that begins or ends, a time
 * that a condition compares the request's time with.
 *
 * @module
 */
import { readResidual } from '../compile/compiled-rule.ts'
import type { Standing } from '../decide/standing.ts'
import type { Condition } from '../policy/condition.ts'
import { parseTime } from '../policy/time.ts'
import type { RequestContext } from '../types.ts'
import type { Reach } from './reach.ts'

/** Epoch milliseconds; `undefined` when nothing that is known ends it. */
export function relevantUntil(
  { freshUntil, validUntil }: Standing,
  reaches: readonly Reach[],
  context: RequestContext,
  now: number,
): number | undefined {
  // A time that was handed in stands still.
  const times =
    context.time === undefined ? reaches.flatMap(({ when }) => when.map(readResidual)).flatMap(timesIn) : []
  const moments = [freshUntil, validUntil, ...times.flatMap((time) => [time, time + 1])]
  const ahead = moments.filter((moment) => moment !== undefined && moment > now) as number[]
  return ahead.length === 0 ? undefined : Math.min(...ahead)
}

function timesIn(condition: Condition): readonly number[] {
  switch (condition.kind) {
    case 'test': {
      const { path, operand } = condition
      if (path.root !== 'context' || path.name !== 'time' || !('literal' in operand)) return []
      const time = typeof operand.literal === 'string' ? parseTime(operand.literal) : operand.literal
      return typeof time === 'number' ? [time] : []
    }
    case 'not':
    case 'element':
      return timesIn(condition.of)
    case 'unknown':
      return []
    default:
      return condition.of.flatMap(timesIn)
  }
}
