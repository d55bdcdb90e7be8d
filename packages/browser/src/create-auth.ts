/**
 * Create auth: puts the parts together for one page and one client.
 *
 * options → provider → session → login → **create auth**. Holds no rule of its own.
 *
 * @module
 */

import { createAttempts } from './login/attempts.ts'
import { type SignInResult, startCallback } from './login/callback.ts'
import { buildSignInUrl, type SignInOptions } from './login/sign-in-url.ts'
import { type AuthOptions, invalid, readOptions } from './options.ts'
import { createProvider } from './provider/oauth.ts'
import { createGuardedFetch } from './session/guarded-fetch.ts'
import type { Session } from './session/session.ts'
import { type AuthState, createSessionState } from './session/session-state.ts'

export interface Auth {
  /** Leaves for the provider. The promise settles when the browser has been told to go. */
  signIn(options?: SignInOptions): Promise<void>
  /** Where `signIn` would go. Remembers the attempt, since its answer is compared with it. */
  buildSignInUrl(options?: SignInOptions): Promise<string>
  /**
   * Completes a sign-in when the address holds a provider's answer, and cleans the address.
   *
   * Call it on every start of the page. Repeated calls share one result.
   *
   * @returns `undefined` when the address is no answer, or somebody else's.
   * @throws HfAuthError `HFAUTH_SIGNIN_STATE` (start again), `HFAUTH_SIGNIN_REFUSED` (see `SignInRefusedError`),
   *   `HFAUTH_SIGNIN_INVALID`, `HFAUTH_ISSUER_UNAVAILABLE`, `HFAUTH_SIGNED_OUT`. The code in the address is used
   *   up whatever happens: `retryable` means that a new sign-in may succeed.
   */
  handleCallback(): Promise<SignInResult | undefined>
  /** Who is signed in, as long as the access token lives. */
  readonly session: Session | undefined
  /** Calls `listener` after each change; with `getSnapshot` it fits `useSyncExternalStore`. */
  subscribe(listener: () => void): () => void
  getSnapshot(): AuthState
  /**
   * `fetch` with the access token. Wait limits are the caller's, through `signal`: an answer may stream for long.
   *
   * @throws HfAuthError `HFAUTH_ORIGIN_REFUSED`, `HFAUTH_SIGNED_OUT`; and what `fetch` itself throws.
   */
  readonly fetch: typeof globalThis.fetch
  /** Forgets token, session and sign-ins under way, at once and without the network. */
  signOut(): Promise<void>
}

/**
 * Creates the sign-in of a page. Touches no browser global until it is used, so it may be created on a server,
 * where it stays `unknown`.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID`.
 */
export function createAuth(options: AuthOptions): Auth {
  const settings = readOptions(options)
  const provider = createProvider(settings)
  const attempts = createAttempts(settings)
  const state = createSessionState(settings.now)
  let callback: Promise<SignInResult> | undefined

  const build = (given: SignInOptions = {}) => buildSignInUrl(settings, provider, attempts, given)

  return Object.freeze({
    buildSignInUrl: build,
    async signIn(given?: SignInOptions) {
      const page = settings.page()
      if (page === undefined) throw invalid('`signIn` needs a window')
      page.location.assign(await build(given))
    },
    handleCallback() {
      const page = settings.page()
      if (page === undefined) return Promise.resolve(undefined)
      const started = startCallback({ settings, provider, attempts, state }, page)
      if (started) callback = started.finally(state.settle)
      else if (!callback) state.settle()
      return callback ?? Promise.resolve(undefined)
    },
    get session() {
      return state.snapshot().session
    },
    subscribe: state.subscribe,
    getSnapshot: state.snapshot,
    fetch: createGuardedFetch(settings, state),
    async signOut() {
      attempts.clear()
      state.end()
    },
  })
}
