import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  type AuditEntry,
  type AuditLogOptions,
  type AuditSink,
  createAuditLog,
  memorySink,
  type RecordedEvent,
} from '../src/index.ts'
import { createClock, refusalOf } from './loopback-issuer.ts'

const entry: AuditEntry = {
  type: 'io.hfauth.decision',
  requestId: 'r-1',
  actor: { kind: 'user', id: 'hf|64a1', issuer: 'hf', name: 'ana', roles: ['viewer'] },
  client: { ip: '192.0.2.1', userAgent: 'curl/8' },
  action: 'read',
  resource: { kind: 'model', id: 'acme/vision', revision: 'main', path: 'config.json' },
  http: { method: 'GET', route: '/{id}/resolve/{revision}/{path}', status: 200, bytesOut: 12 },
  decision: { effect: 'allow', reason: 'rule', statements: ['roles.viewer.allow#1'], policy: 'sha256:00' },
  scopes: ['read-repos'],
  durationMs: 3,
}
const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLWJ5dGVz'
const tokens = [
  `hf_${'a1B2'.repeat(9)}`,
  `hf_oauth_${jwt}`,
  `hf_oidc_${jwt}`,
  `hf_oauth__refresh_${'x'.repeat(34)}`,
  jwt,
  jwt.replaceAll('.', '==.'),
  `ya29.${'a0B'.repeat(12)}`,
  `xoxb-1234-5678-${'a0B'.repeat(8)}`,
]

function logWith(options: Partial<AuditLogOptions> = {}) {
  const clock = createClock()
  const sink = memorySink()
  const log = createAuditLog({
    sink,
    environment: 'production',
    service: 'proxy/1',
    now: () => clock.ms,
    ...options,
  })
  return { log, sink, clock }
}

const numbers = (events: readonly RecordedEvent[]) => events.map(({ seq }) => seq)
const numbered = (id: number): AuditEntry => ({ ...entry, requestId: `r-${id}` })

describe('a recorded event', () => {
  test('is the entry, with version, id, time, environment, service, writer and number', async () => {
    const { log, sink } = logWith({ writer: 'w-1' })
    const recorded = await log.record(entry)
    expect(recorded).toEqual({
      ...entry,
      v: 1,
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      time: '2026-09-01T12:00:00.000Z',
      environment: 'production',
      service: 'proxy/1',
      writer: 'w-1',
      seq: 1,
    })
    expect(sink.events).toEqual([recorded])
    expect(() => Object.assign(recorded.actor, { id: 'eve' })).toThrow(TypeError)
  })

  test('has an id that tells its time and sorts after the one before, whatever the clock does', async () => {
    const { log, sink, clock } = logWith()
    for (let id = 0; id < 5000; id++) {
      if (id === 3000) clock.forward(-60)
      await log.record(numbered(id))
    }
    const ids = sink.events.map(({ id }) => id)
    expect(Number.parseInt(ids[0]?.replace('-', '').slice(0, 12) ?? '', 16)).toBe(
      Date.parse('2026-09-01T12:00:00Z'),
    )
    expect(ids).toEqual([...new Set(ids)].sort())
  })

  test('takes its id from `randomId`, and its writer is another in each process', async () => {
    const { log } = logWith({ randomId: () => 'fixed' })
    const recorded = await log.record(entry)
    expect(recorded.id).toBe('fixed')
    expect(recorded.writer).not.toBe((await logWith().log.record(entry)).writer)
  })

  test('has no field that an event does not have, at any depth', async () => {
    const { log } = logWith()
    const secret = { authorization: `Bearer ${jwt}`, token: jwt }
    const stuffed = {
      ...entry,
      ...secret,
      seq: 99,
      writer: 'eve',
      id: 'eve',
      actor: { ...entry.actor, ...secret, claims: { jwt } },
      http: { ...entry.http, ...secret, headers: { cookie: jwt } },
      resource: { ...entry.resource, ...secret },
      decision: { ...entry.decision, ...secret },
      client: { ...entry.client, ...secret },
    } as AuditEntry
    const { v, id, time, environment, service, writer, seq, ...rest } = await log.record(stuffed)
    expect(rest).toEqual(entry)
    expect({ seq, id: id === 'eve', writer: writer === 'eve' }).toEqual({ seq: 1, id: false, writer: false })
  })

  test('drops what is of another type than its field', async () => {
    const { log } = logWith()
    const odd = {
      ...entry,
      action: { toString: () => 'read' },
      durationMs: Number.NaN,
      scopes: 'all',
      client: 'me',
      actor: { ...entry.actor, roles: ['viewer', 7, null] },
    } as unknown as AuditEntry
    const recorded = await log.record(odd)
    expect(recorded.actor.roles).toEqual(['viewer'])
    for (const name of ['action', 'durationMs', 'scopes', 'client']) expect(recorded).not.toHaveProperty(name)
  })

  test('has its texts cut and cleaned', async () => {
    const { log } = logWith()
    const userAgent = `a\r\nSet-Cookie: x\u202e\u2028${'b'.repeat(10_000)}`
    const { client, actor } = await log.record({
      ...entry,
      client: { userAgent },
      actor: { ...entry.actor, name: `${'n'.repeat(255)}😀` },
    })
    expect(client?.userAgent).toHaveLength(256)
    expect(client?.userAgent).toMatch(/^a\ufffd\ufffdSet-Cookie: x\ufffd\ufffdb+$/)
    expect(actor.name).toBe(`${'n'.repeat(255)}\ufffd`)
  })

  test('says which of its texts are not whole', async () => {
    const { log } = logWith()
    expect(await log.record({ ...entry, client: { userAgent: 'u'.repeat(256) } })).not.toHaveProperty('cut')
    const long = {
      ...entry,
      client: { userAgent: 'u'.repeat(257) },
      actor: { ...entry.actor, name: 'n'.repeat(257), roles: ['r'.repeat(257), 's'.repeat(257)] },
      resource: { kind: 'model', id: 'acme/a', path: 'p'.repeat(1025) },
      scopes: Array.from({ length: 1001 }, () => 'read-repos'),
      // Only the log knows.
      cut: ['action'],
    }
    const { cut } = await log.record(long)
    expect(cut).toEqual(['actor.name', 'actor.roles', 'client.userAgent', 'resource.path', 'scopes'])
  })

  test.each(tokens)('shows no token in any text (%#)', async (token) => {
    const { log, sink } = logWith()
    const heard: RecordedEvent[] = []
    log.subscribe((event) => heard.push(event))
    const text = `before ${token} after`
    await log.record({
      ...entry,
      requestId: text,
      action: text,
      error: text,
      scopes: [text],
      actor: { kind: 'user', id: text, issuer: text, name: text, roles: [text] },
      client: { ip: text, userAgent: `${'u'.repeat(240)}${token}` },
      resource: { kind: text, id: text, revision: text, path: text },
      http: { method: text, route: text },
      decision: { effect: 'allow', reason: text, statements: [text], policy: text },
    })
    const everything = inspect([sink.events, heard], { depth: 9 })
    expect(everything).toContain('before REDACTED after')
    for (const piece of [token, token.slice(0, 20), ...jwt.split('.')])
      expect(everything).not.toContain(piece)
  })
})

