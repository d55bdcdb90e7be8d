/**
 * Pipeline: one request through the proxy, step by step.
 *
 * inbound → headers → target → who → subject → facts → **decide → record** → credential → forward → answer.
 * Nothing goes upstream for a caller before the decision is on record, and each step ends the request by
 * throwing; what is thrown becomes the one refusal and, before a decision, the one event.
 *
 * @module
 */
import {
  type AuditHttp,
  type Decision,
  HfAuthError,
  type HubType,
  type RouteMatch,
  recordedText,
} from '@hfauth/core'
import { createGate, isAboutCredential, recordedResource, unmatchedRoute } from '../guard/gate.ts'
import { buildRefusal, type Refusal, refusalOfDecision, refusalOfError } from '../guard/refusal.ts'
import type { Caller, Visit } from '../guard/types.ts'
import { readAnswer } from './answer.ts'
import { forward, type Outbound } from './forward.ts'
import { type HubTarget, readHubTarget } from './hub-target.ts'
import type { Inbound } from './inbound.ts'
import { readBounded } from './json-body.ts'
import { filterList, maxListBytes, withNeededMembers } from './lists.ts'
import type { ProxyOptions, ProxySettings } from './options.ts'
import { observed, outcomeType } from './outcome.ts'
import { ProxyRefusal, proxyRefusal } from './proxy-refusal.ts'
import { findHeaderFault, forwardedHeaders } from './request-headers.ts'
import { createResourceFacts } from './resource-facts.ts'
import { assertBody, readSubject } from './subject.ts'
import { createUpstreamAccess } from './upstream-access.ts'
import { buildWhoami } from './whoami.ts'

/** How far a request has come: what an error is told with, and recorded under. */
interface Progress {
  visit: Visit | Caller
  http: AuditHttp
  /** Set once the decision is on record; from then on, this records what came of it. */
  onFailure?: (reason: string) => void
}

interface Known {
  readonly inbound: Inbound
  readonly target: HubTarget
  readonly match: RouteMatch
  readonly caller: Caller
  readonly progress: Progress
}

