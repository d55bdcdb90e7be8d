/**
 * Turns: contestants one after the other in each round, in another order each time, and what comes of it.
 *
 * @module
 */
import { median } from '../measure.ts'

export const rounds = 25

/** @returns The milliseconds of each contestant, one for each round. */
export async function takeTurns(
  names: readonly string[],
  turn: (name: string, round: number) => Promise<number>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const times = new Map<string, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length] as string
      times.get(name)?.push(await turn(name, round))
    }
  }
  return times
}

/**
 * The first contestant is the measure of the others.
 *
 * @param note - What else there is to say of a contestant.
 */
export function print(
  title: string,
  times: ReadonlyMap<string, readonly number[]>,
  note: (name: string) => string = () => '',
): void {
  const middles = [...times].map(([name, list]) => [name, median(list)] as const)
  const [, base] = middles[0] ?? ['', 1]
  const wide = Math.max(...middles.map(([name]) => name.length))
  console.log(`\n${title}, ${rounds} rounds`)
  for (const [name, middle] of middles) {
    const ratio = `${(middle / base).toFixed(2)} × ${middles[0]?.[0]}`
    console.log(`  ${name.padEnd(wide)} ${middle.toFixed(2).padStart(8)} ms  ${ratio}${note(name)}`)
  }
}
