/**
 * Outcome: what came of a request that was let through, once its answer has ended.
 *
 * client ← answer → **outcome** → audit. The decision was on record before; this adds how much was sent, how
 * long it took, and whether it broke off.
 *
 * @module
 */
import type { AuditEventType, HubAction, RouteMatch } from '@hfauth/core'

/** The event for the end of a request; `undefined` when its decision says all there is to say. */
export function outcomeType({ route }: RouteMatch, action: HubAction): AuditEventType | undefined {
  if (action === 'infer') return route.target.in === 'list' ? undefined : 'io.hfauth.inference.completed'
  if (action !== 'read') return route.path.includes('/preupload/') ? undefined : 'io.hfauth.repo.write'
  return /\/(?:resolve|raw|resolve-cache|xet-read-token)\//.test(route.path) ||
    route.path.endsWith('/info/lfs/objects/batch')
    ? 'io.hfauth.model.load'
    : undefined
}

export interface Ending {
  readonly bytesOut: number
  /** Set when the answer broke off: by whom. */
  readonly error?: 'client_closed' | 'upstream_broke'
}

/**
 * Passes a body on, chunk by chunk and never ahead of its reader, and tells when it has ended.
 *
 * @param gone - Aborted when the client is gone.
 */
export function observed(response: Response, gone: AbortSignal, onEnd: (ending: Ending) => void): Response {
  if (response.body === null) {
    onEnd({ bytesOut: 0 })
    return response
  }
  const reader = response.body.getReader()
  let bytesOut = 0
  let isOver = false
  const end = (error?: Ending['error']) => {
    if (isOver) return
    isOver = true
    onEnd({ bytesOut, ...(error === undefined ? {} : { error }) })
  }
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) {
            controller.close()
            return end()
          }
          bytesOut += value.length
          controller.enqueue(value)
        } catch (error) {
          end(gone.aborted ? 'client_closed' : 'upstream_broke')
          controller.error(error)
        }
      },
      async cancel(reason) {
        end('client_closed')
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { status: response.status, headers: response.headers })
}
