/**
 * Request: one bounded HTTP exchange with a server that may be slow, hostile or down.
 *
 * Everything in this package that asks an issuer goes through here. Redirects are refused, the wait and
 * the size of the answer are limited, and what is thrown names neither headers nor bodies.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { assertTlsChecked } from './checked-tls.ts'

export type Fetch = typeof globalThis.fetch

export interface BoundedRequest {
  /** What is asked for, for messages: `the key set of issuer \`okta\``. */
  readonly subject: string
  readonly fetch: Fetch
  /** Longest wait for the whole answer, in milliseconds. */
  readonly timeoutMs: number
  /** Longest body, in bytes after decompression. */
  readonly maxBytes: number
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface BoundedResponse {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/**
 * Sends one request and reads its answer whole. The status is for the caller to judge, except that a
 * redirect is never an answer: it would carry the credential elsewhere.
 *
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when there is no complete, decodable answer
 * within the bounds. Without `cause`: lower layers quote header values in theirs. `HFAUTH_CONFIG_INVALID` when
 * nobody would check the certificate of who answers.
 */
export async function requestBounded(url: string, request: BoundedRequest): Promise<BoundedResponse> {
  const { subject, timeoutMs, maxBytes } = request
  assertTlsChecked(url, request.fetch)
  const signal = AbortSignal.timeout(timeoutMs)
  let answer: Answer
  try {
    answer = await Promise.race([ask(url, request, signal), endOf(signal)])
  } catch (error) {
    // Of a `fetch` of ours around the global one.
    if (error instanceof HfAuthError) throw error
    throw unavailable(subject, signal.aborted ? `no answer within ${timeoutMs} ms` : failureOf(error))
  }
  const { status, headers, redirected, bytes } = answer
  if (redirected) throw unavailable(subject, 'the answer is a redirect')
  if (bytes === undefined) throw unavailable(subject, `the answer is longer than ${maxBytes} bytes`)
  const text = decodeUtf8(bytes)
  if (text === undefined) throw unavailable(subject, 'the answer is not UTF-8')
  return { status, headers, text }
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly redirected: boolean
  /** Absent when there were too many, or none were wanted. */
  readonly bytes: Uint8Array | undefined
}

async function ask(url: string, request: BoundedRequest, signal: AbortSignal): Promise<Answer> {
  const { fetch, maxBytes, method = 'GET', headers, body } = request
  const response = await fetch(url, {
    method,
    redirect: 'error',
    signal,
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
  })
  const { status } = response
  const redirected = response.redirected || (status >= 300 && status < 400 && status !== 304)
  if (redirected) await response.body?.cancel()
  const bytes = redirected ? undefined : await readBounded(response, maxBytes)
  return { status, headers: response.headers, redirected, bytes }
}

/** Fails when time is up: a `fetch` that was passed in may not care about its signal. */
function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** The one error for an issuer that cannot be asked, or whose answer makes no sense. */
export function unavailable(subject: string, reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_ISSUER_UNAVAILABLE', `${subject} is unavailable: ${reason}`, {
    retryable: true,
  })
}

/** Text of `bytes`, or `undefined` when they are not UTF-8; a byte order mark stays in. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** `undefined` as soon as there is more than `maxBytes`, whatever Content-Length promised. */
export async function readBounded(
  response: Pick<Response, 'body'>,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  if (response.body === null) return new Uint8Array()
  // Leaving the loop cancels the body.
  for await (const chunk of response.body) {
    length += chunk.byteLength
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

/** A system error's own code (`ECONNREFUSED`) and nothing else: its message may quote what was sent. */
function failureOf(error: unknown): string {
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined)
  return code === undefined ? 'the connection failed' : `the connection failed (${code})`
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(error.code) ? error.code : undefined
}
