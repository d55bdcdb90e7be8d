/**
 * A preset: what is known of an issuer before any of its tokens has been seen.
 *
 * Verification rules are for `@hfauth/node`, the reading of claims for the principal; both stand in
 * one place per issuer so that they cannot drift apart.
 *
 * @module
 */
import type { PrincipalKind, PrincipalShape } from '../types.ts'
import type { Claims } from './claims.ts'

/** How an access token of this issuer is checked; `none` means that only ID tokens are taken. */
export type AccessTokenCheck = 'userinfo' | 'jwt' | 'none'

/** The members that claims decide; the rest comes from the policy and the credential. */
export type ClaimedMembers = Omit<
  PrincipalShape,
  'kind' | 'issuer' | 'id' | 'subject' | 'credential' | 'huggingface' | 'claims'
>

export interface Preset {
  readonly name: string
  readonly kind: PrincipalKind
  /** The issuer when the policy names none; absent where every customer has their own. */
  readonly issuer?: string
  readonly huggingface: boolean
  /** Signature algorithms of its JWTs (RFC 7518 §3.1), the only ones accepted. */
  readonly algorithms: readonly string[]
  readonly accessTokens: AccessTokenCheck
  subject(claims: Claims): string | undefined
  read(claims: Claims): ClaimedMembers
}
