/**
 * CORS: which pages of other origins may call the proxy.
 *
 * Pages bring a token and no cookie, so credentials stay off. An origin that is not on the list is told nothing,
 * and its request is judged like any other that comes without a page.
 *
 * @see Fetch §3.2 (CORS protocol)
 * @module
 */

import type { Pipeline } from './pipeline.ts'
import type { Fields } from './wire/fields.ts'
import type { Inbound } from './wire/inbound.ts'
import type { Reply } from './wire/reply.ts'
import { headerValue } from './wire/request-headers.ts'

/** What a page may read of an answer besides what every page may. */
const exposed = [
  'content-disposition',
  'content-range',
  'etag',
  'link',
  'ratelimit',
  'retry-after',
  'www-authenticate',
  'x-error-code',
  'x-error-message',
  'x-linked-etag',
  'x-linked-size',
  'x-repo-commit',
  'x-request-id',
].join(', ')

const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const preflightLivesSeconds = 600

export function withCors(pipeline: Pipeline, origins: ReadonlySet<string>): Pipeline {
  if (origins.size === 0) return pipeline
  return {
    ...pipeline,
    async handle(inbound) {
      const reply = await pipeline.handle(inbound)
      const origin = headerValue(inbound.headers, 'origin')
      if (origin === undefined || !origins.has(origin)) return reply
      const { headers } = reply
      headers.set('access-control-allow-origin', origin)
      headers.set('access-control-expose-headers', exposed)
      if (isPreflight(inbound, reply)) allowAll(inbound, headers)
      return reply
    },
  }
}

/** The pipeline has looked at it, and refused it when it was malformed. */
function isPreflight({ method }: Inbound, { status }: Reply): boolean {
  return method === 'OPTIONS' && status === 204
}

function allowAll({ headers: asked }: Inbound, headers: Fields): void {
  headers.set('access-control-allow-methods', allowedMethods)
  headers.set('access-control-max-age', String(preflightLivesSeconds))
  const names = headerValue(asked, 'access-control-request-headers')
  if (names !== undefined && /^[\w-]+(?:, *[\w-]+)*$/.test(names))
    headers.set('access-control-allow-headers', names)
}
