/**
 * AuthZEN: the policy as a decision point for other enforcement points, such as gateways.
 *
 * request → guard → body → **handler** → evaluate, search. A denial is an answer; a status tells only whether
 * the question could be asked.
 *
 * @see OpenID AuthZEN Authorization API 1.0 §9 (metadata), §10 (transport)
 * @module
 */
import { randomUUID } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import { buildRefusal, type Refusal, refusalOfError } from '../guard/refusal.ts'
import { callableEndpoint } from '../internal/endpoint.ts'
import { parseJsonObject } from '../internal/json-object.ts'
import { numberOption } from '../internal/number-option.ts'
import { decodeUtf8 } from '../internal/request.ts'
import { readBounded } from '../proxy/wire/json-body.ts'
import { chunksOf } from '../proxy/wire/reply.ts'
import { type Properties, RequestFault } from './entities.ts'
import { evaluate, evaluateAll } from './evaluate.ts'
import { searchActions, searchResources, searchSubjects } from './search.ts'
import type { Authzen, AuthzenOptions } from './types.ts'

type Endpoint = (body: Properties, requestId: string, options: AuthzenOptions) => Promise<object>

/**
 * Creates the endpoints of one decision point: evaluation, evaluations, the searches there are lists for, and
 * the metadata.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `url` is not https (or http on this machine), or a limit is
 * no number.
 */
export function createAuthzen(options: AuthzenOptions): Authzen {
  const { guard, question, subjectsOf, resourcesOf } = options
  const { base, wellKnown } = placeOf(options.url)
  const maxBytes = numberOption('maxBodyBytes', options.maxBodyBytes ?? 1_048_576, { min: 1 })
  const timeoutMs = numberOption('bodyTimeoutMs', options.bodyTimeoutMs ?? 30_000, { min: 1 })
  numberOption('maxEvaluations', options.maxEvaluations ?? 100, { min: 1 })

  const endpoints: readonly [key: string, path: string, endpoint: Endpoint][] = [
    ['access_evaluation_endpoint', '/access/v1/evaluation', evaluate],
    ['access_evaluations_endpoint', '/access/v1/evaluations', evaluateAll],
    ...(subjectsOf === undefined ? [] : [search('subject', searchSubjects)]),
    ...(resourcesOf === undefined ? [] : [search('resource', searchResources)]),
    search('action', searchActions),
  ]
  const byPath = new Map(
    endpoints.map(([, path, endpoint]) => [base.pathname.replace(/\/$/, '') + path, endpoint]),
  )
  const metadata = Object.freeze({
    policy_decision_point: options.url,
    ...Object.fromEntries(endpoints.map(([key, path]) => [key, base.href.replace(/\/$/, '') + path])),
  })

  async function answer(request: Request, requestId: string): Promise<Response> {
    const { pathname } = new URL(request.url)
    const { method } = request
    if (pathname === wellKnown) {
      if (method !== 'GET' && method !== 'HEAD') return refuse(wrongMethod('GET, HEAD'), requestId)
      return json(metadata, requestId, 'public, max-age=3600')
    }
    const endpoint = byPath.get(pathname)
    if (endpoint === undefined) return refuse(unknownRoute, requestId)
    if (method !== 'POST') return refuse(wrongMethod('POST'), requestId)
    const outcome = await guard.check(request, question)
    if (!outcome.allowed) return outcome.response
    const body = await readBody(request, { maxBytes, timeoutMs })
    return json(await endpoint(body, outcome.requestId, options), requestId, 'no-store')
  }

  return {
    metadata,
    async handle(request) {
      const given = request.headers.get('x-request-id')
      const requestId = given !== null && /^[\x20-\x7e]{1,256}$/.test(given) ? given : randomUUID()
      if (given !== null && given !== requestId)
        return refuse(invalid('`X-Request-ID` cannot be sent back'), requestId)
      const response = await answer(request, requestId).catch((error: unknown) =>
        refuse(
          error instanceof RequestFault ? invalid(error.message, error.status) : refusalOfError(error),
          requestId,
        ),
      )
      if (given !== null) response.headers.set('x-request-id', given)
      return response
    },
  }
}

function search(
  kind: 'subject' | 'resource' | 'action',
  run: typeof searchActions,
): [string, string, Endpoint] {
  return [`search_${kind}_endpoint`, `/access/v1/search/${kind}`, (body, _, options) => run(body, options)]
}

/** The well-known part stands between host and path. */
function placeOf(text: string): { readonly base: URL; readonly wellKnown: string } {
  const base = callableEndpoint(text, URL.canParse(text) ? text : 'https://invalid')
  if (base === undefined || base.search !== '') {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`url` of the decision point must be an https address')
  }
  return { base, wellKnown: `/.well-known/authzen-configuration${base.pathname.replace(/\/$/, '')}` }
}

/** @throws RequestFault for anything but one strict JSON object, said to be JSON, within the bounds. */
async function readBody(
  { headers, body }: Request,
  { maxBytes, timeoutMs }: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<Properties> {
  const [mediaType = ''] = (headers.get('content-type') ?? '').split(';')
  if (mediaType.trim().toLowerCase() !== 'application/json')
    throw new RequestFault('the body must be JSON, and say so')
  const bytes = await readBounded(body && chunksOf(body), { maxBytes, timeoutMs })
  if (bytes === 'too_large') throw new RequestFault('the body is too long', 413)
  if (bytes === 'timeout') throw new RequestFault('the body took too long to arrive', 408)
  const text = decodeUtf8(bytes)
  const value = text === undefined ? undefined : parseJsonObject(text, { maxLength: maxBytes })
  if (value === undefined) throw new RequestFault('the body must be one strict JSON object')
  return value
}

function json(value: object, requestId: string, cacheControl: string): Response {
  return Response.json(value, {
    headers: {
      'cache-control': cacheControl,
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    },
  })
}

const unknownRoute: Refusal = { status: 404, reason: 'route_unknown', detail: 'There is nothing here.' }

function wrongMethod(allow: string): Refusal {
  return {
    status: 405,
    reason: 'method_unknown',
    detail: 'This method is not used here.',
    headers: { allow },
  }
}

function invalid(detail: string, status = 400): Refusal {
  return { status, reason: 'request_invalid', detail }
}

function refuse(refusal: Refusal, requestId: string): Response {
  return buildRefusal(refusal, { requestId })
}
