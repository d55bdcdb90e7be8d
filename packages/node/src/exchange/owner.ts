/**
 * Owner: for whom a token is exchanged, as the cache and a revocation know them.
 *
 * @module
 */
import type { Principal } from '@hfauth/core'
import { claim } from '../token/claims.ts'
import { actorIdentities, type IssuerNamed, subjectsOf } from '../verify/revocable.ts'
import type { ExchangeOwner } from './types.ts'

export interface OwnerOptions {
  readonly environment: string
  /** Address of the principal's issuer, as the policy has it. */
  readonly issuer: string
  /** Of the credential that was shown. */
  readonly fingerprint?: string | undefined
  /** For those who act for the principal, where nobody has just asked whether they were revoked. */
  readonly issuerNamed?: IssuerNamed
}

export function ownerOf(
  principal: Principal,
  { environment, issuer, fingerprint, issuerNamed = () => undefined }: OwnerOptions,
): ExchangeOwner {
  const { id, subject, claims, issuedAt } = principal
  const text = (name: string) => {
    const value = claim(claims, name)
    return typeof value === 'string' ? value : undefined
  }
  const own = { issuer, sessionId: text('sid'), tokenId: text('jti'), fingerprint, issuedAt }
  return {
    principal: id,
    environment,
    identities: [
      ...subjectsOf(claims, subject).map((name) => ({ ...own, subject: name })),
      ...actorIdentities(principal, issuedAt, issuerNamed),
    ],
  }
}
