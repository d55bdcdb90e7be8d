/**
 * Readiness: whether more requests should be sent here.
 *
 * `/healthz` says whether the process works, `/readyz` also whether it is going away, and which event streams are
 * silent. Requests are served all the same then, so that takes nothing away unless it is wanted.
 *
 * @module
 */

import type { Pipeline } from './pipeline.ts'
import type { ProxyOptions, WatchedStream } from './request/options.ts'
import type { Inbound } from './wire/inbound.ts'
import { type Reply, textReply } from './wire/reply.ts'

export interface Readiness {
  isDraining: boolean
}

export function withReadiness(
  pipeline: Pipeline,
  readiness: Readiness,
  { streams = {}, whenStreamSilent = 'warn' }: Pick<ProxyOptions, 'streams' | 'whenStreamSilent'>,
): Pipeline {
  async function tell(inbound: Inbound): Promise<Reply> {
    const health = await pipeline.handle({ ...inbound, target: '/healthz' })
    if (health.status !== 200) return health
    if (readiness.isDraining) return textReply(503, health.headers, '{"status":"draining"}')
    const warnings = silentOnes(streams)
    if (warnings.length === 0) return health
    const isReady = whenStreamSilent === 'warn'
    const text = JSON.stringify({ status: isReady ? 'ok' : 'stream_silent', warnings })
    return textReply(isReady ? 200 : 503, health.headers, text)
  }

  return {
    ...pipeline,
    handle: (inbound) =>
      inbound.target === '/readyz' && isLook(inbound) ? tell(inbound) : pipeline.handle(inbound),
  }
}

/** Names that the operator gave, and no issuer: whoever reaches the proxy may read this. */
function silentOnes(streams: Readonly<Record<string, WatchedStream>>) {
  return Object.entries(streams).flatMap(([stream, watch]) => {
    const { name, reason, silentSince } = watch.health()
    if (name !== 'silent') return []
    const since = silentSince === undefined ? undefined : new Date(silentSince).toISOString()
    return [{ code: 'stream_silent', stream, reason, since }]
  })
}

function isLook({ method }: Inbound): boolean {
  return method === 'GET' || method === 'HEAD'
}
