/**
 * Cursor: how far somebody who ships a log has come, kept beside it.
 *
 * @module
 */
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { HfAuthError } from '@hfauth/core'
import type { SegmentPlace } from './read.ts'

const folder = 'cursors'

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` unless the name can be that of a file. */
export function assertCursorName(name: string): void {
  if (!/^\w[\w.-]{0,63}$/.test(name))
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      'the name of a shipper must be letters, digits, `.`, `_` or `-`',
    )
}

/** @throws HfAuthError `HFAUTH_AUDIT_UNREADABLE` when there is one that cannot be read. */
export async function readCursor(directory: string, name: string): Promise<SegmentPlace | undefined> {
  const path = join(directory, folder, `${name}.json`)
  try {
    const { segment, line } = JSON.parse(await readFile(path, 'utf8')) as SegmentPlace
    if (!Number.isSafeInteger(segment) || !Number.isSafeInteger(line)) throw new Error('not a place')
    return { segment, line }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new HfAuthError('HFAUTH_AUDIT_UNREADABLE', `the place \`${path}\` cannot be read`, { cause: error })
  }
}

/** The old one or the new one is there, whatever happens in between. */
export async function writeCursor(directory: string, name: string, place: SegmentPlace): Promise<void> {
  await makeFolder(join(directory, folder))
  const path = join(directory, folder, `${name}.json`)
  const file = await open(`${path}.draft`, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify({ segment: place.segment, line: place.line }))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.draft`, path)
}

/** In a log that is there: no log is made by who only reads it. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Of everyone who ships this log. */
export async function readCursors(directory: string): Promise<SegmentPlace[]> {
  let names: string[]
  try {
    names = await readdir(join(directory, folder))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const cursors = names
    .filter((name) => name.endsWith('.json'))
    .map((name) => readCursor(directory, name.slice(0, -5)))
  return (await Promise.all(cursors)).filter((place) => place !== undefined)
}
