/**
 * Signed notice: a JWT that tells of a revocation, checked up to its signature.
 *
 * body → **signed notice** → logout token, security event, global revocation. Each door has its own list of
 * types, so that a token made for one of them opens no other.
 *
 * @see RFC 8725 §3.1, §3.11; RFC 8417 §2
 * @module
 */
import { type Claims, HfAuthError } from '@hfauth/core'
import { assertTlsChecked } from '../internal/checked-tls.ts'
import { callableEndpoint } from '../internal/endpoint.ts'
import type { Fetch } from '../internal/request.ts'
import { discoveryUrl } from '../keys/discovery.ts'
import { createIssuerClient, type IssuerClient } from '../keys/issuer-client.ts'
import { isSignedBy } from '../keys/signature.ts'
import { claim } from '../token/claims.ts'
import { type CompactJwt, readCompactJwt } from '../token/compact-jwt.ts'
import { readAudiences } from '../verify/check-claims.ts'
import { refusedMembers } from '../verify/check-header.ts'

/** Longest notice, in bytes. */
export const maxNoticeBytes = 64 * 1024

/** What can be wrong with one, in the words of RFC 8935 §2.4 and of SSF 1.0 §8.1.4.1 (`invalid_state`). */
export type NoticeFault =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'
  | 'invalid_state'

export class NoticeError extends HfAuthError {
  readonly fault: NoticeFault

  constructor(fault: NoticeFault, message: string) {
    super('HFAUTH_TOKEN_INVALID', message)
    this.fault = fault
  }
}

export interface SignatureRules {
  readonly algorithms: readonly string[]
  /** Values of `typ`, in lower case and without `application/`; `''` stands for none. */
  readonly types: readonly string[]
  readonly keys: NoticeKeys
}

export type NoticeKeys = Pick<IssuerClient, 'key' | 'replacedKey'>

/** @throws NoticeError when the text is not one JWT in its strict form. */
export function readNotice(text: string): CompactJwt {
  if (text.length > maxNoticeBytes) throw new NoticeError('invalid_request', 'the token is too long')
  try {
    return readCompactJwt(text)
  } catch {
    throw new NoticeError('invalid_request', 'the body is not one signed JWT')
  }
}

/**
 * Checks header and signature; no claim.
 *
 * @throws NoticeError; HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when the keys cannot be had.
 */
export async function checkSignature(notice: CompactJwt, rules: SignatureRules): Promise<void> {
  const { header } = notice
  const type = claim(header, 'typ') ?? ''
  const name = typeof type === 'string' ? type.toLowerCase().replace(/^application\//, '') : undefined
  if (name === undefined || !rules.types.includes(name)) {
    throw new NoticeError('invalid_request', '`typ` of the token is not the one of this kind of token')
  }
  if (refusedMembers.some((member) => Object.hasOwn(header, member))) {
    throw new NoticeError('invalid_request', 'the header of the token asks for what is not taken')
  }
  const [algorithm, kid] = [claim(header, 'alg'), claim(header, 'kid')]
  if (typeof algorithm !== 'string' || !rules.algorithms.includes(algorithm)) {
    throw new NoticeError('invalid_key', '`alg` of the token is not taken')
  }
  if (kid !== undefined && typeof kid !== 'string')
    throw new NoticeError('invalid_key', '`kid` is not a text')
  let isGood: boolean
  try {
    const key = await rules.keys.key({ kid, algorithm })
    isGood = await isSignedBy(notice, key)
    const replaced = isGood ? undefined : await rules.keys.replacedKey({ kid, algorithm }, key)
    if (replaced !== undefined) isGood = await isSignedBy(notice, replaced)
  } catch (error) {
    if (error instanceof HfAuthError && error.retryable) throw error
    throw new NoticeError('invalid_key', 'the issuer has no key for this token')
  }
  if (!isGood) throw new NoticeError('invalid_key', 'the signature of the token is wrong')
}

/** @throws NoticeError unless one of `audience` is meant. */
export function checkNoticeAudience(payload: Claims, audience: readonly string[]): void {
  if (readAudiences(payload)?.some((value) => audience.includes(value)) === true) return
  throw new NoticeError('invalid_audience', 'the token is for somebody else (`aud`)')
}

/** @throws NoticeError unless `name` is a text of 1 to 512 characters. */
export function requireText(payload: Claims, name: string): string {
  const value = claim(payload, name)
  if (typeof value === 'string' && value !== '' && value.length <= 512) return value
  throw new NoticeError('invalid_request', `\`${name}\` of the token is missing or malformed`)
}

export interface NoticeTimes {
  readonly nowMs: number
  readonly toleranceSeconds: number
}

/** `iat` in epoch seconds. @throws NoticeError when it is missing, malformed or to come. */
export function requireIssueTime(payload: Claims, { nowMs, toleranceSeconds }: NoticeTimes): number {
  const value = claim(payload, 'iat')
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new NoticeError('invalid_request', '`iat` of the token is missing or malformed')
  }
  if ((value as number) > nowMs / 1000 + toleranceSeconds) {
    throw new NoticeError('invalid_request', 'the token was issued in the future (`iat`)')
  }
  return value as number
}

export interface NoticeKeysOptions {
  readonly algorithms: readonly string[]
  /** Where the keys are, when they are not those of the issuer's discovery document. */
  readonly jwksUri?: string | undefined
  /** The keys themselves, where the policy pins them. */
  readonly keys?: readonly Claims[] | undefined
  readonly fetch: Fetch
  readonly now: () => number
}

/** A short cooldown: an event that is refused for a key that is only new does not come again. */
const timings = { timeoutMs: 5000, keyMaxAgeMs: 600_000, keyCooldownMs: 1000, maxStaleKeysMs: 3_600_000 }

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `jwksUri` is no address that may be called. */
export function createNoticeKeys(issuer: string, options: NoticeKeysOptions): NoticeKeys {
  const { algorithms, jwksUri, keys, fetch, now } = options
  if (jwksUri !== undefined && callableEndpoint(jwksUri, issuer) === undefined) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`jwksUri` must be an https address')
  }
  // A transmitter need not be an OpenID provider: then its keys are where a discovery document would say.
  const discovery = discoveryUrl(issuer)
  const fetchKeys: Fetch = async (input, init) => {
    if (jwksUri !== undefined && input === discovery) return Response.json({ issuer, jwks_uri: jwksUri })
    assertTlsChecked(String(input), fetch)
    return fetch(input, init)
  }
  const keySet = keys === undefined ? undefined : { keys }
  return createIssuerClient(issuer, { ...timings, algorithms, now, fetch: fetchKeys, keySet })
}
