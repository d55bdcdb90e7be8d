/**
 * Losses: how many events are not on record, and from when to when, until that itself is on record.
 *
 * @module
 */
import type { AuditLoss } from '@hfauth/core'

export interface Losses {
  /** Counts one event that will never be on record. */
  add(reason: AuditLoss['reason'], event: { readonly time: string }): void
  /** Everything counted so far; whoever takes it gives it back or has it on record. */
  take(): AuditLoss[]
  giveBack(loss: AuditLoss): void
  /** Whether there is something to put on record for which no event need be waited for. */
  isDue(): boolean
  /** After a failure: to be put on record with the next event. */
  defer(): void
  /** To be put on record now, if there is anything. */
  hurry(): void
}

/** @param tornBytes - What a crash left behind; 0 when there was none. */
export function createLosses(tornBytes: number): Losses {
  const counted = new Map<AuditLoss['reason'], AuditLoss>()
  let due = tornBytes > 0
  if (due) counted.set('torn', { reason: 'torn', bytes: tornBytes })

  function merge(loss: AuditLoss): void {
    const before = counted.get(loss.reason)
    counted.set(loss.reason, before === undefined ? loss : together(before, loss))
  }

  return {
    add: (reason, { time }) => merge({ reason, count: 1, since: time, until: time }),
    take() {
      const all = [...counted.values()]
      counted.clear()
      due = false
      return all
    },
    giveBack: merge,
    isDue: () => due,
    defer() {
      due = false
    },
    hurry() {
      due = counted.size > 0
    },
  }
}

function together(a: AuditLoss, b: AuditLoss): AuditLoss {
  const count = (a.count ?? 0) + (b.count ?? 0)
  const bytes = (a.bytes ?? 0) + (b.bytes ?? 0)
  const [since] = [a.since, b.since].filter((time) => time !== undefined).sort()
  const until = [a.until, b.until]
    .filter((time) => time !== undefined)
    .sort()
    .at(-1)
  return {
    reason: a.reason,
    ...(count === 0 ? {} : { count }),
    ...(bytes === 0 ? {} : { bytes }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  }
}
