/**
 * A process is killed two hundred times in the middle of its work, and loses nothing that it said was on record, and
 * nothing that it had taken in before that.
 *
 * Where it is killed follows from a seed, as far as a machine allows; `HFAUTH_CRASH_SEED` names another one and
 * `HFAUTH_CRASH_KILLS` another number.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { verifySegments } from '../../src/index.ts'
import { createFolder, eventsOf } from './segment-fixture.ts'

const writer = fileURLToPath(new URL('./crash-writer.ts', import.meta.url))
const seed = Number(process.env.HFAUTH_CRASH_SEED ?? 20_261_125)
const kills = Number(process.env.HFAUTH_CRASH_KILLS ?? 200)

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function createRandom(from: number): () => number {
  let state = from
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One life: starts, is killed, and leaves what it had said. */
async function live(
  directory: string,
  keyFile: string,
  life: number,
  random: () => number,
): Promise<string[]> {
  const batch = 1 + Math.floor(random() * 60)
  const events = Math.floor(random() * 400)
  const delayMs = random() * 4
  // Some are killed while they start: that is when they repair what the one before left.
  const isEarly = random() < 0.1
  const child = spawn(process.execPath, [writer, directory, keyFile, String(life), String(batch)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const closed = once(child, 'close')
  await new Promise<void>((resolve) => {
    if (isEarly) resolve()
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.split('\n').length > events) resolve()
    })
    child.once('close', () => resolve())
  })
  await sleep(isEarly ? 40 + random() * 120 : delayMs)
  child.kill('SIGKILL')
  await closed
  expect(errors.replace(/\(node:\d+\) ExperimentalWarning[\s\S]*/, '')).toBe('')
  return said.split('\n').slice(0, -1)
}

/** What came before an event that was acknowledged, in the same batch of the same life, and is not there. */
function missingBefore(acknowledged: readonly string[], stored: ReadonlySet<string>): string[] {
  return acknowledged.flatMap((id) => {
    const [, batch = '', last = ''] = /^(\d+-\d+-)(\d+)$/.exec(id) ?? []
    return Array.from({ length: Number(last) }, (_, i) => `${batch}${i}`).filter(
      (earlier) => !stored.has(earlier),
    )
  })
}

test(`a process that is killed ${kills} times (seed ${seed}) loses no event that it acknowledged`, async () => {
  const random = createRandom(seed)
  // Two logs at once: a process that starts leaves a processor to the other one.
  const lanes = [0, 1].map(async (lane) => {
    const folder = createFolder()
    const directory = join(folder.path, 'log')
    const acknowledged: string[] = []
    for (let life = lane; life < kills; life += 2) {
      acknowledged.push(...(await live(directory, join(folder.path, 'key.pem'), life, random)))
    }
    const events = await eventsOf(directory)
    const report = await verifySegments(directory)
    folder.remove()
    return { acknowledged, events, report }
  })
  for (const { acknowledged, events, report } of await Promise.all(lanes)) {
    expect(report.findings.filter(({ code }) => code !== 'line_unfinished')).toEqual([])
    const ids = events.map(({ event }) => event.requestId)
    const stored = new Set(ids)
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
    expect(ids).toHaveLength(stored.size)
    expect(missingBefore(acknowledged, stored)).toEqual([])
    expect(events.map(({ event }) => event.seq)).toEqual(events.map((_, i) => i + 1))
    expect(acknowledged.length).toBeGreaterThan(kills * 20)
    expect(report.segments).toBeGreaterThan(10)
  }
}, 600_000)
