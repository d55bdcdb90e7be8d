/**
 * Fingerprint: a name for a credential that is useless as one.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { bareToken } from './kind.ts'

/** SHA-256 of the whole credential, in hex. `hf_oidc_` is no part of it: with and without are one credential. */
export function tokenDigest(token: string): string {
  return hash('sha256', bareToken(token), 'hex')
}

/** First 16 bytes of the digest, in hex: for caches and for joining records. */
export function tokenFingerprint(token: string): string {
  return fingerprintOf(tokenDigest(token))
}

export function fingerprintOf(digest: string): string {
  return digest.slice(0, 32)
}
