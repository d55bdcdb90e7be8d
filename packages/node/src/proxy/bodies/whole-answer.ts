/**
 * Whole answer: one that is read to its end, because what it names is judged before anybody sees it.
 *
 * forward → **whole answer** → lists, collections → client.
 *
 * @module
 */
import type { Fields } from '../wire/fields.ts'
import type { Inbound } from '../wire/inbound.ts'
import { readBounded } from '../wire/json-body.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import { type Reply, textReply } from '../wire/reply.ts'
import { forwardedHeaders } from '../wire/request-headers.ts'

/** Longest answer that is read, in bytes. */
const maxBytes = 8 * 1024 * 1024

/** Half an answer, or one known by its old tag, cannot be cut down. */
export function wholeAnswerHeaders({ headers }: Pick<Inbound, 'headers'>): Fields {
  const fields = forwardedHeaders(headers)
  for (const name of ['range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since'])
    fields.delete(name)
  return fields
}

/**
 * The answer with its JSON as `cut` leaves it.
 *
 * @throws ProxyRefusal 502 `upstream_mismatch` for what is not all of it, too long or no JSON, and as `cut` does.
 */
export async function withCut(
  reply: Reply,
  cut: (value: unknown) => Promise<unknown>,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<Reply> {
  const bytes = await readBounded(reply.body, { maxBytes, timeoutMs }).catch(() => 'broken' as const)
  if (typeof bytes === 'string') throw new ProxyRefusal('upstream_mismatch')
  const value = await cut(parseJson(bytes))
  const { status, headers } = reply
  for (const name of ['etag', 'last-modified', 'x-total-count']) headers.delete(name)
  return textReply(status, headers, JSON.stringify(value))
}

/** Refuses what is something of an answer and not all of it, though all was asked for. */
export function assertWhole({ status, body }: Reply): void {
  if (status <= 200 || status >= 300 || body === null) return
  if (typeof body === 'object') body.cancel()
  throw new ProxyRefusal('upstream_mismatch')
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw new ProxyRefusal('upstream_mismatch')
  }
}
