/**
 * Provider: hands one `auth` and its permissions to the components below.
 *
 * create auth, permissions → **provider** → use session, use access. Holds no state of its own: what components
 * see comes from the two through `useSyncExternalStore`, so that concurrent renders agree.
 *
 * @module
 */
import { createContext, createElement, type ReactElement, type ReactNode, useContext, useEffect } from 'react'
import type { Permissions } from '../access/permissions.ts'
import type { Auth } from '../create-auth.ts'

export interface AuthProviderProps {
  /** Made once, outside of components. */
  readonly auth: Auth
  /** Made once for the same `auth`, with its `source`. Without it nothing is allowed. */
  readonly permissions?: Permissions | undefined
  /** Told when the sign-in in the address fails. Default: it is rethrown to the window, as an unhandled rejection. */
  readonly onError?: ((error: unknown) => void) | undefined
  readonly children?: ReactNode
}

interface Provided {
  readonly auth: Auth
  readonly permissions: Permissions | undefined
}

const Context = /* @__PURE__ */ createContext<Provided | undefined>(undefined)

/** Completes a sign-in when the address holds one, and provides for the hooks of this package. */
export function AuthProvider({ auth, permissions, onError, children }: AuthProviderProps): ReactElement {
  useEffect(() => {
    // Strict mode runs this twice: `handleCallback` shares one result between its calls.
    const done = auth.handleCallback()
    if (onError) done.catch(onError)
  }, [auth, onError])
  return createElement(Context.Provider, { value: { auth, permissions } }, children)
}

/** @throws Error outside of an `AuthProvider`: a mistake in the program, which a boundary should show. */
export function useProvided(): Provided {
  const provided = useContext(Context)
  if (provided === undefined) throw new Error('there is no `AuthProvider` above this component')
  return provided
}
