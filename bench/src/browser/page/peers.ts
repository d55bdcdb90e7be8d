/** What one would put together without hfauth: oidc-client-ts for the token, CASL for the rules. */
import { createMongoAbility, subject } from '@casl/ability'
import { InMemoryWebStorage, User, UserManager, WebStorageStateStore } from 'oidc-client-ts'
import { callWith, expire, manager, signIn } from './oidc-client.ts'

export { expire, signIn }

declare const CONFIG: { readonly issuer: string; readonly clientId: string; readonly redirectUri: string }

/** From nothing to the first answer, for somebody who is signed in already. */
export async function boot(): Promise<boolean> {
  const memory = new UserManager({
    authority: CONFIG.issuer,
    client_id: CONFIG.clientId,
    redirect_uri: CONFIG.redirectUri,
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
  })
  await memory.storeUser(
    new User({
      access_token: 'token-of-the-bench',
      token_type: 'Bearer',
      profile: { sub: 'ana', iss: CONFIG.issuer, aud: CONFIG.clientId, exp: 4e9, iat: 1 },
      expires_at: 4e9,
    }),
  )
  const user = await memory.getUser()
  const rules = await (await fetch('/rules.json')).json()
  return user !== null && createMongoAbility(rules).can('read', subject('model', { id: 'org7/vision-3' }))
}

export const call = async (path: string): Promise<Response> => callWith(path, await manager.getUser())

/** As its documentation has it: whoever finds the token ended renews. */
export async function callRenewed(path: string): Promise<Response> {
  const user = await manager.getUser()
  return callWith(path, user?.expired ? await manager.signinSilent() : user)
}
