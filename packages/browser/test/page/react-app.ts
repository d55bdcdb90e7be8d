/**
 * React app: the smallest page of components, rendered by a server and hydrated in a browser.
 *
 * @module
 */
import { createElement as h, type ReactElement, StrictMode } from 'react'
import { type Auth, createAuth, createPermissions, type Permissions } from '../../src/index.ts'
import { AuthProvider, Can, useAccess, useAuth, useSession } from '../../src/react.ts'

export interface AppConfig {
  readonly issuer: string
  readonly clientId: string
  readonly redirectUri: string
}

export interface AppParts {
  readonly auth: Auth
  readonly permissions: Permissions
}

export function createParts(config: AppConfig): AppParts {
  const auth = createAuth({ ...config, scopes: ['inference-api'], allowLoopbackHttp: true })
  return { auth, permissions: createPermissions(auth, { source: '/api/access', minRefreshSeconds: 0 }) }
}

export function App({ auth, permissions }: AppParts): ReactElement {
  return h(StrictMode, null, h(AuthProvider, { auth, permissions }, h(Page)))
}

function Page(): ReactElement {
  const auth = useAuth()
  const { status, session } = useSession()
  const access = useAccess()
  return h(
    'main',
    null,
    h('p', { id: 'status' }, status),
    h('p', { id: 'who' }, session?.username ?? 'nobody'),
    h('p', { id: 'access' }, access.status),
    h(
      'p',
      { id: 'infer' },
      h(
        Can,
        { action: 'infer', resource: 'model:acme/vision-large', loading: 'loading', denied: 'denied' },
        'may infer',
      ),
    ),
    h(
      'p',
      { id: 'write' },
      h(Can, {
        action: 'write',
        resource: 'model:acme/vision-large',
        loading: 'loading',
        denied: 'denied',
        ask: (help, decision) => `${help.kind}: ${decision.reason}`,
      }),
    ),
    h('p', { id: 'read' }, h(Can, { action: 'read', resource: 'model:acme/x', maybe: 'maybe' })),
    h('button', { type: 'button', id: 'sign-in', onClick: () => void auth.signIn() }, 'Sign in'),
    h('button', { type: 'button', id: 'sign-out', onClick: () => void auth.signOut() }, 'Sign out'),
  )
}
