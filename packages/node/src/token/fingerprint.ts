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

/**
 * First 16 bytes of a SHA-256, in hex: for revocations and for joining records. Never a key under which what was
 * checked is remembered, since what it is made of is not all that was checked.
 */
export function tokenFingerprint(token: string): string {
  return hash('sha256', withoutSignature(token), 'hex').slice(0, 32)
}

/**
 * The credential by what it says. ECDSA has two signatures for every text, and whoever holds a token can write down
 * the other one: it would be a token of another name. What has three parts is signed, or is not taken at all.
 */
export function withoutSignature(token: string): string {
  const bare = bareToken(token)
  const parts = bare.split('.')
  return parts.length === 3 ? parts.slice(0, 2).join('.') : bare
}
