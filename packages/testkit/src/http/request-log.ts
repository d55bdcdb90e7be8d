/**
 * Request log: what reached the server, for tests to look at.
 *
 * listen → **request log** → routes. Keeps credentials as they came: that is what
 * tests compare. Never printed.
 *
 * @module
 */

import type { IncomingHttpHeaders } from 'node:http'
import type { Exchange } from './exchange.ts'

export interface RecordedRequest {
  readonly method: string
  /** The path as it came over the wire, without the query. */
  readonly path: string
  /** The query as it came over the wire, without `?`. */
  readonly query: string
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Names and values as sent, alternating: shows duplicates and spelling. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** An array that can be emptied between two steps of a test. */
export class RequestLog extends Array<RecordedRequest> {
  // `filter` and `map` give plain arrays.
  static override get [Symbol.species]() {
    return Array
  }

  clear(): void {
    this.length = 0
  }

  record({ req, method, path, body }: Exchange): void {
    const url = req.url ?? ''
    const at = url.indexOf('?')
    this.push({
      method,
      path,
      query: at < 0 ? '' : url.slice(at + 1),
      headers: req.headers,
      rawHeaders: req.rawHeaders,
      body,
    })
  }
}
