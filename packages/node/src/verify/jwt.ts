/**
 * JWT: verifies an ID token or a JWT access token with the issuer's published keys.
 *
 * kind → compact JWT → **JWT** → principal. The signature comes before every claim, so that a refusal
 * for its audience or its age is only ever said of a token that the issuer did sign.
 *
 * @module
 */
import { type Claims, HfAuthError, type Issuer, type Preset } from '@hfauth/core'
import type { IssuerClient } from '../keys/issuer-client.ts'
import { isSignedBy } from '../keys/signature.ts'
import { readCompactJwt } from '../token/compact-jwt.ts'
import { checkAudience, checkLifetime, checkPurpose, checkTimes, type TimeOptions } from './check-claims.ts'
import { checkHeader, refusedAccessToken } from './check-header.ts'
import { checkIdentity } from './check-identity.ts'
import { chooseIssuer, hasAccessMark } from './choose-issuer.ts'

export interface AcceptedToken {
  readonly issuer: Issuer
  readonly kind: 'id_token' | 'access_token'
  readonly claims: Claims
  /** Epoch seconds. */
  readonly expiresAt?: number
  /** Whether what it was checked with may still be used. */
  readonly holds?: () => boolean
}

export interface VerifyJwtOptions {
  readonly issuers: readonly Issuer[]
  clientOf(issuer: Pick<Issuer, 'alias'>, url: string): IssuerClient
  time(preset: Preset): TimeOptions
}

/**
 * Verifies one compact JWT. Does not check `nonce`, `at_hash`, `acr` or `auth_time`, which belong to a
 * sign-in, nor whether the token has been seen before.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_UNSUPPORTED` when no issuer of the policy is named; otherwise
 * `HFAUTH_TOKEN_INVALID`, `HFAUTH_TOKEN_EXPIRED`, `HFAUTH_TOKEN_AUDIENCE`, `HFAUTH_ISSUER_UNAVAILABLE`.
 */
export async function verifyJwt(jwt: string, options: VerifyJwtOptions): Promise<AcceptedToken> {
  const compact = readCompactJwt(jwt)
  const { header, payload } = compact
  const { issuer, address } = chooseIssuer(payload, options.issuers)
  const { algorithm, kid, accessToken } = checkHeader(header, issuer.preset)
  const client = options.clientOf(issuer, address.url)
  const wanted = { kid, algorithm, of: address }
  // What is there is not waited for: a wait costs as much as all of the checks below.
  const found = client.key(wanted)
  let key = found instanceof Promise ? await found : found
  const signed = isSignedBy(compact, key)
  if (!(signed instanceof Promise ? await signed : signed)) {
    const replaced = await client.replacedKey(wanted, key)
    if (replaced === undefined || !(await isSignedBy(compact, replaced))) {
      throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the signature of the token is wrong')
    }
    key = replaced
  }
  const kind = accessToken || hasAccessMark(payload, issuer.preset) ? 'access_token' : 'id_token'
  if (kind === 'access_token' && issuer.preset.accessTokens !== 'jwt') throw refusedAccessToken(issuer.preset)
  checkPurpose(payload)
  checkAudience(payload, issuer, kind)
  const expiresAt = checkTimes(payload, options.time(issuer.preset))
  checkLifetime(payload, issuer.preset)
  checkIdentity(payload, kind, issuer, address.tenant)
  const holds = () => client.isCurrent(key)
  return { issuer, kind, claims: payload, holds, ...(expiresAt === undefined ? {} : { expiresAt }) }
}
