/**
 * Signature: the one place where jose works for the verifier, so that replacing it changes one file.
 *
 * @module
 */
import { type CryptoKey, compactVerify, importJWK, type JWK } from 'jose'

/** A public key ready for one algorithm. */
export type VerificationKey = CryptoKey

/** The key, or `undefined` when its numbers do not make a public key for `algorithm`. */
export async function importVerificationKey(
  jwk: Readonly<Record<string, unknown>>,
  algorithm: string,
): Promise<VerificationKey | undefined> {
  try {
    const key = await importJWK(jwk as JWK, algorithm)
    return key instanceof Uint8Array || key.type !== 'public' ? undefined : key
  } catch {
    return undefined
  }
}

/** Whether `jwt` was signed with the private half of `key`; `algorithm` is ours, not the token's. */
export async function isSignedBy(jwt: string, key: VerificationKey, algorithm: string): Promise<boolean> {
  try {
    await compactVerify(jwt, key, { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}
