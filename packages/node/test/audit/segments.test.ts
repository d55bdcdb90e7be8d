import { generateKeyPairSync } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listSegments, readLines } from '../../src/audit/segments/files.ts'
import { removeStale } from '../../src/audit/segments/lock.ts'
import { auditKey, publicKeyText, segmentSink, verifySegments } from '../../src/index.ts'
import {
  createDisk,
  createFolder,
  entryOf,
  eventsOf,
  key,
  openLog,
  readFileLines,
  segmentFiles,
  writeLog,
} from './segment-fixture.ts'

let folder: ReturnType<typeof createFolder>
beforeEach(() => {
  folder = createFolder()
})
afterEach(() => folder.remove())

const file = (name: string) => join(folder.path, name)
const verify = () => verifySegments(folder.path, { keys: publicKeyText(key) })
const unavailable = expect.objectContaining({ code: 'HFAUTH_AUDIT_UNAVAILABLE', retryable: true })
const seqs = async () => (await eventsOf(folder.path)).map(({ event }) => event.seq)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

describe('a log in segments', () => {
  test('gives back every event as it was recorded, with its hash, over all segments', async () => {
    const { log, sink } = await openLog(folder.path)
    const recorded = []
    for (let i = 0; i < 30; i++) {
      if (i % 10 === 9) await sink.rotate()
      recorded.push(await log.record(entryOf(`r-${i}\n\u2028ü"`)))
    }
    await log.close()
    const events = (await eventsOf(folder.path)).map(({ event: { hash, ...event } }) => {
      expect(hash).toMatch(/^[\w-]{43}$/)
      return event
    })
    expect(events).toEqual(recorded)
  })

  test('is read from any place on, and a line that is being written is left for later', async () => {
    await writeLog(folder.path, { segments: 2, perSegment: 4 })
    const all = await eventsOf(folder.path)
    const { readSegments } = await import('../../src/index.ts')
    for (const [i, place] of all.entries()) {
      const rest = []
      for await (const event of readSegments(folder.path, { after: place })) rest.push(event)
      expect(rest).toEqual(all.slice(i + 1))
    }
    appendFileSync(file('00000002.jsonl'), '{"half":')
    expect(await eventsOf(folder.path)).toEqual(all)
    appendFileSync(file('00000002.jsonl'), 'true}\n')
    await expect(eventsOf(folder.path)).rejects.toMatchObject({ code: 'HFAUTH_AUDIT_UNREADABLE' })
  })

  test('is read whole when a segment is compressed between being found and being opened', async () => {
    await writeLog(folder.path, { segments: 1, perSegment: 4 })
    const [found] = await listSegments(folder.path)
    if (found === undefined || found.isCompressed) throw new Error('no plain segment')
    writeFileSync(`${found.path}.gz`, gzipSync(readFileSync(found.path)))
    rmSync(found.path)
    const lines: string[] = []
    for await (const batch of readLines(found)) lines.push(...batch.lines.map(String))
    expect(`${lines.join('\n')}\n`).toBe(gunzipSync(readFileSync(`${found.path}.gz`)).toString())
    rmSync(`${found.path}.gz`)
    await expect(readLines(found).next()).rejects.toMatchObject({ code: 'HFAUTH_AUDIT_UNREADABLE' })
  })

  test('holds an event on the disk when its record resolves, and needs one sync for all that waited', async () => {
    const disk = createDisk()
    const { log } = await openLog(folder.path, { disk })
    const { syncs } = disk
    await Promise.all(upTo(500).map((i) => log.record(entryOf(`r-${i}`))))
    expect(disk.syncs).toBe(syncs + 1)
    expect(await seqs()).toEqual(upTo(500))
    await log.close()
  })

  test('goes on where the process before ended, with its numbers, writer and chain', async () => {
    for (let start = 0; start < 3; start++) await writeLog(folder.path, { perSegment: 5 })
    expect(await seqs()).toEqual(upTo(15))
    const writers = new Set((await eventsOf(folder.path)).map(({ event }) => event.writer))
    expect(writers.size).toBe(1)
    expect(await verify()).toMatchObject({ ok: true, segments: 1, uncovered: 0 })
    await expect(segmentSink({ directory: folder.path, key, writer: 'another' })).rejects.toMatchObject({
      code: 'HFAUTH_CONFIG_INVALID',
    })
  })

  test('belongs to one process, is for its owner only, and is free after closing', async () => {
    const { log } = await openLog(folder.path)
    await expect(openLog(folder.path)).rejects.toMatchObject({
      code: 'HFAUTH_CONFIG_INVALID',
      message: expect.stringContaining(String(process.pid)),
    })
    expect(statSync(file('00000001.jsonl')).mode & 0o777).toBe(0o600)
    await log.close()
    await (await openLog(folder.path)).log.close()
  })

  test.each([
    ['of a process that is gone', `${2 ** 22 + 1} 1 HOST\n`],
    ['of a process whose id another one has now', `${process.ppid} 1 HOST\n`],
    ['of this process before it was started again', `${process.pid} 1 HOST\n`],
    ['that was never written to its end', '12'],
  ])('takes over a lock %s', async (_, text) => {
    const { hostname } = await import('node:os')
    writeFileSync(file('lock'), text.replace('HOST', hostname()))
    await (await openLog(folder.path)).log.close()
    expect(existsSync(file('lock'))).toBe(false)
  })

  test('leaves the lock of whoever was quicker to take over the same one', () => {
    writeFileSync(file('lock'), '7 7 quicker\n')
    removeStale(file('lock'), '1 1 gone\n')
    expect(readFileSync(file('lock'), 'utf8')).toBe('7 7 quicker\n')
    removeStale(file('lock'), '7 7 quicker\n')
    removeStale(file('lock'), '7 7 quicker\n')
    expect(readdirSync(folder.path).filter((name) => name.startsWith('lock'))).toEqual([])
  })

  test('leaves a lock of another machine alone', async () => {
    writeFileSync(file('lock'), '1 1 elsewhere\n')
    await expect(openLog(folder.path)).rejects.toMatchObject({ code: 'HFAUTH_CONFIG_INVALID' })
  })

  test('refuses options that would switch something off', async () => {
    for (const options of [
      { maxSegmentBytes: 0 },
      { maxSegmentAgeMs: Number.NaN },
      { headEveryLines: 0 },
      { headEveryMs: -1 },
      { retainDays: -1 },
      { writer: 'a/b' },
    ])
      await expect(openLog(folder.path, options)).rejects.toMatchObject({ code: 'HFAUTH_CONFIG_INVALID' })
  })
})

