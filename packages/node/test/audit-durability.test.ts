/**
 * Durability: what is on record before its effect, what may follow within moments, and that nothing runs ahead of a
 * disk that does not keep up.
 */
import { describe, expect, test, vi } from 'vitest'
import {
  type AuditEntry,
  type AuditLogOptions,
  type AuditSink,
  createAuditLog,
  type RecordedEvent,
} from '../src/index.ts'
import { refusalOf } from './loopback-issuer.ts'

const actor = { kind: 'user', id: 'hf|64a1', issuer: 'hf', roles: ['viewer'] } as const
const policy = 'sha256:00'
const of = (type: AuditEntry['type'], requestId: string): AuditEntry => ({ type, requestId, actor })
const allow = (requestId: string): AuditEntry => ({
  ...of('io.hfauth.decision', requestId),
  decision: { effect: 'allow', reason: 'allowed', statements: [], policy },
})
const deny = (requestId: string, more: { enforced?: false } = {}): AuditEntry => ({
  ...of('io.hfauth.decision', requestId),
  decision: { effect: 'deny', reason: 'no_matching_rule', statements: [], policy, ...more },
})
const described = { describes: true }

/** A disk that waits to be let go, fails when told to, and counts its writes. */
function createDisk() {
  const held: (() => void)[] = []
  const batches: RecordedEvent[][] = []
  const disk = {
    isHeld: false,
    isBroken: false,
    /** How many writes have failed. */
    refused: 0,
    batches,
    /** What is on it, by request. */
    get requests() {
      return batches.flat().map(({ requestId, loss }) => loss?.count ?? requestId)
    },
    get waiting() {
      return held.length
    },
    release() {
      disk.isHeld = false
      for (const go of held.splice(0)) go()
    },
    sink: {
      write: async () => expect.unreachable(),
      async writeAll(events) {
        if (disk.isHeld) await new Promise<void>((resolve) => held.push(resolve))
        if (disk.isBroken) {
          disk.refused += 1
          throw new Error('disk full')
        }
        batches.push([...events])
      },
    } satisfies AuditSink,
  }
  return disk
}

/** A log that has written once, so that its disk is known to work; timers go off when they are told to. */
async function start(options: Partial<AuditLogOptions> = {}) {
  const disk = createDisk()
  const log = createAuditLog({ sink: disk.sink, environment: 'production', service: 'test', ...options })
  await log.record(allow('first'))
  return { disk, log }
}

/** Whether the caller of a record goes on while the disk is held. */
async function runsAhead(record: (log: Awaited<ReturnType<typeof start>>['log']) => Promise<RecordedEvent>) {
  const { disk, log } = await start()
  disk.isHeld = true
  let seq: number | undefined
  const recording = record(log).then((event) => {
    seq = event.seq
  })
  await new Promise(setImmediate)
  const ahead = seq
  disk.release()
  await log.close()
  await recording
  expect(disk.requests).toHaveLength(2)
  return ahead === 0
}

describe('the caller goes on before the event is on record', () => {
  test.each<[string, AuditEntry]>([
    ['a denial', deny('r')],
    ['a credential that was not accepted', of('io.hfauth.token.rejected', 'r')],
    ['a refused sign-in', of('io.hfauth.signin.refused', 'r')],
    ['a renewed session', of('io.hfauth.session.refreshed', 'r')],
    ['what came of a download', of('io.hfauth.model.load', 'r')],
    ['what came of an inference', of('io.hfauth.inference.completed', 'r')],
    ['what came of a write', of('io.hfauth.repo.write', 'r')],
    ['the end of a stream', of('io.hfauth.stream.ended', 'r')],
  ])('%s', async (_, entry) => {
    expect(await runsAhead((log) => log.record(entry))).toBe(true)
  })

  test('an allow that gives out a description or a list', async () => {
    expect(await runsAhead((log) => log.record(allow('r'), described))).toBe(true)
  })
})

