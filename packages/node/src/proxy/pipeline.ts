/**
 * Pipeline: one request through the proxy, step by step.
 *
 * inbound → headers → target → who → subject → facts → **decide → record** → credential → forward → answer.
 * Nothing comes back to a caller before the decision is on record, and but for plain reads nothing goes upstream.
 * Each step ends the request by throwing; what is thrown becomes the one refusal and, before a decision, the one
 * event.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { createGate, isAboutCredential, unmatchedRoute } from '../guard/gate.ts'
import { type Refusal, refusalOfError } from '../guard/refusal.ts'
import { answerWhoami } from './request/caller-request.ts'
import { decideAgain } from './request/decide-on.ts'
import type { Known, Parts, Progress } from './request/known.ts'
import type { LeaseJudge, Leases, LeaseTerms } from './request/leases.ts'
import { answerCatalogue, answerList } from './request/list-request.ts'
import type { ProxyOptions, ProxySettings } from './request/options.ts'
import { isGitRoute } from './request/pass-on.ts'
import { answerResource } from './request/resource-request.ts'
import { type OpenSocket, openSocket } from './request/socket-request.ts'
import { createSpend } from './request/spend.ts'
import { createUpstreamAccess } from './request/upstream-access.ts'
import { forwardCaller, type UpstreamCredentials } from './upstream/credentials.ts'
import { createResourceFacts } from './upstream/resource-facts.ts'
import { Fields } from './wire/fields.ts'
import { basicAsBearer } from './wire/git-credential.ts'
import { readHubTarget } from './wire/hub-target.ts'
import type { Inbound } from './wire/inbound.ts'
import { ProxyRefusal, proxyRefusal } from './wire/proxy-refusal.ts'
import { isReply, type Reply, refusalReply, textReply } from './wire/reply.ts'
import { findHeaderFault, headerValue } from './wire/request-headers.ts'

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])

export interface Pipeline {
  /** Answers; never throws. */
  handle(inbound: Inbound): Promise<Reply>
  /** Opens a WebSocket, or says why not; never throws. */
  open(inbound: Inbound): Promise<Reply | OpenSocket>
  /** Puts on record what did not even become a request. */
  recordMalformed(reason: MalformedReason, remoteAddress: string | undefined): void
}

/** A pipeline under one policy. */
export interface PolicyPipeline extends Pipeline {
  /** For what a pipeline under another policy has let through. */
  readonly judge: LeaseJudge
}

export type MalformedReason = 'request_malformed' | 'headers_too_large' | 'request_timeout' | 'method_unknown'

