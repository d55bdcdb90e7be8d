/**
 * Measuring what may run in other threads: the processor's time of the whole process counts, not the
 * clock's. Contestants take turns within each round; what is kept is the median over rounds.
 */
import { type Medians, median } from './measure.ts'

export interface CpuContestant {
  readonly name: string
  /** Does the work `count` times, one after the other. */
  readonly run: (count: number) => void | Promise<void>
}

/** Nanoseconds of processor time for one operation. */
export async function measureCpu(
  contestants: readonly CpuContestant[],
  { rounds = 15, turnMs = 60 }: { readonly rounds?: number; readonly turnMs?: number } = {},
): Promise<Medians> {
  const counts = new Map<string, number>()
  for (const contestant of contestants) counts.set(contestant.name, await calibrate(contestant, turnMs))
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      // Another order each time, so that nobody always comes after the same neighbour.
      const { name, run } = contestants[(i + round) % contestants.length] as CpuContestant
      const count = counts.get(name) ?? 1
      const start = process.cpuUsage()
      await run(count)
      const { user, system } = process.cpuUsage(start)
      times.get(name)?.push(((user + system) * 1000) / count)
    }
  }
  return new Map([...times].map(([name, list]) => [name, median(list)]))
}

/** Warms up, and finds how often the work fits into a turn. */
async function calibrate({ run }: CpuContestant, turnMs: number): Promise<number> {
  await run(4000)
  for (let count = 64; ; count *= 2) {
    const start = performance.now()
    await run(count)
    const elapsed = performance.now() - start
    if (elapsed >= turnMs) return Math.max(1, Math.round((count * turnMs) / elapsed))
  }
}
