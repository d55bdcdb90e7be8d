/**
 * Grant: what a provider gave for one sign-in, and the part of it that others may see.
 *
 * oauth → **grant** → vault. Tokens leave this shape in two places only: on a request to a listed origin, and
 * to the provider that issued them.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { IdTokenClaims } from '../provider/id-token.ts'
import type { Tokens } from '../provider/oauth.ts'

/** Everything about a grant but its tokens. */
export interface Holding {
  /** Of the sign-in; renewals keep it. */
  readonly id: string
  /** Grows with each renewal, sign-in and sign-out on this computer: the higher one is the later one. */
  readonly version: number
  readonly claims: IdTokenClaims
  readonly scopes: readonly string[]
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly lifetimeMs: number
  /** Whether there is a refresh token that has not been used. */
  readonly refreshable: boolean
  /** End of the refresh token in epoch milliseconds, where the provider tells it. */
  readonly renewableUntil: number | undefined
}

export interface Grant extends Omit<Holding, 'refreshable'> {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly idToken: string | undefined
}

/** @param askedScope - Used when the answer names none, which means as asked for: RFC 6749 §5.1. */
export function toGrant(tokens: Tokens, askedScope: string, version: number, id: string): Grant {
  const { scope = askedScope, ...rest } = tokens
  return { ...rest, scopes: scope.split(' ').filter((name) => name !== ''), version, id }
}

export function publicPart(grant: Grant): Holding {
  const { id, version, claims, scopes, expiresAt, lifetimeMs, refreshToken, renewableUntil } = grant
  const refreshable = refreshToken !== undefined
  return { id, version, claims, scopes, expiresAt, lifetimeMs, refreshable, renewableUntil }
}

/** Whether there is a refresh token that may still work. */
export function canRefresh(
  { refreshable, renewableUntil }: Pick<Holding, 'refreshable' | 'renewableUntil'>,
  now: number,
): boolean {
  return refreshable && (renewableUntil === undefined || now < renewableUntil)
}

/** Checks what came from a store or from another tab; anything else counts as nothing. */
export function readGrant(value: unknown): Grant | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const found = value as Record<string, unknown>
  const { claims, scopes } = found
  const whole =
    ['id', 'accessToken'].every((name) => typeof found[name] === 'string' && found[name] !== '') &&
    ['version', 'expiresAt', 'lifetimeMs'].every((name) => Number.isFinite(found[name])) &&
    ['number', 'undefined'].includes(typeof found.renewableUntil) &&
    ['refreshToken', 'idToken'].every((name) => ['string', 'undefined'].includes(typeof found[name])) &&
    typeof (claims as IdTokenClaims | null)?.sub === 'string' &&
    Array.isArray(scopes) &&
    scopes.every((scope) => typeof scope === 'string')
  return whole ? (value as Grant) : undefined
}

/** For those who need a grant where there is none. */
export function signedOut(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNED_OUT', why)
}
