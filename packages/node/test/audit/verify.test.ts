import { generateKeyPairSync } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chainHash } from '../../src/audit/segments/chain.ts'
import { auditKey, publicKeyText, type VerifySegmentsOptions, verifySegments } from '../../src/index.ts'
import {
  createFolder,
  entryOf,
  key,
  openLog,
  readFileLines,
  segmentFiles,
  writeFileLines,
  writeLog,
} from './segment-fixture.ts'

const keys = publicKeyText(key)
const events = 6
const segments = 3

let original: ReturnType<typeof createFolder>
let folder: ReturnType<typeof createFolder>
const heads: string[] = []

/** Three segments, each a line of its own, six events, a head in the middle and one at the end. */
beforeAll(async () => {
  original = createFolder()
  await writeLog(
    original.path,
    { segments, perSegment: events, headEveryLines: 4 },
    { onHead: (note) => heads.push(note) },
  )
})
afterAll(() => original.remove())
beforeEach(() => {
  folder = createFolder()
  cpSync(original.path, folder.path, { recursive: true })
})
afterEach(() => folder.remove())

const file = (number: number) => join(folder.path, `0000000${number}.jsonl`)
const verify = (options: VerifySegmentsOptions = {}) => verifySegments(folder.path, { keys, ...options })
const codes = async (options?: VerifySegmentsOptions) =>
  (await verify(options)).findings.map(({ code }) => code)
const seqOf = (line: string) => (JSON.parse(line) as { seq?: number }).seq
const bodyOf = (line: string) => `${line.slice(0, -54)}}`
const alter = (number: number, change: (lines: string[]) => string[]) =>
  writeFileLines(file(number), change(readFileLines(file(number))))

/** Writes hashes again from a line on, as somebody would who has the files and not the key. */
function reseal(lines: readonly string[], from: number): string[] {
  const sealed = [...lines]
  for (let i = from; i < lines.length; i++) {
    const before = Buffer.from((sealed[i - 1] as string).slice(-45, -2), 'base64url')
    const body = bodyOf(sealed[i] as string)
    sealed[i] = `${body.slice(0, -1)},"hash":"${chainHash(before, body).toString('base64url')}"}`
  }
  return sealed
}

/** Every line of every segment, and whether it is an event. */
const places = Array.from({ length: segments }, (_, s) =>
  Array.from({ length: 10 }, (_, i) => ({ segment: s + 1, line: i + 1 })),
).flat()
const linesOf = (segment: number) => readFileLines(file(segment))
const eachLine =
  (visit: (segment: number, line: number, text: string) => Promise<void> | void) => async () => {
    let visited = 0
    for (const { segment, line } of places) {
      const text = linesOf(segment)[line - 1]
      if (text === undefined) continue
      visited++
      await visit(segment, line, text)
      cpSync(original.path, folder.path, { recursive: true, force: true })
    }
    expect(visited).toBeGreaterThan(20)
  }

describe('a log that nobody touched', () => {
  test('is whole, signed to its end, and says how much it holds', async () => {
    const report = await verify({ heads })
    expect(report).toMatchObject({
      ok: true,
      segments: 3,
      events: 18,
      uncovered: 0,
      findings: [],
      losses: [],
      hasTrustedKeys: true,
      first: { seq: 1 },
      last: { seq: 18 },
      covered: { segment: 3, seq: 18 },
    })
    expect(report.heads).toBe(heads.length)
    expect(heads.length).toBeGreaterThan(5)
  })

  test('is whole after compression, without a given key, and while it is written', async () => {
    const { log } = await openLog(folder.path)
    await log.record(entryOf('more'))
    const report = await verifySegments(folder.path)
    expect(report).toMatchObject({ ok: true, events: 19, uncovered: 1, hasTrustedKeys: false })
    await log.close()
    expect(segmentFiles(folder.path)).toEqual(['00000001.jsonl.gz', '00000002.jsonl.gz', '00000003.jsonl'])
    expect(await verify({ heads })).toMatchObject({ ok: true, events: 19, uncovered: 0 })
  })
})

