/** What one would put together without hfauth: oidc-client-ts for the token, CASL for the rules. */
import { createMongoAbility, subject } from '@casl/ability'
import { InMemoryWebStorage, User, UserManager, WebStorageStateStore } from 'oidc-client-ts'

declare const CONFIG: { readonly issuer: string; readonly clientId: string; readonly redirectUri: string }

function createManager(): UserManager {
  return new UserManager({
    authority: CONFIG.issuer,
    client_id: CONFIG.clientId,
    redirect_uri: CONFIG.redirectUri,
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
  })
}

async function withUser(): Promise<UserManager> {
  const manager = createManager()
  await manager.storeUser(
    new User({
      access_token: 'token-of-the-bench',
      token_type: 'Bearer',
      profile: { sub: 'ana', iss: CONFIG.issuer, aud: CONFIG.clientId, exp: 4e9, iat: 1 },
      expires_at: 4e9,
    }),
  )
  return manager
}

/** From nothing to the first answer, for somebody who is signed in already. */
export async function boot(): Promise<boolean> {
  const manager = await withUser()
  const user = await manager.getUser()
  const rules = await (await fetch('/rules.json')).json()
  return user !== null && createMongoAbility(rules).can('read', subject('model', { id: 'org7/vision-3' }))
}

const manager = withUser()

export async function call(): Promise<Response> {
  const user = await (await manager).getUser()
  return fetch('/ping', { headers: { authorization: `Bearer ${user?.access_token}` } })
}
