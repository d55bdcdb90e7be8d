/**
 * Outcome: what came of a request that was let through, once its answer has ended.
 *
 * client ← answer → **outcome** → audit. The decision was on record before; this adds how much was sent, how
 * long it took, and whether it broke off.
 *
 * @module
 */
import type { AuditEventType, HubAction, RouteMatch } from '@hfauth/core'
import { isLfsBatch, isLfsObject } from '../bodies/lfs-link.ts'
import type { Chunks, Reply } from '../wire/reply.ts'
import { isEventStream } from '../wire/response-headers.ts'
import type { Stop } from '../wire/stop.ts'
import { isLeaseEnd } from './leases.ts'

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
  readonly error?: string
}

export interface ObservedOptions {
  /** Of the request; tells why an answer broke off. */
  readonly stop: Stop
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
export function observed(reply: Reply, options: ObservedOptions): Reply {
  const { body, headers } = reply
  if (body === null || typeof body === 'string') {
    if (body !== null) options.onBytes?.(Buffer.from(body))
    options.onEnd({ bytesOut: body === null ? 0 : Buffer.byteLength(body) })
    return reply
  }
  const isEvents = isEventStream(headers)
  return { ...reply, body: new Observed(body, isEvents, options) }
}

class Observed implements Chunks {
  private readonly body: Chunks
  private readonly isEvents: boolean
  private readonly options: ObservedOptions
  private bytesOut = 0
  /** The last bytes of a stream of events. */
  private tail = ''
  private isOver = false

  constructor(body: Chunks, isEvents: boolean, options: ObservedOptions) {
    this.body = body
    this.isEvents = isEvents
    this.options = options
  }

  get isDone(): boolean {
    return this.isOver
  }

  read(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.isOver) return undefined
    let next: Uint8Array | undefined | Promise<Uint8Array | undefined>
    try {
      next = this.body.read()
    } catch (error) {
      return this.brokenOff(error)
    }
    if (!(next instanceof Promise)) return this.passed(next)
    return next.then(
      (chunk) => this.passed(chunk),
      (error) => this.brokenOff(error),
    )
  }

  cancel(): void {
    this.end('client_closed')
    this.body.cancel()
  }

  private passed(chunk: Uint8Array | undefined): Uint8Array | undefined {
    this.bytesOut += chunk?.length ?? 0
    if (chunk !== undefined) this.options.onBytes?.(chunk)
    if (this.isEvents && chunk !== undefined) {
      this.tail = (this.tail + Buffer.from(chunk.subarray(-4)).toString('latin1')).slice(-4)
    }
    if (chunk === undefined || this.body.isDone) this.end()
    return chunk
  }

  private brokenOff(error: unknown): Uint8Array {
    const { reason } = this.options.stop
    this.end(reason ?? 'upstream_broke')
    // Within an event there is no room for another.
    const hasRoom = this.isEvents && isLeaseEnd(reason) && /^$|\n\r?\n$/.test(this.tail)
    if (!hasRoom) throw error
    return Buffer.from(`event: error\ndata: {"reason":"${reason}"}\n\n`)
  }

  private end(error?: string): void {
    if (this.isOver) return
    this.isOver = true
    this.options.onEnd({ bytesOut: this.bytesOut, ...(error === undefined ? {} : { error }) })
  }
}
