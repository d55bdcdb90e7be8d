/**
 * Forward: sends what was judged to where the configuration says, and gives back what came.
 *
 * decision → **forward** → answer. The address is the configured origin and the path that was judged; no
 * redirect is followed, so the credential meets no other host.
 *
 * @module
 */
import type { UpstreamCredential } from './credentials.ts'
import { ProxyRefusal } from './proxy-refusal.ts'

export interface ForwardOptions {
  readonly fetch: typeof globalThis.fetch
  /** Longest wait for the first byte of the answer's header, in milliseconds. */
  readonly timeoutMs: number
}

export interface Outbound {
  readonly method: string
  /** Origin of the Hub or the router. */
  readonly origin: string
  /** As it was judged, still percent-encoded. */
  readonly path: string
  readonly search: string
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array> | string | undefined
  readonly credential: UpstreamCredential | undefined
  /** Git takes a token for a password. Default `Bearer`. */
  readonly scheme?: 'Bearer' | 'Basic'
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
}

/**
 * @throws ProxyRefusal `upstream_unavailable` or `upstream_timeout`, without what went wrong: it may name
 * hosts inside.
 */
export async function forward(outbound: Outbound, { fetch, timeoutMs }: ForwardOptions): Promise<Response> {
  const { method, origin, path, search, body, credential, signal } = outbound
  const headers = new Headers(outbound.headers)
  if (credential !== undefined) headers.set('authorization', authorization(credential, outbound.scheme))
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), timeoutMs)
  const over = AbortSignal.any([signal, late.signal])
  const init: RequestInit & { duplex?: 'half' } = {
    method,
    headers,
    redirect: 'manual',
    signal: over,
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  }
  try {
    return await settledBy(over, fetch(`${origin}${path}${search}`, init))
  } catch {
    throw new ProxyRefusal(late.signal.aborted ? 'upstream_timeout' : 'upstream_unavailable')
  } finally {
    clearTimeout(timer)
  }
}

function authorization({ token }: UpstreamCredential, scheme: 'Bearer' | 'Basic' = 'Bearer'): string {
  return `${scheme} ${scheme === 'Basic' ? Buffer.from(`token:${token}`).toString('base64') : token}`
}

/** An answer, or an error as soon as nobody waits for it any more, whatever the client makes of the signal. */
function settledBy(over: AbortSignal, answering: Promise<Response>): Promise<Response> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(over.reason)
    over.addEventListener('abort', stop, { once: true })
    answering.then(
      (response) => {
        over.removeEventListener('abort', stop)
        if (over.aborted) void response.body?.cancel().catch(() => undefined)
        resolve(response)
      },
      (error) => reject(error),
    )
    if (over.aborted) stop()
  })
}
