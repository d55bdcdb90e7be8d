/**
 * Session: who is signed in, for a page to show. It never holds a token.
 *
 * vault → **session** → session state.
 *
 * @module
 */
import type { IdTokenClaims } from '../provider/id-token.ts'
import type { Holding } from '../vault/grant.ts'

export interface Session {
  /** Of this sign-in; stays the same when it is renewed. */
  readonly id: string
  readonly sub: string
  readonly username: string | undefined
  readonly name: string | undefined
  /** Address of a picture. */
  readonly picture: string | undefined
  /** All claims of the ID token, checked. */
  readonly claims: IdTokenClaims
  /** As granted, which may be fewer than were asked for. */
  readonly scopes: readonly string[]
  /** When the access token ends, in epoch milliseconds of this computer's clock. */
  readonly expiresAt: number
  /**
   * Until when a refresh token can renew it, in epoch milliseconds of this computer's clock, where the provider says so;
   * each renewal may move it. After that the session ends with its access token, unless there is another way to renew.
   */
  readonly renewableUntil: number | undefined
}

export function buildSession({ id, claims, scopes, expiresAt, renewableUntil }: Holding): Session {
  const text = (name: string) => (typeof claims[name] === 'string' ? (claims[name] as string) : undefined)
  return Object.freeze({
    id,
    sub: claims.sub,
    username: text('preferred_username'),
    name: text('name'),
    picture: text('picture'),
    claims: Object.freeze(claims),
    scopes: Object.freeze(scopes),
    expiresAt,
    renewableUntil,
  })
}
