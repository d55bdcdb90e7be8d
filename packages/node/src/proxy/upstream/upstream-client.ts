/**
 * Upstream client: requests as a proxy needs them, and WebSockets, by undici.
 *
 * forward → **upstream client** → Hugging Face. What a browser's fetch adds is missing on purpose: no redirect
 * is followed, nothing is unpacked or kept, and no proxy of the environment stands in between. A connection
 * whose answer was not read to its end is never used again.
 *
 * @see RFC 9110 §15.2 (interim responses), §15.3.5 (204 has no content)
 * @module
 */
import type { Duplex } from 'node:stream'
import { Agent, type Dispatcher, upgrade } from 'undici'
import { Arrival } from '../wire/arrival.ts'
import type { Fields } from '../wire/fields.ts'
import type { Reply } from '../wire/reply.ts'
import type { Stop } from '../wire/stop.ts'

export interface UpstreamClientOptions {
  /** Longest silence within an answer or an upload, in milliseconds. */
  readonly idleTimeoutMs: number
}

export interface UpstreamRequest {
  readonly method: string
  readonly origin: string
  /** With its query. */
  readonly path: string
  readonly headers: Fields
  readonly body?: ReadableStream<Uint8Array> | string | undefined
  /** Ends it, also when the answer has begun. */
  readonly stop: Stop
}

/** Sends a request; resolves when the head of its answer is there, and rejects when there is none. */
export type Send = (request: UpstreamRequest) => Promise<Reply>

export interface UpgradeRequest {
  readonly headers: Fields
  readonly signal: AbortSignal
}

export interface Upgraded {
  /** Of the answer 101. */
  readonly headers: Fields
  readonly socket: Duplex
}

export interface UpstreamClient {
  readonly send: Send
  /** Opens a WebSocket (RFC 6455 §4.1) up to the point where frames begin. Rejects for any answer but 101. */
  openSocket(url: string, request: UpgradeRequest): Promise<Upgraded>
}

export function createUpstreamClient({ idleTimeoutMs }: UpstreamClientOptions): UpstreamClient {
  const dispatcher = new Agent({
    bodyTimeout: idleTimeoutMs,
    headersTimeout: 0,
    // Said outright, or `NODE_TLS_REJECT_UNAUTHORIZED` of the environment would switch it off.
    connect: { timeout: 10_000, rejectUnauthorized: true },
  })
  return {
    send: ({ method, origin, path, headers, body, stop }) =>
      new Promise((resolve, reject) => {
        dispatcher.dispatch(
          {
            origin,
            path,
            method: method as Dispatcher.HttpMethod,
            headers: headers.flat(),
            body: (body ?? null) as string | null,
          },
          new Arrival({ stop, resolve, reject }),
        )
      }),
    async openSocket(url, { headers, signal }) {
      const opened = await upgrade(url, {
        dispatcher,
        protocol: 'websocket',
        headers: headers.flat(),
        signal,
      })
      return { headers: Arrival.fields(opened.headers), socket: opened.socket }
    },
  }
}
