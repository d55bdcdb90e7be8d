/**
 * Through store: streams a file from where a signed address leads, so that the address never leaves this machine.
 *
 * pass on → **file store** → client. The store is asked without the Hub's credential.
 *
 * @module
 */

import type { Inbound } from '../wire/inbound.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import type { Reply } from '../wire/reply.ts'
import { forwardedHeaders } from '../wire/request-headers.ts'
import type { Stop } from '../wire/stop.ts'
import { type AnswerOptions, readAnswer } from './answer.ts'
import { forward } from './forward.ts'
import type { Send } from './upstream-client.ts'

export interface StoreRequest {
  readonly inbound: Inbound
  /** What the store wants to see besides. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly stop: Stop
  readonly send: Send
  readonly timeoutMs: number
  readonly options: AnswerOptions
}

/** @throws ProxyRefusal as `forward` and `readAnswer` do; `upstream_mismatch` for a store that sends on again. */
export async function throughStore(
  url: URL,
  { inbound, headers: more = [], stop, send, timeoutMs, options }: StoreRequest,
): Promise<Reply> {
  const headers = forwardedHeaders(inbound.headers)
  for (const name of ['content-length', 'content-type', 'git-protocol']) headers.delete(name)
  for (const [name, value] of more) headers.set(name, value)
  const stored = await forward(
    {
      method: inbound.method,
      origin: url.origin,
      path: url.pathname,
      search: url.search,
      headers,
      body: undefined,
      credential: undefined,
      stop,
    },
    { send, timeoutMs },
  )
  const answer = await readAnswer(stored, {
    ...options,
    secret: undefined,
    revision: undefined,
    provider: undefined,
  })
  // One that sends on again is not the one that was judged.
  if (answer.headers.has('location')) throw new ProxyRefusal('upstream_mismatch')
  return answer
}
