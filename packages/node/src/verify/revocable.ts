/**
 * Revocable: under which names a credential can have been taken back.
 *
 * @module
 */
import type { Claims } from '@hfauth/core'
import { claim } from '../token/claims.ts'
import type { AcceptedToken } from './jwt.ts'
import type { RevocableIdentity } from './types.ts'

export function identityOf({ issuer, claims }: AcceptedToken, fingerprint: string): RevocableIdentity {
  const issuedAt = claim(claims, 'iat')
  return {
    issuer: issuer.url,
    subject: text(claims, 'sub'),
    sessionId: text(claims, 'sid'),
    tokenId: text(claims, issuer.preset.tokenId),
    fingerprint,
    issuedAt: typeof issuedAt === 'number' ? issuedAt : undefined,
  }
}

function text(claims: Claims, name: string): string | undefined {
  const value = claim(claims, name)
  return typeof value === 'string' ? value : undefined
}
