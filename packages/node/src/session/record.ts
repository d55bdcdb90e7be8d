/**
 * Record: what is kept of a session, read as strictly as anything from outside.
 *
 * sign-in → **record** → principal. A principal cannot be stored; its verified claims can, and every request
 * makes the principal of them again under the policy in force.
 *
 * @module
 */
import { type Claims, issuerAtAddress, type Policy, type Principal, principalFromClaims } from '@hfauth/core'
import { isJsonObject } from '../internal/json-object.ts'

/** Times are epoch milliseconds. */
export interface SessionRecord {
  /** Alias, address and preset of the issuer; all must still be the policy's, or the session is over. */
  readonly alias: string
  readonly issuer: string
  readonly preset: string
  readonly credential: 'id_token' | 'access_token'
  /** Claims that passed every check at the sign-in, or at the last refresh. */
  readonly claims: Claims
  readonly scopes: readonly string[]
  readonly signedInAt: number
  readonly seenAt: number
  /** When the provider said what the claims say. */
  readonly vouchedAt: number
  /** When the provider last renewed the session. */
  readonly checkedAt: number
  /** The provider failed, and is left alone until then. */
  readonly pausedUntil?: number
  readonly tokens?: SessionTokens
  /** Somebody is using the refresh token right now. */
  readonly lease?: Lease
}

export interface SessionTokens {
  readonly access: string
  readonly accessUntil: number
  readonly refresh?: string
  /** For the provider's sign-out (OpenID Connect RP-Initiated Logout 1.0 §2). */
  readonly id?: string
}

export interface Lease {
  readonly id: string
  readonly until: number
}

/** The record in an opened box, or `undefined` when it is not exactly one. */
export function readRecord(content: Claims): SessionRecord | undefined {
  const { alias, issuer, preset, credential, claims, scopes, tokens, lease, pausedUntil } = content
  const sound =
    [alias, issuer, preset].every(isText) &&
    (credential === 'id_token' || credential === 'access_token') &&
    isJsonObject(claims) &&
    Array.isArray(scopes) &&
    scopes.every(isText) &&
    [content.signedInAt, content.seenAt, content.vouchedAt, content.checkedAt].every(isTime) &&
    (pausedUntil === undefined || isTime(pausedUntil)) &&
    (tokens === undefined || isTokens(tokens)) &&
    (lease === undefined || (isJsonObject(lease) && isText(lease.id) && isTime(lease.until)))
  return sound ? (content as unknown as SessionRecord) : undefined
}

/**
 * The principal of a record. Its `iat` is when the provider last vouched for it and its `exp` the session's end,
 * so that a policy's `maxTokenAge` counts from the former.
 *
 * @returns `undefined` when the policy no longer has this issuer, or that of somebody who acts for the person.
 */
export function principalOf(
  record: SessionRecord,
  policy: Pick<Policy, 'issuers'>,
  endsAt: number,
): Principal | undefined {
  const issuer = policy.issuers.get(record.alias)
  if (issuer === undefined || issuer.url !== record.issuer || issuer.preset.name !== record.preset)
    return undefined
  const times = { iat: Math.floor(record.vouchedAt / 1000), exp: Math.floor(endsAt / 1000) }
  const claims = { ...record.claims, ...times }
  if (issuer.preset.subject(claims) === undefined) return undefined
  try {
    return principalFromClaims({
      issuer: issuer.alias,
      preset: issuer.preset,
      credential: record.credential,
      claims,
      ...('act' in claims ? { issuerAt: issuerAtAddress(policy.issuers.values()) } : {}),
    })
  } catch {
    // Actors whose issuer the policy no longer has.
    return undefined
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isTokens(value: unknown): boolean {
  if (!isJsonObject(value)) return false
  const { access, accessUntil, refresh, id } = value
  return (
    isText(access) &&
    isTime(accessUntil) &&
    [refresh, id].every((token) => token === undefined || isText(token))
  )
}