describe('the numbers of a log', () => {
  test('follow the order of the calls, without holes', async () => {
    const { log, sink } = logWith()
    const recorded = await Promise.all(Array.from({ length: 2500 }, (_, id) => log.record(numbered(id))))
    expect(numbers(sink.events)).toEqual(Array.from({ length: 2500 }, (_, index) => index + 1))
    expect(sink.events.map(({ requestId }) => requestId)).toEqual(recorded.map((_, id) => `r-${id}`))
    expect(numbers(recorded)).toEqual(numbers(sink.events))
  })

  test('have no hole where the sink refused an event, and the loss is the next thing on record', async () => {
    const events: RecordedEvent[] = []
    const sink: AuditSink = {
      async write(event) {
        await undefined
        if (event.requestId === 'r-2') throw new Error('disk full')
        events.push(event)
      },
    }
    const { log } = logWith({ sink })
    const outcomes = await Promise.allSettled([1, 2, 3].map((id) => log.record(numbered(id))))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(events.map(({ type, seq, loss }) => [type, seq, loss?.reason, loss?.count])).toEqual([
      ['io.hfauth.decision', 1, undefined, undefined],
      ['io.hfauth.audit.gap', 2, 'unavailable', 1],
      ['io.hfauth.decision', 3, undefined, undefined],
    ])
  })

  test('never have two writes under way', async () => {
    let underWay = 0
    let most = 0
    const sink: AuditSink = {
      async write() {
        most = Math.max(most, ++underWay)
        await new Promise(setImmediate)
        underWay--
      },
    }
    const { log } = logWith({ sink })
    await Promise.all(Array.from({ length: 20 }, (_, id) => log.record(numbered(id))))
    expect(most).toBe(1)
  })

  test('are given in one go to a sink that takes several', async () => {
    const sizes: number[] = []
    const sink: AuditSink = {
      write: async () => expect.unreachable(),
      async writeAll(events) {
        sizes.push(events.length)
        await new Promise(setImmediate)
      },
    }
    const { log } = logWith({ sink })
    await Promise.all(Array.from({ length: 1500 }, (_, id) => log.record(numbered(id))))
    expect(sizes).toEqual([1000, 500])
  })
})

