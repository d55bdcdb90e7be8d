/**
 * Parts: what stands behind an `Auth`, for what a page loads only when it uses it.
 *
 * create auth → **parts** → pop-up, capabilities. Nothing of it can be reached from the `Auth` itself.
 *
 * @module
 */
import { invalid, type Settings } from './options.ts'
import type { Provider } from './provider/oauth.ts'
import type { Renewal } from './session/renewal.ts'
import type { SessionState } from './session/session-state.ts'
import type { Vault } from './vault/vault.ts'

export interface AuthParts {
  readonly settings: Settings
  readonly provider: Provider
  readonly vault: Vault
  readonly state: SessionState
  readonly renewal: Renewal
  /** Sign-ins in other windows that may still be completed; emptied by a sign-out. */
  readonly elsewhere: Set<object>
}

const known = new WeakMap<object, AuthParts>()

export function rememberParts(auth: object, parts: AuthParts): void {
  known.set(auth, parts)
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `auth` does not come from `createAuth`. */
export function partsOf(auth: object): AuthParts {
  const parts = known.get(auth)
  if (parts === undefined) throw invalid('`auth` must come from `createAuth`')
  return parts
}