/** What of a request differs between a resource and a list, on its way upstream. */
interface Outgoing extends Pick<Outbound, 'search' | 'headers' | 'body' | 'credential'> {
  /** The revision asked for: the answer must be about it. */
  readonly revision: string | undefined
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE'])

/** Refusals of a probe that hold whatever the resource is. */
const refusesAll: ReadonlySet<string> = new Set([
  'unknown_environment',
  'unknown_action',
  'unknown_resource_type',
  'authentication_required',
  'token_too_old',
  'step_up_required',
  'environment_ceiling',
])

export interface Pipeline {
  /** Answers; never throws. */
  handle(inbound: Inbound): Promise<Response>
  /** Puts on record what did not even become a request. */
  recordMalformed(
    reason: 'request_malformed' | 'headers_too_large' | 'request_timeout' | 'method_unknown',
    remoteAddress: string | undefined,
  ): void
}

export function createPipeline(options: ProxyOptions, settings: ProxySettings): Pipeline {
  const { audit, isFailing } = watchedAudit(options)
  const gate = createGate({ ...options, audit })
  const { origins, fetch, now } = settings
  const facts = createResourceFacts({ hub: origins.hub, fetch, now })
  const upstream = createUpstreamAccess({ credentials: options.credentials, facts, audit, gate })
  const { resourceMetadataUrl } = options

  async function handle(inbound: Inbound): Promise<Response> {
    const headers = new Headers(inbound.headers.map(([name, value]): [string, string] => [name, value]))
    const visit = gate.visit(headers, inbound)
    const progress: Progress = {
      visit,
      http: { method: recordedText(inbound.method, 32), route: unmatchedRoute },
    }
    try {
      return await answer(inbound, headers, progress)
    } catch (error) {
      return refuseForError(error, progress)
    }
  }

  async function answer(inbound: Inbound, headers: Headers, progress: Progress): Promise<Response> {
    const { method } = inbound
    const fault = findHeaderFault(inbound.headers, settings.allowedHosts)
    if (fault !== undefined) throw new ProxyRefusal(fault)
    if (method === 'OPTIONS' && headers.has('access-control-request-method')) return refusedPreflight()
    if (!methods.has(method)) throw new ProxyRefusal('method_unknown')
    const target = readHubTarget(method, inbound.target)
    if (typeof target === 'string') throw new ProxyRefusal(target)
    if (target.path === '/healthz' && target.search === '' && method !== 'POST') return health()

    const caller = await gate.identify(progress.visit, headers, method)
    progress.visit = caller
    const { match } = target
    if (match === undefined) throw new ProxyRefusal('route_unknown')
    progress.http = { ...progress.http, route: match.route.path }
    const known: Known = { inbound, target, match, caller, progress }
    const about = match.route.target
    if (about.in === 'caller') return answerWhoami(known)
    if (about.in === 'list') return answerList(known, about.type)
    return answerResource(known)
  }

  async function answerResource(known: Known): Promise<Response> {
    const { inbound, target, match, caller, progress } = known
    const { action, resource, body, mediaType } = await readSubject(
      inbound,
      match,
      caller.principal,
      settings,
    )
    const attributes = { ...(await upstream.factsFor(caller, action, resource)), ...resource.attributes }
    const decision = caller.access.decide({
      action,
      resource: { ...resource, attributes },
      context: caller.context,
    })
    const recorded = recordedResource(decision, resource.attributes)
    await gate.recordDecision(caller, decision, { http: progress.http, resource: recorded })
    if (!decision.allowed) return refuse(refusalOfDecision(decision), caller)

    const type = outcomeType(match, action)
    const end = (http: Partial<AuditHttp>, error?: string) => {
      if (type === undefined) return
      const entry = {
        ...gate.entryFor(caller),
        type,
        action,
        resource: recorded,
        http: { ...progress.http, ...http },
        ...(error === undefined ? {} : { error }),
        durationMs: now() - caller.startedAt,
      }
      // The answer is out; all that can still be done about it is to say that health is bad.
      void audit.record(entry).catch(() => undefined)
    }
    progress.onFailure = (reason) => end({}, inbound.signal.aborted ? 'client_closed' : reason)

    const credential = await upstream.requireCredential(caller, { action, resource, scopes: decision.scopes })
    const shown = await passOn(known, {
      search: target.search,
      headers: outboundHeaders(inbound, mediaType),
      body,
      credential,
      revision: resource.attributes.revision,
    })
    return observed(shown, inbound.signal, ({ bytesOut, error }) =>
      end({ status: shown.status, bytesOut }, error),
    )
  }

  async function answerList(known: Known, type: HubType): Promise<Response> {
    const { inbound, target, match, caller, progress } = known
    assertBody(inbound)
    const { action } = match
    const probe = probeAccess(caller, action, type)
    const recorded = { kind: type, id: '*' }
    if (refusesAll.has(probe.reason)) {
      await gate.recordDecision(caller, probe, { http: progress.http, resource: recorded })
      return refuse(refusalOfDecision(probe), caller)
    }
    await gate.recordDecision(caller, probe, {
      http: progress.http,
      resource: recorded,
      grantedAs: 'filtered',
    })
    progress.onFailure = () => undefined
    const scopes = match.route.host === 'hub' ? ['read-repos'] : ['inference-api']
    // Without a credential the list holds what is public.
    const credential = await upstream.credentialFor(caller, { action, scopes })
    const headers = forwardedHeaders(inbound.headers)
    // Half a list, or one known by its old tag, cannot be cut down.
    for (const name of ['range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since'])
      headers.delete(name)
    const shown = await passOn(known, {
      search: match.route.host === 'hub' ? withNeededMembers(target.query) : target.search,
      headers,
      body: undefined,
      credential,
      revision: undefined,
    })
    if (shown.status !== 200) return shown
    const signal = AbortSignal.any([inbound.signal, AbortSignal.timeout(settings.upstreamTimeoutMs)])
    const bytes = await readBounded(shown.body, { maxBytes: maxListBytes, signal })
    if (typeof bytes === 'string') throw new ProxyRefusal('upstream_mismatch')
    const filtered = await filterList(parseList(bytes), {
      access: caller.access,
      action,
      type,
      context: caller.context,
      factsOf: (resource) => facts(resource, credential),
    })
    for (const name of ['content-length', 'etag', 'last-modified', 'x-total-count'])
      shown.headers.delete(name)
    return new Response(JSON.stringify(filtered), { status: 200, headers: shown.headers })
  }

  async function answerWhoami({ inbound, caller, progress }: Known): Promise<Response> {
    assertBody(inbound)
    const probe = probeAccess(caller, 'read', 'model')
    const recorded = { kind: 'principal', id: caller.principal.id }
    const { principal, presented } = caller
    const isRefused = probe.reason !== 'environment_ceiling' && refusesAll.has(probe.reason)
    if (isRefused || presented === undefined) {
      const decision: Decision = isRefused
        ? probe
        : { ...probe, allowed: false, reason: 'authentication_required' }
      await gate.recordDecision(caller, decision, { http: progress.http, resource: recorded })
      return refuse(refusalOfDecision(decision), caller)
    }
    await gate.recordDecision(caller, probe, { http: progress.http, resource: recorded, grantedAs: 'caller' })
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'private, no-store',
      vary: 'Authorization, Origin',
      'x-content-type-options': 'nosniff',
      'x-request-id': caller.requestId,
    }
    return jsonResponse(buildWhoami(principal, presented.credential.expiresAt), { headers })
  }

