import {
  appendFileSync,
  chmodSync,
  constants,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseJson } from '@hfauth/core/json'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AuditEntry, createAuditLog, jsonLinesSink, type RecordedEvent } from '../src/index.ts'

/** The real disk, until a test breaks one of its calls. */
const disk = {
  syncs: 0,
  failSync: false,
  /** Bytes that are still written before the disk is full. */
  room: Number.POSITIVE_INFINITY,
  whenFull: () => {},
  async write(fd: number, bytes: Uint8Array, offset: number) {
    const length = Math.min(bytes.length - offset, disk.room)
    disk.room -= length
    if (length > 0) return writeSync(fd, bytes, offset, length)
    disk.whenFull()
    throw new Error('ENOSPC')
  },
  async sync(fd: number) {
    disk.syncs++
    if (disk.failSync) throw new Error('EIO')
    await new Promise(setImmediate)
    fdatasyncSync(fd)
  },
}

const entry: AuditEntry = {
  type: 'io.hfauth.decision',
  requestId: 'r-1',
  actor: { kind: 'anonymous', id: 'anonymous', issuer: '', roles: [] },
}

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hfauth-audit-'))
  path = join(folder, 'audit.jsonl')
  Object.assign(disk, { syncs: 0, failSync: false, room: Number.POSITIVE_INFINITY, whenFull: () => {} })
})
afterEach(() => rmSync(folder, { recursive: true }))

const openLog = (sink = jsonLinesSink({ path, disk })) =>
  createAuditLog({ sink, environment: 'production', service: 'proxy/1', timeoutMs: 10_000 })
const text = () => readFileSync(path, 'utf8')
const lines = () =>
  text()
    .trimEnd()
    .split('\n')
    .map((line) => parseJson(line) as unknown as RecordedEvent)

describe('a file of JSON lines', () => {
  test('has one strict JSON object a line, in order, as they were recorded', async () => {
    const log = openLog(jsonLinesSink({ path }))
    const recorded = await Promise.all(
      Array.from({ length: 300 }, (_, id) => log.record({ ...entry, requestId: `r-${id}\n\u2028"` })),
    )
    expect(lines()).toEqual(recorded)
    expect(text().endsWith('}\n')).toBe(true)
    await log.close()
  })

  test('holds the event when the record resolves, and needs one fdatasync for all that waited', async () => {
    const log = openLog()
    await log.record(entry)
    expect(disk.syncs).toBe(1)
    await Promise.all(Array.from({ length: 500 }, () => log.record(entry)))
    expect(disk.syncs).toBe(2)
    expect(lines()).toHaveLength(501)
    await log.close()
  })

  test('groups what is written to it without a log', async () => {
    const sink = jsonLinesSink({ path, disk })
    const event = { ...entry, v: 1, id: 'i', time: 't', environment: 'e', service: 's', writer: 'w' } as const
    await Promise.all(Array.from({ length: 100 }, (_, seq) => sink.write({ ...event, seq })))
    expect(lines().map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, seq) => seq))
    expect(disk.syncs).toBe(2)
    await sink.close?.()
  })

  test('is made for its owner only, and continued by the next process', async () => {
    const first = openLog()
    await first.record(entry)
    await first.close()
    const second = openLog()
    await second.record(entry)
    await second.close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const [one, two] = lines()
    expect([one?.seq, two?.seq]).toEqual([1, 1])
    expect(one?.writer).not.toBe(two?.writer)
  })

  test('begins a new line after one that a crash cut short', async () => {
    writeFileSync(path, '{"v":1,"id":"torn')
    const log = openLog()
    await log.record(entry)
    await log.record(entry)
    expect(text().split('\n')).toHaveLength(4)
    expect(text().split('\n')[0]).toBe('{"v":1,"id":"torn')
    await log.close()
  })
})

