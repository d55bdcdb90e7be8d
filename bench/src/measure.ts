/**
 * Measuring on a small, noisy machine: engines take turns within each round, what is kept is the median
 * over rounds, and what is compared are ratios of medians.
 */

export interface Contestant {
  readonly name: string
  /** Does the work `count` times and gives back something, so that nothing is optimised away. */
  readonly run: (count: number) => number
  /** Makes what `run` uses up, before its time is taken. */
  readonly prepare?: (count: number) => void
}

/** Nanoseconds for one operation: the median over the rounds. */
export type Medians = ReadonlyMap<string, number>

export interface MeasureOptions {
  readonly rounds?: number
  /** Milliseconds that one turn of one contestant should take. */
  readonly turnMs?: number
}

export function measure(
  contestants: readonly Contestant[],
  { rounds = 15, turnMs = 40 }: MeasureOptions = {},
): Medians {
  const counts = new Map(contestants.map((contestant) => [contestant.name, calibrate(contestant, turnMs)]))
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    // Another order each time, so that nobody always comes after the same neighbour.
    const order = contestants.map((_, i) => contestants[(i + round) % contestants.length] as Contestant)
    for (const { name, run, prepare } of order) {
      const count = counts.get(name) ?? 1
      prepare?.(count)
      const start = process.hrtime.bigint()
      sink += run(count)
      times.get(name)?.push(Number(process.hrtime.bigint() - start) / count)
    }
  }
  return new Map([...times].map(([name, list]) => [name, median(list)]))
}

/** Where results go, so that nobody finds out that they are not needed. */
export let sink = 0

/** Warms up, and finds how often the work fits into a turn. */
function calibrate({ run, prepare }: Contestant, turnMs: number): number {
  let count = 1
  for (;;) {
    prepare?.(count)
    const start = performance.now()
    sink += run(count)
    const elapsed = performance.now() - start
    if (elapsed >= turnMs) return Math.max(1, Math.round((count * turnMs) / elapsed))
    count = elapsed < 1 ? count * 8 : Math.ceil((count * turnMs * 1.2) / elapsed)
  }
}

export function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

export function formatTime(ns: number): string {
  if (ns < 1_000) return `${ns.toFixed(0)} ns`
  return ns < 1_000_000 ? `${(ns / 1_000).toFixed(2)} µs` : `${(ns / 1_000_000).toFixed(2)} ms`
}
