/**
 * A database that dies and comes back, end to end: a log on the disk, a shipper, a real PostgreSQL behind a wire that
 * is cut.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Pool } from 'pg'
import { afterEach, beforeEach, describe, expect, vi } from 'vitest'
import {
  createShipper,
  type RecordedEvent,
  type Shipper,
  type ShipperOptions,
  verifySegments,
} from '../../src/index.ts'
import { postgresDestination } from '../../src/postgres.ts'
import {
  type ConnectedDatabase,
  connectPg,
  databaseUrl,
  postgresTest,
  randomTable,
  removeTable,
} from './postgres-server.ts'
import { createDisk, createFolder, entryOf, openLog, segmentFiles } from './segment-fixture.ts'
import { type Forwarder, startForwarder } from './tcp-forwarder.ts'

const folder = { path: '', remove: () => {} }
/** Past the wire: what is really there. */
let direct: ConnectedDatabase
let table: string
let wire: Forwarder
let pool: Pool
let shipper: Shipper | undefined
/** Of each batch that was handed over, and how many were under way at once. */
let batches: number[]
let mostAtOnce: number

const url = new URL(databaseUrl)
beforeEach(async (context) => {
  Object.assign(folder, createFolder())
  direct = await connectPg().catch(() => context.skip('there is no PostgreSQL here'))
  table = randomTable()
  await postgresDestination({ client: direct.client, table }).migrate()
  wire = await startForwarder({ host: url.hostname, port: Number(url.port || 5432) })
  const behind = new URL(databaseUrl)
  behind.hostname = '127.0.0.1'
  behind.port = String(wire.port)
  // What a deployment has to set: by itself, a client waits for ever.
  pool = new Pool({
    connectionString: behind.href,
    connectionTimeoutMillis: 300,
    query_timeout: 500,
    max: 2,
  })
  pool.on('error', () => {})
  batches = []
  mostAtOnce = 0
  shipper = undefined
})
afterEach(async () => {
  await shipper?.close()
  await wire?.close()
  await pool?.end().catch(() => {})
  if (table !== undefined) await removeTable(direct, table)
  await direct?.close()
  folder.remove()
})

function ship(options: Partial<ShipperOptions> = {}): Shipper {
  const { deliver } = postgresDestination({ client: pool, table })
  let now = 0
  shipper = createShipper({
    directory: folder.path,
    name: 'postgres',
    batchSize: 200,
    pollMs: 20,
    maxRetryMs: 100,
    timeoutMs: 1000,
    ...options,
    async deliver(events) {
      batches.push(events.length)
      mostAtOnce = Math.max(mostAtOnce, ++now)
      try {
        await deliver(events)
      } finally {
        now--
      }
    },
  })
  return shipper
}

/** What is in the table, without what a query to it could hide. */
async function stored(): Promise<RecordedEvent[]> {
  const { rows } = await direct.client.query(`SELECT event FROM ${table} ORDER BY seq`)
  return rows.map(({ event }) => JSON.parse(event))
}
const numbersTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
const isThere = (count: number) =>
  vi.waitFor(async () => expect(await stored()).toHaveLength(count), { timeout: 20_000, interval: 50 })

async function record(
  { log }: Awaited<ReturnType<typeof openLog>>,
  count: number,
  prefix = 'r',
): Promise<RecordedEvent[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => log.record(entryOf(`${prefix}-${i}`))))
}