describe('heads', () => {
  test('are written after so many lines, told once they are on the disk, and at the end', async () => {
    const heads: string[] = []
    const { log } = await openLog(folder.path, {
      headEveryLines: 5,
      onHead: (note) => {
        heads.push(note)
        expect(readFileSync(file('00000001.jsonl'), 'utf8')).toContain(JSON.stringify(note))
        throw new Error('nobody minds')
      },
    })
    for (let i = 0; i < 12; i++) await log.record(entryOf(`r-${i}`))
    expect(heads).toHaveLength(2)
    await log.close()
    expect(heads).toHaveLength(3)
    expect(await verify()).toMatchObject({ ok: true, heads: 3, uncovered: 0 })
  })

  test('are written after a while when nothing more comes', async () => {
    let told: (() => void) | undefined
    const head = new Promise<void>((resolve) => {
      told = resolve
    })
    const { log } = await openLog(folder.path, { headEveryMs: 20, onHead: () => told?.() })
    await log.record(entryOf('r'))
    await head
    expect(await verify()).toMatchObject({ ok: true, heads: 1, uncovered: 0 })
    await log.close()
  })

  test('carry two signatures while keys change, and verify with either set of keys', async () => {
    const next = auditKey(generateKeyPairSync('ed25519').privateKey, 'next')
    const { log, sink } = await openLog(folder.path)
    await log.record(entryOf('old'))
    await sink.changeKey(next)
    await log.record(entryOf('new'))
    await log.close()
    const keys = `${publicKeyText(key)}\n${publicKeyText(next)}\n`
    expect(readFileSync(file('keys'), 'utf8')).toBe(keys)
    expect(await verifySegments(folder.path, { keys })).toMatchObject({ ok: true, heads: 2 })
    const notes = readFileLines(file('00000001.jsonl')).filter((line) => line.includes('"head"'))
    expect(notes.map((line) => line.split('\u2014').length - 1)).toEqual([2, 1])
    expect((await verifySegments(folder.path, { keys: publicKeyText(next) })).ok).toBe(true)
    expect((await verify()).findings.map(({ code }) => code)).toEqual(['signature_unknown'])
  })
})

