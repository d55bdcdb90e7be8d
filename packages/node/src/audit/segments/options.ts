/**
 * Options of a log in segments, and the ones that were not given.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import { numberOption } from '../../internal/number-option.ts'
import type { Disk } from '../append-file.ts'
import type { AuditKey } from './signed-note.ts'

export interface SegmentSinkOptions {
  /** Made with mode 0700 when it does not exist. Belongs to one process at a time. */
  readonly directory: string
  /** Signs tree heads; see `auditKeyFile`. */
  readonly key: AuditKey
  /** Id of a new log: letters, digits, `.`, `_` and `-`. Default a random one; a log that is there keeps its own. */
  readonly writer?: string
  /** A segment is closed when it has grown beyond this. Default 64 MiB. */
  readonly maxSegmentBytes?: number
  /** A segment is closed when it is older than this, in milliseconds. Default an hour. */
  readonly maxSegmentAgeMs?: number
  /** A head is written at the latest after so many lines. Default 1,000. */
  readonly headEveryLines?: number
  /** A head is written at the latest so many milliseconds after a line. Default 10,000. */
  readonly headEveryMs?: number
  /**
   * Hears every head once it is on the disk: a signed note, to be kept where this machine cannot change it.
   * What it throws or rejects is nobody's business here; the next head covers the same lines.
   */
  readonly onHead?: (note: string) => unknown
  /** Compresses closed segments with gzip. Default true. */
  readonly compress?: boolean
  /** Closed segments are removed so many days after their end, unless held or not shipped yet. Default never. */
  readonly retainDays?: number
  /** Replaces the calls that write and confirm. */
  readonly disk?: Disk
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

export interface SegmentSettings {
  readonly directory: string
  readonly key: AuditKey
  readonly writer: string
  readonly isWriterGiven: boolean
  readonly maxSegmentBytes: number
  readonly maxSegmentAgeMs: number
  readonly headEveryLines: number
  readonly headEveryMs: number
  readonly onHead: (note: string) => unknown
  readonly compress: boolean
  readonly retainMs: number
  readonly disk: Disk | undefined
  readonly now: () => number
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` for what is out of its range. */
export function readSegmentOptions(options: SegmentSinkOptions): SegmentSettings {
  const { directory, key, writer, onHead = () => {}, compress = true, disk, now = Date.now } = options
  if (writer !== undefined && !/^[\w.-]{1,64}$/.test(writer))
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      '`writer` must be 1 to 64 letters, digits, `.`, `_` or `-`',
    )
  const at = (name: string, value: number | undefined, usual: number, min: number, max?: number) =>
    numberOption(name, value ?? usual, max === undefined ? { min } : { min, max })
  return {
    directory,
    key,
    writer: writer ?? randomUUID(),
    isWriterGiven: writer !== undefined,
    maxSegmentBytes: at('maxSegmentBytes', options.maxSegmentBytes, 64 * 1024 * 1024, 1024),
    maxSegmentAgeMs: at('maxSegmentAgeMs', options.maxSegmentAgeMs, 3_600_000, 1),
    headEveryLines: at('headEveryLines', options.headEveryLines, 1000, 1),
    headEveryMs: at('headEveryMs', options.headEveryMs, 10_000, 1),
    onHead,
    compress,
    retainMs:
      options.retainDays === undefined
        ? Number.POSITIVE_INFINITY
        : numberOption('retainDays', options.retainDays, { max: 36_500 }) * 86_400_000,
    disk,
    now,
  }
}
