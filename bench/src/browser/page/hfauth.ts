/** hfauth in the page: the client, the rules of one person, the first answer; and fetches with its token. */
import { createAuth, createPermissions } from '@hfauth/browser'

declare const CONFIG: { readonly issuer: string; readonly clientId: string; readonly redirectUri: string }

const auth = createAuth({ ...CONFIG, allowLoopbackHttp: true })

/** From nothing to the first answer, for somebody who is signed in already. */
export async function boot(): Promise<boolean> {
  const session = { sub: 'ana', scopes: ['openid'] } as unknown as NonNullable<typeof auth.session>
  const permissions = createPermissions({ session, subscribe: auth.subscribe, fetch })
  await permissions.load('/snapshot.json')
  return permissions.can('read', 'model:org7/vision-3')
}

export async function signIn(): Promise<boolean> {
  if (auth.session === undefined) await auth.handleCallback()
  if (auth.session === undefined) await auth.signIn()
  return auth.session !== undefined
}

export const call = (): Promise<Response> => auth.fetch('/ping')
