/**
 * Key file: the private key with which a log signs its heads.
 *
 * @module
 */
import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { HfAuthError } from '@hfauth/core'
import { type AuditKey, auditKey } from './signed-note.ts'

export interface AuditKeyFileOptions {
  /** Name under which it signs. Default `hfauth-audit`. */
  readonly name?: string
}

/**
 * Reads an Ed25519 key (PKCS #8, PEM), and makes one, readable by its owner only, where there is none.
 *
 * Keep it away from the log: whoever has both can write another past.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when it cannot be read or made, or is another kind of key.
 */
export async function auditKeyFile(path: string, { name }: AuditKeyFileOptions = {}): Promise<AuditKey> {
  try {
    const text = await readFile(path, 'utf8').catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      return makeKey(path)
    })
    return auditKey(createPrivateKey(text), name)
  } catch (error) {
    if (error instanceof HfAuthError) throw error
    // What a reader of keys says may quote the file.
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `the key file \`${path}\` holds no key that can be read`)
  }
}

/** Whole or not there; of two processes that come at once, the first one's key is it. */
async function makeKey(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const draft = `${path}.${randomUUID()}`
  try {
    const text = privateKey.export({ format: 'pem', type: 'pkcs8' })
    await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true })
    await link(draft, path)
    return text.toString()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readFile(path, 'utf8')
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}
