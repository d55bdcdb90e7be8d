/**
 * Revocable identity: a verified credential in the words in which it can be taken back.
 *
 * verify → **revocable identity** → revocations. Asked when a request begins, and again while its answer runs.
 *
 * @module
 */
import { claim } from '../token/claims.ts'
import type { RevocableIdentity, VerifiedCredential } from './types.ts'

/** What is known of a verified credential, to ask whether it has been revoked. */
export function revocableIdentity({ principal, issuer, fingerprint }: VerifiedCredential): RevocableIdentity {
  const text = (name: string) => {
    const value = claim(principal.claims, name)
    return typeof value === 'string' ? value : undefined
  }
  const issuedAt = claim(principal.claims, 'iat')
  return {
    issuer: issuer.url,
    subject: text('sub'),
    sessionId: text('sid'),
    tokenId: text(issuer.preset.tokenId),
    fingerprint,
    issuedAt: typeof issuedAt === 'number' ? issuedAt : undefined,
  }
}
