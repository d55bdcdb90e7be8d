/**
 * Replay: hands a request whose body was read already to a library that reads it itself.
 *
 * exchange → **replay** → provider. The copy shares the socket and nothing else, so the
 * body may differ from what was sent: that is how the token endpoint accepts JSON.
 *
 * @module
 */

import { IncomingMessage } from 'node:http'
import type { Exchange } from './exchange.ts'

export interface ReplayOptions {
  /** Path and query to use instead of the original. */
  readonly url?: string
  /** Form parameters to use instead of the original body. */
  readonly form?: URLSearchParams
}

export function replayRequest({ req, body }: Exchange, { url, form }: ReplayOptions = {}): IncomingMessage {
  const copy = new IncomingMessage(req.socket)
  const content = form === undefined ? body : Buffer.from(form.toString())
  copy.method = req.method ?? 'GET'
  copy.url = url ?? req.url ?? '/'
  copy.httpVersion = req.httpVersion
  copy.headers = { ...req.headers, 'content-length': String(content.length) }
  delete copy.headers['transfer-encoding']
  if (form !== undefined) copy.headers['content-type'] = 'application/x-www-form-urlencoded'
  copy.push(content.length > 0 ? content : null)
  if (content.length > 0) copy.push(null)
  // Otherwise the end of the copy would count as an aborted request and close the socket.
  copy.complete = true
  return copy
}