describe('a sink', () => {
  test.each<[string, AuditSink]>([
    ['rejects', { write: async () => Promise.reject(new Error(jwt, { cause: jwt })) }],
    [
      'throws',
      {
        write: () => {
          throw new Error(jwt)
        },
      },
    ],
    ['rejects a batch', { write: async () => {}, writeAll: async () => Promise.reject(jwt) }],
  ])('that %s makes the record unavailable, and its error stays out of sight', async (_, sink) => {
    const { log } = logWith({ sink })
    expect(await refusalOf(log.record(entry), jwt)).toMatchObject({
      code: 'HFAUTH_AUDIT_UNAVAILABLE',
      retryable: true,
    })
  })

  test('that takes too long makes the record unavailable in time, also for those that wait behind it', async () => {
    const release: (() => void)[] = []
    const written: RecordedEvent[] = []
    const sink: AuditSink = {
      write: (event) =>
        new Promise((resolve) => {
          release.push(() => {
            written.push(event)
            resolve()
          })
        }),
    }
    const { log } = logWith({ sink, timeoutMs: 20 })
    const heard: number[] = []
    log.subscribe(({ seq }) => heard.push(seq))
    const refusals = await Promise.all([1, 2, 3].map((id) => refusalOf(log.record(numbered(id)))))
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ code: 'HFAUTH_AUDIT_UNAVAILABLE', retryable: true })
      expect(refusal.message).toContain('20 ms')
    }
    // What was under way gets there in the end; what still waited was never begun.
    const next = log.record(numbered(4))
    for (let i = 0; i < 3; i++) {
      release.shift()?.()
      await new Promise(setImmediate)
    }
    expect((await next).seq).toBe(3)
    expect(written.map(({ requestId, loss }) => loss?.count ?? requestId)).toEqual(['r-1', 2, 'r-4'])
    expect(heard).toEqual([1, 2, 3])
  })

  test('that takes one event at a time and fails for good refuses every event, and ends', async () => {
    const sink: AuditSink = { write: async () => Promise.reject(new Error()) }
    const { log } = logWith({ sink })
    for (let round = 0; round < 3; round++) {
      const refusals = await Promise.all([1, 2, 3].map((id) => refusalOf(log.record(numbered(id)))))
      for (const { code } of refusals) expect(code).toBe('HFAUTH_AUDIT_UNAVAILABLE')
    }
    await log.close()
  })

  test('that recovers is used again', async () => {
    let failing = true
    const sink: AuditSink = { write: async () => (failing ? Promise.reject(new Error()) : undefined) }
    const { log } = logWith({ sink })
    await refusalOf(log.record(entry))
    failing = false
    expect((await log.record(entry)).seq).toBe(2)
  })

  test('is closed after the last event, and takes none afterwards', async () => {
    const steps: string[] = []
    const sink: AuditSink = {
      async write() {
        await new Promise(setImmediate)
        steps.push('written')
      },
      async close() {
        steps.push('closed')
      },
    }
    const { log } = logWith({ sink })
    const recording = log.record(entry)
    await log.close()
    await log.close()
    await recording
    expect(steps).toEqual(['written', 'closed'])
    expect((await refusalOf(log.record(entry))).code).toBe('HFAUTH_AUDIT_UNAVAILABLE')
  })
})

describe('a hook', () => {
  test('hears what is on record, and nothing else, until it is stopped', async () => {
    let failing = false
    const sink: AuditSink = { write: async () => (failing ? Promise.reject(new Error()) : undefined) }
    const { log } = logWith({ sink })
    const heard: string[] = []
    const stop = log.subscribe(({ requestId }) => heard.push(requestId))
    await log.record(numbered(1))
    failing = true
    await refusalOf(log.record(numbered(2)))
    failing = false
    stop()
    await log.record(numbered(3))
    expect(heard).toEqual(['r-1'])
  })

  test('that throws, now or later, disturbs neither the log nor the other hooks', async () => {
    const { log } = logWith()
    const heard: number[] = []
    log.subscribe(() => {
      throw new Error('hook')
    })
    log.subscribe((async () => {
      throw new Error('later')
    }) as () => void)
    log.subscribe(({ seq }) => heard.push(seq))
    await log.record(entry)
    await log.record(entry)
    await new Promise(setImmediate)
    expect(heard).toEqual([1, 2])
  })

  test('may record something itself', async () => {
    const { log, sink } = logWith()
    const nested: Promise<RecordedEvent>[] = []
    log.subscribe(({ seq }) => {
      if (seq === 1) nested.push(log.record(numbered(2)))
    })
    await log.record(numbered(1))
    await Promise.all(nested)
    expect(numbers(sink.events)).toEqual([1, 2])
  })
})

test('a wait of nothing is refused at once', () => {
  expect(() => logWith({ timeoutMs: 0 })).toThrow(expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }))
})
