/**
 * Revocable: under which names a credential can have been taken back.
 *
 * Whoever acts for its subject (`act`, RFC 8693 §4.1) is one of those names: what an actor may no longer do,
 * they may not do for somebody else either.
 *
 * @module
 */
import type { Claims, Issuer, Principal, PrincipalShape } from '@hfauth/core'
import { claim } from '../token/claims.ts'
import type { AcceptedToken } from './jwt.ts'
import type { RevocableIdentity } from './types.ts'

/** Finds an issuer of the policy by its alias. */
export type IssuerNamed = (alias: string) => Pick<Issuer, 'url'> | undefined

/** Of the credential itself, and then of each of its actors. One that is revoked revokes all. */
export function identitiesOf(
  { issuer, claims }: Pick<AcceptedToken, 'issuer' | 'claims'>,
  principal: Principal,
  fingerprint: string,
  issuerNamed: IssuerNamed,
): readonly RevocableIdentity[] {
  const issuedAt = claim(claims, 'iat')
  const own = {
    issuer: issuer.url,
    sessionId: text(claims, 'sid'),
    tokenId: text(claims, issuer.preset.tokenId),
    fingerprint,
    issuedAt: typeof issuedAt === 'number' ? issuedAt : undefined,
  }
  return [
    ...subjectsOf(claims, principal.subject).map((subject) => ({ ...own, subject })),
    ...actorIdentities(principal, own.issuedAt, issuerNamed),
  ]
}

/**
 * Under which names those who act for a principal can have been taken back.
 *
 * @param issuedAt - `iat` of the credential, which binds its actors too.
 */
export function actorIdentities(
  principal: PrincipalShape,
  issuedAt: number | undefined,
  issuerNamed: IssuerNamed,
): readonly RevocableIdentity[] {
  const identities: RevocableIdentity[] = []
  for (let { actor } = principal; actor !== undefined; { actor } = actor) {
    const issuer = issuerNamed(actor.issuer)?.url ?? ''
    for (const subject of subjectsOf(actor.claims, actor.subject)) {
      identities.push({ issuer, subject, issuedAt })
    }
  }
  return identities
}

/** `sub`, and what the preset takes for the subject where that is something else. */
export function subjectsOf(claims: Claims, subject: string): readonly string[] {
  const sub = text(claims, 'sub')
  return sub === undefined || sub === subject ? [subject] : [sub, subject]
}

function text(claims: Claims, name: string): string | undefined {
  const value = claim(claims, name)
  return typeof value === 'string' ? value : undefined
}