describe('what was done to a line is found and named', () => {
  test(
    'changed: any one of them, by one letter',
    eachLine(async (segment, line, text) => {
      const at = text.indexOf('"time":"20') + 8
      alter(segment, (lines) => lines.with(line - 1, `${text.slice(0, at)}19${text.slice(at + 2)}`))
      const { findings } = await verify()
      expect(findings).toContainEqual(expect.objectContaining({ code: 'record_changed', segment, line }))
      expect(findings[0]).toMatchObject({ segment, line })
      const seq = seqOf(text)
      if (seq !== undefined) expect(findings[0]).toMatchObject({ seq })
    }),
  )

  test(
    'removed: any event is named by its number',
    eachLine(async (segment, line, text) => {
      const seq = seqOf(text)
      // The very last line, a head, is nobody's loss; see below for the end of a log.
      if (segment === segments && line === linesOf(segment).length) return
      alter(segment, (lines) => lines.toSpliced(line - 1, 1))
      const { ok, findings } = await verify()
      expect(ok).toBe(false)
      if (seq !== undefined && seq < 18)
        expect(findings).toContainEqual(expect.objectContaining({ code: 'record_removed', seq }))
    }),
  )

  test('changed to other bytes that are read as the same text', async () => {
    const { log } = await openLog(folder.path)
    await log.record(entryOf('half \ufffd half'))
    await log.close()
    const last = file(segments)
    const text = readFileSync(last)
    const at = text.indexOf('\ufffd')
    writeFileSync(last, Buffer.concat([text.subarray(0, at), Buffer.of(0xff), text.subarray(at + 3)]))
    expect((await verify()).findings).toContainEqual(expect.objectContaining({ code: 'line_malformed' }))
  })

  test('removed in one piece: the numbers are named from first to last', async () => {
    const lines = linesOf(2)
    const from = lines.findIndex((line) => seqOf(line) === 8)
    const to = lines.findIndex((line) => seqOf(line) === 11)
    alter(2, (all) => all.toSpliced(from, to - from + 1))
    const { findings } = await verify()
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'record_removed', segment: 2, seq: [8, 11], line: from + 1 }),
    )
  })

  test(
    'reordered: any event that changed places with the next one',
    eachLine(async (segment, line, text) => {
      const next = linesOf(segment)[line]
      if (seqOf(text) === undefined || next === undefined || seqOf(next) === undefined) return
      alter(segment, (lines) => lines.with(line - 1, next).with(line, text))
      const { findings } = await verify()
      expect(findings).toContainEqual(
        expect.objectContaining({ code: 'record_reordered', segment, line: line + 1, seq: seqOf(text) }),
      )
      expect(findings.map(({ code }) => code)).not.toContain('record_removed')
    }),
  )

  test(
    'repeated: any event that stands there twice',
    eachLine(async (segment, line, text) => {
      if (seqOf(text) === undefined) return
      alter(segment, (lines) => lines.toSpliced(line, 0, text))
      expect((await verify()).findings).toContainEqual(
        expect.objectContaining({ code: 'record_repeated', segment, line: line + 1, seq: seqOf(text) }),
      )
    }),
  )

  test(
    'cut off: a file that ends anywhere in a line, and one that ends behind any line but the last',
    eachLine(async (segment, line, text) => {
      const before = readFileLines(file(segment)).slice(0, line - 1)
      const start = Buffer.byteLength(before.map((each) => `${each}\n`).join(''))
      for (const kept of [1, text.length >> 1, text.length - 1]) {
        truncateSync(file(segment), start + kept)
        expect((await verify()).findings).toContainEqual(
          expect.objectContaining({ code: 'line_unfinished', segment, line }),
        )
        cpSync(join(original.path, `0000000${segment}.jsonl`), file(segment))
      }
      if (segment === segments) return
      truncateSync(file(segment), start)
      const { findings } = await verify()
      expect(findings).toContainEqual(expect.objectContaining({ code: 'segment_truncated', segment }))
    }),
  )

  test(
    'cut off at the end of the log: found with a head that was kept elsewhere, whichever line is the last',
    eachLine(async (segment, line) => {
      if (segment !== segments || line === linesOf(segment).length) return
      alter(segment, (lines) => lines.slice(0, line - 1))
      expect(await codes({ heads })).toContain('segment_truncated')
    }),
  )

  test('cut off by whole segments: found with a head that was kept elsewhere', async () => {
    rmSync(file(3))
    expect(await codes()).toEqual([])
    expect(await codes({ heads })).toEqual(['segment_missing'])
  })

  test(
    'written again with new hashes, from any event on: what was signed does not fit any more',
    eachLine(async (segment, line, text) => {
      if (seqOf(text) === undefined) return
      alter(segment, (lines) => reseal(lines.with(line - 1, text.replace('"ana"', '"eve"')), line - 1))
      const found = await codes()
      expect(found).toContain('head_mismatch')
      expect(found).not.toContain('record_changed')
    }),
  )

  test('written again together with all that follows in later segments', async () => {
    alter(1, (lines) => reseal(lines.with(1, (lines[1] as string).replace('"ana"', '"eve"')), 1))
    expect(await codes()).toEqual(['head_mismatch'])
  })

  test('signed again with a key that nobody knows', async () => {
    rmSync(folder.path, { recursive: true })
    const forged = auditKey(generateKeyPairSync('ed25519').privateKey)
    await writeLog(folder.path, { segments: 1 }, { key: forged })
    expect((await verifySegments(folder.path)).ok).toBe(true)
    expect(await codes()).toEqual(['signature_unknown'])
  })

  test('a signature that is another, with all hashes written again', async () => {
    const at = linesOf(1).findIndex((line) => line.includes('"head"'))
    const change = (line: string) =>
      line.replace(/[\w+/](?=[\w+/]{20}=*\\n"})/, (c) => (c === 'A' ? 'B' : 'A'))
    alter(1, (lines) => reseal(lines.with(at, change(lines[at] as string)), at))
    expect((await codes())[0]).toBe('signature_invalid')
  })

  test.each([
    ['an empty line', ''],
    ['text', 'hello'],
    ['an object without a hash', '{"seq":3}'],
    ['a line of another log', `{"x":1,"hash":"${'A'.repeat(43)}"}`],
    ['bytes that are no text', '\u0000\u0000\u0000'],
  ])('added: %s', async (_, text) => {
    alter(2, (lines) => lines.toSpliced(3, 0, text))
    expect((await verify()).findings[0]).toMatchObject({ code: 'line_malformed', segment: 2, line: 4 })
  })
})

