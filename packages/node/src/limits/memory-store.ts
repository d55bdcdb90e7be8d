/**
 * Memory limit store: the buckets of one process.
 *
 * Each bucket is one number, the time at which it will be full again (the theoretical arrival time of the
 * generic cell rate algorithm), so that it needs no timer and no list of requests.
 *
 * @see ITU-T I.371 §A.1 (GCRA)
 * @module
 */
import type { LimitDemand, LimitState, LimitStore } from './types.ts'

export interface MemoryLimitStoreOptions {
  /** Most buckets. When there are more, those go that are full again, and some that will be full soonest. Default 100,000. */
  readonly maxEntries?: number
  /** Milliseconds since whenever. Default a clock that nobody sets: what is set back would keep buckets empty for so long. */
  readonly now?: () => number
}

export function memoryLimitStore({
  maxEntries = 100_000,
  now = () => performance.now(),
}: MemoryLimitStoreOptions = {}): LimitStore {
  const fullAt = new Map<string, number>()

  /** Many at once: to look through all for each newcomer would be dear just when many come. */
  function makeRoom(time: number): void {
    if (fullAt.size < maxEntries) return
    const soonestFirst = [...fullAt].sort(([, a], [, b]) => a - b)
    const tooMany = Math.ceil(maxEntries / 16)
    for (const [i, [key, at]] of soonestFirst.entries()) {
      if (i >= tooMany && at > time) return
      fullAt.delete(key)
    }
  }

  return {
    async take(demands) {
      const time = now()
      const states = demands.map((demand) => stateOf(demand, fullAt.get(demand.key) ?? time, time))
      if (!states.every(({ allowed }) => allowed)) return states
      for (const { key, cost, unitMs } of demands) {
        const at = Math.max(fullAt.get(key) ?? time, time)
        if (!fullAt.has(key)) makeRoom(time)
        fullAt.set(key, at + cost * unitMs)
      }
      return demands.map((demand, i) => spent(demand, states[i] as LimitState))
    },
  }
}

function stateOf({ unitMs, burst, cost }: LimitDemand, fullAt: number, time: number): LimitState {
  const debtMs = Math.max(0, fullAt - time)
  const overMs = debtMs + cost * unitMs - burst * unitMs
  return {
    allowed: overMs <= 0,
    remaining: Math.floor(burst - debtMs / unitMs + 1e-9),
    resetMs: debtMs,
    retryMs: Math.max(0, overMs),
  }
}

function spent({ unitMs, cost }: LimitDemand, state: LimitState): LimitState {
  return { ...state, remaining: state.remaining - cost, resetMs: state.resetMs + cost * unitMs }
}
