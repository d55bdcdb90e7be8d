/**
 * Answer: a handler over Web requests, such as those of sessions, revocation and metadata, as a listener of
 * Node's own servers and as middleware of Express.
 *
 * Translates and holds no rules.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { headerList, readBody, sendResponse } from './web.ts'

/** Answers a request, or leaves it to somebody else. */
export type WebHandler = (
  request: Request,
  client: { readonly remoteAddress?: string },
) => Response | undefined | Promise<Response | undefined>

export interface AnswerOptions {
  /** Where people reach this server: `https://app.acme.dev`. The `Host` header is anybody's word. */
  readonly origin: string
}

/**
 * A listener that lets `handler` answer. What it leaves is given to `next` or, where there is none, is a 404; a
 * handler that fails goes to `next` as an error, or cuts the connection.
 *
 * @throws TypeError when `origin` is no URL.
 */
export function answer(
  handler: WebHandler,
  { origin }: AnswerOptions,
): (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => Promise<void> {
  const base = new URL(origin)
  return async (req, res, next) => {
    try {
      const { remoteAddress } = req.socket
      const client = remoteAddress === undefined ? {} : { remoteAddress }
      const response = unfit.has(req.method ?? '') ? undefined : await handler(webRequest(req, base), client)
      if (response !== undefined) await sendResponse(response, res)
      else if (next !== undefined) next()
      else await sendResponse(new Response(null, { status: 404 }), res)
    } catch (error) {
      if (next === undefined) res.destroy()
      else next(error)
    }
  }
}

/** Methods that no `Request` can have (Fetch §2.2.1): nobody handles them. */
const unfit: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])

function webRequest(req: IncomingMessage & { readonly originalUrl?: string }, base: URL): Request {
  const method = req.method ?? 'GET'
  // What a router has taken off the target is part of it; a target that is no path leads nowhere.
  const target = req.originalUrl ?? req.url ?? '/'
  const url = new URL(
    target.startsWith('/') ? `${base.origin}${target}` : `${base.origin}/${encodeURIComponent(target)}`,
  )
  const headers = new Headers(headerList(req).filter(([name]) => !name.startsWith(':')))
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers })
  return new Request(url, { method, headers, body: readBody(req), duplex: 'half' } as RequestInit)
}
