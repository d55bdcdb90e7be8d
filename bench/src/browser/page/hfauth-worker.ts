/** hfauth with its tokens in a dedicated worker: fetches by it. */
import { createAuth, inWorker } from '@hfauth/browser'

declare const CONFIG: { readonly issuer: string; readonly clientId: string; readonly redirectUri: string }

const worker = new Worker('/worker.js', { type: 'module' })
const auth = createAuth({ ...CONFIG, allowLoopbackHttp: true, vault: inWorker(worker) })

export async function signIn(): Promise<boolean> {
  if (auth.session === undefined) await auth.handleCallback()
  if (auth.session === undefined) await auth.signIn()
  return auth.session !== undefined
}

export const call = (path: string): Promise<Response> => auth.fetch(path)
