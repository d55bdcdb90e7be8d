/**
 * Forward: sends what was judged to where the configuration says, and gives back what came.
 *
 * decision → **forward** → answer. The address is the configured origin and the path that was judged; no
 * redirect is followed, so the credential meets no other host.
 *
 * @module
 */

import { Fields } from '../wire/fields.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import type { Reply } from '../wire/reply.ts'
import { Stop } from '../wire/stop.ts'
import type { UpstreamCredential } from './credentials.ts'
import type { Send } from './upstream-client.ts'

export interface ForwardOptions {
  readonly send: Send
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
  readonly headers: Fields
  readonly body: ReadableStream<Uint8Array> | string | undefined
  readonly credential: UpstreamCredential | undefined
  /** Git takes a token for a password. Default `Bearer`. */
  readonly scheme?: 'Bearer' | 'Basic'
  /** Of the request that this is done for. */
  readonly stop: Stop
}

const late = 'late'

/**
 * @throws ProxyRefusal `upstream_unavailable` or `upstream_timeout`, without what went wrong: it may name
 * hosts inside.
 */
export async function forward(outbound: Outbound, { send, timeoutMs }: ForwardOptions): Promise<Reply> {
  const { method, origin, path, search, body, credential, scheme } = outbound
  const headers = new Fields(outbound.headers)
  if (credential !== undefined) headers.set('authorization', authorization(credential, scheme))
  const stop = new Stop()
  outbound.stop.onStop((reason) => stop.stop(reason))
  const timer = setTimeout(() => stop.stop(late), timeoutMs)
  try {
    return await send({ method, origin, path: `${path}${search}`, headers, body, stop })
  } catch {
    throw new ProxyRefusal(stop.reason === late ? 'upstream_timeout' : 'upstream_unavailable')
  } finally {
    clearTimeout(timer)
  }
}

function authorization({ token }: UpstreamCredential, scheme: 'Bearer' | 'Basic' = 'Bearer'): string {
  return `${scheme} ${scheme === 'Basic' ? Buffer.from(`token:${token}`).toString('base64') : token}`
}
