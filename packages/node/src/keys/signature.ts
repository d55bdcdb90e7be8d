/**
 * Signature: public keys made ready once, so that a signature is one call.
 *
 * key set → **signature** → verify. jose imports keys, and this is the one place where it works for the
 * verifier. What checks a signature is the platform: `node:crypto` at once where it can, and WebCrypto,
 * which goes through a thread pool and costs several times as much, where it cannot.
 *
 * @module
 */
import type { CryptoKey, JWK } from 'jose'
import { importJWK } from 'jose'
import type { CompactJwt } from '../token/compact-jwt.ts'
import { prepareNodeCheck } from './node-signature.ts'
import type { SignatureCheck } from './signature-check.ts'
import { prepareWebCheck } from './web-signature.ts'

/** A public key ready for one algorithm. */
export interface VerificationKey {
  readonly algorithm: string
  readonly check: SignatureCheck
}

/** The key, or `undefined` when its numbers do not make a public key for `algorithm`. */
export async function importVerificationKey(
  jwk: Readonly<Record<string, unknown>>,
  algorithm: string,
): Promise<VerificationKey | undefined> {
  const key = await importPublicKey(jwk, algorithm)
  if (key === undefined) return undefined
  const check = prepareNodeCheck(key, algorithm) ?? prepareWebCheck(key, algorithm)
  return check === undefined ? undefined : { algorithm, check }
}

/** Whether `jwt` was signed with the private half of `key`; the algorithm is the key's, not the token's. */
export function isSignedBy(
  { signingInput, signature }: CompactJwt,
  key: VerificationKey,
): boolean | Promise<boolean> {
  return key.check(signingInput, signature)
}

export async function importPublicKey(
  jwk: Readonly<Record<string, unknown>>,
  algorithm: string,
): Promise<CryptoKey | undefined> {
  try {
    const key = await importJWK(jwk as JWK, algorithm)
    return key instanceof Uint8Array || key.type !== 'public' ? undefined : key
  } catch {
    return undefined
  }
}
