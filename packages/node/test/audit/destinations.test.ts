/**
 * Destinations: where the log is shipped to, against a real PostgreSQL, the OpenTelemetry SDK and an HTTP server.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemoryLogRecordExporter } from '@opentelemetry/sdk-logs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createShipper, httpDestination, type RecordedEvent } from '../../src/index.ts'
import { otelDestination } from '../../src/otel.ts'
import { postgresDestination } from '../../src/postgres.ts'
import { decided, eventMaker, oneOfEach, ranker, writeSegments } from './event-fixture.ts'
import {
  type ConnectedDatabase,
  connectPg,
  connectPostgresJs,
  postgresTest,
  randomTable,
  removeTable,
} from './postgres-server.ts'
import { createFolder } from './segment-fixture.ts'

const folder = { path: '', remove: () => {} }
beforeEach(() => {
  Object.assign(folder, createFolder())
})
afterEach(() => folder.remove())

describe.each([
  ['pg', connectPg],
  ['postgres', connectPostgresJs],
] as const)('PostgreSQL through `%s`', (_, connect) => {
  async function inTable(run: (table: string, database: ConnectedDatabase) => Promise<void>): Promise<void> {
    const database = await connect()
    const table = randomTable()
    try {
      await run(table, database)
    } finally {
      await removeTable(database, table)
      await database.close()
    }
  }
  const stored = async ({ client }: ConnectedDatabase, table: string): Promise<RecordedEvent[]> =>
    (await client.query(`SELECT event FROM ${table} ORDER BY time, id`)).rows.map(({ event }) =>
      JSON.parse(event),
    )

  postgresTest('events lie in the table as they are in the log, one partition a month', () =>
    inTable(async (table, database) => {
      const destination = postgresDestination({ client: database.client, table })
      await destination.migrate()
      const make = eventMaker()
      const events = [...[10, 20, 31, 62].map((day) => make({ day, resource: ranker })), ...oneOfEach()]
      await destination.deliver(events)
      const bySeq = (a: RecordedEvent, b: RecordedEvent) => a.time.localeCompare(b.time)
      expect(await stored(database, table)).toEqual(events.sort(bySeq))
      const { rows } = await database.client.query(
        `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = '${table}'::regclass ORDER BY 1`,
      )
      expect(rows.map(({ name }) => name)).toEqual([
        `${table}_2026_01`,
        `${table}_2026_02`,
        `${table}_2026_03`,
      ])
    }),
  )

  postgresTest('an event that comes again, beside new ones, is there once', () =>
    inTable(async (table, database) => {
      const destination = postgresDestination({ client: database.client, table })
      await destination.migrate()
      const make = eventMaker()
      const events = Array.from({ length: 20 }, () => make({}))
      await destination.deliver(events.slice(0, 15))
      await destination.deliver(events.slice(5))
      expect(await stored(database, table)).toEqual(events)
    }),
  )

  postgresTest('two processes can migrate and deliver the same events at the same time', () =>
    inTable(async (table, database) => {
      const make = eventMaker()
      const events = Array.from({ length: 50 }, (_, day) => make({ day }))
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          const destination = postgresDestination({ client: database.client, table })
          await destination.migrate()
          await destination.deliver(events)
        }),
      )
      expect(await stored(database, table)).toEqual(events)
    }),
  )

  postgresTest('texts that PostgreSQL cannot hold are kept in the event and replaced in the columns', () =>
    inTable(async (table, database) => {
      const destination = postgresDestination({ client: database.client, table })
      await destination.migrate()
      const event = eventMaker()({ resource: { kind: 'model', id: `a'; DROP TABLE x; --\0\ud800"\\` } })
      await destination.deliver([event])
      expect(await stored(database, table)).toEqual([event])
      const { rows } = await database.client.query(`SELECT resource_id FROM ${table}`)
      expect(rows[0].resource_id).toBe(`a'; drop table x; --\ufffd\ufffd"\\`)
    }),
  )

  postgresTest('a month whose partition was dropped meanwhile is made again', () =>
    inTable(async (table, database) => {
      const destination = postgresDestination({ client: database.client, table })
      await destination.migrate()
      const make = eventMaker()
      await destination.deliver([make({})])
      await database.client.query(`DROP TABLE ${table}_2026_01`)
      const event = make({})
      await expect(destination.deliver([event])).rejects.toMatchObject({ code: 'HFAUTH_AUDIT_UNDELIVERED' })
      await destination.deliver([event])
      expect(await stored(database, table)).toEqual([event])
    }),
  )

  postgresTest('a database that is dead for a while loses nothing and gets nothing twice', () =>
    inTable(async (table, database) => {
      let isDead = true
      let attempts = 0
      const real = postgresDestination({ client: database.client, table })
      await real.migrate()
      const client: typeof database.client = {
        async query(text, values) {
          attempts++
          if (isDead) throw Object.assign(new Error('secret of the connection'), { code: 'ECONNREFUSED' })
          const answer = await database.client.query(text, values)
          // The answer of every third statement gets lost on the way back.
          if (attempts % 3 === 0) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
          return answer
        },
      }
      const make = eventMaker()
      const events = Array.from({ length: 250 }, () => make({}))
      await writeSegments(folder.path, [events.slice(0, 90), events.slice(90, 180), events.slice(180)])
      const options = { directory: folder.path, name: 'pg', pollMs: 5, maxRetryMs: 20, batchSize: 40 }
      const { deliver } = postgresDestination({ client, table })
      const first = createShipper({ ...options, deliver })
      await vi.waitFor(() => expect(first.status().failures).toBeGreaterThan(1))
      await first.close()

      isDead = false
      const second = createShipper({ ...options, deliver })
      await vi.waitFor(() => expect(second.status().delivered).toBe(250), { timeout: 20_000 })
      await second.close()
      expect((await stored(database, table)).map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq))
    }),
  )

  postgresTest('what goes wrong is told by its code and never by its text', () =>
    inTable(async (table, database) => {
      const { deliver } = postgresDestination({ client: database.client, table })
      const failure = await deliver([eventMaker()({})]).catch((error: unknown) => error)
      // 42883: the function of a table that nobody has made.
      expect(failure).toMatchObject({
        code: 'HFAUTH_AUDIT_UNDELIVERED',
        retryable: true,
        message: 'audit events were not delivered: the database failed (42883)',
      })
      expect(failure).not.toHaveProperty('cause')
    }),
  )
})

test('a database that does not answer is asked once, and given nothing more until it does', async () => {
  const asked: string[] = []
  const answers: (() => void)[] = []
  const client = {
    query: (text: string) => {
      asked.push(text)
      return new Promise<{ rows: [] }>((resolve) => answers.push(() => resolve({ rows: [] })))
    },
  }
  const { deliver } = postgresDestination({ client, table: 'audit' })
  const make = eventMaker()
  const first = deliver([make({})])
  for (let i = 0; i < 5; i++) {
    await expect(deliver([make({})])).rejects.toThrow('the database has not answered the batch before')
  }
  expect(asked).toHaveLength(1)
  answers[0]?.()
  await vi.waitFor(() => expect(answers).toHaveLength(2))
  answers[1]?.()
  await first
  void deliver([make({})])
  await vi.waitFor(() => expect(asked).toHaveLength(3))
})

test.each(['Audit', 'a b', 'a;--', '1st', '', 'a'.repeat(41), 'a"'])(
  'a table cannot be called `%s`',
  (table) => {
    const client = { query: async () => ({ rows: [] }) }
    expect(() => postgresDestination({ client, table })).toThrow(/`table` must be/)
  },
)

describe('OpenTelemetry', () => {
  test('events arrive at an exporter of the SDK as records with resource, time and trace', async () => {
    const exporter = new InMemoryLogRecordExporter()
    const events = oneOfEach()
    await otelDestination({ exporter, resourceFromAttributes }).deliver(events)
    const records = exporter.getFinishedLogRecords()
    expect(records.map(({ eventName }) => eventName)).toEqual(events.map(({ type }) => type))
    const [record] = records
    expect(record?.resource.attributes).toMatchObject({ 'service.name': 'hfauth-proxy' })
    expect(record?.spanContext?.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
    const [seconds = 0, nanoseconds = 0] = record?.hrTime ?? []
    expect(seconds * 1000 + nanoseconds / 1e6).toBe(Date.parse(events[0]?.time ?? ''))
    expect(new Set(records.map(({ resource }) => resource)).size).toBe(1)
  })

  test('what the exporter did not take counts as not delivered', async () => {
    const exporter = new InMemoryLogRecordExporter()
    await exporter.shutdown()
    await expect(
      otelDestination({ exporter, resourceFromAttributes }).deliver([eventMaker()({})]),
    ).rejects.toMatchObject({ code: 'HFAUTH_AUDIT_UNDELIVERED' })
  })
})

describe('HTTP', () => {
  const received: { headers: IncomingMessage['headers']; body: unknown }[] = []
  let status = 204
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    received.push({ headers: request.headers, body: JSON.parse(body) })
    response.writeHead(status, { location: '/elsewhere' }).end()
  })
  let url = ''
  beforeEach(async () => {
    received.length = 0
    status = 204
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  test('a batch of CloudEvents is posted, with a credential that is asked for each time', async () => {
    let token = 0
    const destination = httpDestination({ url, headers: () => ({ authorization: `Bearer t${++token}` }) })
    const event = eventMaker()({ decision: decided('allow', 'allowed') })
    await destination.deliver([event])
    await destination.deliver([event])
    expect(received.map(({ headers }) => headers.authorization)).toEqual(['Bearer t1', 'Bearer t2'])
    expect(received[0]?.headers['content-type']).toBe('application/cloudevents-batch+json')
    expect(received[0]?.body).toMatchObject([{ specversion: '1.0', id: event.id, data: event }])
  })

  test.each([
    ['ocsf', { class_uid: 6003 }],
    ['json', { seq: 1, writer: 'writer-1' }],
  ] as const)('as %s it is an array of those', async (format, expected) => {
    await httpDestination({ url, format }).deliver([eventMaker()({})])
    expect(received[0]?.body).toMatchObject([expected])
  })

  test.each([302, 400, 401, 500, 503])('an answer of %d is no delivery', async (answer) => {
    status = answer
    const failure = httpDestination({ url, headers: () => ({ authorization: 'Bearer hidden' }) }).deliver([
      eventMaker()({}),
    ])
    await expect(failure).rejects.toMatchObject({ code: 'HFAUTH_AUDIT_UNDELIVERED', retryable: true })
    await expect(failure).rejects.not.toThrow(/hidden/)
  })

  test('a collector that answers again gets everything, each event at least once', async () => {
    status = 503
    const make = eventMaker()
    const events = Array.from({ length: 30 }, () => make({}))
    await writeSegments(folder.path, [events])
    const { deliver } = httpDestination({ url, format: 'json' })
    const shipper = createShipper({
      directory: folder.path,
      name: 'http',
      deliver,
      pollMs: 5,
      maxRetryMs: 20,
    })
    await vi.waitFor(() => expect(shipper.status().failures).toBeGreaterThan(0), { timeout: 10_000 })
    status = 204
    await vi.waitFor(() => expect(shipper.status().delivered).toBe(30), { timeout: 10_000 })
    await shipper.close()
    const ids = new Set(received.flatMap(({ body }) => (body as RecordedEvent[]).map(({ id }) => id)))
    expect(ids.size).toBe(30)
  })

  test.each(['http://collector.example/', 'ftp://x/', 'https://user:pass@x/', 'nonsense'])(
    '`%s` is not posted to',
    (address) => expect(() => httpDestination({ url: address })).toThrow(/`url` must be https/),
  )

  test('a format that there is not is an error of configuration', () => {
    expect(() => httpDestination({ url, format: 'toString' as 'json' })).toThrow(/`format` must be/)
  })
})
