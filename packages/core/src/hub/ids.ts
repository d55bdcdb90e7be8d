/**
 * Canonical ids: one spelling for one resource, and no answer for what has none.
 *
 * Percent-decoded once, NFC, no `.`, `..` or empty segment, and for Hub types lower case, since the
 * Hub compares owner and name without it. Policies and questions both pass through here.
 *
 * @module
 */
import type { Brand } from '../brand.ts'
import { isHubType } from './actions.ts'

export type CanonicalId = Brand<string, 'CanonicalId'>

const plainLowerCase = /^[a-z0-9_-][a-z0-9._-]*(?:\/[a-z0-9_-][a-z0-9._-]*)*$/
// Controls, separators that some parser reads as `/`, and what has no place in a name; `%` would decode twice, `*` is a wildcard.
const forbidden =
  /[\u0000-\u001f\u007f-\u009f%*\\?#\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u

/** The canonical id, or `undefined` when `id` cannot be made canonical and must be denied. */
export function canonicalId(type: string, id: string): CanonicalId | undefined {
  if (plainLowerCase.test(id)) return id as CanonicalId
  const decoded = composed(decodeOnce(id))
  if (decoded === undefined || decoded === '' || forbidden.test(decoded)) return undefined
  for (const segment of decoded.split('/')) {
    if (segment === '' || segment === '.' || segment === '..') return undefined
  }
  // Lower case can take a letter apart (U+0130 becomes i and a dot), so it is composed again.
  return (isHubType(type) ? composed(decoded.toLowerCase()) : decoded) as CanonicalId | undefined
}

/** More marks on one letter than Unicode's stream-safe format has (UAX #15 §13): composing takes the square of them. */
const tooManyMarks = /\p{M}{31}/u

/** Text in NFC; `undefined` when there is none or composing it would take too long. */
export function composed(text: string | undefined): string | undefined {
  return text === undefined || tooManyMarks.test(text) ? undefined : text.normalize('NFC')
}

function decodeOnce(id: string): string | undefined {
  if (!id.includes('%')) return id
  try {
    return decodeURIComponent(id)
  } catch {
    return undefined
  }
}
