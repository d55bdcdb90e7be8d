/**
 * What the doors share of HTTP: a bounded body in, an answer that nobody keeps out.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { decodeUtf8, readBounded } from '../internal/request.ts'

/** One endpoint; mount it where the provider was told to call. */
export type Door = (request: Request) => Promise<Response>

/** The body as text, or `undefined` when it is longer than `maxBytes`, not UTF-8, or broken off. */
export async function readBody(request: Request, maxBytes: number): Promise<string | undefined> {
  try {
    const bytes = await readBounded(request, maxBytes)
    return bytes === undefined ? undefined : decodeUtf8(bytes)
  } catch {
    return undefined
  }
}

/** Whether Content-Type is `type`, whatever its parameters. */
export function hasType(request: Request, type: string): boolean {
  return request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() === type
}

export function answer(status: number, body?: object, headers: Record<string, string> = {}): Response {
  return new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: {
      'cache-control': 'no-store',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
  })
}

/** For failures of ours: the sender may try again. */
export function tryLater(): Response {
  return answer(503, undefined, { 'retry-after': '5' })
}

export function isRetryable(error: unknown): boolean {
  return error instanceof HfAuthError && error.retryable
}
