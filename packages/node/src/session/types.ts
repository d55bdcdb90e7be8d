/**
 * What a session is, where it is kept, and what those who ask for one get.
 *
 * Types only, shared by the handlers, the stores and the guard.
 *
 * @module
 */
import type { Principal } from '@hfauth/core'

/** A live session, as it was found in a request. */
export interface Session {
  readonly principal: Principal
  /** What the person granted at the provider; empty for a session made from an ID token. */
  readonly scopes: readonly string[]
  /** Epoch milliseconds of the sign-in. */
  readonly signedInAt: number
  /** Epoch milliseconds after which nothing keeps the session alive. */
  readonly endsAt: number
  /** Goes into the header `x-csrf-token` of every unsafe request. */
  readonly csrfToken: string
  /** To be sent with the answer, when the session lives in its cookie and the cookie has to be renewed. */
  readonly setCookie?: string
}

/** The part of a Web `Request` in which a session is looked for. A `Request` is one. */
export interface SessionRequest {
  readonly method: string
  readonly headers: Pick<Headers, 'get'>
}

/** Finds whose session a request carries: what a guard needs to take session cookies. */
export interface SessionReader {
  /**
   * The session behind the request's cookie; `undefined` when there is none, whatever is wrong with the cookie.
   *
   * @throws HfAuthError `HFAUTH_REQUEST_FORGED` when there is one, the method is unsafe, and the request does not
   * prove that our own page sent it; `HFAUTH_STORE_UNAVAILABLE` (retryable) when the store cannot be asked.
   */
  identify(request: SessionRequest): Promise<Session | undefined>
  /**
   * The `Set-Cookie` line that removes the cookie when it came twice, so that its owner can sign in again: which of
   * the two is ours cannot be told, and neither counts.
   */
  removalOfDoubled?(request: SessionRequest): string | undefined
}

export interface StoredSession {
  /** Epoch milliseconds after which the entry is gone. */
  readonly untilMs: number
  /** Names under which the entry can be found again, digests all of them. */
  readonly indexes: readonly string[]
  /** Epoch milliseconds until which the names are kept: the session's own end, which `untilMs` never passes. */
  readonly indexUntilMs: number
}

/**
 * Where sessions are kept. Keys and index names are SHA-256 digests, values are encrypted: who reads a store
 * learns neither a session id nor whose session it is.
 *
 * Every method rejects with `HFAUTH_STORE_UNAVAILABLE` (retryable) when the store does not answer in time.
 */
export interface SessionStore {
  /** The value, or `undefined` when there is none or its time is over. */
  get(key: string): Promise<string | undefined>
  /** Keeps a new value. False when the key is taken. */
  create(key: string, value: string, entry: StoredSession): Promise<boolean>
  /** Puts `next` in the place of exactly `previous`. False when something else is there, or nothing. Atomic. */
  replace(key: string, previous: string, next: string, untilMs: number): Promise<boolean>
  /** Removes a value. False when there was none. */
  delete(key: string): Promise<boolean>
  /** Removes everything under an index name. Gives the number of values removed. */
  deleteIndexed(index: string): Promise<number>
}
