/**
 * Guarded fetch: `fetch` with the access token, for the origins on the list and no other.
 *
 * session state → **guarded fetch** → APIs. Looks at no answer: bodies stream through, and a redirect is left to
 * the browser, which drops the `Authorization` header on the way to another origin (Fetch, HTTP-redirect fetch).
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { Settings } from '../options.ts'
import { isSecureUrl, parseUrl } from '../secure-url.ts'
import type { SessionState } from './session-state.ts'

/**
 * @throws HfAuthError inside the promise: `HFAUTH_ORIGIN_REFUSED` before anything is sent, `HFAUTH_SIGNED_OUT`.
 * @see RFC 6750 §2.1, §5.3
 */
export function createGuardedFetch(settings: Settings, state: SessionState): typeof globalThis.fetch {
  const { apiOrigins, allowLoopbackHttp, page, fetch } = settings

  function mayReceiveToken(url: URL): boolean {
    const here = page()?.location.href
    const origins = apiOrigins ?? (here === undefined ? [] : [new URL(here).origin])
    return isSecureUrl(url, allowLoopbackHttp) && origins.includes(url.origin)
  }

  return async (input, init) => {
    const from = page()
    const given = input instanceof Request ? input.url : input
    const url = parseUrl(given, from?.document?.baseURI ?? from?.location.href)
    if (url === undefined || !mayReceiveToken(url)) {
      const target = url === undefined || url.origin === 'null' ? 'that address' : `\`${url.origin}\``
      throw new HfAuthError('HFAUTH_ORIGIN_REFUSED', `the access token may not be sent to ${target}`)
    }
    const token = state.accessToken()
    if (token === undefined) throw new HfAuthError('HFAUTH_SIGNED_OUT', 'nobody is signed in, or no longer')
    // What was checked is what is sent: the address is not resolved a second time.
    const request = new Request(input instanceof Request ? input : url, init)
    request.headers.set('authorization', `Bearer ${token}`)
    return fetch(request)
  }
}