describe('the caller waits until the event is on record', () => {
  test.each<[string, AuditEntry]>([
    ['an allow', allow('r')],
    ['a denial that is let through', deny('r', { enforced: false })],
    ['a session that begins', of('io.hfauth.session.started', 'r')],
    ['a token that is exchanged', of('io.hfauth.token.exchanged', 'r')],
    ['a stream that starts', of('io.hfauth.stream.started', 'r')],
    ['a revocation', of('io.hfauth.revocation.received', 'r')],
    ['a policy that comes into force', of('io.hfauth.policy.loaded', 'r')],
    ['a secret that is rotated', of('io.hfauth.secret.rotated', 'r')],
  ])('%s', async (_, entry) => {
    expect(await runsAhead((log) => log.record(entry))).toBe(false)
  })

  test('anything, under `durability: strict`', async () => {
    const { disk, log } = await start({ durability: 'strict' })
    disk.isHeld = true
    const recording = [log.record(deny('r-1')), log.record(allow('r-2'), described)]
    await vi.waitFor(() => expect(disk.waiting).toBe(1))
    disk.release()
    expect((await Promise.all(recording)).map(({ seq }) => seq)).toEqual([2, 3])
  })

  test('the first event of all, since nobody knows yet whether the disk works', async () => {
    const disk = createDisk()
    const log = createAuditLog({ sink: disk.sink, environment: 'production', service: 'test' })
    expect((await log.record(deny('r'))).seq).toBe(1)
  })
})

describe('events for which nobody waits', () => {
  test('are written together, after a while', async () => {
    const { disk, log } = await start({ flushMs: 1 })
    for (let i = 0; i < 50; i++) await log.record(deny(`r-${i}`))
    await vi.waitFor(() => expect(disk.requests).toHaveLength(51))
    expect(disk.batches.length).toBeLessThan(51)
    expect(disk.batches.flat().map(({ seq }) => seq)).toEqual(Array.from({ length: 51 }, (_, i) => i + 1))
  })

  test('go with the next for which somebody waits, in their order', async () => {
    const { disk, log } = await start({ flushMs: 60_000 })
    await log.record(deny('r-1'))
    await log.record(deny('r-2'))
    expect((await log.record(allow('r-3'))).seq).toBe(4)
    expect(disk.batches.map((batch) => batch.length)).toEqual([1, 3])
    expect(disk.requests).toEqual(['first', 'r-1', 'r-2', 'r-3'])
  })

  test('are written when there are many, without waiting for their time', async () => {
    const { disk, log } = await start({ flushMs: 60_000 })
    for (let i = 0; i < 1000; i++) await log.record(deny(`r-${i}`))
    await vi.waitFor(() => expect(disk.requests).toHaveLength(1001))
  })

  test('are on record when the log has closed', async () => {
    const { disk, log } = await start({ flushMs: 60_000 })
    await log.record(deny('r-1'))
    await log.close()
    expect(disk.requests).toEqual(['first', 'r-1'])
  })

  test('are heard by hooks once they are on record, and not before', async () => {
    const { log } = await start({ flushMs: 60_000 })
    const heard: [string, number][] = []
    log.subscribe(({ requestId, seq }) => heard.push([requestId, seq]))
    await log.record(deny('r-1'))
    expect(heard).toEqual([])
    await log.record(allow('r-2'))
    expect(heard).toEqual([
      ['r-1', 2],
      ['r-2', 3],
    ])
  })

  test('keep a process alive until they are written', async () => {
    const timers: NodeJS.Timeout[] = []
    const spy = vi.spyOn(globalThis, 'setTimeout')
    const { log } = await start({ flushMs: 60_000 })
    spy.mockClear()
    await log.record(deny('r-1'))
    for (const { value } of spy.mock.results) timers.push(value as NodeJS.Timeout)
    spy.mockRestore()
    expect(timers.map((timer) => timer.hasRef())).toEqual([true])
    await log.close()
  })
})

