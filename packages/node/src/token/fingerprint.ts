/**
 * Fingerprint: a name for a credential that is useless as one.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { claim } from './claims.ts'
import { readHeaderPart } from './compact-jwt.ts'
import { bareToken } from './kind.ts'

/** SHA-256 of the whole credential, in hex. `hf_oidc_` is no part of it: with and without are one credential. */
export function tokenDigest(token: string): string {
  return hash('sha256', bareToken(token), 'hex')
}

/**
 * First 16 bytes of a SHA-256, in hex: for revocations and for joining records. Never a key under which what was
 * checked is remembered, since what it is made of may not be all that was checked.
 */
export function tokenFingerprint(token: string): string {
  return fingerprintOf(token, tokenDigest(token))
}

/**
 * @param digest - Of the same token. A JWT signed by ECDSA goes by what it says and not by that: there are two
 * signatures for every text, and whoever holds a token can write down the other one. RSA and EdDSA have one.
 */
export function fingerprintOf(token: string, digest: string): string {
  return (isEcdsaSigned(token) ? hash('sha256', withoutSignature(token), 'hex') : digest).slice(0, 32)
}

function isEcdsaSigned(token: string): boolean {
  const bare = bareToken(token)
  const header = bare.startsWith('eyJ') ? readHeaderPart(bare.slice(0, bare.indexOf('.'))) : undefined
  const algorithm = header === undefined ? undefined : claim(header, 'alg')
  return typeof algorithm === 'string' && algorithm.startsWith('ES')
}

/** What a credential says, whoever signed it. What has three parts is signed, or is not taken at all. */
export function withoutSignature(token: string): string {
  const bare = bareToken(token)
  const parts = bare.split('.')
  return parts.length === 3 ? parts.slice(0, 2).join('.') : bare
}
