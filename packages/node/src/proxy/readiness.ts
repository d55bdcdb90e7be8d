/**
 * Readiness: whether more requests should be sent here.
 *
 * `/healthz` says whether the process works, `/readyz` also whether it is going away.
 *
 * @module
 */
import type { Inbound } from './inbound.ts'
import type { Pipeline } from './pipeline.ts'
import { textReply } from './reply.ts'

export interface Readiness {
  isDraining: boolean
}

export function withReadiness(pipeline: Pipeline, readiness: Readiness): Pipeline {
  return {
    ...pipeline,
    async handle(inbound) {
      if (inbound.target !== '/readyz' || !isLook(inbound)) return pipeline.handle(inbound)
      const health = await pipeline.handle({ ...inbound, target: '/healthz' })
      if (!readiness.isDraining || health.status !== 200) return health
      return textReply(503, health.headers, '{"status":"draining"}')
    },
  }
}

function isLook({ method }: Inbound): boolean {
  return method === 'GET' || method === 'HEAD'
}
