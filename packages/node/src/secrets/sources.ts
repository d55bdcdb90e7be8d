/**
 * Secret sources: a file, a directory as Kubernetes mounts it, a function.
 *
 * **source** → ring. What is read is read whole: a directory through one look at where its link points, a
 * file only when nobody has written to it for a moment.
 *
 * @see kubernetes.io/docs: Secrets, "Mounted Secrets are updated automatically"
 * @module
 */
import { type FSWatcher, watch } from 'node:fs'
import { open, readlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HfAuthError } from '@hfauth/core'
import { isJsonObject, parseJsonObject } from '../internal/json-object.ts'
import { decodeUtf8 } from '../internal/request.ts'
import { readSecret, unusable } from './secret.ts'
import type { SecretSource, SecretVersion } from './types.ts'

export interface SecretFileOptions {
  /**
   * `text`: the file is the secret. `json`: `{"secrets":[{"id","value","notBefore","notAfter"}]}` with times in
   * RFC 3339. Default by the name's ending.
   */
  readonly format?: 'text' | 'json'
}

/**
 * A file. In the `text` format its age counts from its last change, and when it is written in place
 * rather than renamed into place, it is taken once it has been left alone for a quarter of a second.
 */
export function secretFile(path: string, options: SecretFileOptions = {}): SecretSource {
  const format = options.format ?? (path.endsWith('.json') ? 'json' : 'text')
  return {
    async load() {
      const { text, changedAt } = await readSettled(path)
      return format === 'json' ? readVersions(text) : [versionOf(text, changedAt)]
    },
    watch: (changed) => watchFolder(dirname(path), changed),
  }
}

export interface SecretDirectoryOptions {
  /** Name of the file with the secret in use. */
  readonly current: string
  /** Name of the file with the one before; it need not be there. */
  readonly previous?: string
}

/**
 * A directory as Kubernetes mounts a Secret: its files are reached through the link `..data`, which is
 * swapped in one step. Both files are read from behind the same link, or not at all.
 */
export function secretDirectory(path: string, { current, previous }: SecretDirectoryOptions): SecretSource {
  const link = join(path, '..data')

  async function loadFrom(folder: string, read: typeof readSettled): Promise<readonly SecretVersion[]> {
    const newest = await read(join(folder, current))
    const before =
      previous === undefined ? undefined : await read(join(folder, previous)).catch(() => undefined)
    const version = versionOf(newest.text, newest.changedAt, basename(current))
    if (before === undefined) return [version]
    const changedAt = Math.min(before.changedAt, newest.changedAt)
    return [version, versionOf(before.text, changedAt, basename(previous ?? ''))]
  }

  return {
    async load() {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const target = await readlink(link).catch(() => undefined)
        if (target === undefined) return loadFrom(path, readSettled)
        const versions = await loadFrom(join(path, target), readWhole).catch((error: unknown) => error)
        // Swapped meanwhile: what was read may be half of the one and half of the other, or gone.
        if ((await readlink(link).catch(() => undefined)) !== target) continue
        if (Array.isArray(versions)) return versions
        throw versions
      }
      throw unusable(`\`${path}\` changes all the time`)
    },
    watch: (changed) => watchFolder(path, changed),
  }
}

/** Whatever gives the secret, or its versions with their times, when asked: the client of a secret store. */
export function secretFunction(
  load: () => Promise<string | readonly SecretVersion[]>,
  { now = Date.now }: { readonly now?: () => number } = {},
): SecretSource {
  return {
    async load() {
      const value = await load()
      return typeof value === 'string' ? [versionOf(value, now())] : value
    },
  }
}

/** The time is the name: it says nothing of the value, and is another for each change. */
function versionOf(text: string, changedAt: number, prefix?: string): SecretVersion {
  const notBefore = Math.floor(changedAt)
  const time = new Date(notBefore).toISOString()
  return { id: prefix === undefined ? time : `${prefix}@${time}`, secret: readSecret(text), notBefore }
}

