/**
 * Compact JWT: the three parts read strictly, and nothing in them believed yet.
 *
 * kind → **compact JWT** → verify. A text that two readers could read differently is refused here,
 * before any of its words is used to choose an issuer or a key.
 *
 * @see RFC 7515 §3.1, §5.2; RFC 8725 §2.4 and its revision
 * @module
 */
import { type Claims, HfAuthError } from '@hfauth/core'
import { decodeBase64url } from './base64url.ts'
import { readJsonPart } from './json-part.ts'

export interface CompactJwt {
  readonly text: string
  /** Not verified. */
  readonly header: Claims
  /** Not verified. */
  readonly payload: Claims
  /** What the signature is over: header and payload as they were sent. */
  readonly signingInput: string
  readonly signature: Uint8Array
}

/**
 * Takes a compact JWT apart. Checks its form only: no signature, no claim.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when a part is not canonical base64url, or header or payload
 * are not one strict JSON object in UTF-8.
 */
export function readCompactJwt(text: string): CompactJwt {
  const first = text.indexOf('.')
  const second = text.indexOf('.', first + 1)
  // With fewer than two dots, or a third, a part has a character that is in no base64url.
  const signature = second < 0 ? undefined : decodeBase64url(text.slice(second + 1))
  if (signature === undefined) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the signature of the token is not canonical base64url')
  }
  return {
    text,
    header: readHeaderPart(text.slice(0, first)) ?? fail('header'),
    payload: readJwtPart(text.slice(first + 1, second)) ?? fail('payload'),
    signingInput: text.slice(0, second),
    signature,
  }
}

const headerLimits = { maxDepth: 4, maxValues: 100 } as const
const payloadLimits = { maxDepth: 16, maxValues: 10_000 } as const

/** An issuer writes the same header on every token of a key, so it is read once. Never more than these. */
const headers = new Map<string, Claims>()
const maxHeaders = 100
const maxHeaderLength = 512

/** As {@link readJwtPart}, for the first part. */
export function readHeaderPart(part: string): Claims | undefined {
  const known = headers.get(part)
  if (known !== undefined) return known
  const header = readJwtPart(part, headerLimits)
  if (header === undefined) return undefined
  Object.freeze(header)
  if (part.length <= maxHeaderLength) {
    if (headers.size >= maxHeaders) headers.clear()
    headers.set(part, header)
  }
  return header
}

/** The object that one part of a JWT encodes, or `undefined` when it is not exactly one. */
export function readJwtPart(
  part: string,
  limits: { readonly maxDepth: number; readonly maxValues: number } = payloadLimits,
): Claims | undefined {
  return readJsonPart(part, limits)
}

function fail(part: string): never {
  throw new HfAuthError(
    'HFAUTH_TOKEN_INVALID',
    `the ${part} of the token is not one strict JSON object in canonical base64url`,
  )
}
