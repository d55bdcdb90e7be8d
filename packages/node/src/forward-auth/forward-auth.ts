/**
 * Forward auth: answers a gateway that asks before it lets a request through.
 *
 * gateway → original request → **guard** → 200, 401 or 403. The policy's own `routes` say what a request does;
 * who it is for and what was decided go back in headers, for the gateway to pass on to the application.
 *
 * @module
 */
import type { AuditHttp } from '@hfauth/core'
import { HfAuthError } from '@hfauth/core'
import { createGate, unmatchedRoute } from '../guard/gate.ts'
import { createGuard } from '../guard/guard.ts'
import { buildRefusal } from '../guard/refusal.ts'
import type { Allowed, Connection, GuardOptions } from '../guard/types.ts'
import { type Gateway, isGateway, originalRequest } from './original-request.ts'

export type { Gateway }

export interface ForwardAuthOptions extends GuardOptions {
  /** Which gateway asks, and so whose headers count. */
  readonly gateway: Gateway
}

/**
 * Answers the gateway's question; never throws for what it contains.
 *
 * @param connection - Whose socket it is, and the target as sent; without it Envoy's is judged as a URL parser
 * left it.
 */
export type ForwardAuth = (request: Request, connection?: Connection) => Promise<Response>

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` for a gateway that is not known, and as `createGuard` does. */
export function createForwardAuth(options: ForwardAuthOptions): ForwardAuth {
  const { gateway, resourceMetadataUrl } = options
  if (!isGateway(gateway)) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`gateway` must be nginx, envoy, traefik or caddy')
  }
  const guard = createGuard(options)
  const gate = createGate(options)

  /** The gateway does not say what it asks about: nobody can be let in on that. */
  async function refuseMalformed(request: Request, connection: Connection): Promise<Response> {
    const visit = gate.visit(request.headers, connection)
    const http: AuditHttp = { method: request.method, route: unmatchedRoute }
    const recorded = await gate.recordRefusal(visit, 'request_malformed', http).then(
      () => true,
      () => false,
    )
    const refusal = {
      status: recorded ? 403 : 503,
      reason: recorded ? 'request_malformed' : 'audit_unavailable',
      detail: 'The gateway does not say which request it asks about.',
    }
    return buildRefusal(refusal, { requestId: visit.requestId, resourceMetadataUrl })
  }

  return async (request, connection = {}) => {
    const { pathname, search } = new URL(request.url)
    const original = originalRequest(request, connection.target ?? pathname + search, gateway)
    if (original === undefined) return refuseMalformed(request, connection)
    const { method, target } = original
    const question = { method, url: 'http://target.invalid/', headers: request.headers }
    const outcome = await guard.check(question, undefined, { ...connection, target })
    return outcome.allowed ? admit(outcome) : forGateway(outcome.response)
  }
}

/** Who it is, in headers that the application may believe because the gateway overwrites the client's. */
function admit({ principal, access, requestId, setCookie }: Allowed): Response {
  const headers = new Headers({
    'cache-control': 'no-store',
    'x-request-id': requestId,
    'x-hfauth-principal': headerText(principal.id),
    'x-hfauth-kind': principal.kind,
    'x-hfauth-roles': access.roles().map(headerText).join(','),
    // Empty where there is none: a gateway that copies what is there would leave the client's own in its place.
    'x-hfauth-username': headerText(principal.username ?? ''),
  })
  if (setCookie !== undefined) headers.append('set-cookie', setCookie)
  return new Response(null, { status: 200, headers })
}

/**
 * Gateways know 401 and 403 and take other refusals for a failure of ours: what is the client's fault becomes
 * 403, with the reason as it was; what is ours stays a failure, which lets nobody in either.
 */
function forGateway(response: Response): Response {
  const { status } = response
  if (status === 401 || status === 403 || status >= 500) return response
  return new Response(response.body, { status: 403, headers: response.headers })
}

/** Names may hold anything; a header holds visible ASCII, and in a list no comma. Percent-encoded where needed. */
function headerText(text: string): string {
  return text.replaceAll(/[^\x21-\x24\x26-\x2b\x2d-\x7e]+/g, (part) =>
    encodeURIComponent(part.replaceAll(/\p{Surrogate}/gu, '\ufffd')),
  )
}
