/** hfauth in the page: the client, the rules of one person, the first answer; fetches with its token, and its end. */
import { createAuth, createPermissions } from '@hfauth/browser'

declare const CONFIG: { readonly issuer: string; readonly clientId: string; readonly redirectUri: string }

let skewMs = 0
const auth = createAuth({ ...CONFIG, allowLoopbackHttp: true, now: () => Date.now() + skewMs })

/** From nothing to the first answer, for somebody who is signed in already. */
export async function boot(): Promise<boolean> {
  const session = { id: 'bench', sub: 'ana', scopes: ['openid'] } as unknown as NonNullable<
    typeof auth.session
  >
  const permissions = createPermissions({ session, subscribe: auth.subscribe, fetch })
  await permissions.load('/snapshot.json')
  return permissions.can('read', 'model:org7/vision-3')
}

export async function signIn(): Promise<boolean> {
  if (auth.session === undefined) await auth.handleCallback()
  if (auth.session === undefined) await auth.signIn()
  return auth.session !== undefined
}

/** Two hours later by the clock of this page; a token lives for one. */
export function expire(): void {
  skewMs += 7_200_000
}

export const call = (path: string): Promise<Response> => auth.fetch(path)
export const callRenewed = call
