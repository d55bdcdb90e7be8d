/**
 * Pass on: sends a request that was allowed, and reads the answer as the caller may see it.
 *
 * decide → record → **pass on** → client.
 *
 * @module
 */
import type { HubAction } from '@hfauth/core'
import { withOwnLinks } from '../bodies/lfs-batch.ts'
import { isLfsBatch, isLfsLock, isLfsObject } from '../bodies/lfs-link.ts'
import { readAnswer } from '../upstream/answer.ts'
import { forward, type Outbound } from '../upstream/forward.ts'
import { throughStore } from '../upstream/through-store.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import type { Reply } from '../wire/reply.ts'
import type { Known, Parts } from './known.ts'
import { downloadLfs } from './lfs-download.ts'

/** What of a request differs between a resource and a list, on its way upstream. */
export interface Outgoing extends Pick<Outbound, 'search' | 'headers' | 'body' | 'credential' | 'stop'> {
  /** What it does, as it was judged: a batch reads or writes as its body says. */
  readonly action: HubAction
  /** The revision asked for: the answer must be about it. */
  readonly revision: string | undefined
  /** The provider asked for: the answer must be from it. */
  readonly provider?: string | undefined
}

/** @throws ProxyRefusal as `forward` and `readAnswer` do. */
export async function passOn(known: Known, outgoing: Outgoing, parts: Parts): Promise<Reply> {
  const { inbound, target, match, caller, address } = known
  const { settings, resourceMetadataUrl } = parts
  const { action, revision, provider, ...rest } = outgoing
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
  if (isLfsObject(match.route.path)) return downloadLfs(known, rest, settings, options)
  const response = await forward({ ...rest, method, origin, path: target.path, scheme }, { send, timeoutMs })
  const answer = await readAnswer(response, options)
  const location = answer.headers.get('location')
  const isOutside = location !== null && !location.startsWith(`${options.origins.proxy}/`)
  if (settings.signedUrls === 'pass') return answer
  if (/\/resolve(?:-cache)?\//.test(match.route.path)) {
    // Clients that read of chunks would fetch them past the proxy; without a word of them they take the file.
    for (const name of ['x-xet-hash', 'link']) answer.headers.delete(name)
  }
  if (isLfsBatch(match.route.path) && action === 'read' && answer.status === 200) {
    return withOwnLinks(answer, new URL(options.origins.proxy + target.path))
  }
  if (!isOutside) return answer
  if (method !== 'GET' && method !== 'HEAD') throw new ProxyRefusal('upstream_mismatch')
  const stored = await throughStore(new URL(location), {
    inbound,
    stop: rest.stop,
    send,
    timeoutMs,
    options,
  })
  for (const name of ['x-repo-commit', 'x-linked-etag', 'x-linked-size']) {
    const value = answer.headers.get(name)
    if (value !== null) stored.headers.set(name, value)
  }
  return stored
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
  return isGitTransport(path) || isLfsBatch(path) || isLfsObject(path) || isLfsLock(path)
}
