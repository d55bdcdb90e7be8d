/**
 * Pass on: sends a request that was allowed, and reads the answer as the caller may see it.
 *
 * decide → record → **pass on** → client.
 *
 * @module
 */
import { readAnswer } from './answer.ts'
import { forward, type Outbound } from './forward.ts'
import type { Inbound } from './inbound.ts'
import type { Known, Parts } from './known.ts'
import { ProxyRefusal } from './proxy-refusal.ts'
import type { Reply } from './reply.ts'
import { forwardedHeaders } from './request-headers.ts'
import type { Stop } from './stop.ts'
import type { Send } from './upstream-client.ts'

/** What of a request differs between a resource and a list, on its way upstream. */
export interface Outgoing extends Pick<Outbound, 'search' | 'headers' | 'body' | 'credential' | 'stop'> {
  /** The revision asked for: the answer must be about it. */
  readonly revision: string | undefined
  /** The provider asked for: the answer must be from it. */
  readonly provider?: string | undefined
}

/** @throws ProxyRefusal as `forward` and `readAnswer` do. */
export async function passOn(known: Known, outgoing: Outgoing, parts: Parts): Promise<Reply> {
  const { inbound, target, match, caller, address } = known
  const { settings, resourceMetadataUrl } = parts
  const { revision, provider, ...rest } = outgoing
  const { method } = inbound
  const origin = upstreamOrigin(known, settings)
  if (settings.billTo !== undefined && match.action === 'infer' && address.deployed === undefined) {
    rest.headers.set('x-hf-bill-to', settings.billTo)
  }
  const scheme = isGitTransport(match.route.path) ? 'Basic' : 'Bearer'
  const { send, upstreamTimeoutMs: timeoutMs } = settings
  const options = {
    method,
    origins: {
      upstream: origin,
      proxy: settings.publicOrigin ?? inbound.origin,
      redirectHosts: settings.redirectHosts,
    },
    requestId: caller.requestId,
    resourceMetadataUrl,
    secret: outgoing.credential?.token,
    xetRoute: /\/xet-(?:read|write)-token/.test(match.route.path),
    revision,
    provider,
  }
  const response = await forward({ ...rest, method, origin, path: target.path, scheme }, { send, timeoutMs })
  const answer = await readAnswer(response, options)
  const location = answer.headers.get('location')
  const isOutside = location !== null && !location.startsWith(`${options.origins.proxy}/`)
  if (settings.signedUrls === 'pass') return answer
  if (/\/resolve(?:-cache)?\//.test(match.route.path)) {
    // Clients that read of chunks would fetch them past the proxy; without a word of them they take the file.
    for (const name of ['x-xet-hash', 'link']) answer.headers.delete(name)
  }
  if (!isOutside) return answer
  if (method !== 'GET' && method !== 'HEAD') throw new ProxyRefusal('upstream_mismatch')
  return throughStore(new URL(location), answer, { inbound, stop: rest.stop, send, timeoutMs, options })
}

interface StoreRequest {
  readonly inbound: Inbound
  readonly stop: Stop
  readonly send: Send
  readonly timeoutMs: number
  readonly options: Parameters<typeof readAnswer>[1]
}

/** Fetches from the file store what a signed address leads to; the address itself never leaves this machine. */
async function throughStore(url: URL, redirect: Reply, request: StoreRequest): Promise<Reply> {
  const { inbound, stop, send, timeoutMs, options } = request
  const headers = forwardedHeaders(inbound.headers)
  for (const name of ['content-length', 'content-type', 'git-protocol']) headers.delete(name)
  const stored = await forward(
    {
      method: inbound.method,
      origin: url.origin,
      path: url.pathname,
      search: url.search,
      headers,
      body: undefined,
      credential: undefined,
      stop,
    },
    { send, timeoutMs },
  )
  const answer = await readAnswer(stored, {
    ...options,
    secret: undefined,
    revision: undefined,
    provider: undefined,
  })
  // A store that sends on again is not the one that was judged.
  if (answer.headers.has('location')) throw new ProxyRefusal('upstream_mismatch')
  for (const name of ['x-repo-commit', 'x-linked-etag', 'x-linked-size']) {
    const value = redirect.headers.get(name)
    if (value !== null) answer.headers.set(name, value)
  }
  return answer
}

function upstreamOrigin({ address, match }: Known, { origins }: Parts['settings']): string {
  const origin = address.deployed?.origin ?? origins[match.route.host]
  if (origin === undefined) throw new ProxyRefusal('route_unknown')
  return origin
}

export function isGitTransport(path: string): boolean {
  return /\/(?:info\/refs|git-upload-pack|git-receive-pack)$/.test(path)
}

/** Whether Git or Git LFS asks. */
export function isGitRoute(path: string): boolean {
  return isGitTransport(path) || path.endsWith('/info/lfs/objects/batch')
}
