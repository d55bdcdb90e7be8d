/**
 * Owner: for whom a token is exchanged, as the cache and a revocation know them.
 *
 * @module
 */
import type { Principal } from '@hfauth/core'
import { claim } from '../token/claims.ts'
import type { ExchangeOwner } from './types.ts'

export interface OwnerOptions {
  readonly environment: string
  /** Address of the principal's issuer, as the policy has it. */
  readonly issuer: string
  /** Of the credential that was shown. */
  readonly fingerprint?: string | undefined
}

export function ownerOf(
  principal: Principal,
  { environment, issuer, fingerprint }: OwnerOptions,
): ExchangeOwner {
  const { id, subject, claims, issuedAt } = principal
  const text = (name: string) => {
    const value = claim(claims, name)
    return typeof value === 'string' ? value : undefined
  }
  return {
    principal: id,
    environment,
    identity: { issuer, subject, sessionId: text('sid'), tokenId: text('jti'), fingerprint, issuedAt },
  }
}
