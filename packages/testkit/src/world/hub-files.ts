/**
 * Hub files: reads the repository contents that ship with the package.
 *
 * **hub-files** → default world. Everything is read into memory once; commits
 * change the copy in memory and never these files.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Finds `hub-files` next to the package's `package.json`. The compiled bundle sits one level
 * below the package root and this source file two, so both places are tried.
 */
function hubFilesRoot(): string {
  for (const candidate of ['../hub-files', '../../hub-files']) {
    const path = fileURLToPath(new URL(candidate, import.meta.url))
    try {
      if (readdirSync(path).length > 0) return path
    } catch {
      // Not here: try the next place.
    }
  }
  throw new Error('the `hub-files` folder is missing from the package')
}

/**
 * Reads one repository's files.
 *
 * @param folder - Folder below `hub-files`, for example `models/acme/vision-large`.
 * @returns Content by path, with `/` between folders.
 */
export function readHubFiles(folder: string): Record<string, Uint8Array> {
  const root = join(hubFilesRoot(), ...folder.split('/'))
  const files: Record<string, Uint8Array> = {}
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files[relative(root, path).split(sep).join('/')] = new Uint8Array(readFileSync(path))
  }
  return files
}
