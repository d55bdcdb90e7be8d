/**
 * JWT: verifies an ID token or a JWT access token with the issuer's published keys.
 *
 * kind → compact JWT → **JWT** → principal. The signature comes before every claim, so that a refusal
 * for its audience or its age is only ever said of a token that the issuer did sign.
 *
 * @module
 */
import { type Claims, HfAuthError, type Issuer, type IssuerAddress, type Preset } from '@hfauth/core'
import type { IssuerClient, WantedKey } from '../keys/issuer-client.ts'
import { isSignedBy, type VerificationKey } from '../keys/signature.ts'
import { type CompactJwt, readCompactJwt } from '../token/compact-jwt.ts'
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
export function verifyJwt(jwt: string, options: VerifyJwtOptions): AcceptedToken | Promise<AcceptedToken> {
  const signed = readSigned(jwt, options)
  // What is there is not waited for: a wait costs as much as all of the checks below.
  const key = signed.client.key(signed.wanted)
  return key instanceof Promise
    ? key.then((fetched) => checkSigned(signed, fetched, options))
    : checkSigned(signed, key, options)
}

/** A token whose header and issuer are taken, as far as one can say without a key. */
interface SignedJwt {
  readonly compact: CompactJwt
  readonly issuer: Issuer
  readonly address: IssuerAddress
  readonly client: IssuerClient
  readonly wanted: WantedKey
  /** Whether its header says that it is an access token. */
  readonly accessToken: boolean
}

function readSigned(jwt: string, options: VerifyJwtOptions): SignedJwt {
  const compact = readCompactJwt(jwt)
  const { issuer, address } = chooseIssuer(compact.payload, options.issuers)
  const { algorithm, kid, accessToken } = checkHeader(compact.header, issuer.preset)
  const client = options.clientOf(issuer, address.url)
  return { compact, issuer, address, client, wanted: { kid, algorithm, of: address }, accessToken }
}

function checkSigned(
  signed: SignedJwt,
  key: VerificationKey,
  options: VerifyJwtOptions,
): AcceptedToken | Promise<AcceptedToken> {
  const isGood = isSignedBy(signed.compact, key)
  return isGood === true ? accept(signed, key, options) : checkLater(signed, isGood, key, options)
}

/** Where the platform takes its time, or the issuer may have put another key in the place of this one. */
async function checkLater(
  signed: SignedJwt,
  isGood: boolean | Promise<boolean>,
  key: VerificationKey,
  options: VerifyJwtOptions,
): Promise<AcceptedToken> {
  if (await isGood) return accept(signed, key, options)
  const replaced = await signed.client.replacedKey(signed.wanted, key)
  if (replaced === undefined || !(await isSignedBy(signed.compact, replaced))) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the signature of the token is wrong')
  }
  return accept(signed, replaced, options)
}

/** What the issuer did sign, and with which key. */
function accept(
  { compact, issuer, address, client, accessToken }: SignedJwt,
  key: VerificationKey,
  options: VerifyJwtOptions,
): AcceptedToken {
  const { payload } = compact
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
