/**
 * ID token: the checks that the protocol library leaves to us.
 *
 * oauth → **id token** → session. The library has checked structure, algorithm, issuer, audience, `exp` and the kinds
 * of what it knows; here come the narrower rules, and what this sign-in asked for.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { sha256, toBase64url } from './bytes.ts'
import { attemptLifetimeMs } from './lifetime.ts'

export interface IdTokenClaims {
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly iat: number
  readonly [claim: string]: unknown
}

/** What a sign-in asked for. */
export interface AskedOfIdToken {
  readonly nonce: string
  readonly maxAgeSeconds?: number
  readonly acrValues?: readonly string[]
}

export interface IdTokenExpectations {
  readonly clientId: string
  readonly accessToken: string
  /** Epoch milliseconds. */
  readonly now: number
  readonly clockToleranceSeconds: number
}

/**
 * @throws HfAuthError `HFAUTH_SIGNIN_INVALID`.
 * @see OpenID Connect Core §3.1.3.7 (validation), §3.1.3.6 (`at_hash`)
 */
export async function assertIdTokenClaims(
  claims: IdTokenClaims,
  { clientId, accessToken, now, clockToleranceSeconds }: IdTokenExpectations,
): Promise<void> {
  const latest = now / 1000 + clockToleranceSeconds
  const earliest = (now - attemptLifetimeMs) / 1000 - clockToleranceSeconds
  const { sub, aud, azp, iat, auth_time: authTime, at_hash: atHash } = claims
  if (sub === '') throw wrong('sub')
  // Nobody here knows a second audience, so none is trusted.
  if (Array.isArray(aud) && aud.length !== 1) throw wrong('aud')
  if (azp !== undefined && azp !== clientId) throw wrong('azp')
  if (iat > latest || iat < earliest) throw wrong('iat')
  if (typeof authTime === 'number' && authTime > latest) throw wrong('auth_time')
  if (atHash !== undefined && atHash !== (await halfDigest(accessToken))) throw wrong('at_hash')
}

/**
 * The first ID token answers what was asked.
 *
 * @param notBefore - What counts as the time now, in seconds, with the tolerance taken off.
 * @throws HfAuthError `HFAUTH_SIGNIN_INVALID`.
 * @see OpenID Connect Core §3.1.3.7, points 11 to 13
 */
export function assertAsAsked(
  claims: IdTokenClaims,
  { nonce, maxAgeSeconds, acrValues }: AskedOfIdToken,
  notBefore: number,
): void {
  if (claims.nonce !== nonce) throw wrong('nonce')
  // Without a time it is no number, and refused.
  if (maxAgeSeconds !== undefined && !(Number(claims.auth_time) + maxAgeSeconds >= notBefore))
    throw wrong('auth_time')
  if (acrValues && !acrValues.includes(claims.acr as string)) throw wrong('acr')
}

/**
 * A renewed ID token speaks of the same person and the same sign-in.
 *
 * @throws HfAuthError `HFAUTH_SIGNIN_INVALID`.
 * @see OpenID Connect Core §12.2
 */
export function assertSameSignIn(claims: IdTokenClaims, before: IdTokenClaims): void {
  for (const claim of ['iss', 'sub'] as const) if (claims[claim] !== before[claim]) throw wrong(claim)
  for (const claim of ['auth_time', 'nonce']) {
    const known = claims[claim] === undefined || before[claim] === undefined
    if (!known && claims[claim] !== before[claim]) throw wrong(claim)
  }
}

/** Left half of SHA-256, the hash that goes with RS256. */
async function halfDigest(text: string): Promise<string> {
  return toBase64url((await sha256(text)).subarray(0, 16))
}

function wrong(claim: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNIN_INVALID', `the ID token has a wrong \`${claim}\``)
}
