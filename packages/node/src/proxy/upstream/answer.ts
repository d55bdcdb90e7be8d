/**
 * Answer: an upstream response → what the client may see of it, streamed on as it arrives.
 *
 * forward → **answer** → client. The Hub's own refusals pass, since its clients act on them; pages, errors
 * from deeper inside and anything that would show a credential do not.
 *
 * @module
 */
import type { Fields } from '../wire/fields.ts'
import { readBounded } from '../wire/json-body.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import { type Reply, refusalReply, textReply } from '../wire/reply.ts'
import { isEventStream, type Origins, passedHeaders } from '../wire/response-headers.ts'

export interface AnswerOptions {
  readonly method: string
  readonly origins: Origins
  readonly requestId: string
  /** Shown with a 401, so that clients know where to sign in (RFC 9728). */
  readonly resourceMetadataUrl: string | undefined
  /** The credential that was sent; an answer that repeats it is not passed on. */
  readonly secret: string | undefined
  /** Whether the route exists to hand out a Xet credential. */
  readonly xetRoute: boolean
  /** The revision asked for. When it is a commit, the answer must be about that commit. */
  readonly revision: string | undefined
  /** The provider asked for, if any. Where the answer names one, it must be that. */
  readonly provider?: string | undefined
}

const maxErrorBytes = 64 * 1024
const errorTimeoutMs = 10_000
const commit = /^[0-9a-f]{40}$/i

/** @throws ProxyRefusal `upstream_unavailable` or `upstream_mismatch`. */
export async function readAnswer(upstream: Reply, options: AnswerOptions): Promise<Reply> {
  try {
    return await judgeAnswer(upstream, options)
  } catch (error) {
    // Frees the connection, and never hands it to the next request half read.
    drop(upstream)
    throw error
  }
}

async function judgeAnswer(upstream: Reply, options: AnswerOptions): Promise<Reply> {
  const { status } = upstream
  if (status >= 500 || status < 200) throw new ProxyRefusal('upstream_unavailable')
  const headers = passedHeaders(upstream.headers, options)
  if (headers === undefined || isOther(upstream.headers, options)) {
    throw new ProxyRefusal('upstream_mismatch')
  }
  if (status >= 400) return refusedUpstream(upstream, headers, options)
  const isEmpty = options.method === 'HEAD' || status === 204 || status === 304
  if (status >= 300 && status !== 304) {
    // The page that comes with a redirect repeats the address as it was.
    drop(upstream)
    headers.delete('content-type')
    headers.set('content-length', '0')
    return { status, headers, body: null }
  }
  if (isEventStream(headers)) {
    headers.set('x-accel-buffering', 'no')
    headers.set('cache-control', 'no-store')
    headers.delete('content-length')
  }
  return { status, headers, body: isEmpty ? null : upstream.body }
}

function drop({ body }: Reply): void {
  if (body !== null && typeof body !== 'string') body.cancel()
}

function isOther(headers: Fields, { revision, provider }: AnswerOptions): boolean {
  const answering = headers.get('x-inference-provider')
  const isOtherProvider = provider !== undefined && answering !== null && answering.toLowerCase() !== provider
  return isOtherProvider || isOtherCommit(headers, revision)
}

/** A branch can be named like a commit; the Hub says which commit it really answered from. */
function isOtherCommit(headers: Fields, revision: string | undefined): boolean {
  const answered = headers.get('x-repo-commit')
  if (answered === null || revision === undefined || !commit.test(revision)) return false
  return answered.toLowerCase() !== revision.toLowerCase()
}

async function refusedUpstream(upstream: Reply, headers: Fields, options: AnswerOptions): Promise<Reply> {
  const { method, requestId, resourceMetadataUrl, secret } = options
  const { status } = upstream
  const metadata = resourceMetadataUrl === undefined ? '' : ` resource_metadata="${resourceMetadataUrl}"`
  if (status === 401) headers.set('www-authenticate', `Bearer${metadata}`)
  if (method === 'HEAD') return { status, headers, body: null }
  const isPlain = (headers.get('content-encoding') ?? 'identity') === 'identity'
  const isJson = isPlain && /^application\/json *(?:;|$)/i.test(headers.get('content-type') ?? '')
  const limits = { maxBytes: maxErrorBytes, timeoutMs: errorTimeoutMs }
  const bytes = isJson ? await readBounded(upstream.body, limits) : 'too_large'
  const shown = typeof bytes === 'string' ? undefined : Buffer.from(bytes).toString('utf8')
  const tells = [shown, ...headers.flat()].some((text) => secret !== undefined && text?.includes(secret))
  if (shown !== undefined && !tells) return textReply(status, headers, shown)
  if (!isJson) drop(upstream)
  const code = headers.get('x-error-code')
  return refusalReply(
    {
      status,
      reason: 'upstream_refused',
      detail: 'Hugging Face refused the request.',
      headers: code === null || tells ? {} : { 'x-error-code': code },
      ...(status === 401 ? { challenge: {} } : {}),
    },
    { requestId, resourceMetadataUrl },
  )
}
