/** oidc-client-ts by an application that has thought of the others: one renews, in a lock, and the rest look again. */
import { callWith, expire, manager, signIn } from './oidc-client.ts'

export { expire, signIn }

export async function callRenewed(path: string): Promise<Response> {
  let user = await manager.getUser()
  if (user?.expired) {
    user = await navigator.locks.request('renew', async () => {
      const later = await manager.getUser()
      return later?.expired ? manager.signinSilent() : later
    })
  }
  return callWith(path, user)
}
