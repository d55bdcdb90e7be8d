/**
 * Userinfo: what the provider tells of the person beside the ID token, such as the organisations at Hugging Face.
 *
 * parts, guarded fetch → **userinfo** → the page. Counts only when it is about the person who is signed in.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { partsOf } from '../parts.ts'
import { unavailable } from '../provider/network.ts'
import type { Session } from '../session/session.ts'
import { signedOut } from '../vault/grant.ts'

export type Userinfo = Readonly<Record<string, unknown>>

/** What is needed of `createAuth`, whose own it has to be. */
export interface UserinfoAuth {
  readonly session: Session | undefined
  readonly fetch: typeof globalThis.fetch
}

/**
 * Asks the provider, with the access token: its address has to be listed under `apiOrigins`, at Hugging Face
 * `https://huggingface.co/oauth/`.
 *
 * @throws HfAuthError `HFAUTH_SIGNED_OUT`, `HFAUTH_ORIGIN_REFUSED`, `HFAUTH_ISSUER_UNAVAILABLE`, or
 *   `HFAUTH_SIGNIN_INVALID` when the answer is about somebody else.
 * @see OpenID Connect Core §5.3.2
 */
export async function readUserinfo(auth: UserinfoAuth): Promise<Userinfo> {
  const { provider, settings } = partsOf(auth)
  const { userinfo_endpoint: endpoint } = await provider.metadata()
  if (typeof endpoint !== 'string') throw unavailable('the metadata has no `userinfo_endpoint`', false)
  const { session } = auth
  if (session === undefined) throw signedOut('nobody is signed in')
  const response = await auth.fetch(endpoint, {
    headers: { accept: 'application/json' },
    cache: 'no-store',
    signal: AbortSignal.timeout(settings.requestTimeoutMs),
  })
  const { ok, status } = response
  const answer: unknown = ok ? await response.json().catch(() => null) : null
  if (typeof answer !== 'object' || answer === null) {
    throw unavailable(
      `the userinfo endpoint answered ${status} without claims`,
      status >= 500 || status === 429,
    )
  }
  if ((answer as Userinfo).sub !== session.sub || auth.session?.sub !== session.sub) {
    throw new HfAuthError('HFAUTH_SIGNIN_INVALID', 'the userinfo is about another person than the ID token')
  }
  return Object.freeze(answer as Userinfo)
}