  /** What holds for every resource of a type shows on any one of them. */
  function probeAccess(caller: Caller, action: string, type: string): Decision {
    return caller.access.decide({ action, resource: { type, id: 'any' }, context: caller.context })
  }

  /** Sends a request that was allowed, and reads the answer as the caller may see it. */
  async function passOn({ inbound, target, match, caller }: Known, outgoing: Outgoing): Promise<Response> {
    const { revision, ...rest } = outgoing
    const { method, signal } = inbound
    const origin = origins[match.route.host]
    const response = await forward(
      { ...rest, method, origin, path: target.path, signal },
      { fetch, timeoutMs: settings.upstreamTimeoutMs },
    )
    return readAnswer(response, {
      method,
      origins: { upstream: origin, proxy: publicOrigin(inbound), redirectHosts: settings.redirectHosts },
      requestId: caller.requestId,
      resourceMetadataUrl,
      secret: outgoing.credential?.token,
      xetRoute: /\/xet-(?:read|write)-token\//.test(match.route.path),
      revision,
    })
  }

  function outboundHeaders(inbound: Inbound, mediaType: string | undefined): Headers {
    const headers = forwardedHeaders(inbound.headers)
    if (mediaType !== undefined) {
      headers.set('content-type', mediaType)
      headers.delete('content-length')
    }
    if (inbound.body === undefined) headers.delete('content-length')
    return headers
  }

  function publicOrigin(inbound: Inbound): string {
    return settings.publicOrigin ?? inbound.origin
  }

  function health(): Response {
    const failing = isFailing()
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
    return jsonResponse({ status: failing ? 'degraded' : 'ok' }, { status: failing ? 503 : 200, headers })
  }

  function refuse(refusal: Refusal, { requestId }: Visit): Response {
    const response = buildRefusal(refusal, { requestId, resourceMetadataUrl })
    if (!response.headers.has('x-error-message')) response.headers.set('x-error-message', refusal.detail)
    response.headers.set('vary', 'Authorization, Origin')
    return response
  }

  async function refuseForError(error: unknown, progress: Progress): Promise<Response> {
    let refusal = error instanceof ProxyRefusal ? proxyRefusal(error.reason) : refusalOfError(error)
    const { visit, http, onFailure } = progress
    try {
      if (onFailure !== undefined) onFailure(refusal.reason)
      else if (isAboutCredential(error)) await gate.recordRejectedToken(visit, error, http)
      else if (!isAuditFailure(error)) await gate.recordRefusal(visit, refusal.reason, http)
    } catch (failure) {
      refusal = refusalOfError(failure)
    }
    return refuse(refusal, visit)
  }

  return {
    handle,
    recordMalformed(reason, remoteAddress) {
      const visit = gate.visit(new Headers(), { remoteAddress })
      void gate
        .recordRefusal(visit, reason, { method: 'unknown', route: unmatchedRoute })
        .catch(() => undefined)
    },
  }
}

/** A preflight is answered, and with nothing that a page of another origin could use. */
function refusedPreflight(): Response {
  return new Response(null, { status: 204, headers: { vary: 'Origin', 'cache-control': 'no-store' } })
}

function jsonResponse(value: unknown, init: ResponseInit): Response {
  const body = JSON.stringify(value)
  const headers = new Headers(init.headers)
  headers.set('content-length', String(Buffer.byteLength(body)))
  return new Response(body, { ...init, headers })
}

function parseList(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw new ProxyRefusal('upstream_mismatch')
  }
}

function isAuditFailure(error: unknown): boolean {
  return error instanceof HfAuthError && error.code === 'HFAUTH_AUDIT_UNAVAILABLE'
}

/** The same log, watched: health is bad while the last event could not be written. */
function watchedAudit({ audit }: ProxyOptions) {
  let failing = false
  const watched: typeof audit = {
    subscribe: (hook) => audit.subscribe(hook),
    close: () => audit.close(),
    async record(entry) {
      try {
        const event = await audit.record(entry)
        failing = false
        return event
      } catch (error) {
        failing = true
        throw error
      }
    },
  }
  return { audit: watched, isFailing: () => failing }
}
