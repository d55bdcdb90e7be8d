/** A client by oidc-client-ts whose tabs share one sign-in, which it keeps in `localStorage` for that. */
import { User, UserManager, WebStorageStateStore } from 'oidc-client-ts'

declare const CONFIG: { readonly issuer: string; readonly clientId: string; readonly redirectUri: string }

export const manager = new UserManager({
  authority: CONFIG.issuer,
  client_id: CONFIG.clientId,
  redirect_uri: CONFIG.redirectUri,
  automaticSilentRenew: false,
  userStore: new WebStorageStateStore({ store: localStorage }),
})

export async function signIn(): Promise<boolean> {
  if (new URL(location.href).searchParams.has('code')) {
    await manager.signinCallback()
    history.replaceState(null, '', '/')
  }
  if ((await manager.getUser()) !== null) return true
  await manager.signinRedirect()
  return false
}

/** The token has ended as far as this page knows. */
export async function expire(): Promise<void> {
  const user = await manager.getUser()
  if (user !== null) await manager.storeUser(new User({ ...user, expires_at: 1 }))
}

export const callWith = (path: string, user: User | null): Promise<Response> =>
  fetch(path, { headers: { authorization: `Bearer ${user?.access_token}` } })
