/**
 * Readiness: whether more requests should be sent here.
 *
 * `/healthz` says whether the process works, `/readyz` also whether it is going away.
 *
 * @module
 */
import type { Inbound } from './inbound.ts'
import type { Pipeline } from './pipeline.ts'

export interface Readiness {
  isDraining: boolean
}

export function withReadiness(pipeline: Pipeline, readiness: Readiness): Pipeline {
  return {
    ...pipeline,
    async handle(inbound) {
      if (inbound.target !== '/readyz' || !isLook(inbound)) return pipeline.handle(inbound)
      const health = await pipeline.handle({ ...inbound, target: '/healthz' })
      if (!readiness.isDraining || !health.ok) return health
      const body = '{"status":"draining"}'
      const headers = new Headers(health.headers)
      headers.set('content-length', String(body.length))
      return new Response(body, { status: 503, headers })
    },
  }
}

function isLook({ method }: Inbound): boolean {
  return method === 'GET' || method === 'HEAD'
}
