/** How often a law is tried: `HFAUTH_LAW_RUNS` is a percentage, for mutation testing and for patience. */
const percent = Number(process.env.HFAUTH_LAW_RUNS ?? 100)

export function lawRuns(usual: number): number {
  return Math.max(1, Math.round((usual * percent) / 100))
}

/** Whether laws run often enough for what has been seen to be counted. */
export const inFull = percent >= 100
