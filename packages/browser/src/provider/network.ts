/**
 * Network: one bounded exchange with the provider.
 *
 * **network** → oauth. Cookies stay at home, no redirect is followed, and a failure that will pass
 * is told from an answer that will not change.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { Settings } from '../options.ts'

export interface ProviderRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: URLSearchParams | undefined
}

/**
 * Sends a request and reads the whole answer within `requestTimeoutMs`.
 *
 * @returns The answer with its body in memory; its status is below 500 and not 429, and it is JSON when it is a success.
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE`.
 */
export async function exchange(
  { fetch, requestTimeoutMs }: Settings,
  url: string,
  { method, headers, body }: ProviderRequest,
): Promise<Response> {
  const { pathname } = new URL(url)
  try {
    const response = await fetch(url, {
      method,
      headers,
      body: body ?? null,
      cache: method === 'POST' ? 'no-store' : 'default',
      credentials: 'omit',
      redirect: 'manual',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(requestTimeoutMs),
    })
    const { status } = response
    if (status >= 500 || status === 429) throw unavailable(`\`${pathname}\` answered ${status}`, true)
    if (status < 200 || (status > 299 && status < 400)) throw unavailable(`\`${pathname}\` redirects`, false)
    if (status < 300 && !/^application\/(\S+\+)?json\b/i.test(response.headers.get('content-type') ?? '')) {
      throw unavailable(`\`${pathname}\` did not answer with JSON`, false)
    }
    return new Response((await response.text()) || null, { status, headers: response.headers })
  } catch (error) {
    // The network's own error is left out: some name the address with everything in it.
    throw error instanceof HfAuthError ? error : unavailable(`\`${pathname}\` cannot be reached`, true)
  }
}

export function unavailable(message: string, retryable: boolean): HfAuthError {
  return new HfAuthError('HFAUTH_ISSUER_UNAVAILABLE', message, { retryable })
}
