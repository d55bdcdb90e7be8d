/**
 * Return address: where the person wanted to be, as long as it is here.
 *
 * login → **return address** → callback. Checked when it is stored and again when it is used.
 *
 * @module
 */

/** Longest return address, in characters: it travels in a cookie. */
const maxLength = 1024

/**
 * Reduces an address to path, query and fragment on `origin`.
 *
 * @returns `/` when `text` leads anywhere else, or could be read so by a less careful parser.
 */
export function safeReturnTo(text: string | undefined, origin: string): string {
  if (text === undefined || text.length > maxLength || !text.startsWith('/')) return '/'
  if (/[\\\x00-\x20\x7f]/.test(text) || !URL.canParse(text, origin)) return '/'
  const url = new URL(text, origin)
  if (url.origin !== origin || url.username !== '' || url.password !== '') return '/'
  // `/.//host` is resolved to `//host`, and a router may decode what stands behind the first slash.
  if (/^\/([/\\]|%2f|%5c)/i.test(url.pathname)) return '/'
  return url.pathname + url.search + url.hash
}
