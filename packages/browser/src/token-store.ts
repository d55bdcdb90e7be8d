/**
 * Token store: where tokens outlive the page, for applications that choose so.
 *
 * **token store** → vault. Without one, tokens are in memory and nowhere else.
 *
 * @module
 */
import { type AttemptStorage, tabStorage } from './page.ts'

/** Keeps one text. What it gives back is checked; a store that throws counts as empty. */
export interface TokenStore {
  read(): string | null | undefined | Promise<string | null | undefined>
  write(text: string): void | Promise<void>
  remove(): void | Promise<void>
}

/**
 * Keeps the tokens, refresh token included, in the tab's `sessionStorage`, so that a reload stays signed in.
 *
 * Script injected into the page can read and carry away everything in it.
 *
 * @param name - One for each client on this origin.
 */
export function inSessionStorage(
  name: string,
  storage: () => AttemptStorage | undefined = tabStorage,
): TokenStore {
  const key = `hfauth.tokens.1.${name}`
  return {
    read: () => storage()?.getItem(key),
    write: (text) => storage()?.setItem(key, text),
    remove: () => storage()?.removeItem(key),
  }
}
