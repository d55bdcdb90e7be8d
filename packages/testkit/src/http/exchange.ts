/**
 * Exchange: one request with its body already read, and the ways to answer it.
 *
 * listen → **exchange** → routes → handlers. Bodies are read whole before any
 * handler runs: they are bounded, and the recorder needs them anyway.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly method: string
  /** The path as it came over the wire, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Buffer
}

/** An answer a handler gives up with: status, JSON body and headers. */
export class HttpRefusal extends Error {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`answered with ${status}`)
    this.name = new.target.name
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** Longest body accepted, in bytes: 10 MiB. */
export const bodyLimitBytes = 10 * 1024 * 1024

/**
 * Reads the whole body.
 *
 * @throws HttpRefusal 413 when it is longer than {@link bodyLimitBytes}.
 */
export async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req) {
    size += (chunk as Buffer).length
    if (size > bodyLimitBytes)
      throw new HttpRefusal(413, { error: 'request body too large' }, { connection: 'close' })
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

/** Reads a JSON object from the body. @throws HttpRefusal 400 when it is anything else. */
export function readJson(exchange: Exchange): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(exchange.body.toString('utf8') || '{}')
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Falls through to the refusal.
  }
  throw new HttpRefusal(400, { error: 'request body must be a JSON object' })
}

export function sendJson(
  exchange: Exchange,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = Buffer.from(JSON.stringify(body))
  exchange.res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': text.length,
    ...headers,
  })
  exchange.res.end(exchange.method === 'HEAD' ? undefined : text)
}

/**
 * Marks the answer as readable from any web page. The Hub is called from browsers, so its
 * discovery, token, userinfo and API answers all carry this. Never for pages with a session.
 *
 * @returns True when the request was a preflight and is now answered.
 */
export function allowAnyOrigin({ req, res, method }: Exchange): boolean {
  const origin = req.headers.origin
  if (origin === undefined) return false
  res.setHeader('access-control-allow-origin', origin)
  res.setHeader('vary', 'Origin')
  res.setHeader(
    'access-control-expose-headers',
    'X-Repo-Commit, X-Linked-Size, X-Linked-Etag, X-Error-Code, X-Error-Message, X-Request-Id, Link, ETag, Accept-Ranges, Content-Range, WWW-Authenticate',
  )
  if (method !== 'OPTIONS') return false
  const requested = req.headers['access-control-request-headers']
  res.setHeader('access-control-allow-methods', 'GET, HEAD, POST, PUT, PATCH, DELETE')
  if (requested !== undefined) res.setHeader('access-control-allow-headers', requested)
  res.setHeader('access-control-max-age', '600')
  res.writeHead(204).end()
  return true
}
