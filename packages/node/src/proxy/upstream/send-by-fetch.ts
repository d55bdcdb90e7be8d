/**
 * Send by fetch: the upstream client of a deployment that brings a `fetch` of its own.
 *
 * forward → **send by fetch** → Hugging Face.
 *
 * @module
 */
import { replyOf } from '../wire/reply.ts'
import { type Stop, signalOf } from '../wire/stop.ts'
import type { Send } from './upstream-client.ts'

export function sendByFetch({ fetch }: { readonly fetch: typeof globalThis.fetch }): Send {
  return async ({ method, origin, path, headers, body, stop }) => {
    const init: RequestInit & { duplex?: 'half' } = {
      method,
      headers: [...headers],
      redirect: 'manual',
      signal: signalOf(stop),
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    }
    return replyOf(await settledBy(stop, fetch(`${origin}${path}`, init)))
  }
}

/** An answer, or an error as soon as nobody waits for it any more, whatever the client makes of its signal. */
function settledBy(stop: Stop, answering: Promise<Response>): Promise<Response> {
  return new Promise((resolve, reject) => {
    stop.onStop((reason) => reject(new Error(reason)))
    answering.then((response) => {
      if (stop.reason !== undefined) void response.body?.cancel().catch(() => undefined)
      resolve(response)
    }, reject)
  })
}
