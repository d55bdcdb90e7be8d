/**
 * Upstream client: `fetch` as a proxy needs it, and WebSockets, by undici.
 *
 * forward → **upstream client** → Hugging Face. What a browser's fetch adds is missing on purpose: no redirect
 * is followed, nothing is unpacked or kept, and no proxy of the environment stands in between. A connection
 * whose answer was not read to its end is never used again.
 *
 * @see RFC 9110 §15.2 (interim responses), §15.3.5 (204 has no content)
 * @module
 */
import type { Duplex, Readable } from 'node:stream'
import { Agent, request, upgrade } from 'undici'

export interface UpstreamClientOptions {
  /** Longest silence within an answer or an upload, in milliseconds. */
  readonly idleTimeoutMs: number
}

/** Most interim responses (1xx) before an answer; a server that sends more has none. */
const maxInterim = 8

type BodyInit = string | AsyncIterable<Uint8Array>

export interface UpgradeRequest {
  readonly headers: Headers
  readonly signal: AbortSignal
}

export interface Upgraded {
  /** Of the answer 101. */
  readonly headers: Headers
  readonly socket: Duplex
}

export interface UpstreamClient {
  readonly fetch: typeof globalThis.fetch
  /** Opens a WebSocket (RFC 6455 §4.1) up to the point where frames begin. Rejects for any answer but 101. */
  openSocket(url: string, request: UpgradeRequest): Promise<Upgraded>
}

export function createUpstreamClient({ idleTimeoutMs }: UpstreamClientOptions): UpstreamClient {
  const dispatcher = new Agent({
    bodyTimeout: idleTimeoutMs,
    headersTimeout: 0,
    connect: { timeout: 10_000 },
  })
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const storm = new AbortController()
    let interim = 0
    const { statusCode, headers, body } = await request(String(input), {
      dispatcher,
      method: (init.method ?? 'GET') as 'GET',
      headers: Object.fromEntries(new Headers(init.headers)),
      body: (init.body ?? null) as BodyInit as string,
      signal: init.signal ? AbortSignal.any([init.signal, storm.signal]) : storm.signal,
      onInfo() {
        interim += 1
        if (interim > maxInterim) storm.abort()
      },
    })
    // It fails where it is read; a failure after that concerns nobody.
    body.on('error', () => undefined)
    try {
      return new Response(contentOf(statusCode, headers, body), {
        status: statusCode,
        headers: fields(headers),
      })
    } catch (error) {
      body.destroy()
      throw error
    }
  }
  return {
    fetch,
    async openSocket(url, { headers, signal }) {
      const opened = await upgrade(url, {
        dispatcher,
        protocol: 'websocket',
        headers: Object.fromEntries(headers),
        signal,
      })
      return { headers: fields(opened.headers), socket: opened.socket }
    },
  }
}

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>

function fields(headers: RawHeaders): Headers {
  const list = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? '']) list.append(name, one)
  }
  return list
}

function contentOf(status: number, headers: RawHeaders, body: Readable): ReadableStream<Uint8Array> | null {
  if (status !== 204 && status !== 205 && status !== 304) return streamOf(body)
  const length = headers['content-length'] ?? '0'
  if (status !== 304 && (length !== '0' || headers['transfer-encoding'] !== undefined)) {
    throw new Error('content in an answer that has none')
  }
  body.resume()
  return null
}

function streamOf(body: Readable): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      cancel: () => void body.destroy(),
    },
    { highWaterMark: 0 },
  )
}
