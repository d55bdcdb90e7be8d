/**
 * JSON lines sink: one event a line in a file, and on the disk before anyone is told.
 *
 * log → **JSON lines sink** → disk. What waits while the disk works is written in one go and made durable
 * by one sync. A file belongs to one process at a time.
 *
 * @module
 */
import { AppendFile, type Disk } from './append-file.ts'
import type { AuditSink, RecordedEvent } from './types.ts'

export interface JsonLinesSinkOptions {
  /** Created with mode 0600 when it does not exist; otherwise continued. */
  readonly path: string
  /** Replaces the calls that write and confirm. */
  readonly disk?: Disk
}

interface Group {
  readonly lines: string
  resolve(): void
  reject(error: unknown): void
}

/**
 * Opens the file at once, so that a service that cannot keep its record does not start.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the file cannot be opened for appending, or is not a
 * regular file.
 */
export function jsonLinesSink({ path, disk }: JsonLinesSinkOptions): AuditSink {
  const file = new AppendFile(path, disk)
  let waiting: Group[] = []
  let flushing: Promise<void> | undefined

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const groups = waiting
      waiting = []
      try {
        await file.append(groups.map(({ lines }) => lines).join(''))
        for (const { resolve } of groups) resolve()
      } catch (error) {
        for (const { reject } of groups) reject(error)
      }
    }
    flushing = undefined
  }

  function add(events: readonly RecordedEvent[]): Promise<void> {
    return new Promise((resolve, reject) => {
      waiting.push({ lines: events.map((event) => `${JSON.stringify(event)}\n`).join(''), resolve, reject })
      flushing ??= flush()
    })
  }

  return {
    write: (event) => add([event]),
    writeAll: add,
    async close() {
      await flushing
      file.close()
    },
  }
}
