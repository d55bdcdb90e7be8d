/**
 * Response headers: what of an upstream answer a client gets to see, with addresses turned back to the proxy.
 *
 * forward → **response headers** → client. A list again: cookies, CORS, HSTS, challenges and whatever else
 * speaks for an origin are not the upstream's to set on ours.
 *
 * @module
 */
import { Fields } from './fields.ts'

const passed: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-security-policy',
  'content-type',
  'etag',
  'last-modified',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-accel-buffering',
  'x-error-code',
  'x-error-message',
  'x-inference-provider',
  'x-linked-etag',
  'x-linked-size',
  'x-repo-commit',
  'x-total-count',
  'x-xet-hash',
])

/** Handed out by the two routes that exist to hand them out. */
const xetCredential: ReadonlySet<string> = new Set([
  'x-xet-access-token',
  'x-xet-cas-url',
  'x-xet-token-expiration',
])

export interface Origins {
  readonly upstream: string
  /** Where clients reach the proxy. */
  readonly proxy: string
  /** Hosts a client may be sent to: exact, or a suffix that begins with a dot. */
  readonly redirectHosts: readonly string[]
}

export interface PassedHeadersOptions {
  readonly origins: Origins
  readonly requestId: string
  readonly xetRoute: boolean
}

/**
 * The headers to answer with, or `undefined` when the answer sends the client somewhere it must not go.
 */
export function passedHeaders(
  upstream: Fields,
  { origins, requestId, xetRoute }: PassedHeadersOptions,
): Fields | undefined {
  const headers = new Fields()
  for (const [name, value] of upstream) {
    if (passed.has(name) || (xetRoute && xetCredential.has(name))) headers.set(name, value)
  }
  const location = upstream.get('location')
  if (location !== null) {
    const address = publicAddress(location, origins)
    if (address === undefined) return undefined
    headers.set('location', address)
  }
  const links = upstream.get('link')
  const link = links === null ? undefined : rewriteLinks(links, origins)
  if (link !== undefined) headers.set('link', link)
  // Whoever keeps it asks again each time, and so is judged again.
  headers.set('cache-control', 'private, no-cache')
  headers.set('vary', 'Authorization, Origin')
  headers.set('x-content-type-options', 'nosniff')
  headers.set('x-request-id', requestId)
  return headers
}

/**
 * An address as the client may follow it: the upstream's own become ours, so that what they name is judged
 * like any other request; others pass only by https and on the list.
 */
export function publicAddress(
  location: string,
  { upstream, proxy, redirectHosts }: Origins,
): string | undefined {
  if (/[\u0000-\u0020\u007f\\]/.test(location) || !URL.canParse(location, upstream)) return undefined
  const url = new URL(location, upstream)
  if (url.username !== '' || url.password !== '') return undefined
  if (url.origin === upstream) return proxy + url.pathname + url.search
  const listed = redirectHosts.some((host) =>
    host.startsWith('.') ? url.hostname.endsWith(host) : url.hostname === host,
  )
  return listed && url.protocol === 'https:' && url.port === '' ? url.href : undefined
}

/** Each link is rewritten by itself; one that leads nowhere allowed is left out. */
function rewriteLinks(header: string, origins: Origins): string | undefined {
  const links = [...header.matchAll(/<([^<>]*)>((?:\s*;\s*[a-z]+="?[^",;<>]*"?)*)/gi)].flatMap(
    ([, address = '', parameters = '']) => {
      const rewritten = publicAddress(address, origins)
      return rewritten === undefined ? [] : [`<${rewritten}>${parameters}`]
    },
  )
  return links.length === 0 ? undefined : links.join(', ')
}

/** Whether an answer is one of server-sent events. */
export function isEventStream(headers: Pick<Headers, 'get'>): boolean {
  return /^text\/event-stream *(?:;|$)/i.test(headers.get('content-type') ?? '')
}
