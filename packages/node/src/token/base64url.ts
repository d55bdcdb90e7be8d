/**
 * Base64url without padding, in the one spelling that every reader agrees on.
 *
 * @see RFC 4648 §3.5 (canonical encoding), RFC 7515 §2
 * @module
 */
import { decodeUtf8 } from '../internal/request.ts'
import { maxTokenLength } from './kind.ts'

/** The bytes, or `undefined` when `text` is not exactly how those bytes are written. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  // Node's decoder skips what it does not know and ignores spare bits; writing it again shows both.
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** Used again for every text, because to allocate bytes takes longer than to decode them. They never leave this file. */
const scratch = Buffer.alloc(maxTokenLength)

/** The UTF-8 text that `text` encodes, or `undefined` when it is not canonical, or not UTF-8. */
export function decodeBase64urlText(text: string): string | undefined {
  if (text.length > maxTokenLength) return undefined
  const length = scratch.write(text, 'base64url')
  if (scratch.toString('base64url', 0, length) !== text) return undefined
  return decodeUtf8(scratch.subarray(0, length))
}
