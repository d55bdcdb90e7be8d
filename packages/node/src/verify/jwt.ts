/**
 * JWT: verifies an ID token or a JWT access token with the issuer's published keys.
 *
 * kind → compact JWT → **JWT** → principal. The signature comes before every claim, so that a refusal
 * for its audience or its age is only ever said of a token that the issuer did sign.
 *
 * @module
 */
import { type Claims, HfAuthError, type Issuer, recordedText } from '@hfauth/core'
import type { IssuerClient } from '../keys/issuer-client.ts'
import { isSignedBy } from '../keys/signature.ts'
import { claim } from '../token/claims.ts'
import { readCompactJwt } from '../token/compact-jwt.ts'
import { checkAudience, checkPurpose, checkTimes, readAudiences, type TimeOptions } from './check-claims.ts'
import { checkHeader } from './check-header.ts'

export interface AcceptedToken {
  readonly issuer: Issuer
  readonly kind: 'id_token' | 'access_token'
  readonly claims: Claims
  /** Epoch seconds. */
  readonly expiresAt?: number
}

export interface VerifyJwtOptions {
  readonly issuers: readonly Issuer[]
  clientOf(issuer: Issuer): IssuerClient
  time(): TimeOptions
}

/**
 * Verifies one compact JWT. Does not check `nonce`, `at_hash`, `acr` or `auth_time`, which belong to a
 * sign-in, nor whether the token has been seen before.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_UNSUPPORTED` when no issuer of the policy is named; otherwise
 * `HFAUTH_TOKEN_INVALID`, `HFAUTH_TOKEN_EXPIRED`, `HFAUTH_TOKEN_AUDIENCE`, `HFAUTH_ISSUER_UNAVAILABLE`.
 */
export async function verifyJwt(jwt: string, options: VerifyJwtOptions): Promise<AcceptedToken> {
  const { text, header, payload } = readCompactJwt(jwt)
  const issuer = chooseIssuer(payload, options.issuers)
  const { algorithm, kid, accessToken } = checkHeader(header, issuer.preset)
  const key = await options.clientOf(issuer).key(kid, algorithm)
  if (!(await isSignedBy(text, key, algorithm))) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the signature of the token is wrong')
  }
  const kind = accessToken || isScopedToken(payload, issuer) ? 'access_token' : 'id_token'
  checkPurpose(payload)
  checkAudience(payload, issuer, kind)
  const expiresAt = checkTimes(payload, options.time())
  if (issuer.preset.subject(payload) === undefined) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the token has no subject')
  }
  return { issuer, kind, claims: payload, ...(expiresAt === undefined ? {} : { expiresAt }) }
}

/** By exact `iss`, then by audience; several aliases of one issuer differ only in whom its tokens are for. */
function chooseIssuer(payload: Claims, issuers: readonly Issuer[]): Issuer {
  const url = claim(payload, 'iss')
  if (typeof url !== 'string') throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the token names no issuer')
  const candidates = issuers.filter((issuer) => issuer.url === url)
  const audiences = readAudiences(payload) ?? []
  const issuer =
    candidates.find(({ audience }) => audiences.some((value) => audience.includes(value))) ?? candidates[0]
  if (issuer !== undefined) return issuer
  throw new HfAuthError(
    'HFAUTH_TOKEN_UNSUPPORTED',
    `no issuer in the policy has the address \`${recordedText(url)}\``,
  )
}

/** Okta types its access tokens as `JWT` too; only they have `scp`. */
function isScopedToken(payload: Claims, { preset }: Issuer): boolean {
  return preset.accessTokens === 'jwt' && Object.hasOwn(payload, 'scp')
}