describe('segments', () => {
  test('are closed by size and by age, compressed, and still verify and read as one log', async () => {
    let now = Date.parse('2026-11-25T00:00:00Z')
    const { log } = await openLog(folder.path, {
      maxSegmentBytes: 2000,
      maxSegmentAgeMs: 60_000,
      now: () => now,
    })
    for (let i = 0; i < 12; i++) await log.record(entryOf(`r-${i}`))
    const bySize = new Set(segmentFiles(folder.path).map((name) => name.slice(0, 8))).size
    expect(bySize).toBeGreaterThan(2)
    now += 60_000
    await log.record(entryOf('later'))
    await log.close()
    const names = segmentFiles(folder.path)
    expect(names).toHaveLength(bySize + 1)
    expect(names.slice(0, -1).every((name) => name.endsWith('.gz'))).toBe(true)
    expect(names.at(-1)).toMatch(/\.jsonl$/)
    expect(await seqs()).toEqual(upTo(13))
    expect(await verify()).toMatchObject({ ok: true, segments: bySize + 1 })
  })

  test('are removed when their time is over, and the log says which', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    const { log, sink } = await openLog(folder.path, { retainDays: 30, now: () => now })
    for (let i = 0; i < 4; i++) {
      await log.record(entryOf(`r-${i}`))
      now += 20 * 86_400_000
      await sink.rotate()
    }
    await log.close()
    expect(segmentFiles(folder.path).map((name) => name.slice(0, 8))).toEqual([
      '00000003',
      '00000004',
      '00000005',
    ])
    expect(await verify()).toMatchObject({ ok: true, removedSegments: 2, events: 2 })
  })

  test('that are held, or not shipped yet, stay however old they are', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    const clock = { now: () => now }
    await writeLog(folder.path, { segments: 4, perSegment: 2 }, clock)
    writeFileSync(file('00000002.hold'), '')
    now += 400 * 86_400_000
    await (await openLog(folder.path, { retainDays: 30, ...clock })).log.close()
    expect(segmentFiles(folder.path).map((name) => name.slice(0, 8))).toEqual(['00000002', '00000004'])
    expect(await verify()).toMatchObject({ ok: true, removedSegments: 2 })
    rmSync(file('00000002.hold'))
    const { mkdirSync } = await import('node:fs')
    mkdirSync(file('cursors'))
    writeFileSync(file('cursors/elsewhere.json'), '{"segment":2,"line":1}')
    await (await openLog(folder.path, { retainDays: 30, ...clock })).log.close()
    expect(segmentFiles(folder.path)[0]).toMatch(/^00000002/)
    writeFileSync(file('cursors/elsewhere.json'), '{"segment":4,"line":1}')
    writeFileSync(file('hold'), '')
    await (await openLog(folder.path, { retainDays: 30, ...clock })).log.close()
    expect(segmentFiles(folder.path)[0]).toMatch(/^00000002/)
    rmSync(file('hold'))
    await (await openLog(folder.path, { retainDays: 30, ...clock })).log.close()
    expect(segmentFiles(folder.path)[0]).toMatch(/^00000004/)
    expect(await verify()).toMatchObject({ ok: true, removedSegments: 3 })
  })
})

