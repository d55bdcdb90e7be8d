/**
 * Return address: where the person wanted to be, as long as it is here.
 *
 * **return address** → sign-in address, callback. Checked when it is stored and again when it is used.
 *
 * @module
 */
import { parseUrl } from '../secure-url.ts'

/**
 * Reduces an address to path, query and fragment on the origin of `base`.
 *
 * @returns `/` when `text` leads anywhere else, or could be read so by a less careful parser.
 */
export function safeReturnTo(text: string, base: string): string {
  const url = parseUrl(text, base)
  const from = new URL(base)
  if (url === undefined || url.origin !== from.origin || url.protocol !== from.protocol) return '/'
  if (/[\\\x00-\x20\x7F]/.test(text) || url.username !== '' || url.password !== '') return '/'
  // `/.//host` is resolved to `//host`, and a router may decode what stands behind the first slash.
  if (/^\/([/\\]|%2f|%5c)/i.test(url.pathname)) return '/'
  return url.pathname + url.search + url.hash
}