describe('a service does not start', () => {
  test.each([
    ['in a folder that is not there', () => join(folder, 'missing', 'audit.jsonl')],
    ['with a folder as its file', () => folder],
    ['with a device as its file', () => '/dev/null'],
    [
      'below a file',
      () => {
        writeFileSync(path, '')
        return join(path, 'audit.jsonl')
      },
    ],
  ])('%s', (_, make) => {
    const place = make()
    expect(() => jsonLinesSink({ path: place })).toThrow(
      expect.objectContaining({
        name: 'HfAuthError',
        code: 'HFAUTH_CONFIG_INVALID',
        message: expect.stringContaining(place),
      }),
    )
  })

  test.skipIf(process.getuid?.() === 0)('where it may not write', () => {
    const locked = join(folder, 'locked')
    mkdirSync(locked)
    chmodSync(locked, 0o500)
    expect(() => jsonLinesSink({ path: join(locked, 'audit.jsonl') })).toThrow(
      expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
    )
  })
})

describe('a disk that fails', () => {
  const unavailable = expect.objectContaining({ code: 'HFAUTH_AUDIT_UNAVAILABLE', retryable: true })

  test.each([0, 1, 40])(
    'after %i bytes leaves nothing of the event, and the log goes on when there is room',
    async (bytes) => {
      const log = openLog()
      await log.record(entry)
      const before = text()
      disk.room = bytes
      await expect(log.record({ ...entry, requestId: 'lost' })).rejects.toEqual(unavailable)
      expect(text()).toBe(before)
      disk.room = Number.POSITIVE_INFINITY
      await log.record(entry)
      expect(lines().map(({ seq, type, loss }) => [seq, type, loss?.count])).toEqual([
        [1, 'io.hfauth.decision', undefined],
        [2, 'io.hfauth.audit.gap', 1],
        [3, 'io.hfauth.decision', undefined],
      ])
      await log.close()
    },
  )

  test('takes back a batch of which a part was written', async () => {
    const log = openLog()
    disk.room = 400
    await expect(Promise.all([log.record(entry), log.record(entry)])).rejects.toEqual(unavailable)
    expect(text()).toBe('')
    disk.room = Number.POSITIVE_INFINITY
    await log.close()
    expect(lines().map(({ type, loss }) => [type, loss?.count])).toEqual([['io.hfauth.audit.gap', 2]])
  })

  test('never makes the log cut off what somebody else wrote meanwhile', async () => {
    const log = openLog()
    disk.room = 40
    disk.whenFull = () => appendFileSync(path, 'not ours\n')
    await expect(log.record(entry)).rejects.toEqual(unavailable)
    expect(text()).toContain('not ours\n')
    disk.room = Number.POSITIVE_INFINITY
    await expect(log.record(entry)).rejects.toEqual(unavailable)
    await log.close()
  })

  test('to confirm is not believed again', async () => {
    const log = openLog()
    disk.failSync = true
    await expect(log.record(entry)).rejects.toEqual(unavailable)
    disk.failSync = false
    await expect(log.record(entry)).rejects.toEqual(unavailable)
    await log.close()
  })

  test.each([
    ['ENOSPC', 'nothing of it is left, and the log goes on', ['io.hfauth.audit.gap', 'io.hfauth.decision']],
    ['EIO', 'nobody knows what is left, and the log is over', []],
  ])('in a write that confirms by itself, with %s: %s', async (code, _, after) => {
    let fails = true
    const confirming = {
      ...disk,
      confirmsWrites: true,
      async write(fd: number, bytes: Uint8Array, offset: number) {
        // As O_DSYNC fails: what was written is there to be read, and not on the disk.
        const length = writeSync(fd, bytes, offset)
        if (fails) throw Object.assign(new Error(code), { code })
        return length
      },
    }
    const log = openLog(jsonLinesSink({ path, disk: confirming }))
    await expect(log.record(entry)).rejects.toEqual(unavailable)
    fails = false
    const next = log.record(entry)
    if (after.length === 0) await expect(next).rejects.toEqual(unavailable)
    else await next
    await log.close()
    expect(disk.syncs).toBe(0)
    if (after.length > 0) expect(lines().map(({ type }) => type)).toEqual(after)
  })
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('the file of a log is one whose writes are on the disk when they return (O_DSYNC)', async () => {
  const log = openLog(jsonLinesSink({ path }))
  const open = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  })
  expect(open).toHaveLength(1)
  const [, flags = '0'] =
    /^flags:\t([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${open[0]}`, 'utf8')) ?? []
  expect(Number.parseInt(flags, 8) & constants.O_DSYNC).toBe(constants.O_DSYNC)
  await log.record(entry)
  expect(lines()).toHaveLength(1)
  await log.close()
})
