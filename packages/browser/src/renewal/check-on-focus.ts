/**
 * Check on focus: asks the provider whether the sign-in still stands when somebody looks at the page again.
 *
 * parts, renewal → **check on focus**. A renewal is the question: whoever was signed out at the provider, or whose account was
 * closed, is told so by the answer, and not first when the token ends. A function of its own, so that pages which wait for
 * that do not load it.
 *
 * @module
 */
import { partsOf } from '../parts.ts'

export interface FocusCheckOptions {
  /** How old a token has to be to be asked about, and the shortest time between two such questions. Default 300. */
  readonly afterSeconds?: number
}

/**
 * Watches for the page coming into view. What goes wrong on the way leaves the session as it is, as with each renewal.
 *
 * @param auth - From `createAuth`.
 * @returns Stops watching.
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `auth` does not come from `createAuth`.
 */
export function checkOnFocus(auth: object, { afterSeconds = 300 }: FocusCheckOptions = {}): () => void {
  const { settings, state, renewal } = partsOf(auth)
  const page = settings.page()
  let last = Number.NEGATIVE_INFINITY

  function check(): void {
    const now = settings.now()
    const { holding } = state
    if (holding === undefined || page?.document?.visibilityState === 'hidden') return
    const since = Math.max(holding.expiresAt - holding.lifetimeMs, last)
    if (now - since < afterSeconds * 1000) return
    last = now
    renewal.renew(holding.version).catch(() => {})
  }

  page?.addEventListener?.('focus', check)
  page?.document?.addEventListener?.('visibilitychange', check)
  return () => {
    page?.removeEventListener?.('focus', check)
    page?.document?.removeEventListener?.('visibilitychange', check)
  }
}
