/**
 * Inbound: one request as it reached the proxy, before anything in it is believed.
 *
 * **inbound** → headers, target → route. Header fields are a list, because a map would hide that there were
 * two of a kind.
 *
 * @module
 */
import type { Connection } from '../../guard/types.ts'
import { Stop } from './stop.ts'

export type HeaderList = readonly (readonly [name: string, value: string])[]

export interface Inbound {
  readonly method: string
  /** The request target as sent. */
  readonly target: string
  readonly headers: HeaderList
  /** Read at most once, and not at all when the request is refused first. */
  readonly body: ReadableStream<Uint8Array> | undefined
  /** Bytes of the body that have been read so far. */
  received(): number
  /** Stopped when the client is gone, and by whatever else ends the request before its time. */
  readonly stop: Stop
  readonly remoteAddress: string | undefined
  /** Origin the client believes it talks to; used for its own answers only. */
  readonly origin: string
}

/**
 * From a Web request. Its URL has been through a parser already: a server that still has the target as sent
 * hands it over in `connection`.
 */
export function inboundFromRequest(request: Request, { remoteAddress, target }: Connection): Inbound {
  const { origin, pathname, search } = new URL(request.url)
  const counted = request.body === null ? undefined : countedBody(request.body)
  const stop = new Stop()
  const { signal } = request
  if (signal.aborted) stop.stop('client_closed')
  else signal.addEventListener('abort', () => stop.stop('client_closed'), { once: true })
  return {
    method: request.method,
    target: target ?? pathname + search,
    headers: [...request.headers],
    body: counted?.body,
    received: counted?.received ?? (() => 0),
    stop,
    remoteAddress,
    origin,
  }
}

/** The same bytes at the same pace, and how many there have been. */
function countedBody(body: ReadableStream<Uint8Array>): {
  readonly body: ReadableStream<Uint8Array>
  received(): number
} {
  const reader = body.getReader()
  let count = 0
  return {
    received: () => count,
    body: new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await reader.read()
          if (done) return controller.close()
          count += value.length
          controller.enqueue(value)
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    ),
  }
}