export function createPipeline(
  options: ProxyOptions,
  settings: ProxySettings,
  leases: Leases,
): PolicyPipeline {
  const { audit, resourceMetadataUrl, engine, limiter } = options
  const gate = createGate(options)
  const { origins, send, now } = settings
  const facts = createResourceFacts({ hub: origins.hub, send, now })
  const { policy } = engine
  const accessWith = (credentials: UpstreamCredentials) =>
    createUpstreamAccess({ credentials, facts, audit, gate, policy })
  const upstream = accessWith(options.credentials)
  const own = accessWith(forwardCaller())
  const parts: Parts = {
    settings,
    gate,
    audit,
    facts,
    upstreamFor: ({ isTrial }) => (isTrial ? own : upstream),
    leases,
    judge: { issuerNamed: (alias) => policy.issuers.get(alias), allowsStill },
    spend: createSpend(limiter),
    resourceMetadataUrl,
    refuse,
  }

  async function allowsStill({ caller, asked }: LeaseTerms): Promise<boolean> {
    const { principal, presented } = caller
    const issuer = presented?.credential.issuer
    // The same alias may stand for another issuer now.
    if (issuer !== undefined && policy.issuers.get(principal.issuer)?.url !== issuer.url) return false
    return asked === undefined || decideAgain({ ...caller, access: engine.for(principal) }, asked, parts)
  }

  async function run<T extends object>(
    inbound: Inbound,
    finish: (known: Known) => Promise<T | Reply>,
  ): Promise<T | Reply> {
    const headers = new Fields(inbound.headers)
    const progress: Progress = {
      visit: gate.visit(headers, inbound),
      http: { method: inbound.method, route: unmatchedRoute },
      isGit: false,
      isTrial: false,
    }
    try {
      return await answer(inbound, headers, progress, finish)
    } catch (error) {
      return refuseForError(error, progress)
    }
  }

  async function answer<T extends object>(
    inbound: Inbound,
    headers: Fields,
    progress: Progress,
    finish: (known: Known) => Promise<T | Reply>,
  ): Promise<T | Reply> {
    const { method } = inbound
    const fault = findHeaderFault(inbound.headers, settings.allowedHosts)
    if (fault !== undefined) throw new ProxyRefusal(fault)
    const address = settings.addressOf(headerValue(inbound.headers, 'host') ?? new URL(inbound.origin).host)
    if (address === undefined) throw new ProxyRefusal('host_unknown')
    if (method === 'OPTIONS' && headers.has('access-control-request-method')) return refusedPreflight()
    if (!methods.has(method)) throw new ProxyRefusal('method_unknown')
    const target = readHubTarget(method, inbound.target, address.services)
    if (typeof target === 'string') throw new ProxyRefusal(target)
    if (target.path === '/healthz' && target.search === '' && method !== 'POST') return health()
    const { match } = target
    progress.isGit = match !== undefined && isGitRoute(match.route.path)
    if (progress.isGit) basicAsBearer(headers)

    await keepLimit(await limiter?.arrive?.(progress.visit.client.ip), progress)
    const caller = await gate.identify(progress.visit, headers, method)
    progress.visit = caller
    if (match === undefined) throw new ProxyRefusal('route_unknown')
    progress.http = { ...progress.http, route: match.route.path }
    const { principal, client } = caller
    await keepLimit(await limiter?.take({ principal, ip: client.ip }, match.action), progress)
    const outcome = await finish({ inbound, headers, address, target, match, caller, progress })
    if (caller.setCookie !== undefined && isReply(outcome))
      outcome.headers.append('set-cookie', caller.setCookie)
    return outcome
  }

  /** @param refusal - What a limit says; `undefined` when it has room. */
  async function keepLimit(refusal: Refusal | undefined, { visit, http }: Progress): Promise<void> {
    if (refusal === undefined) return
    if (!settings.isDryRun) throw new LimitReached(refusal)
    await gate.recordRefusal(visit, refusal.reason, http, false)
  }

  function answerMatched(known: Known): Promise<Reply> {
    const about = known.match.route.target
    switch (about.in) {
      case 'caller':
        return answerWhoami(known, parts)
      case 'list':
        return answerList(known, about.type, parts)
      case 'catalogue':
        return answerCatalogue(known, parts)
      default:
        return answerResource(known, parts)
    }
  }

  function health(): Reply {
    const failing = audit.isFailing()
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
    const text = JSON.stringify({ status: failing ? 'degraded' : 'ok' })
    return textReply(failing ? 503 : 200, Object.entries(headers), text)
  }

  function refuse(refusal: Refusal, { visit: { requestId }, isGit }: Progress): Reply {
    const reply = refusalReply(refusal, { requestId, resourceMetadataUrl })
    if (!reply.headers.has('x-error-message')) reply.headers.set('x-error-message', refusal.detail)
    if (isGit && refusal.status === 401) reply.headers.append('www-authenticate', 'Basic realm="hfauth"')
    reply.headers.set('vary', 'Authorization, Origin')
    return reply
  }

  async function refuseForError(error: unknown, progress: Progress): Promise<Reply> {
    let refusal = refusalOf(error)
    const { visit, http, onFailure } = progress
    try {
      if (onFailure !== undefined) onFailure(refusal.reason)
      else if (isAboutCredential(error)) await gate.recordRejectedToken(visit, error, http)
      else if (!isAuditFailure(error)) await gate.recordRefusal(visit, refusal.reason, http)
    } catch (failure) {
      refusal = refusalOfError(failure)
    }
    return refuse(refusal, progress)
  }

  return {
    judge: parts.judge,
    handle: (inbound) => run<never>(inbound, answerMatched),
    open: (inbound) => run(inbound, (known) => openSocket(known, parts)),
    recordMalformed(reason, remoteAddress) {
      const visit = gate.visit(new Headers(), { remoteAddress })
      void gate
        .recordRefusal(visit, reason, { method: 'unknown', route: unmatchedRoute })
        .catch(() => undefined)
    },
  }
}

/** A preflight is answered, and with nothing that a page of another origin could use. */
function refusedPreflight(): Reply {
  const headers = { vary: 'Origin', 'cache-control': 'no-store' }
  return { status: 204, headers: new Fields(Object.entries(headers)), body: null }
}

/** Ends a request that a limit has no room for. */
class LimitReached extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.reason)
    this.refusal = refusal
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof LimitReached) return error.refusal
  return error instanceof ProxyRefusal ? proxyRefusal(error.reason) : refusalOfError(error)
}

function isAuditFailure(error: unknown): boolean {
  return error instanceof HfAuthError && error.code === 'HFAUTH_AUDIT_UNAVAILABLE'
}
