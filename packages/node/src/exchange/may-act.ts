/**
 * May act: whom the subject of a token allows to act for them.
 *
 * Whoever exchanges for somebody else acts for them. A token that names who may (`may_act`) is therefore
 * exchanged by nobody else; one that names nobody rules nobody out.
 *
 * @see RFC 8693 §4.4
 * @module
 */
import { HfAuthError, type Principal } from '@hfauth/core'
import { isJsonObject } from '../internal/json-object.ts'
import { claim } from '../token/claims.ts'

/** Who exchanges, as issuers know them. */
export interface ExchangeActor {
  /** `sub` at the issuer. */
  readonly subject: string
  /** `iss`. Default the issuer of the token that names the actor. */
  readonly issuer?: string
}

/** @throws HfAuthError `HFAUTH_EXCHANGE_REFUSED` when the principal's token names somebody else, or cannot be read. */
export function assertMayAct({ claims }: Principal, actor: ExchangeActor | undefined): void {
  const named = claim(claims, 'may_act')
  if (named === undefined) return
  if (isJsonObject(named) && actor !== undefined) {
    const own = claim(claims, 'iss')
    const sameIssuer = (claim(named, 'iss') ?? own) === (actor.issuer ?? own)
    if (sameIssuer && claim(named, 'sub') === actor.subject) return
  }
  throw new HfAuthError(
    'HFAUTH_EXCHANGE_REFUSED',
    'the token of the caller lets somebody else act for them (`may_act`), so nothing is exchanged on their behalf',
  )
}
