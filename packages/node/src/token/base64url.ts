/**
 * Base64url without padding, in the one spelling that every reader agrees on.
 *
 * @see RFC 4648 §3.5 (canonical encoding), RFC 7515 §2
 * @module
 */
import { maxTokenLength } from './kind.ts'

/** The bytes, or `undefined` when `text` is not exactly how those bytes are written. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  // Node's decoder skips what it does not know and ignores spare bits; writing it again shows both.
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** Used again for every text, because to allocate bytes takes longer than to decode them. */
const scratch = Buffer.alloc(maxTokenLength)

/** As {@link decodeBase64url}, for who reads them at once: the next call writes over these bytes. */
export function decodeBase64urlForNow(text: string): Uint8Array | undefined {
  if (text.length > maxTokenLength) return undefined
  const length = scratch.write(text, 'base64url')
  return scratch.toString('base64url', 0, length) === text ? scratch.subarray(0, length) : undefined
}
