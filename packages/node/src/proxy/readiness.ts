/**
 * Readiness: whether more requests should be sent here.
 *
 * `/healthz` says whether the process works, `/readyz` also whether it is going away.
 *
 * @module
 */
import type { Inbound } from './inbound.ts'
import type { Pipeline } from './pipeline.ts'
import { type Reply, textReply } from './reply.ts'

export interface Readiness {
  isDraining: boolean
}

export function withReadiness(pipeline: Pipeline, readiness: Readiness): Pipeline {
  async function tell(inbound: Inbound): Promise<Reply> {
    const health = await pipeline.handle({ ...inbound, target: '/healthz' })
    if (!readiness.isDraining || health.status !== 200) return health
    return textReply(503, health.headers, '{"status":"draining"}')
  }

  return {
    ...pipeline,
    handle: (inbound) =>
      inbound.target === '/readyz' && isLook(inbound) ? tell(inbound) : pipeline.handle(inbound),
  }
}

function isLook({ method }: Inbound): boolean {
  return method === 'GET' || method === 'HEAD'
}
