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
import { parseJsonObject } from '../internal/json-object.ts'
import { decodeUtf8 } from '../internal/request.ts'
import { decodeBase64url } from './base64url.ts'

export interface CompactJwt {
  readonly text: string
  /** Not verified. */
  readonly header: Claims
  /** Not verified. */
  readonly payload: Claims
}

/**
 * Takes a compact JWT apart. Checks its form only: no signature, no claim.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when a part is not canonical base64url, or header or payload
 * are not one strict JSON object in UTF-8.
 */
export function readCompactJwt(text: string): CompactJwt {
  const [header = '', payload = '', signature = '', ...more] = text.split('.')
  if (more.length > 0 || decodeBase64url(signature) === undefined) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the signature of the token is not canonical base64url')
  }
  return {
    text,
    header: readJwtPart(header, { maxDepth: 4, maxValues: 100 }) ?? fail('header'),
    payload: readJwtPart(payload) ?? fail('payload'),
  }
}

/** The object that one part of a JWT encodes, or `undefined` when it is not exactly one. */
export function readJwtPart(
  part: string,
  limits: { readonly maxDepth: number; readonly maxValues: number } = { maxDepth: 16, maxValues: 10_000 },
): Claims | undefined {
  const bytes = decodeBase64url(part)
  const text = bytes === undefined ? undefined : decodeUtf8(bytes)
  return text === undefined ? undefined : parseJsonObject(text, limits)
}

function fail(part: string): never {
  throw new HfAuthError(
    'HFAUTH_TOKEN_INVALID',
    `the ${part} of the token is not one strict JSON object in canonical base64url`,
  )
}
