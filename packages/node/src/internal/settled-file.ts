/**
 * Settled file: a file read whole, and only when nobody has written to it for a moment.
 *
 * Half a secret is a wrong secret, and half a policy may be a valid one.
 *
 * @module
 */
import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { decodeUtf8 } from './request.ts'

export interface SettledFileOptions {
  /** Longest file, in bytes. */
  readonly maxBytes: number
  /** What the file should hold, for messages: `a secret`. */
  readonly what: string
  /** Makes the error that is thrown. */
  readonly fail: (reason: string) => Error
}

export interface ReadFile {
  readonly text: string
  /** Epoch milliseconds of its last change. */
  readonly changedAt: number
}

/** How long a file must have been left alone, and how often that is looked at, in milliseconds. */
const settledMs = 250
const attempts = 20

/** @throws What `fail` makes when the file is not there, too long, not UTF-8, or being written to. */
export async function readSettled(path: string, options: SettledFileOptions): Promise<ReadFile> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const read = await readUnchanged(path, options)
    if (read !== undefined && Math.abs(Date.now() - read.changedAt) >= settledMs) return notAhead(read)
    await delay(settledMs / 5)
  }
  throw options.fail(`\`${path}\` is being written to`)
}

/** For files that are written before their link points to them, and never again. @throws As above. */
export async function readWhole(path: string, options: SettledFileOptions): Promise<ReadFile> {
  const read = await readUnchanged(path, options)
  if (read === undefined) throw options.fail(`\`${path}\` is being written to`)
  return notAhead(read)
}

/** A clock that was ahead must not keep what was read from being used. */
function notAhead(read: ReadFile): ReadFile {
  return { ...read, changedAt: Math.min(read.changedAt, Date.now()) }
}

/** `undefined` when the file changed while it was read. */
async function readUnchanged(
  path: string,
  { maxBytes, what, fail }: SettledFileOptions,
): Promise<ReadFile | undefined> {
  const read = await readBytes(path, maxBytes).catch(() => {
    throw fail(`\`${path}\` cannot be read`)
  })
  if (read === undefined) return undefined
  if (read === 'unfit') throw fail(`\`${path}\` is no file of ${what}`)
  const text = decodeUtf8(read.bytes)
  if (text === undefined) throw fail(`\`${path}\` is not UTF-8`)
  return { text, changedAt: read.changedAt }
}

async function readBytes(path: string, maxBytes: number) {
  const file = await open(path, 'r')
  try {
    const before = await file.stat()
    if (!before.isFile() || before.size > maxBytes) return 'unfit'
    const bytes = await file.readFile()
    const after = await file.stat()
    if (after.mtimeMs !== before.mtimeMs || after.size !== bytes.length) return undefined
    return { bytes, changedAt: after.mtimeMs }
  } finally {
    await file.close()
  }
}
