/**
 * Events: every change of a sign-in, with who made it.
 *
 * **events** → session state, renewal, guarded fetch → the page. None holds a token.
 *
 * @module
 */
import type { HfAuthError } from '@hfauth/core'
import type { StepUp } from '../options.ts'
import type { ChangedBy } from '../vault/vault.ts'
import type { Session } from './session.ts'

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
  | { readonly type: 'step-up'; readonly stepUp: StepUp }

export type AuthListener = (event: AuthEvent) => void
