/**
 * Client key store: where the private keys of a client are between two starts.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { HfAuthError } from '@hfauth/core'

/** One text, replaced as a whole. Whoever can read it can act as the client. */
export interface ClientKeyStore {
  load(): Promise<string | undefined>
  /** True when `text` is stored; false, and nothing done, when what is there is not `previous`. */
  save(text: string, previous: string | undefined): Promise<boolean>
}

export function memoryClientKeyStore(): ClientKeyStore {
  let stored: string | undefined
  return {
    load: async () => stored,
    async save(text, previous) {
      if (stored !== previous) return false
      stored = text
      return true
    },
  }
}

/** A file that only its owner can read, written beside itself and renamed; for the processes of one machine. */
export function fileClientKeyStore(path: string): ClientKeyStore {
  async function load(): Promise<string | undefined> {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw new HfAuthError('HFAUTH_SECRET_UNAVAILABLE', `the key file \`${path}\` cannot be read`, {
        retryable: true,
      })
    }
  }
  return {
    load,
    async save(text, previous) {
      const draft = `${path}.${randomUUID()}`
      try {
        await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true })
        // The first one to be there wins; later ones differ by a key that does not sign yet.
        if (previous === undefined) await link(draft, path)
        else if ((await load()) === previous) await rename(draft, path)
        else return false
        return true
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false
        throw new HfAuthError('HFAUTH_SECRET_UNAVAILABLE', `the key file \`${path}\` cannot be written`, {
          retryable: true,
        })
      } finally {
        // A draft that stays is of no use to anybody, and no reason to fail.
        await rm(draft, { force: true }).catch(() => {})
      }
    },
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