describe('after a crash', () => {
  test('at any byte of the last write, what was whole before is there and the rest is cut off and told', async () => {
    await writeLog(folder.path, { perSegment: 3 })
    const path = file('00000001.jsonl')
    const whole = readFileSync(path)
    const last = whole.lastIndexOf('\n', whole.length - 2) + 1
    for (let length = last; length < whole.length; length += 7) {
      writeFileSync(path, whole.subarray(0, length))
      const { log, sink } = await openLog(folder.path)
      expect(sink.resume).toMatchObject({ lastSeq: 3, tornBytes: length - last })
      await log.record(entryOf('next'))
      await log.close()
      const gaps = (await eventsOf(folder.path)).filter(({ event }) => event.loss !== undefined)
      expect(gaps.map(({ event }) => event.loss)).toEqual(
        length === last ? [] : [{ reason: 'torn', bytes: length - last }],
      )
      expect((await verify()).ok).toBe(true)
    }
  })

  test('while a segment was begun, the log goes on with the one before', async () => {
    await writeLog(folder.path, { segments: 2, perSegment: 2 })
    for (const length of [0, 1, 40]) {
      truncateSync(file('00000002.jsonl'), length)
      await writeLog(folder.path, { perSegment: 0 })
      expect(await seqs()).toEqual([1, 2])
    }
    const { log, sink } = await openLog(folder.path)
    await sink.rotate()
    await log.record(entryOf('next'))
    await log.close()
    expect(await seqs()).toEqual([1, 2, 3])
    expect((await verify()).ok).toBe(true)
  })

  test('while a segment was compressed, it is compressed again', async () => {
    await writeLog(folder.path, { segments: 2, perSegment: 2 })
    writeFileSync(file('00000001.jsonl.gz'), 'half of it')
    writeFileSync(file('00000001.jsonl.gz.draft'), 'half of it')
    await (await openLog(folder.path)).log.close()
    expect(readdirSync(folder.path).filter((name) => name.startsWith('00000001'))).toEqual([
      '00000001.jsonl.gz',
    ])
    expect((await verify()).ok).toBe(true)
  })

  test('of the machine, blocks that were never filled are cut off too', async () => {
    await writeLog(folder.path, { perSegment: 2 })
    appendFileSync(
      file('00000001.jsonl'),
      Buffer.concat([Buffer.alloc(3000), Buffer.from('rest of a line\n')]),
    )
    const { log, sink } = await openLog(folder.path)
    expect(sink.resume.tornBytes).toBe(3015)
    await log.close()
    expect((await verify()).ok).toBe(true)
  })

  test('a line that was changed before others is no crash: the log is not continued, and left as it is', async () => {
    await writeLog(folder.path, { perSegment: 3 })
    const path = file('00000001.jsonl')
    const text = readFileSync(path, 'utf8').replace('r-0-1', 'r-0-9')
    writeFileSync(path, text)
    await expect(openLog(folder.path)).rejects.toMatchObject({
      code: 'HFAUTH_AUDIT_UNREADABLE',
      message: expect.stringContaining('line 3'),
    })
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(existsSync(file('lock'))).toBe(false)
  })
})

