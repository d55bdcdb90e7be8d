/**
 * Compact JWT: signs a header and a payload exactly as given.
 *
 * **compact JWT** → token shapes, publisher exchange, CI issuer. Adds no claim and
 * checks nothing, because tests need tokens that are wrong on purpose.
 *
 * @module
 */

import { type KeyObject, sign } from 'node:crypto'

export type JwtClaims = Readonly<Record<string, unknown>>

/**
 * @param key - RSA (RS256) or Ed25519 (EdDSA) private key. `undefined` leaves the signature
 *   empty. The header is not adapted to the key.
 */
export function signCompact(header: JwtClaims, payload: JwtClaims, key: KeyObject | undefined): string {
  const input = `${encode(header)}.${encode(payload)}`
  if (key === undefined) return `${input}.`
  const digest = key.asymmetricKeyType === 'rsa' ? 'sha256' : null
  return `${input}.${sign(digest, Buffer.from(input), key).toString('base64url')}`
}

/** Reads a payload without checking the signature. `undefined` when `token` is not a JWT. */
export function readPayload(token: string): JwtClaims | undefined {
  return decode(token.split('.')[1])
}

/** Reads a header without checking the signature. `undefined` when `token` is not a JWT. */
export function readHeader(token: string): JwtClaims | undefined {
  return decode(token.split('.')[0])
}

function encode(value: JwtClaims): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(part: string | undefined): JwtClaims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as JwtClaims) : undefined
  } catch {
    return undefined
  }
}
