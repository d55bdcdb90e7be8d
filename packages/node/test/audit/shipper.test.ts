import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createShipper, type RecordedEvent, type ShipperOptions } from '../../src/index.ts'
import { createFolder, entryOf, openLog, writeLog } from './segment-fixture.ts'

let folder: ReturnType<typeof createFolder>
beforeEach(() => {
  folder = createFolder()
})
afterEach(() => folder.remove())

/** A place that takes events, until it is told not to. */
function createPlace() {
  const place = {
    events: [] as RecordedEvent[],
    sizes: [] as number[],
    failing: false,
    attempts: 0,
    changed: () => {},
    /** Resolves when `count` events have come. */
    has: (count: number) =>
      new Promise<void>((resolve) => {
        place.changed = () => place.events.length >= count && resolve()
        place.changed()
      }),
    /** Resolves when so many deliveries have been tried. */
    wasTried: (count: number) =>
      new Promise<void>((resolve) => {
        place.changed = () => place.attempts >= count && resolve()
        place.changed()
      }),
    async deliver(events: readonly RecordedEvent[]) {
      place.attempts++
      place.changed()
      if (place.failing) throw new Error('dead')
      place.sizes.push(events.length)
      place.events.push(...events)
      place.changed()
    },
  }
  return place
}

const ship = (place: ReturnType<typeof createPlace>, options: Partial<ShipperOptions> = {}) =>
  createShipper({
    directory: folder.path,
    name: 'elsewhere',
    deliver: place.deliver,
    pollMs: 60_000,
    maxRetryMs: 100,
    ...options,
  })
const ids = (events: readonly RecordedEvent[]) => events.map(({ requestId }) => requestId)

describe('a shipper', () => {
  test('delivers what is there in order, in batches, and what comes as soon as it is woken', async () => {
    const place = createPlace()
    const { log, sink } = await openLog(folder.path)
    for (let i = 0; i < 7; i++) {
      if (i === 4) await sink.rotate()
      await log.record(entryOf(`r-${i}`))
    }
    const shipper = ship(place, { batchSize: 3 })
    await place.has(7)
    expect(place.sizes).toEqual([3, 3, 1])
    log.subscribe(() => shipper.wake())
    const later = place.has(8)
    await log.record(entryOf('r-7'))
    await later
    expect(ids(place.events)).toEqual(Array.from({ length: 8 }, (_, i) => `r-${i}`))
    await shipper.close()
    await log.close()
  })

  test('goes on behind the last batch that was taken, in another process too', async () => {
    await writeLog(folder.path, { perSegment: 5 })
    const first = createPlace()
    const one = ship(first)
    await first.has(5)
    await one.close()
    expect(JSON.parse(readFileSync(join(folder.path, 'cursors', 'elsewhere.json'), 'utf8'))).toEqual({
      segment: 1,
      line: 6,
    })
    await writeLog(folder.path, { perSegment: 2 })
    const second = createPlace()
    const two = ship(second)
    await second.has(2)
    await two.close()
    expect(second.events.map(({ seq }) => seq)).toEqual([6, 7])
  })

  test('tries again what a dead place did not take, while the log goes on', async () => {
    const place = createPlace()
    place.failing = true
    const { log } = await openLog(folder.path)
    await log.record(entryOf('first'))
    const shipper = ship(place)
    await place.wasTried(3)
    expect(shipper.status()).toMatchObject({ delivered: 0 })
    expect(shipper.status().failures).toBeGreaterThan(0)
    await log.record(entryOf('second'))
    place.failing = false
    await place.has(2)
    expect(ids(place.events)).toEqual(['first', 'second'])
    await shipper.close()
    await log.close()
  })

  test('breaks off a delivery that takes too long, and one that is under way when it is closed', async () => {
    await writeLog(folder.path, { perSegment: 1 })
    const signals: AbortSignal[] = []
    let tried: (() => void) | undefined
    const twice = new Promise<void>((resolve) => {
      tried = resolve
    })
    const shipper = ship(createPlace(), {
      timeoutMs: 20,
      deliver: (_, signal) => {
        signals.push(signal)
        if (signals.length === 2) tried?.()
        return new Promise(() => {})
      },
    })
    await twice
    await shipper.close()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  })

  test('keeps what it has not delivered from being removed, also before its first delivery', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    await writeLog(folder.path, { segments: 3, perSegment: 2 }, { now: () => now })
    const place = createPlace()
    place.failing = true
    const shipper = ship(place)
    await place.wasTried(1)
    now += 400 * 86_400_000
    await (await openLog(folder.path, { retainDays: 30, now: () => now })).log.close()
    expect(readdirSync(folder.path).filter((file) => file.startsWith('00000001'))).toHaveLength(1)
    place.failing = false
    await place.has(6)
    expect(place.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
    await shipper.close()
  })

  test('has no place before its first delivery, and makes no log where there is none', async () => {
    await writeLog(folder.path, { perSegment: 1 })
    const place = createPlace()
    place.failing = true
    for (let restart = 0; restart < 2; restart++) {
      const shipper = ship(place)
      await place.wasTried(restart + 1)
      expect(shipper.status().place).toBeUndefined()
      await shipper.close()
    }
    const elsewhere = join(folder.path, 'elsewhere')
    const lost = ship(place, { directory: elsewhere })
    await expect.poll(() => lost.status().failures).toBeGreaterThan(0)
    await lost.close()
    expect(existsSync(elsewhere)).toBe(false)
  })

  test('does not begin again when its place cannot be read', async () => {
    await writeLog(folder.path, { perSegment: 1 })
    const place = createPlace()
    const one = ship(place)
    await place.has(1)
    await one.close()
    writeFileSync(join(folder.path, 'cursors', 'elsewhere.json'), '{"segment":"x"}')
    const two = ship(place)
    await expect.poll(() => two.status().failures).toBeGreaterThan(1)
    await two.close()
    expect(place.events).toHaveLength(1)
  })

  test.each(['', '../x', '.hidden', 'a b'])('is not called %j', (name) => {
    expect(() => ship(createPlace(), { name })).toThrow(
      expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
    )
  })
})
