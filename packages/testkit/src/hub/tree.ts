/**
 * Tree: lists the files of a commit the way the Hub does.
 *
 * history → **tree** → hub routes. Weights and other binary formats are shown as LFS
 * files, which changes their id and ETag but not their content.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { type Commit, type Files, gitBlobId } from './history.ts'

const lfsNames = /\.(safetensors|bin|pt|onnx|gguf|parquet|arrow|h5|zip|gz)$/i

export interface TreeEntry {
  readonly type: 'file' | 'directory'
  readonly oid: string
  readonly size: number
  readonly path: string
  readonly lfs?: { readonly oid: string; readonly size: number; readonly pointerSize: number }
  readonly lastCommit?: { readonly id: string; readonly title: string; readonly date: string }
}

/** The SHA-256 of an LFS file, `undefined` for a regular one. */
export function lfsIdOf(path: string, content: Uint8Array): string | undefined {
  return lfsNames.test(path) ? createHash('sha256').update(content).digest('hex') : undefined
}

/** The pointer that git holds in place of an LFS file. */
export function buildLfsPointer(lfsId: string, size: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${lfsId}\nsize ${size}\n`
}

/** ETag of a file, with quotes. */
export function etagOf(path: string, content: Uint8Array): string {
  return `"${lfsIdOf(path, content) ?? gitBlobId(content)}"`
}

/**
 * Lists a folder.
 *
 * @param folder - `''` for the root.
 * @returns `undefined` when there is no such folder.
 */
export function listTree(
  commit: Commit,
  folder: string,
  { recursive, expand }: { recursive: boolean; expand: boolean },
): TreeEntry[] | undefined {
  const prefix = folder === '' ? '' : `${folder}/`
  const entries = new Map<string, TreeEntry>()
  for (const path of commit.files.keys()) {
    if (!path.startsWith(prefix)) continue
    const parts = path.slice(prefix.length).split('/')
    for (let depth = 1; depth <= (recursive ? parts.length : 1); depth++) {
      const current = prefix + parts.slice(0, depth).join('/')
      entries.set(current, entryAt(commit, current, expand) ?? never(current))
    }
  }
  return entries.size === 0 && folder !== '' ? undefined : [...entries.values()]
}

/** One file or folder. `undefined` when there is none at `path`. */
export function entryAt(commit: Commit, path: string, expand: boolean): TreeEntry | undefined {
  const lastCommit = expand ? { lastCommit: lastChange(commit, path) } : {}
  const content = commit.files.get(path)
  if (content === undefined) {
    const oid = folderId(commit.files, path)
    return oid === undefined ? undefined : { type: 'directory', oid, size: 0, path, ...lastCommit }
  }
  const lfsId = lfsIdOf(path, content)
  if (lfsId === undefined) {
    return { type: 'file', oid: gitBlobId(content), size: content.length, path, ...lastCommit }
  }
  const pointer = Buffer.from(buildLfsPointer(lfsId, content.length))
  return {
    type: 'file',
    oid: gitBlobId(pointer),
    size: content.length,
    lfs: { oid: lfsId, size: content.length, pointerSize: pointer.length },
    path,
    ...lastCommit,
  }
}

function folderId(files: Files, folder: string): string | undefined {
  const inside = [...files].filter(([path]) => path.startsWith(`${folder}/`))
  if (inside.length === 0) return undefined
  const hash = createHash('sha1')
  for (const [path, content] of inside) hash.update(`${path} ${gitBlobId(content)}\n`)
  return hash.digest('hex')
}

function lastChange(commit: Commit, path: string) {
  let changed = commit
  while (changed.parent && fingerprint(changed, path) === fingerprint(changed.parent, path))
    changed = changed.parent
  return { id: changed.id, title: changed.title, date: changed.date }
}

function fingerprint(commit: Commit, path: string): string | undefined {
  const content = commit.files.get(path)
  return content ? gitBlobId(content) : folderId(commit.files, path)
}

function never(path: string): never {
  throw new Error(`no entry at \`${path}\``)
}
