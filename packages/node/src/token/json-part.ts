/**
 * JSON part: the object that one part of a token encodes, read in one place that is used again for every
 * token, because to allocate bytes takes longer than to decode them.
 *
 * @see RFC 7515 §3.1 (base64url of UTF-8 of JSON)
 * @module
 */
import type { Claims } from '@hfauth/core'
import type { ParseJsonOptions } from '@hfauth/core/json'
import { objectIn, parseJsonObject } from '../internal/json-object.ts'
import { decodeUtf8 } from '../internal/request.ts'
import { maxTokenLength } from './kind.ts'

const bytes = Buffer.from(new ArrayBuffer(maxTokenLength))
/** The same memory, four bytes at once. */
const words = new Int32Array(bytes.buffer)

/** The object, or `undefined` when `part` is not exactly how one is written in canonical base64url. */
export function readJsonPart(part: string, limits: ParseJsonOptions): Claims | undefined {
  if (part.length > maxTokenLength) return undefined
  const length = bytes.write(part, 'base64url')
  // Node's decoder skips what it does not know and ignores spare bits; writing it again shows both.
  if (bytes.toString('base64url', 0, length) !== part) return undefined
  const quotes = countQuotes(length)
  if (quotes !== undefined) return objectIn(bytes.toString('latin1', 0, length), quotes, limits)
  const text = decodeUtf8(bytes.subarray(0, length))
  return text === undefined ? undefined : parseJsonObject(text, limits)
}

const quote = 0x22

/**
 * How many `"` the first `length` bytes are; `undefined` when one of them is not ASCII.
 *
 * Four bytes at once, each counted in eight bits of its own, which takes half as long as one by one
 * (Hacker's Delight §6-1, to find a zero byte).
 */
function countQuotes(length: number): number | undefined {
  const whole = length >> 2
  let quotes = 0
  let seen = 0
  for (let at = 0; at < whole; ) {
    let counted = 0
    for (const end = Math.min(whole, at + 255); at < end; at++) {
      const word = words[at] as number
      seen |= word
      // Zero in each byte that is a quote, then a one in each such byte and zero in all others.
      const other = word ^ (quote * 0x01010101)
      counted = (counted + (~(((other & 0x7f7f7f7f) + 0x7f7f7f7f) | other | 0x7f7f7f7f) >>> 7)) | 0
    }
    quotes += (counted & 0xff) + ((counted >> 8) & 0xff) + ((counted >> 16) & 0xff) + (counted >>> 24)
  }
  for (let at = 4 * whole; at < length; at++) {
    seen |= bytes[at] as number
    if (bytes[at] === quote) quotes++
  }
  return (seen & 0x80808080) === 0 ? quotes : undefined
}
