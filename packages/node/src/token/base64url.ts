/**
 * Base64url without padding, in the one spelling that every reader agrees on.
 *
 * @see RFC 4648 §3.5 (canonical encoding), RFC 7515 §2
 * @module
 */
/** The bytes, or `undefined` when `text` is not exactly how those bytes are written. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  // Node's decoder skips what it does not know and ignores spare bits; writing it again shows both.
  return bytes.toString('base64url') === text ? bytes : undefined
}
