/**
 * Marks: what all tabs must know even when none of them hears the others.
 *
 * **marks** → vault. Two kinds, in IndexedDB: a refresh token has been sent (its SHA-256, never the token), and
 * everything up to a version has been signed out.
 *
 * @module
 */
import type { Surroundings } from '../page.ts'
import { sha256 } from '../provider/bytes.ts'

export interface Marks {
  /** False where the browser keeps nothing; the others then do nothing. */
  usable(): Promise<boolean>
  /**
   * Puts on record that the token is being sent, in one step, since without a lock two tabs may try at once.
   *
   * @returns False when somebody else did; `undefined` where nothing is kept.
   */
  spend(refreshToken: string): Promise<boolean | undefined>
  /** It was not used up after all. */
  unspend(refreshToken: string): Promise<void>
  /** Version of the last sign-out; 0 when there was none. */
  signedOut(): Promise<number>
  setSignedOut(version: number): Promise<void>
}

/** Longer than any refresh token is of use after it was sent. */
const keptMs = 90 * 86_400_000

export function createMarks(surroundings: () => Surroundings, name: string, now: () => number): Marks {
  let opened: Promise<IDBDatabase> | undefined

  function open(): Promise<IDBDatabase> {
    opened ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = surroundings().indexedDB?.open('hfauth', 1)
      if (request === undefined) return reject()
      request.onupgradeneeded = () => void request.result.createObjectStore('marks')
      request.onerror = request.onblocked = () => reject()
      request.onsuccess = () => {
        // The browser may take it away, and what is opened after that is as good.
        request.result.onclose = () => {
          opened = undefined
        }
        // Another version of this package may want to change it, and deleting site data must not wait for us.
        request.result.onversionchange = () => {
          request.result.close()
          opened = undefined
        }
        resolve(request.result)
      }
    })
    opened.catch(() => {
      opened = undefined
    })
    return opened
  }

  /** @returns What `work` asked for once it is on disk, or `undefined` where nothing is kept. */
  async function use<T>(
    work: (store: IDBObjectStore, key: string) => IDBRequest<T>,
    refreshToken?: string,
  ): Promise<T | undefined> {
    try {
      const database = await open()
      const key = refreshToken === undefined ? `out ${name}` : await fingerprint(refreshToken)
      const transaction = database.transaction('marks', 'readwrite')
      const request = work(transaction.objectStore('marks'), key)
      return await new Promise<T>((resolve, reject) => {
        transaction.oncomplete = () => resolve(request.result)
        transaction.onabort = () => reject()
      })
    } catch {
      return undefined
    }
  }

  return {
    usable: async () => (await use((store) => store.count())) !== undefined,
    async spend(token) {
      let taken = false
      const stored = await use((store, key) => {
        sweep(store, now() - keptMs)
        const adding = store.add(now(), key)
        adding.onerror = () => {
          taken = adding.error?.name === 'ConstraintError'
        }
        return adding
      }, token)
      return stored === undefined ? (taken ? false : undefined) : true
    },
    unspend: async (token) => void (await use((store, key) => store.delete(key), token)),
    signedOut: async () => Number(await use<unknown>((store, key) => store.get(key))) || 0,
    setSignedOut: async (version) => void (await use((store, key) => store.put(version, key))),
  }
}

function sweep(store: IDBObjectStore, before: number): void {
  const cursor = store.openCursor(IDBKeyRange.bound('spent ', 'spent~'))
  cursor.onsuccess = () => {
    if (!cursor.result) return
    if (cursor.result.value < before) cursor.result.delete()
    cursor.result.continue()
  }
}

async function fingerprint(refreshToken: string): Promise<string> {
  return `spent ${String.fromCharCode(...(await sha256(refreshToken)))}`
}
