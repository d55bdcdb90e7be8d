/**
 * Key store: key sets kept outside the process, so that a restart during an issuer's outage goes unnoticed.
 *
 * Public keys are no secret, but who can write the store can let anybody in: it needs the same protection
 * as the policy file.
 *
 * @module
 */
import { hash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Kept } from '../internal/cached-source.ts'
import { parseJsonObject } from '../internal/json-object.ts'
import { type KeySet, readKeySet } from './key-set.ts'

/** Where key sets are kept. A store that fails is a store with nothing in it. */
export interface KeyStore {
  /** The text that was saved last for `issuer`. */
  load(issuer: string): Promise<string | undefined>
  save(issuer: string, text: string): Promise<void>
}

/** Longest text that is read from a store, in characters: a key set, and JSON's escapes. */
const maxKeptLength = 2 * 1_048_576

/**
 * Keeps each issuer's key set in a file of its own.
 *
 * @param path - A directory that only this service may write; it is made when it is not there.
 */
export function directoryKeyStore(path: string): KeyStore {
  const fileOf = (issuer: string) => join(path, `${hash('sha256', issuer, 'hex')}.json`)
  return {
    load: (issuer) => readFile(fileOf(issuer), 'utf8'),
    async save(issuer, text) {
      await mkdir(path, { recursive: true, mode: 0o700 })
      const draft = `${fileOf(issuer)}.${randomUUID()}`
      try {
        await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
        await rename(draft, fileOf(issuer))
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },
  }
}

/** The set as it was kept, checked like an answer of the issuer; its age is for the caller to judge. */
export async function readKeptKeys(
  store: KeyStore,
  issuer: string,
  algorithms: readonly string[],
): Promise<Kept<KeySet> | undefined> {
  const text = await store.load(issuer)
  const kept = text === undefined ? undefined : parseJsonObject(text, { maxLength: maxKeptLength })
  if (kept?.issuer !== issuer || typeof kept.document !== 'string') return undefined
  const { loadedMs, ageMs } = kept
  if (!isMilliseconds(loadedMs) || !isMilliseconds(ageMs)) return undefined
  const value = await readKeySet({ status: 200, text: kept.document }, 'the kept key set', algorithms)
  return { value, loadedMs, ageMs }
}

export function writeKeptKeys(
  store: KeyStore,
  issuer: string,
  { value, loadedMs, ageMs }: Kept<KeySet>,
): void {
  const text = JSON.stringify({ issuer, loadedMs, ageMs, document: value.text })
  void (async () => store.save(issuer, text))().catch(() => {})
}

function isMilliseconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
