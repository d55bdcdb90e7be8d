/**
 * Segment sink: a directory of chained, signed and compressed segments that survives what happens to a disk.
 *
 * log → **segment sink** → segment → disk. One task at a time touches the newest segment; compressing and
 * removing closed ones go on beside it. See `docs/audit-format.md`.
 *
 * @module
 */
import { mkdir } from 'node:fs/promises'
import { HfAuthError } from '@hfauth/core'
import type { AuditResume, AuditSink, RecordedEvent } from '../types.ts'
import { genesisHash } from './chain.ts'
import { compressClosed, removableSegments, removeSegments } from './closed.ts'
import type { RemovedSegment, SegmentStart } from './entries.ts'
import { listSegments } from './files.ts'
import { lockDirectory } from './lock.ts'
import { readSegmentOptions, type SegmentSettings, type SegmentSinkOptions } from './options.ts'
import { publishKey } from './published-keys.ts'
import { readState } from './recover.ts'
import { Segment } from './segment.ts'
import { writeIndex } from './segment-index.ts'
import { type AuditKey, originOf, publicKeyText, signHead } from './signed-note.ts'

export interface SegmentSink extends AuditSink {
  readonly resume: AuditResume
  writeAll(events: readonly RecordedEvent[]): Promise<void>
  /** Signs a head with the old key and the new one, and from then on with the new one only. */
  changeKey(key: AuditKey): Promise<void>
  /** Closes the newest segment and begins the next one, whatever its size and age. */
  rotate(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a log, or begins one. What a crash left unfinished is cut off, and `resume` says so.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the directory cannot be written, another process writes it, an
 * option is out of its range, or `writer` is not the one that is there; `HFAUTH_AUDIT_UNREADABLE` when what is
 * there is broken in a way that no crash explains.
 */
export async function segmentSink(options: SegmentSinkOptions): Promise<SegmentSink> {
  const settings = readSegmentOptions(options)
  await makeDirectory(settings.directory)
  const unlock = lockDirectory(settings.directory)
  try {
    await publishKey(settings.directory, publicKeyText(settings.key))
    const { segment, resume } = await openNewest(settings)
    return createSink(settings, segment, resume, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

function createSink(
  settings: SegmentSettings,
  newest: Segment,
  resume: AuditResume,
  unlock: () => void,
): SegmentSink {
  const { directory, headEveryLines, headEveryMs, maxSegmentAgeMs, maxSegmentBytes, now } = settings
  let segment = newest
  let { key } = settings
  let { lastSeq } = resume
  let last: Promise<unknown> = Promise.resolve()
  let upkeep: Promise<unknown> = Promise.resolve()
  let headTimer: NodeJS.Timeout | undefined
  let isClosed = false

  /** One task after the other, whatever came of the one before. */
  function enqueue<T>(task: () => Promise<T>): Promise<T> {
    const done = last.then(task)
    last = done.catch(() => {})
    return done
  }

  /** Writes lines, and with them a head when one is due. */
  async function append(bodies: readonly string[], keys?: readonly AuditKey[]): Promise<void> {
    if (segment.isBroken) {
      await segment.repair()
      await begin()
    }
    const isDue = segment.uncovered + bodies.length >= headEveryLines
    if (keys === undefined && !isDue) await segment.append(bodies)
    else {
      let note = ''
      await segment.append(bodies, (tree) => {
        const origin = originOf(resume.writer, segment.start.number)
        note = signHead({ origin, size: tree.size, root: tree.root() }, keys ?? [key])
        return JSON.stringify({ head: { time: timeOf(now()), note } })
      })
      tell(note)
    }
    if (segment.uncovered > 0) headTimer ??= setTimeout(onHeadTimer, headEveryMs).unref()
  }

  function onHeadTimer(): void {
    headTimer = undefined
    if (isClosed) return
    // When it cannot be written, the next batch tries again.
    enqueue(async () => {
      if (segment.uncovered > 0) await append([], [key])
    }).catch(() => {})
  }

  function tell(note: string): void {
    try {
      Promise.resolve(settings.onHead(note)).catch(() => {})
    } catch {
      // A listener's fault is not the log's.
    }
  }

  async function roll(): Promise<void> {
    if (segment.uncovered > 0) await append([], [key])
    await begin()
  }

  async function begin(): Promise<void> {
    const { number } = segment.start
    const index = segment.index.build()
    const previous = { ...segment.end, ...(index === undefined ? {} : { index: index.digest }) }
    const start = { ...startOf(settings, resume.writer, number + 1, lastSeq + 1), previous }
    const next = await Segment.begin(
      directory,
      start,
      Buffer.from(segment.end.hash, 'base64url'),
      settings.disk,
    )
    segment.close()
    segment = next
    if (index !== undefined) upkeep = upkeep.then(() => writeIndex(directory, number, index.text))
    tidy()
  }

  /** What closed segments need. A fault here costs room on the disk and nothing else; the next time tries again. */
  function tidy(): void {
    upkeep = upkeep
      .then(async () => {
        const newest = segment.start.number
        if (settings.compress) await compressClosed(directory, newest)
        const removable = await removableSegments(directory, newest, now() - settings.retainMs)
        if (removable.length === 0) return
        const time = timeOf(now())
        const bodies = removable.map((end) =>
          JSON.stringify({ removed: { ...end, time } satisfies RemovedSegment }),
        )
        // Only a signed removal explains a missing segment.
        await enqueue(() => append(bodies, [key]))
        await removeSegments(directory, removable)
      })
      .catch(() => {})
  }

  async function write(events: readonly RecordedEvent[]): Promise<void> {
    if (isClosed) throw new Error('the audit log is closed')
    const ageMs = now() - Date.parse(segment.start.time)
    if (!segment.isBroken && (segment.bytes >= maxSegmentBytes || ageMs >= maxSegmentAgeMs)) await roll()
    await append(events.map((event) => JSON.stringify(event)))
    for (const event of events) segment.index.add(event)
    lastSeq = events.at(-1)?.seq ?? lastSeq
  }

  tidy()
  return {
    resume,
    write: (event) => enqueue(() => write([event])),
    writeAll: (events) => enqueue(() => write(events)),
    rotate: () => enqueue(roll),
    changeKey: (next) =>
      enqueue(async () => {
        await publishKey(directory, publicKeyText(next))
        await append([], [key, next])
        key = next
      }),
    async close() {
      if (isClosed) return
      isClosed = true
      await upkeep
      await enqueue(async () => {
        if (segment.uncovered > 0 && !segment.isBroken) await append([], [key])
      }).catch(() => {})
      clearTimeout(headTimer)
      segment.close()
      unlock()
    },
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `the audit log \`${directory}\` cannot be made`, {
      cause: error,
    })
  }
}

async function openNewest(settings: SegmentSettings): Promise<{ segment: Segment; resume: AuditResume }> {
  const { directory, disk } = settings
  const files = await listSegments(directory)
  let tornBytes = 0
  for (const file of files.reverse()) {
    const state = await readState(file)
    // A crash came before its first line was whole: as if it had never been begun.
    if (state === undefined) continue
    tornBytes += state.tornBytes
    const { writer, number } = state.start
    if (settings.isWriterGiven && settings.writer !== writer)
      throw new HfAuthError(
        'HFAUTH_CONFIG_INVALID',
        `the audit log \`${directory}\` is that of \`${writer}\``,
      )
    const resume = { writer, lastSeq: state.lastSeq, tornBytes }
    if (!file.isCompressed) return { segment: await Segment.continue(directory, state, disk), resume }
    const hash = state.hash.toString('base64url')
    const index = state.index.build()
    const previous = {
      number,
      lines: state.tree.size,
      root: state.tree.root().toString('base64url'),
      hash,
      ...(index === undefined ? {} : { index: index.digest }),
    }
    const start = { ...startOf(settings, writer, number + 1, state.lastSeq + 1), previous }
    return { segment: await Segment.begin(directory, start, state.hash, disk), resume }
  }
  const start = startOf(settings, settings.writer, 1, 1)
  const segment = await Segment.begin(directory, start, genesisHash, disk)
  return { segment, resume: { writer: settings.writer, lastSeq: 0, tornBytes } }
}

function startOf({ now }: SegmentSettings, writer: string, number: number, firstSeq: number): SegmentStart {
  return { v: 1, writer, number, firstSeq, time: timeOf(now()) }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
