/** A log in a folder of its own, and a disk that can be broken. */
import { generateKeyPairSync } from 'node:crypto'
import {
  fdatasyncSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import {
  type AuditLogOptions,
  auditKey,
  createAuditLog,
  type PlacedEvent,
  readSegments,
  type SegmentSinkOptions,
  segmentSink,
} from '../../src/index.ts'
import { entryOf } from './crash-entry.ts'

export { entryOf }

export const key = auditKey(generateKeyPairSync('ed25519').privateKey)

/** The real disk, until a test breaks one of its calls. */
export function createDisk() {
  const disk = {
    syncs: 0,
    failSync: false,
    /** Bytes that are still written before the disk is full. */
    room: Number.POSITIVE_INFINITY,
    /** Holds up each sync. */
    wait: async () => {},
    async write(fd: number, bytes: Uint8Array, offset: number) {
      const length = Math.min(bytes.length - offset, disk.room)
      disk.room -= length
      if (length > 0) return writeSync(fd, bytes, offset, length)
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    },
    async sync(fd: number) {
      disk.syncs++
      await disk.wait()
      if (disk.failSync) throw Object.assign(new Error('i/o error'), { code: 'EIO' })
      fdatasyncSync(fd)
    },
  }
  return disk
}

export function createFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'hfauth-segments-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export async function openLog(
  directory: string,
  options: Partial<SegmentSinkOptions> = {},
  logOptions: Partial<AuditLogOptions> = {},
) {
  const sink = await segmentSink({ directory, key, ...options })
  const log = createAuditLog({
    sink,
    environment: 'production',
    service: 'test',
    timeoutMs: 10_000,
    ...logOptions,
  })
  return { log, sink }
}

/** Writes so many events in batches, over so many segments. */
export async function writeLog(
  directory: string,
  { segments = 1, perSegment = 10, headEveryLines = 1000 } = {},
  options: Partial<SegmentSinkOptions> = {},
): Promise<void> {
  const { log, sink } = await openLog(directory, { compress: false, headEveryLines, ...options })
  for (let segment = 0; segment < segments; segment++) {
    if (segment > 0) await sink.rotate()
    for (let i = 0; i < perSegment; i++) await log.record(entryOf(`r-${segment}-${i}`))
  }
  await log.close()
}

export async function eventsOf(directory: string): Promise<PlacedEvent[]> {
  const events: PlacedEvent[] = []
  for await (const event of readSegments(directory)) events.push(event)
  return events
}

export const segmentFiles = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.includes('.jsonl'))
    .sort()

/** Lines of a segment, with their line breaks taken off. */
export function readFileLines(path: string): string[] {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trimEnd().split('\n')
}

export function writeFileLines(path: string, lines: readonly string[]): void {
  const text = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  writeFileSync(path, path.endsWith('.gz') ? gzipSync(text) : text)
}
