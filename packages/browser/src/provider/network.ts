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

export interface ExchangeOptions {
  /** Sent by POST; without it the address is asked by GET. */
  readonly body?: URLSearchParams
  /** Ask the provider itself, not the browser's cache. */
  readonly fresh?: boolean
}

/** The provider gave no usable answer. Code `HFAUTH_ISSUER_UNAVAILABLE`. */
export class ProviderUnavailableError extends HfAuthError {
  /** It said so itself, with a status: then what was sent has not been used up. */
  readonly answered: boolean
  /** When the provider wants to be asked again, as far as the browser lets the page read it. */
  readonly retryAfterMs: number

  constructor(message: string, retryable: boolean, answered = false, retryAfterMs = 0) {
    super('HFAUTH_ISSUER_UNAVAILABLE', message, { retryable })
    this.answered = answered
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * Sends a request and reads the whole answer within `requestTimeoutMs`.
 *
 * @returns The answer with its body in memory; its status is below 500 and not 429, and it is JSON when it is a success.
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE`.
 */
export async function exchange(
  { fetch, requestTimeoutMs, now }: Settings,
  url: string,
  { body, fresh = body !== undefined }: ExchangeOptions = {},
): Promise<Response> {
  const { pathname } = new URL(url)
  try {
    const response = await fetch(url, {
      method: body ? 'POST' : 'GET',
      headers: { accept: 'application/json' },
      body: body ?? null,
      cache: fresh ? 'no-store' : 'default',
      credentials: 'omit',
      redirect: 'manual',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(requestTimeoutMs),
    })
    const { ok, status, headers } = response
    if (status >= 500 || status === 429) {
      const wait = retryAfterMs(headers.get('retry-after') ?? '', now())
      throw new ProviderUnavailableError(`\`${pathname}\` answered ${status}`, true, true, wait)
    }
    if (!ok && status < 400) throw unavailable(`\`${pathname}\` redirects`, false)
    if (ok && !/^application\/(\S+\+)?json\b/i.test(headers.get('content-type') ?? '')) {
      throw unavailable(`\`${pathname}\` did not answer with JSON`, false)
    }
    return new Response((await response.text()) || null, { status, headers })
  } catch (error) {
    // The network's own error is left out: some name the address with everything in it.
    throw error instanceof HfAuthError
      ? error
      : unavailable(
          `\`${pathname}\` cannot be reached: no network, too slow, or not open to pages (CORS)`,
          true,
        )
  }
}

/**
 * Asks for a document that the provider publishes.
 *
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE`, also when it is no JSON object.
 */
export async function readDocument(
  settings: Settings,
  url: string,
  fresh = false,
): Promise<Readonly<Record<string, unknown>>> {
  const response = await exchange(settings, url, { fresh })
  const found: unknown = response.status === 200 ? await response.json().catch(() => null) : null
  if (typeof found === 'object' && found !== null) return found as Record<string, unknown>
  throw unavailable(`\`${new URL(url).pathname}\` answered ${response.status} without a JSON object`, false)
}

export function unavailable(message: string, retryable: boolean): HfAuthError {
  return new ProviderUnavailableError(message, retryable)
}

/** Seconds or a date, RFC 9110 §10.2.3. What nobody can read asks for no wait. */
function retryAfterMs(header: string, now: number): number {
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(wait) ? Math.max(wait, 0) : 0
}
