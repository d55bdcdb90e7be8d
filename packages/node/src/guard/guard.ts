/**
 * Guard: who, what, may they, on the record; for one Web request.
 *
 * request → principal → decision → record → **answer**. Adapters translate to and from it and hold no rules.
 *
 * @module
 */
import { type AppRouteMatch, type AuditHttp, createAppRouter, type Principal } from '@hfauth/core'
import { assertOneCredential } from './bearer.ts'
import { createGate, isAboutCredential, unmatchedRoute } from './gate.ts'
import { buildRefusal, type Refusal, refusalOfDecision, refusalOfError } from './refusal.ts'
import { readTarget } from './request-target.ts'
import type {
  Allowed,
  Caller,
  Connection,
  Guard,
  GuardOptions,
  GuardQuestion,
  GuardRequest,
  Refused,
  Visit,
} from './types.ts'

/**
 * Builds a guard. It keeps nothing between two requests.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `trustedProxies` holds what is no address.
 */
export function createGuard(options: GuardOptions): Guard {
  const gate = createGate(options)
  const { resourceMetadataUrl } = options
  const matchRoute = createAppRouter(options.engine.policy)

  async function identify(request: GuardRequest, connection: Connection = {}): Promise<Principal> {
    assertOneCredential(request.headers, connection.target ?? request.url)
    const caller = await gate.identify(
      gate.visit(request.headers, connection),
      request.headers,
      request.method,
    )
    return caller.principal
  }

  async function check(
    request: GuardRequest,
    question: GuardQuestion | undefined,
    connection: Connection = {},
  ): Promise<Allowed | Refused> {
    const visit = gate.visit(request.headers, connection)
    const http = { method: request.method, route: question?.route ?? unmatchedRoute }
    let caller: Caller | undefined
    try {
      const asked = question ?? routeOf(request, connection)
      if (typeof asked === 'string') {
        await gate.recordRefusal(visit, asked, http)
        return refuse(visit, targetRefusals[asked], asked)
      }
      assertOneCredential(request.headers, connection.target ?? request.url)
      caller = await gate.identify(visit, request.headers, request.method)
      if (asked === undefined) {
        await gate.recordRefusal(caller, 'route_unknown', http)
        return refuse(caller, unknownRoute, 'route_unknown')
      }
      return await judge(caller, asked, { ...http, route: asked.route ?? 'custom' })
    } catch (error) {
      return refuseForError(caller ?? visit, error, http)
    }
  }

  async function judge(caller: Caller, question: GuardQuestion, http: AuditHttp): Promise<Allowed | Refused> {
    const { action, resource, context } = question
    const decision = caller.access.decide({ action, resource, context: { ...context, ...caller.context } })
    await gate.recordDecision(caller, decision, { http })
    if (!decision.allowed)
      return { ...refuse(caller, refusalOfDecision(decision), decision.reason), decision }
    const { principal, access, requestId, setCookie } = caller
    const allowed = { allowed: true as const, principal, access, decision, requestId }
    return setCookie === undefined ? allowed : { ...allowed, setCookie }
  }

  /** The question that the policy's own routes see in a request; a text is a fault of its target. */
  function routeOf({ method, url }: GuardRequest, { target }: Connection) {
    const { pathname, search } = new URL(url)
    const read = readTarget(target ?? pathname + search)
    if (typeof read === 'string') return read
    const match: AppRouteMatch | undefined = matchRoute(method, read.path)
    return match && { action: match.action, resource: match.resource, route: match.route }
  }

  function refuse(visit: Visit | Caller, refusal: Refusal, reason: string): Refused {
    const { requestId } = visit
    const response = buildRefusal(refusal, { requestId, resourceMetadataUrl })
    if ('setCookie' in visit && visit.setCookie !== undefined) {
      response.headers.append('set-cookie', visit.setCookie)
    }
    return {
      allowed: false,
      response,
      reason,
      requestId,
      ...('principal' in visit ? { principal: visit.principal } : {}),
    }
  }

  async function refuseForError(visit: Visit | Caller, error: unknown, http: AuditHttp): Promise<Refused> {
    let refusal = refusalOfError(error)
    try {
      if (isAboutCredential(error)) await gate.recordRejectedToken(visit, error, http)
      else if (refusal.status === 500) await gate.recordRefusal(visit, refusal.reason, http)
    } catch (failure) {
      refusal = refusalOfError(failure)
    }
    return refuse(visit, refusal, refusal.reason)
  }

  return { identify, check }
}

const unknownRoute: Refusal = { status: 404, reason: 'route_unknown', detail: 'There is nothing here.' }

const targetRefusals: Readonly<Record<'path_ambiguous' | 'target_too_long', Refusal>> = {
  path_ambiguous: { status: 400, reason: 'path_ambiguous', detail: 'The path can be read in two ways.' },
  target_too_long: { status: 414, reason: 'target_too_long', detail: 'The path and query are too long.' },
}
