/**
 * Events: every change of a sign-in, with who made it.
 *
 * **events** → session state, renewal, guarded fetch → the page. None holds a token.
 *
 * @module
 */
import type { HfAuthError } from '@hfauth/core'
import type { ChangedBy } from '../vault/holder.ts'
import type { Session } from './session.ts'

/** What an API asks for before it answers. @see RFC 9470 §3, RFC 6750 §3.1 */
export interface StepUp {
  /** Scopes that the request needs. */
  readonly scopes: readonly string[]
  readonly acrValues: readonly string[]
  /** Longest time since the person proved who they are, in seconds. */
  readonly maxAgeSeconds: number | undefined
  /** Origin of the API. */
  readonly origin: string
}

export type AuthEvent =
  /** The address and the other tabs have been asked; from now on the state is known. */
  | { readonly type: 'ready' }
  | { readonly type: 'signed-in' | 'renewed'; readonly by: ChangedBy; readonly session: Session }
  /** Nobody can tell whether the refresh token is used up; the session lasts as long as its access token. */
  | { readonly type: 'renewal-lost' }
  /** `retryAt` in epoch milliseconds; `undefined` when nothing here will try again by itself. */
  | { readonly type: 'renewal-failed'; readonly error: HfAuthError; readonly retryAt: number | undefined }
  /** The access token ended; the next request renews it. */
  | { readonly type: 'expired' }
  /** By `time`: the access token ended and nothing could renew it. */
  | { readonly type: 'signed-out'; readonly by: ChangedBy }
  /** With `byChallenge` alone. */
  | { readonly type: 'step-up'; readonly stepUp: StepUp }

export type AuthListener = (event: AuthEvent) => void
