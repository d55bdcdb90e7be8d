/**
 * By backend: tokens from the application's own server, which keeps the session and its refresh token.
 *
 * options → **by backend** → create auth. The page holds nothing that outlives it; a reload asks the server again.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { ProviderUnavailableError } from '../provider/network.ts'
import type { RenewalWay } from '../session/renewal.ts'
import { readBackendAnswer } from './backend-answer.ts'

export interface BackendOptions {
  /**
   * Address on the page's origin. It is asked by POST with the session's cookie and `x-hfauth: renew`, and answers
   * `{ access_token, expires_in, scope, claims }` (seconds; scopes separated by spaces; `claims` with `sub`), or 401
   * when there is no session.
   */
  readonly url: string
}

/** Asks the server at the start of the page as well: whoever has a session there is signed in here. */
export function byBackend({ url }: BackendOptions): RenewalWay {
  return {
    name: 'backend',
    atStart: true,
    async renew({ settings, vault }) {
      const answer = await ask(settings.fetch, url, settings.requestTimeoutMs)
      if (answer === undefined) return false
      await vault.accept(readBackendAnswer(answer, settings.now()))
      return true
    },
  }
}

/** @returns `undefined` when the server says that there is no session. */
async function ask(fetch: typeof globalThis.fetch, url: string, timeoutMs: number): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      // A form of another site cannot send it.
      headers: { accept: 'application/json', 'x-hfauth': 'renew' },
      mode: 'same-origin',
      credentials: 'same-origin',
      redirect: 'error',
      cache: 'no-store',
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (response.status === 200) return await response.json()
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new HfAuthError('HFAUTH_SIGNIN_INVALID', 'the backend sent no JSON')
    throw new ProviderUnavailableError('the backend cannot be reached', true)
  }
  const { status } = response
  if (status === 401) return undefined
  throw new ProviderUnavailableError(`the backend answered ${status}`, status >= 500 || status === 429, true)
}
