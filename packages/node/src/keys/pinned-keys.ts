/**
 * Pinned keys: a key set that came with the options, in the place of one that is fetched.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { type KeySet, type KeySetDocument, readKeySet } from './key-set.ts'

/** Where an issuer's keys come from. */
export interface KeySource {
  /** The set, when it may be used without waiting for anything. */
  peek(): KeySet | undefined
  get(): Promise<KeySet>
  /** The set as it is after this call. */
  renew(): Promise<KeySet>
}

/** Imported when the first token needs it. `HFAUTH_CONFIG_INVALID` when it is no key set, or nothing in it is usable. */
export function pinnedKeys(
  document: KeySetDocument,
  issuer: string,
  algorithms: readonly string[],
): KeySource {
  let set: KeySet | undefined
  let reading: Promise<KeySet> | undefined
  const read = async () => {
    try {
      const subject = `the pinned key set of issuer \`${issuer}\``
      set = await readKeySet({ status: 200, text: JSON.stringify(document) }, subject, algorithms)
      return set
    } catch (error) {
      throw new HfAuthError('HFAUTH_CONFIG_INVALID', (error as Error).message)
    }
  }
  const get = () => {
    reading ??= read()
    return reading
  }
  return { peek: () => set, get, renew: get }
}