describe('while the database is away', () => {
  postgresTest(
    'everything is acknowledged from the disk, and is there exactly once when it is back',
    async () => {
      const opened = await openLog(folder.path)
      ship()
      await record(opened, 300)
      await isThere(300)
      await wire.cut()
      const failuresBefore = shipper?.status().failures ?? 0
      const acknowledged = await record(opened, 2_000, 'dead')
      expect(acknowledged.map(({ seq }) => seq)).toEqual(numbersTo(2_300).slice(300))
      await vi.waitFor(() => expect(shipper?.status().failures).toBeGreaterThan(failuresBefore + 2))
      expect(await stored()).toHaveLength(300)
      await wire.restore()
      await isThere(2_300)
      await opened.log.close()
      const events = await stored()
      expect(events.map(({ seq }) => seq)).toEqual(numbersTo(2_300))
      expect(events.slice(300).map(({ id }) => id)).toEqual(acknowledged.map(({ id }) => id))
      expect(await verifySegments(folder.path)).toMatchObject({ ok: true, events: 2_300, losses: [] })
    },
  )

  postgresTest('memory holds one batch and no more, however much is written meanwhile', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const opened = await openLog(folder.path, {}, { maxWaiting: 100_000 })
    ship()
    await wire.cut()
    await record(opened, 1_000)
    collect()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < 30; i++) await record(opened, 1_000, `dead-${i}`)
    collect()
    // Thirty thousand events are some 20 MB as text, and more as objects.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1024 * 1024)
    expect(Math.max(...batches)).toBe(200)
    expect(mostAtOnce).toBe(1)
    await wire.restore()
    await isThere(31_000)
    await opened.log.close()
  })

  postgresTest('a network that swallows holds up one batch, and nobody who records', async () => {
    const opened = await openLog(folder.path)
    // Shorter than the client’s own patience: the shipper gives up first, and the client still waits.
    ship({ timeoutMs: 100 })
    await record(opened, 100)
    await isThere(100)
    await wire.swallow()
    await record(opened, 1_000, 'dead')
    await vi.waitFor(() => expect(shipper?.status().failures).toBeGreaterThan(8), { timeout: 10_000 })
    expect(pool.waitingCount).toBeLessThanOrEqual(1)
    await wire.restore()
    await isThere(1_100)
    await opened.log.close()
    expect((await stored()).map(({ seq }) => seq)).toEqual(numbersTo(1_100))
  })

  postgresTest('what was stored and never confirmed is not stored again', async () => {
    const opened = await openLog(folder.path)
    ship({ batchSize: 50 })
    await wire.loseAnswerTo('INSERT INTO')
    await record(opened, 200)
    // The first batch is there, and whoever sent it has not heard of it.
    await isThere(50)
    await vi.waitFor(() => expect(shipper?.status().failures).toBeGreaterThan(1))
    expect(shipper?.status().delivered).toBe(0)
    await wire.restore()
    await isThere(200)
    await opened.log.close()
    expect((await stored()).map(({ seq }) => seq)).toEqual(numbersTo(200))
  })

  postgresTest(
    'cut again and again, in the middle of whatever it does, each event is there once',
    async () => {
      const opened = await openLog(folder.path)
      ship({ batchSize: 70 })
      const writing = (async () => {
        for (let i = 0; i < 12; i++) await record(opened, 150, `r-${i}`)
      })()
      for (let i = 0; i < 12; i++) {
        const taken = wire.taken()
        await vi.waitFor(() => expect(wire.taken()).toBeGreaterThan(taken), { timeout: 10_000, interval: 1 })
        await wire.cut()
        await wire.restore()
      }
      await writing
      await isThere(1_800)
      await opened.log.close()
      expect((await stored()).map(({ seq }) => seq)).toEqual(numbersTo(1_800))
    },
    60_000,
  )

  postgresTest('retention keeps what is not there yet', async () => {
    let now = Date.now()
    const opened = await openLog(folder.path, { retainDays: 1, now: () => now })
    ship()
    await record(opened, 50)
    await isThere(50)
    await wire.cut()
    await opened.sink.rotate()
    await record(opened, 50, 'dead')
    await opened.sink.rotate()
    now += 10 * 86_400_000
    await opened.sink.rotate()
    await opened.sink.rotate()
    expect(segmentFiles(folder.path).some((name) => name.startsWith('00000002'))).toBe(true)
    await wire.restore()
    await isThere(100)
    // Its place is behind the old segments once it has delivered something newer.
    await record(opened, 1, 'new')
    await isThere(101)
    await vi.waitFor(() => expect(shipper?.status().place?.segment).toBeGreaterThan(2))
    await opened.sink.rotate()
    await opened.sink.rotate()
    await opened.log.close()
    expect(segmentFiles(folder.path).some((name) => name.startsWith('00000002'))).toBe(false)
    expect(await verifySegments(folder.path)).toMatchObject({ ok: true })
  })
})

describe('when the disk is full as well', () => {
  postgresTest(
    '`available` goes on, counts what found no room, and the count arrives in the database',
    async () => {
      const disk = createDisk()
      const opened = await openLog(
        folder.path,
        { disk },
        { lossPolicy: 'available', maxWaiting: 40, retryMs: 30, timeoutMs: 200 },
      )
      ship()
      await record(opened, 10)
      await isThere(10)
      await wire.cut()
      disk.room = 0
      const events = await record(opened, 100, 'dead')
      expect(events.filter(({ seq }) => seq > 0)).toEqual([])
      disk.room = Number.POSITIVE_INFINITY
      await wire.restore()
      // Ten, the forty that waited, and the one that tells of the sixty.
      await isThere(51)
      await opened.log.close()
      const gap = (await stored()).find(({ type }) => type === 'io.hfauth.audit.gap')
      expect(gap?.loss).toMatchObject({ reason: 'overflow', count: 60 })
      expect((await verifySegments(folder.path)).losses).toMatchObject([{ reason: 'overflow', count: 60 }])
    },
  )

  postgresTest('`strict` refuses, and what was refused is in neither', async () => {
    const disk = createDisk()
    const opened = await openLog(folder.path, { disk }, { timeoutMs: 500 })
    ship()
    await record(opened, 10)
    await isThere(10)
    await wire.cut()
    disk.room = 0
    await expect(opened.log.record(entryOf('refused'))).rejects.toMatchObject({
      code: 'HFAUTH_AUDIT_UNAVAILABLE',
    })
    disk.room = Number.POSITIVE_INFINITY
    await record(opened, 5, 'again')
    await wire.restore()
    await isThere(16)
    await opened.log.close()
    const events = await stored()
    expect(events.map(({ requestId }) => requestId)).not.toContain('refused')
    expect(events.find(({ type }) => type === 'io.hfauth.audit.gap')?.loss).toMatchObject({ count: 1 })
  })
})
