/**
 * Canonical form and digest: one byte string for every way to write the same policy.
 *
 * The canonical JSON is that of RFC 8785 for the values a policy can hold (strings, booleans,
 * finite numbers, arrays, objects). SHA-256 has to be synchronous in every runtime, which
 * WebCrypto is not; this is the only file that knows the hashing library.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { compareCodeUnits } from '../internal/sort.ts'
import type { Json } from '../types.ts'

/** JSON with keys in code-unit order and no white space (RFC 8785 §3.2). */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value as Record<string, Json | undefined>)
      .filter((entry): entry is [string, Json] => entry[1] !== undefined)
      .sort(([a], [b]) => compareCodeUnits(a, b))
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`
  }
  return JSON.stringify(value)
}

/** `sha256:` and 64 hex digits over the canonical form. */
export function digestOf(value: Json): string {
  return `sha256:${bytesToHex(sha256(utf8ToBytes(canonicalJson(value))))}`
}