describe('a disk that does not keep up', () => {
  test('is waited for from the moment when its oldest event is too old, and refuses in time', async () => {
    const { disk, log } = await start({ flushMs: 1, maxBehindMs: 1, timeoutMs: 20 })
    disk.isHeld = true
    expect((await log.record(deny('r-1'))).seq).toBe(0)
    await vi.waitFor(() => expect(disk.waiting).toBe(1))
    expect(await refusalOf(log.record(deny('r-2')))).toMatchObject({ code: 'HFAUTH_AUDIT_UNAVAILABLE' })
    expect(log.isFailing()).toBe(true)
    disk.release()
    await vi.waitFor(() => expect(disk.requests).toContain('r-1'))
    // The next one waits as well, and finds out that it works again.
    await log.record(deny('r-3'))
    expect(log.isFailing()).toBe(false)
    await log.close()
    expect(disk.requests).toEqual(['first', 'r-1', 1, 'r-3'])
  })

  test('still gets what was taken in, though who came after it has given up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { disk, log } = await start({ flushMs: 100, timeoutMs: 20 })
      disk.isHeld = true
      const first = refusalOf(log.record(allow('r-1')))
      await new Promise(setImmediate)
      expect((await log.record(deny('r-2'))).seq).toBe(0)
      const third = refusalOf(log.record(allow('r-3')))
      vi.advanceTimersByTime(20)
      for (const { code } of await Promise.all([first, third])) expect(code).toBe('HFAUTH_AUDIT_UNAVAILABLE')
      disk.release()
      await new Promise(setImmediate)
      vi.advanceTimersByTime(100)
      await new Promise(setImmediate)
      expect(disk.requests).toEqual(['first', 'r-1', 1, 'r-2'])
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('lets nothing run ahead after it has failed; what it did not take is counted in the trail', async () => {
    const { disk, log } = await start({ flushMs: 60_000 })
    for (const id of ['r-1', 'r-2']) expect((await log.record(deny(id))).seq).toBe(0)
    disk.isBroken = true
    expect(await refusalOf(log.record(allow('r-3')))).toMatchObject({ code: 'HFAUTH_AUDIT_UNAVAILABLE' })
    expect(log.isFailing()).toBe(true)
    expect(await refusalOf(log.record(deny('r-4')))).toMatchObject({ code: 'HFAUTH_AUDIT_UNAVAILABLE' })
    expect(await refusalOf(log.record(allow('r-5'), described))).toMatchObject({
      code: 'HFAUTH_AUDIT_UNAVAILABLE',
    })
    disk.isBroken = false
    expect((await log.record(deny('r-6'))).seq).toBeGreaterThan(0)
    expect(log.isFailing()).toBe(false)
    expect(disk.requests).toEqual(['first', 5, 'r-6'])
  })

  test('holds no more of them than half of what may wait, so that there is room for the others', async () => {
    const { disk, log } = await start({ flushMs: 60_000, maxWaiting: 4, timeoutMs: 60_000 })
    disk.isHeld = true
    const strict = log.record(allow('strict'))
    await vi.waitFor(() => expect(disk.waiting).toBe(1))
    const seqs: number[] = []
    for (const id of ['r-1', 'r-2']) seqs.push((await log.record(deny(id))).seq)
    let third: number | undefined
    const waiting = log.record(deny('r-3')).then(({ seq }) => {
      third = seq
    })
    await new Promise(setImmediate)
    expect([seqs, third]).toEqual([[0, 0], undefined])
    disk.release()
    await Promise.all([strict, waiting])
    expect(third).toBe(5)
  })

  test('under `available` keeps them, and writes them when it works again', async () => {
    const { disk, log } = await start({ lossPolicy: 'available', flushMs: 1, retryMs: 1 })
    disk.isBroken = true
    await log.record(deny('r-1'))
    await vi.waitFor(() => expect(disk.refused).toBeGreaterThan(0))
    await log.record(deny('r-2'))
    disk.isBroken = false
    await vi.waitFor(() => expect(disk.requests).toEqual(['first', 'r-1', 'r-2']))
    expect(log.isFailing()).toBe(false)
    await log.close()
  })
})

test.each([{ durability: 'sometimes' }, { flushMs: 0 }, { maxBehindMs: 0 }])(
  'a log does not start with %j',
  (options) => {
    const { sink } = createDisk()
    const settings = { sink, environment: 'production', service: 'test', ...options } as AuditLogOptions
    expect(() => createAuditLog(settings)).toThrow(expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }))
  },
)