describe('a disk that', () => {
  test.each([0, 1, 200])(
    'is full after %i bytes leaves nothing of the event, and the loss is counted',
    async (room) => {
      const disk = createDisk()
      const { log } = await openLog(folder.path, { disk })
      await log.record(entryOf('first'))
      disk.room = room
      await expect(log.record(entryOf('lost'))).rejects.toEqual(unavailable)
      await expect(log.record(entryOf('lost'))).rejects.toEqual(unavailable)
      disk.room = Number.POSITIVE_INFINITY
      await log.record(entryOf('second'))
      await log.close()
      expect((await eventsOf(folder.path)).map(({ event }) => event.loss?.count ?? event.requestId)).toEqual([
        'first',
        2,
        'second',
      ])
      expect(await verify()).toMatchObject({ ok: true, losses: [{ reason: 'unavailable', count: 2 }] })
    },
  )

  test('does not confirm is not believed again: what it had confirmed stays, and a new segment begins', async () => {
    const disk = createDisk()
    const { log } = await openLog(folder.path, { disk, compress: false })
    await log.record(entryOf('first'))
    disk.failSync = true
    for (let i = 0; i < 3; i++) await expect(log.record(entryOf('lost'))).rejects.toEqual(unavailable)
    disk.failSync = false
    await log.record(entryOf('second'))
    await log.close()
    expect(segmentFiles(folder.path)).toEqual(['00000001.jsonl', '00000002.jsonl'])
    expect((await eventsOf(folder.path)).map(({ event }) => event.loss?.count ?? event.requestId)).toEqual([
      'first',
      3,
      'second',
    ])
    expect((await verify()).ok).toBe(true)
  })

  test('is full when a segment ends refuses the event, and goes on with the same numbers when there is room', async () => {
    const disk = createDisk()
    const { log } = await openLog(folder.path, { disk, maxSegmentBytes: 1024 })
    for (let i = 0; i < 3; i++) await log.record(entryOf('full'))
    disk.room = 50
    await expect(log.record(entryOf('lost'))).rejects.toEqual(unavailable)
    disk.room = Number.POSITIVE_INFINITY
    await log.record(entryOf('second'))
    await log.close()
    expect(await seqs()).toEqual(upTo(5))
    expect((await verify()).ok).toBe(true)
  })

  test('hangs refuses in time under `strict`, with no more waiting than it says', async () => {
    const disk = createDisk()
    const { log } = await openLog(folder.path, { disk }, { timeoutMs: 30, maxWaiting: 5 })
    let release: (() => void) | undefined
    disk.wait = () =>
      new Promise((resolve) => {
        release = resolve
      })
    const outcomes = await Promise.allSettled(upTo(20).map((i) => log.record(entryOf(`r-${i}`))))
    const messages = outcomes.map((each) => String((each as PromiseRejectedResult).reason?.message))
    expect(messages.filter((text) => text.includes('too many'))).toHaveLength(15)
    expect(messages.filter((text) => text.includes('30 ms'))).toHaveLength(5)
    disk.wait = async () => {}
    release?.()
    await log.close()
    expect((await verify()).losses.map(({ reason, count }) => [reason, count])).toEqual([['overflow', 15]])
  })

  test('is full holds nobody up under `available`: events wait, come in order, and the rest is counted', async () => {
    const disk = createDisk()
    const { log } = await openLog(
      folder.path,
      { disk },
      { lossPolicy: 'available', retryMs: 10, maxWaiting: 5 },
    )
    await log.record(entryOf('first'))
    disk.room = 0
    const accepted = []
    for (let i = 1; i <= 8; i++) accepted.push(await log.record(entryOf(`r-${i}`)))
    expect(accepted.every(({ seq }) => seq === 0)).toBe(true)
    const heard = new Promise<void>((resolve) => {
      log.subscribe(({ requestId }) => requestId === 'r-5' && resolve())
    })
    disk.room = Number.POSITIVE_INFINITY
    await heard
    expect((await log.record(entryOf('last'))).seq).toBe(8)
    await log.close()
    expect((await eventsOf(folder.path)).map(({ event }) => event.loss?.count ?? event.requestId)).toEqual([
      'first',
      3,
      'r-1',
      'r-2',
      'r-3',
      'r-4',
      'r-5',
      'last',
    ])
    expect(await verify()).toMatchObject({ ok: true, losses: [{ reason: 'overflow', count: 3 }] })
  })
})