const membersOfVersion: ReadonlySet<string> = new Set(['id', 'value', 'notBefore', 'notAfter'])

function readVersions(text: string): readonly SecretVersion[] {
  const list = parseJsonObject(text, { maxDepth: 4, maxValues: 500 })?.secrets
  if (!Array.isArray(list) || list.length === 0) throw unusable('it is not JSON with a list of `secrets`')
  const versions = list.map((entry): SecretVersion => {
    if (!isJsonObject(entry)) throw unusable('a version is not an object')
    if (Object.keys(entry).some((name) => !membersOfVersion.has(name))) {
      throw unusable('a version has an unknown member')
    }
    const { id, value, notAfter } = entry
    if (typeof id !== 'string' || !/^[\w.:@-]{1,64}$/.test(id)) throw unusable('a version has no usable `id`')
    if (typeof value !== 'string') throw unusable('a version has no `value`')
    const end = notAfter === undefined ? {} : { notAfter: readTime(notAfter) }
    return { id, secret: readSecret(value), notBefore: readTime(entry.notBefore), ...end }
  })
  if (new Set(versions.map(({ id }) => id)).size < versions.length)
    throw unusable('two versions have one `id`')
  return versions.sort((a, b) => b.notBefore - a.notBefore)
}

function readTime(value: unknown): number {
  const isTime =
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(value)
  const time = isTime ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw unusable('a time of a version is not written as RFC 3339 has it')
  return time
}

/** Longest file, in bytes. */
const maxFileBytes = 64 * 1024
/** How long a file must have been left alone, and how often that is looked at, in milliseconds. */
const settledMs = 250
const attempts = 20

/** @throws HfAuthError `HFAUTH_SECRET_UNAVAILABLE` when it is not there, too long, or being written to. */
async function readSettled(path: string): Promise<{ text: string; changedAt: number }> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const read = await readUnchanged(path)
    if (read !== undefined && Math.abs(Date.now() - read.changedAt) >= settledMs) return notAhead(read)
    await delay(settledMs / 5)
  }
  throw unusable(`\`${path}\` is being written to`)
}

/** For files that are written before their link points to them, and never again. */
async function readWhole(path: string): Promise<{ text: string; changedAt: number }> {
  const read = await readUnchanged(path)
  if (read === undefined) throw unusable(`\`${path}\` is being written to`)
  return notAhead(read)
}

/** A clock that was ahead must not keep a secret from being used. */
function notAhead(read: { text: string; changedAt: number }): { text: string; changedAt: number } {
  return { ...read, changedAt: Math.min(read.changedAt, Date.now()) }
}

/** `undefined` when the file changed while it was read. */
async function readUnchanged(path: string): Promise<{ text: string; changedAt: number } | undefined> {
  let bytes: Buffer
  let changedAt: number
  try {
    const file = await open(path, 'r')
    try {
      const before = await file.stat()
      if (!before.isFile() || before.size > maxFileBytes) throw unusable(`\`${path}\` is no file of a secret`)
      bytes = await file.readFile()
      const after = await file.stat()
      if (after.mtimeMs !== before.mtimeMs || after.size !== bytes.length) return undefined
      changedAt = after.mtimeMs
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof HfAuthError) throw error
    throw unusable(`\`${path}\` cannot be read`)
  }
  const text = decodeUtf8(bytes)
  if (text === undefined) throw unusable(`\`${path}\` is not UTF-8`)
  return { text, changedAt }
}

/** Several events of one change are one hint. What the system does not tell, the ring's own reading finds. */
function watchFolder(folder: string, changed: () => void): () => void {
  let watcher: FSWatcher | undefined
  let timer: NodeJS.Timeout | undefined
  try {
    watcher = watch(folder, { persistent: false }, () => {
      timer ??= setTimeout(() => {
        timer = undefined
        changed()
      }, 50)
      timer.unref()
    })
    watcher.on('error', () => watcher?.close())
  } catch {
    // Too many watches, or a file system without them.
  }
  return () => {
    clearTimeout(timer)
    watcher?.close()
  }
}
