/**
 * Published keys: the public keys that have signed in a log, beside it.
 *
 * A convenience: whoever can write the log can write them too, so that they prove nothing by themselves.
 *
 * @module
 */
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AuditPublicKey, readPublicKey } from './signed-note.ts'

const nameOfFile = 'keys'

/** Adds a key to those that are there. */
export async function publishKey(directory: string, line: string): Promise<void> {
  const path = join(directory, nameOfFile)
  const text = await readText(path)
  if (text.split('\n').includes(line)) return
  const lead = text === '' || text.endsWith('\n') ? '' : '\n'
  await appendFile(path, `${lead}${line}\n`, { flush: true })
}

export async function readPublishedKeys(directory: string): Promise<AuditPublicKey[]> {
  return readPublicKeys(await readText(join(directory, nameOfFile)))
}

/** Reads public keys, one a line; what is not one is left out. */
export function readPublicKeys(text: string): AuditPublicKey[] {
  return text.split('\n').flatMap((line) => readPublicKey(line) ?? [])
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
