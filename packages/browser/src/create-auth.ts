/**
 * Create auth: puts the parts together for one page and one client.
 *
 * options → provider → vault → session → login → **create auth**. Holds no rule of its own.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { createAttempts } from './login/attempts.ts'
import { type SignInResult, startCallback } from './login/callback.ts'
import { besideHeld, buildSignInUrl, type SignInOptions } from './login/sign-in-url.ts'
import { type AuthOptions, invalid, readOptions } from './options.ts'
import { isFramed } from './page.ts'
import { rememberParts } from './parts.ts'
import { createProvider } from './provider/oauth.ts'
import type { StepUpWay } from './session/challenge.ts'
import type { AuthListener } from './session/events.ts'
import { createGuardedFetch } from './session/guarded-fetch.ts'
import { watchPage } from './session/page-cache.ts'
import { createRenewal, type RenewalWay } from './session/renewal.ts'
import type { Session } from './session/session.ts'
import { type AuthState, createSessionState } from './session/session-state.ts'
import { signedOut } from './vault/grant.ts'
import { createVault, type Vault, type VaultParts } from './vault/vault.ts'

export interface Auth {
  /**
   * Leaves for the provider. The promise settles when the browser has been told to go.
   *
   * @throws HfAuthError `HFAUTH_SIGNIN_FRAMED` in a frame of another site: providers refuse to be shown in one;
   *   `HFAUTH_SIGNIN_STATE` when an answer came that the browser has forgotten the sign-in of, and no click asks for
   *   another: a page that signs in by itself would go round in circles.
   */
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
  /** Who is signed in, as long as the access token lives or can be renewed. */
  readonly session: Session | undefined
  /** Calls `listener` after each change, with what it was; with `getSnapshot` it fits `useSyncExternalStore`. */
  subscribe(listener: AuthListener): () => void
  getSnapshot(): AuthState
  /**
   * `fetch` with the access token. Wait limits are the caller's, through `signal`: an answer may stream for long.
   *
   * A token that has ended is renewed first. An answer that calls it invalid is followed by one renewal and one
   * repeat, except for a `ReadableStream` as body, which can be read only once.
   *
   * @throws HfAuthError `HFAUTH_ORIGIN_REFUSED`, `HFAUTH_SIGNED_OUT`, those of `renew`; and what `fetch` itself throws.
   */
  readonly fetch: typeof globalThis.fetch
  /**
   * Renews now, whatever the clock says. Nobody needs to call it: this happens by itself.
   *
   * @throws HfAuthError `HFAUTH_SIGNED_OUT`, `HFAUTH_ISSUER_UNAVAILABLE` (try later; the session stays),
   *   `HFAUTH_RENEWAL_LOST` (the session ends with its access token), `HFAUTH_SIGNIN_REFUSED`, `HFAUTH_SIGNIN_INVALID`.
   */
  renew(): Promise<void>
  /**
   * Forgets tokens, session and sign-ins under way, here and in the other tabs, at once and without the network. Then
   * revokes the tokens where the provider takes that, and leaves for the provider when asked to.
   */
  signOut(options?: SignOutOptions): Promise<void>
}

export interface AuthExtensions {
  /** Where tokens are held. Default: in the memory of the page. See {@link inWorker}. */
  readonly vault?: (parts: VaultParts) => Vault
  /** Further ways to renew, tried in their order where there is no refresh token. Default none. */
  readonly renewal?: readonly RenewalWay[]
  /** What happens when an API wants a stronger sign-in or more scopes, see {@link byChallenge}. Default: `fetch` gives its answer. */
  readonly stepUp?: StepUpWay
}

export interface SignOutOptions {
  /** Ends the session at the provider too, by going there; does nothing more where it offers no way. Default false. */
  readonly atProvider?: boolean
  /** Registered address to come back to from there. */
  readonly returnTo?: string
}

/**
 * Creates the sign-in of a page. Touches no browser global until it is used, so it may be created on a server,
 * where it stays `unknown`.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID`.
 */
export function createAuth(options: AuthOptions & AuthExtensions): Auth {
  const settings = readOptions(options)
  const provider = createProvider(settings)
  const attempts = createAttempts(settings)
  const vault = (options.vault ?? createVault)({
    settings,
    provider,
    surroundings: () => settings.page() ?? {},
    home: () => settings.page()?.location.href,
    onChange: (change) => state.apply(change),
  })
  const state = createSessionState({
    now: settings.now,
    renewable: (holding) => renewal.canRenew(holding),
    onEnd: () => void vault.end('time'),
  })
  const ways = options.renewal ?? []
  const renewal = createRenewal(ways, { settings, provider, vault, state })
  const session = () => state.snapshot().session
  const elsewhere = new Set<object>()
  let callback: Promise<SignInResult | undefined> | undefined

  /** Whether an answer came here that nothing was known of, and nobody has touched the page since. */
  let forgotten = false

  const build = (given: SignInOptions = {}) =>
    buildSignInUrl(settings, provider, attempts, besideHeld(state, given))

  const auth: Auth = Object.freeze({
    buildSignInUrl: build,
    async signIn(given?: SignInOptions) {
      const page = settings.page()
      if (page === undefined) throw invalid('`signIn` needs a window')
      if (isFramed(page)) {
        throw new HfAuthError(
          'HFAUTH_SIGNIN_FRAMED',
          'no provider shows its login page in a frame of another site: use `signInWithPopup` or a link to `directSignInUrl`',
        )
      }
      if (forgotten) {
        throw new HfAuthError(
          'HFAUTH_SIGNIN_STATE',
          'the browser forgot the last sign-in: wait for a click before the next',
        )
      }
      page.location.assign(await build(given))
    },
    handleCallback() {
      const page = settings.page()
      if (page === undefined) return Promise.resolve(undefined)
      if (ways.some((way) => way.handsOver?.(settings))) return new Promise<undefined>(() => {})
      const started = startCallback({ settings, vault, attempts, session }, page)
      const settle = () => vault.restore().then(renewal.restore).finally(state.settle)
      if (!callback) {
        renewal.start()
        watchPage(page, { vault, state })
      }
      const next = started ? started.finally(settle) : (callback ?? settle().then(() => undefined))
      callback = next
      started?.catch((error: HfAuthError) => {
        if (error.code !== 'HFAUTH_SIGNIN_STATE') return
        forgotten = true
        const touched = () => {
          forgotten = false
        }
        // Before the page's own listeners, which may want to sign in. What browsers say of clicks may be about one that was
        // made at the provider.
        for (const type of ['click', 'keydown']) page.addEventListener?.(type, touched, true)
      })
      return next
    },
    get session() {
      return session()
    },
    subscribe: state.subscribe,
    getSnapshot: state.snapshot,
    fetch: createGuardedFetch({ settings, vault, state, renewal, stepUp: options.stepUp }),
    async renew() {
      if (state.holding === undefined) throw signedOut('nobody is signed in')
      await renewal.renew(state.holding.version)
    },
    async signOut({ atProvider = false, returnTo }: SignOutOptions = {}) {
      attempts.clear()
      elsewhere.clear()
      const leaving = atProvider ? vault.logoutUrl(returnTo).catch(() => undefined) : undefined
      await vault.end('this-tab')
      const url = await leaving
      if (url !== undefined) settings.page()?.location.assign(url)
    },
  })
  rememberParts(auth, { settings, provider, vault, state, renewal, elsewhere })
  return auth
}
