/**
 * Download: a text that is asked for again under the `ETag` it came with, so that an answer without news is an
 * empty one.
 *
 * guarded fetch → **download** → snapshot source, policy source.
 *
 * @see RFC 9110 §13.1.2
 * @module
 */
import { HfAuthError } from '@hfauth/core'

export interface DownloadOptions {
  readonly fetch: typeof globalThis.fetch
  readonly timeoutMs: number
  /** The `ETag` of what is known already. */
  readonly version: string | undefined
  /** What is downloaded, for messages. */
  readonly what: 'snapshot' | 'policy'
}

export interface Downloaded {
  readonly text: string
  readonly version: string | undefined
}

/**
 * @returns `undefined` when what is known as `version` is still right.
 * @throws HfAuthError `HFAUTH_SNAPSHOT_INVALID`, `retryable` when a later attempt may succeed; and those of `fetch`.
 */
export async function download(
  address: string | URL,
  { fetch, timeoutMs, version, what }: DownloadOptions,
): Promise<Downloaded | undefined> {
  try {
    const response = await fetch(address, {
      headers: {
        accept: 'application/json',
        // With `no-store` alone the browser would add `no-cache`, at which servers send the whole again.
        ...(version !== undefined && { 'if-none-match': version, 'cache-control': 'max-age=0' }),
      },
      signal: AbortSignal.timeout(timeoutMs),
      cache: 'no-store',
    })
    const { status, headers } = response
    if (status === 304 && version !== undefined) return undefined
    if (status !== 200)
      throw unusable(what, `its address answered ${status}`, status >= 500 || status === 429)
    // Another origin's tag is seen only where it is exposed, and there the condition will be allowed as well.
    return { text: await response.text(), version: headers.get('etag') ?? undefined }
  } catch (error) {
    throw error instanceof HfAuthError ? error : unusable(what, 'its address cannot be reached', true)
  }
}

export function unusable(what: DownloadOptions['what'], why: string, retryable = false): HfAuthError {
  return new HfAuthError('HFAUTH_SNAPSHOT_INVALID', `the ${what} cannot be used: ${why}`, { retryable })
}
