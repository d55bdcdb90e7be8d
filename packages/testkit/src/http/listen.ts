/**
 * Listen: a server on 127.0.0.1 that can be shut down at once.
 *
 * **listen** → exchange → routes. The handler is set after the port is known,
 * because an issuer has to state its own URL.
 *
 * @module
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Exchange, HttpRefusal, readBody, sendJson } from './exchange.ts'

export type Handler = (exchange: Exchange) => void | Promise<void>

export interface LoopbackServer {
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string
  /** Puts the handler in place. Requests before this get 503. */
  serve(handler: Handler): void
  /** Resolves when the port is free. Open connections, idle or busy, are destroyed. */
  close(): Promise<void>
}

/** @param port - 0 picks a free one. */
export async function listenOnLoopback(port: number): Promise<LoopbackServer> {
  let handler: Handler = (exchange) => sendJson(exchange, 503, { error: 'starting' })
  const server = createServer((req, res) => {
    void answer(req, res, handler)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1' }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    serve(next) {
      handler = next
    },
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

async function answer(req: IncomingMessage, res: ServerResponse, handler: Handler): Promise<void> {
  const [path = '/', query = ''] = splitOnce(req.url ?? '/', '?')
  const partial = { req, res, method: req.method ?? 'GET', path, query: new URLSearchParams(query) }
  try {
    await handler({ ...partial, body: await readBody(req) })
  } catch (error) {
    // The client is gone or the answer has begun: all that is left is to cut it off.
    if (res.headersSent || res.destroyed) return void res.destroy()
    const exchange = { ...partial, body: Buffer.alloc(0) }
    if (error instanceof HttpRefusal) return sendJson(exchange, error.status, error.body, error.headers)
    sendJson(exchange, 500, { error: error instanceof Error ? error.message : 'internal error' })
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}
