/**
 * Use session: who is signed in, kept up to date.
 *
 * provider → **use session** → components.
 *
 * @module
 */
import { useSyncExternalStore } from 'react'
import type { Auth } from '../create-auth.ts'
import type { AuthState } from '../session/session-state.ts'
import { useProvided } from './provider.ts'

/** What a server renders, and the first render of a page: nobody has looked at the address yet. */
const unknown: AuthState = /* @__PURE__ */ Object.freeze({ status: 'unknown', session: undefined })

/** The `auth` of the provider, for `signIn`, `signOut` and `fetch`. */
export function useAuth(): Auth {
  return useProvided().auth
}

/** Status and session; renders again when they change, in every tab. */
export function useSession(): AuthState {
  const { auth } = useProvided()
  return useSyncExternalStore(auth.subscribe, auth.getSnapshot, () => unknown)
}
