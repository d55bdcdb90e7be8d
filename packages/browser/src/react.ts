/**
 * `@hfauth/browser/react`: the session and the permissions of a page, for React.
 *
 * An entry of its own, so that nothing of React is in the root; React is the application's, from version 18 on.
 *
 * @module
 */

export { Can, type CanProps } from './react/can.ts'
export { AuthProvider, type AuthProviderProps } from './react/provider.ts'
export { type AccessView, useAccess } from './react/use-access.ts'
export { useAuth, useSession } from './react/use-session.ts'