describe('what was done to a file is found', () => {
  test('removed', async () => {
    rmSync(file(2))
    const { findings } = await verify()
    expect(findings).toContainEqual(expect.objectContaining({ code: 'segment_missing', segment: 2 }))
    expect(findings).toContainEqual(expect.objectContaining({ code: 'record_removed', seq: [7, 12] }))
  })

  test('removed, with a line at the end that says so and that nobody signed', async () => {
    const end = JSON.parse(linesOf(2)[0] as string).segment.previous
    const removed = { ...end, firstSeq: 1, lastSeq: 6, time: '2026-11-25T08:00:00.000Z' }
    rmSync(file(1))
    alter(3, (lines) => {
      const line = `${JSON.stringify({ removed }).slice(0, -1)},"hash":"${'A'.repeat(43)}"}`
      return reseal([...lines, line], lines.length)
    })
    expect(await codes()).toEqual(['segment_missing'])
  })

  test('that has a number from far away, at once', async () => {
    renameSync(file(3), join(folder.path, '999999999999999.jsonl'))
    expect(await codes()).toContain('segment_missing')
  })

  test('removed from the beginning', async () => {
    rmSync(file(1))
    expect(await codes()).toContain('segment_missing')
  })

  test('renamed, or changed for another', async () => {
    renameSync(file(3), join(folder.path, '00000004.jsonl'))
    expect(await codes()).toContain('segment_missing')
    expect(await codes()).toContain('segment_detached')
  })

  test('compressed badly', async () => {
    rmSync(file(1))
    writeFileSync(`${file(1)}.gz`, readFileSync(file(2)))
    expect(await codes()).toContain('segment_unreadable')
  })

  test('continued by somebody else', async () => {
    const other = createFolder()
    await writeLog(other.path, { segments: 1 })
    appendFileSync(file(3), readFileSync(join(other.path, '00000001.jsonl')))
    other.remove()
    expect((await verify()).ok).toBe(false)
  })
})

describe('a head that was kept elsewhere', () => {
  test('of another log, of a key that nobody knows, or that is none, is said to be one', async () => {
    const other = createFolder()
    const otherHeads: string[] = []
    await writeLog(other.path, { segments: 1 }, { onHead: (note) => otherHeads.push(note) })
    other.remove()
    expect(await codes({ heads: otherHeads })).toContain('writer_changed')
    expect(await codes({ heads: ['no head'] })).toEqual(['head_malformed'])
    const forged = auditKey(generateKeyPairSync('ed25519').privateKey)
    expect(
      await codes({ keys: `${keys}\n`, heads: [heads[0]?.replace('hfauth-audit/', 'hfauth-audit/x') ?? ''] }),
    ).toContain('signature_invalid')
    expect(await codes({ keys: publicKeyText(forged), heads })).toContain('signature_unknown')
  })

  test('covers what was written again behind the last head that is left', async () => {
    const lastHead = linesOf(3).findLastIndex((line) => line.includes('"head"'))
    alter(3, (lines) => {
      const kept = lines.slice(0, lastHead)
      const at = kept.length - 1
      return reseal(kept.with(at, (kept[at] as string).replace('"ana"', '"eve"')), at)
    })
    expect(await codes()).toEqual([])
    expect(await codes({ heads: [heads.at(-1) as string] })).toEqual(['head_mismatch'])
  })
})

test('findings are counted beyond those that are told', async () => {
  alter(2, (lines) => lines.map((line, i) => (i === 0 ? line : line.replace('"ana"', '"eve"'))))
  const report = await verify({ maxFindings: 2 })
  expect(report.findings).toHaveLength(2)
  expect(report.moreFindings).toBe(events - 2)
})
