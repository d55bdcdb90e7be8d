/**
 * Key rules: what a key in a JWKS document must be before anything is verified with it.
 *
 * key set → **key rules** → signature. General libraries take what OpenSSL takes; an issuer's mistakes
 * would then open its doors here too.
 *
 * @see RFC 7517 §4; RFC 7518 §3.3, §6; RFC 8725 §3.1, §3.5
 * @module
 */
import type { Claims, Json } from '@hfauth/core'
import { isJsonObject } from '../internal/json-object.ts'
import { decodeBase64url } from '../token/base64url.ts'
import { hasRocaFingerprint } from './roca.ts'
import { isSmallOrder } from './small-order.ts'

/** Members that only a private or a symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

const rsaBits = { least: 2048, most: 8192 } as const

const shapes: Readonly<Record<string, { readonly kty: string; readonly crv?: string }>> = {
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
}

/** Whether a member of a key set is a public key for signatures; strength is not judged here. */
export function isSignatureKey(value: Json): value is Claims {
  if (!isJsonObject(value)) return false
  const { kty, use, key_ops: operations, kid } = value
  if (kty === 'oct' || secretMembers.some((member) => Object.hasOwn(value, member))) return false
  if (use !== undefined && use !== 'sig') return false
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return false
  return kid === undefined || typeof kid === 'string'
}

/** Whether nobody can be expected to forge signatures of this key; that its point is on its curve is the importer's to check. */
export function isStrong(jwk: Claims): boolean {
  if (jwk.kty === 'OKP') {
    const point = typeof jwk.x === 'string' ? decodeBase64url(jwk.x) : undefined
    return point !== undefined && !isSmallOrder(point)
  }
  if (jwk.kty !== 'RSA') return true
  const modulus = unsigned(jwk.n)
  const exponent = unsigned(jwk.e)
  if (modulus === undefined || exponent === undefined) return false
  const bits = modulus.toString(2).length
  if (bits < rsaBits.least || bits > rsaBits.most) return false
  // With 1 every message is its own signature; an even one belongs to no key; a long one only costs time.
  const soundExponent = exponent >= 3n && exponent % 2n === 1n && exponent < 2n ** 64n
  return soundExponent && modulus % 2n === 1n && !hasRocaFingerprint(modulus)
}

/** One key, one algorithm: what the key says of itself wins over what its type would allow. */
export function fitsAlgorithm({ kty, crv, alg }: Claims, algorithm: string): boolean {
  const shape = shapes[algorithm]
  if (shape === undefined || kty !== shape.kty) return false
  if (shape.crv !== undefined && crv !== shape.crv) return false
  return alg === undefined || alg === algorithm
}

function unsigned(member: Json | undefined): bigint | undefined {
  const bytes = typeof member === 'string' ? decodeBase64url(member) : undefined
  return bytes === undefined || bytes.length === 0 || bytes.length > 2 * (rsaBits.most / 8)
    ? undefined
    : BigInt(`0x${bytes.toString('hex')}`)
}
