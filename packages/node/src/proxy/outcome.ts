/**
 * Outcome: what came of a request that was let through, once its answer has ended.
 *
 * client ← answer → **outcome** → audit. The decision was on record before; this adds how much was sent, how
 * long it took, and whether it broke off.
 *
 * @module
 */
import type { AuditEventType, HubAction, RouteMatch } from '@hfauth/core'
import type { LeaseEnd } from './leases.ts'
import { isLfsBatch, isLfsObject } from './lfs-link.ts'
import { isEventStream } from './response-headers.ts'

/**
 * The event for the end of a request; `undefined` when its decision says all there is to say.
 *
 * @param signedUrls - With `pass`, whoever gets an address has the file as good as loaded.
 */
export function outcomeType(
  { route }: RouteMatch,
  action: HubAction,
  signedUrls: 'pass' | 'through' = 'pass',
): AuditEventType | undefined {
  if (action === 'infer') return route.target.in === 'list' ? undefined : 'io.hfauth.inference.completed'
  if (action !== 'read') {
    const isQuestion = /\/(?:preupload|auth-check)\//.test(route.path) || route.discovery === true
    return isQuestion ? undefined : 'io.hfauth.repo.write'
  }
  return /\/(?:resolve|raw|resolve-cache|xet-read-token)\//.test(route.path) ||
    /\/(?:git-upload-pack|xet-read-token|duplicate)$/.test(route.path) ||
    (signedUrls === 'pass' ? isLfsBatch(route.path) : isLfsObject(route.path)) ||
    route.host === 'viewer'
    ? 'io.hfauth.model.load'
    : undefined
}

export interface Ending {
  /** Where what came in is no body: on a WebSocket. */
  readonly bytesIn?: number
  readonly bytesOut: number
  /** Set when the answer broke off: by whom, or why. */
  readonly error?: 'client_closed' | 'upstream_broke' | LeaseEnd
}

export interface ObservedOptions {
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal
  /** Aborted with its reason when the caller's lease has ended; the upstream request is aborted with it. */
  readonly lease: AbortSignal
  readonly onEnd: (ending: Ending) => void
  /** Sees every piece as it passes. */
  readonly onBytes?: ((bytes: Uint8Array) => void) | undefined
}

/**
 * Passes a body on, chunk by chunk and never ahead of its reader, and tells when it has ended.
 *
 * What is cut for its caller is cut in plain sight: a stream of events says why, in an event of its own name,
 * and anything else breaks off, so that half an answer never looks like a whole one.
 */
export function observed(response: Response, { gone, lease, onEnd, onBytes }: ObservedOptions): Response {
  if (response.body === null) {
    onEnd({ bytesOut: 0 })
    return response
  }
  const reader = response.body.getReader()
  const isEvents = isEventStream(response.headers)
  let bytesOut = 0
  let tail = ''
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
          onBytes?.(value)
          if (isEvents) tail = (tail + Buffer.from(value.subarray(-4)).toString('latin1')).slice(-4)
          controller.enqueue(value)
        } catch (error) {
          const cut = lease.aborted ? (lease.reason as LeaseEnd) : undefined
          end(cut ?? (gone.aborted ? 'client_closed' : 'upstream_broke'))
          // Within an event there is no room for another.
          if (cut === undefined || !isEvents || !/^$|\n\r?\n$/.test(tail)) return controller.error(error)
          controller.enqueue(Buffer.from(`event: error\ndata: {"reason":"${cut}"}\n\n`))
          controller.close()
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
