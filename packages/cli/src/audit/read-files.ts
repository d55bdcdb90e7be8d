/**
 * Files that arguments name: keys, heads and proofs.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { UsageError } from '../command.ts'

/** @throws UsageError when it cannot be read. */
export async function readNamed(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw new UsageError(`\`${path}\` cannot be read`)
  }
}

/** @throws UsageError when one of them cannot be read. */
export function readAllNamed(paths: readonly string[]): Promise<string[]> {
  return Promise.all(paths.map(readNamed))
}
