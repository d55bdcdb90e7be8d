/**
 * LFS download: a large file by our own address of it.
 *
 * decision → **ask the Hub for a signed address → file store** → client. The address is asked for with the
 * caller's upstream credential, each time anew, and used here and nowhere else.
 *
 * @module
 */

import { readBatch } from '../bodies/lfs-batch.ts'
import { lfsMediaType, readLfsLink } from '../bodies/lfs-link.ts'
import { type AnswerOptions, readAnswer } from '../upstream/answer.ts'
import { forward, type Outbound } from '../upstream/forward.ts'
import { throughStore } from '../upstream/through-store.ts'
import { Fields } from '../wire/fields.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import { type Reply, textReply } from '../wire/reply.ts'
import { publicAddress } from '../wire/response-headers.ts'
import type { Known } from './known.ts'
import type { ProxySettings } from './options.ts'

/** @throws ProxyRefusal as `forward`, `readAnswer` and `throughStore` do. */
export async function downloadLfs(
  { inbound, target }: Pick<Known, 'inbound' | 'target'>,
  { credential, stop }: Pick<Outbound, 'credential' | 'stop'>,
  { send, upstreamTimeoutMs: timeoutMs }: ProxySettings,
  options: AnswerOptions,
): Promise<Reply> {
  const { oid, size } = readLfsLink(target)
  const batch = await forward(
    {
      method: 'POST',
      origin: options.origins.upstream,
      path: target.path.replace(/[^/]+$/, 'batch'),
      search: '',
      headers: new Fields([
        ['accept', lfsMediaType],
        ['content-type', lfsMediaType],
        ['accept-encoding', 'identity'],
      ]),
      body: JSON.stringify({
        operation: 'download',
        transfers: ['basic'],
        objects: [{ oid, size }],
        hash_algo: 'sha256',
      }),
      credential,
      stop,
    },
    { send, timeoutMs },
  )
  const answer = await readAnswer(batch, { ...options, method: 'POST', revision: undefined })
  if (answer.status !== 200) return answer
  const [entry, ...others] = await readBatch(answer)
  if (entry === undefined || others.length > 0 || entry.oid !== oid)
    throw new ProxyRefusal('upstream_mismatch')
  if ('error' in entry) return refused(entry.error, options.requestId)
  const address = publicAddress(entry.href, options.origins)
  // Only to a store outside: what is at the Hub itself would be asked for without a credential.
  if (address === undefined || address.startsWith(`${options.origins.proxy}/`))
    throw new ProxyRefusal('upstream_mismatch')
  const { headers } = entry
  return throughStore(new URL(address), { inbound, headers, stop, send, timeoutMs, options })
}

/** As Git LFS shows it to people. */
function refused({ code, message }: { code: number; message: string }, requestId: string): Reply {
  const headers = [
    ['content-type', lfsMediaType],
    ['cache-control', 'no-store'],
    ['x-request-id', requestId],
  ] as const
  // What went wrong at the Hub is not the client's fault, nor ours.
  return textReply(code >= 500 ? 502 : code, headers, JSON.stringify({ message, request_id: requestId }))
}
