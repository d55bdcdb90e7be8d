/**
 * Secret sources: a file, a directory as Kubernetes mounts it, a function.
 *
 * **source** → ring. What is read is read whole: a directory through one look at where its link points, a
 * file only when nobody has written to it for a moment.
 *
 * @see kubernetes.io/docs: Secrets, "Mounted Secrets are updated automatically"
 * @module
 */
import { readlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isJsonObject, parseJsonObject } from '../internal/json-object.ts'
import { readSettled, readWhole } from '../internal/settled-file.ts'
import { watchFolder } from '../internal/watch-folder.ts'
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
      const { text, changedAt } = await readSettled(path, fileOptions)
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
    const newest = await read(join(folder, current), fileOptions)
    const before =
      previous === undefined
        ? undefined
        : await read(join(folder, previous), fileOptions).catch(() => undefined)
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

/** How often a directory that changes all the time is looked at. */
const attempts = 20
const fileOptions = { maxBytes: 64 * 1024, what: 'a secret', fail: unusable }
