/**
 * Gate: the steps that the guard and the proxy share, from headers to a recorded decision.
 *
 * headers → verify → principal → decide → **record** → effect. Nothing may happen on the word of a
 * decision that is not on record, so recording comes last here and throws.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import {
  type AuditHttp,
  anonymous,
  auditActor,
  auditDecision,
  type Decision,
  HfAuthError,
  recordedText,
} from '@hfauth/core'
import type { AuditEntry } from '../audit/types.ts'
import { createTrustedProxies } from '../internal/trusted-proxies.ts'
import { readBearer } from './bearer.ts'
import { createProxyTokenReader } from './proxy-token.ts'
import { assertMetadataUrl } from './refusal.ts'
import { readTraceContext } from './trace-context.ts'
import type { Caller, Connection, GuardOptions, Visit } from './types.ts'

/** Route on record for what no route fits. */
export const unmatchedRoute = 'unmatched'

export interface RecordDecisionOptions {
  readonly http: AuditHttp
  /** Recorded in place of the decision: for lists, which are cut down instead of refused. */
  readonly grantedAs?: string
  readonly resource?: AuditEntry['resource'] | undefined
  /** `false` when the request goes on though this refuses it. */
  readonly enforced?: false
  /** What was tried besides, and came to nothing. */
  readonly error?: string
  /** Lets somebody see a description or a list, and nothing more. */
  readonly describes?: boolean | undefined
}

export interface Gate {
  /** Gives a request its id and works out where it comes from. */
  visit(headers: Pick<Headers, 'get'>, connection: Connection): Visit
  /** Works out whose it is. @throws HfAuthError as the verifier and the sessions do. */
  identify(visit: Visit, headers: Pick<Headers, 'get'>, method: string): Promise<Caller>
  /** @throws HfAuthError `HFAUTH_AUDIT_UNAVAILABLE`; then nothing may be done on this decision. */
  recordDecision(caller: Caller, decision: Decision, options: RecordDecisionOptions): Promise<void>
  /** Puts on record what was refused before there was anything to decide. @throws HfAuthError as above. */
  recordRefusal(visit: Visit | Caller, reason: string, http: AuditHttp, enforced?: false): Promise<void>
  /** @throws HfAuthError as above. */
  recordRejectedToken(visit: Visit, error: HfAuthError, http: AuditHttp): Promise<void>
  /** Who and where from, for any other event about the same request. */
  entryFor(visit: Visit | Caller): Pick<AuditEntry, 'requestId' | 'actor' | 'client' | 'trace'>
}

export function createGate({
  engine,
  verifier,
  sessions,
  audit,
  trustedProxies,
  proxyTokenHeader,
  resourceMetadataUrl,
  requestId = randomUUID,
  now = Date.now,
}: GuardOptions): Gate {
  assertMetadataUrl(resourceMetadataUrl)
  const proxies = createTrustedProxies(trustedProxies)
  const readProxyToken = createProxyTokenReader(proxyTokenHeader, trustedProxies)
  const policy = engine.policy.reference.digest

  const gate: Gate = {
    visit(headers, { remoteAddress }) {
      const id = requestId()
      const ip = proxies.clientOf(remoteAddress, headers.get('x-forwarded-for'))
      const userAgent = headers.get('user-agent')
      const address = ip === undefined ? {} : { ip }
      const trace = readTraceContext(headers.get('traceparent'))
      return {
        requestId: id,
        client: userAgent === null ? address : { ...address, userAgent },
        ...(trace === undefined ? {} : { trace }),
        context: {
          ...address,
          ...(userAgent === null ? {} : { userAgent: recordedText(userAgent) }),
          requestId: id,
        },
        isFromProxy: proxies.has(remoteAddress),
        startedAt: now(),
      }
    },

    async identify(visit, headers, method) {
      const bearer = readBearer(headers)
      const handed = readProxyToken({ method, headers }, visit)
      if (bearer !== undefined && handed !== undefined) throw twoCredentials()
      const token = bearer ?? handed
      const session = await sessions?.identify({ method, headers })
      if (session !== undefined) {
        // A browser adds its cookie by itself: which of the two was meant cannot be told.
        if (token !== undefined) throw twoCredentials()
        const { principal, setCookie, endsAt } = session
        const caller = { ...visit, principal, access: engine.for(principal), session: { endsAt } }
        return setCookie === undefined ? caller : { ...caller, setCookie }
      }
      if (token === undefined) {
        const setCookie = sessions?.removalOfDoubled?.({ method, headers })
        const caller = { ...visit, principal: anonymous, access: engine.for(anonymous) }
        return setCookie === undefined ? caller : { ...caller, setCookie }
      }
      const credential = await verifier.verify(token)
      const { principal } = credential
      return { ...visit, principal, access: engine.for(principal), presented: { token, credential } }
    },

    async recordDecision(caller, decision, { http, grantedAs, resource, error, enforced, describes }) {
      const { scopes } = decision
      const entry: AuditEntry = {
        ...gate.entryFor(caller),
        type: 'io.hfauth.decision',
        action: decision.action,
        resource: resource ?? recordedResource(decision),
        http,
        decision:
          grantedAs === undefined
            ? { ...auditDecision(decision), ...(enforced === undefined ? {} : { enforced }) }
            : { effect: 'allow', reason: grantedAs, statements: [], policy },
        ...(grantedAs !== undefined || scopes.length === 0 ? {} : { scopes }),
        ...(error === undefined ? {} : { error }),
        durationMs: now() - caller.startedAt,
      }
      await audit.record(entry, { describes })
    },

    async recordRefusal(visit, reason, http, enforced) {
      await audit.record({
        ...gate.entryFor(visit),
        type: 'io.hfauth.decision',
        http,
        decision: {
          effect: 'deny',
          reason,
          statements: [],
          policy,
          ...(enforced === undefined ? {} : { enforced }),
        },
        durationMs: now() - visit.startedAt,
      })
    },

    async recordRejectedToken(visit, error, http) {
      await audit.record({
        ...gate.entryFor(visit),
        type: 'io.hfauth.token.rejected',
        http,
        error: error.code,
        durationMs: now() - visit.startedAt,
      })
    },

    entryFor(visit) {
      const { principal, access } = 'principal' in visit ? visit : { principal: anonymous, access: undefined }
      return {
        requestId: visit.requestId,
        actor: auditActor(principal, access?.roles() ?? []),
        client: visit.client,
        ...(visit.trace === undefined ? {} : { trace: visit.trace }),
      }
    },
  }
  return gate
}

function twoCredentials(): HfAuthError {
  return new HfAuthError('HFAUTH_REQUEST_INVALID', 'the request has more than one credential')
}

/** What a decision was about, split for the record. */
export function recordedResource(
  decision: Decision,
  attributes: { readonly revision?: unknown; readonly path?: unknown } = {},
): NonNullable<AuditEntry['resource']> {
  const colon = decision.resource.indexOf(':')
  const { revision, path } = attributes
  return {
    kind: colon < 0 ? decision.resource : decision.resource.slice(0, colon),
    id: colon < 0 ? '' : decision.resource.slice(colon + 1),
    ...(typeof revision === 'string' ? { revision } : {}),
    ...(typeof path === 'string' ? { path } : {}),
  }
}

/** Whether an error is about the credential: then it is the token that is on record as rejected. */
export function isAboutCredential(error: unknown): error is HfAuthError {
  return (
    error instanceof HfAuthError &&
    (error.code.startsWith('HFAUTH_TOKEN_') ||
      error.code === 'HFAUTH_REQUEST_INVALID' ||
      error.code === 'HFAUTH_REQUEST_FORGED' ||
      error.code === 'HFAUTH_STORE_UNAVAILABLE' ||
      error.code === 'HFAUTH_CLAIMS_INVALID' ||
      error.code === 'HFAUTH_ISSUER_UNAVAILABLE' ||
      error.code === 'HFAUTH_REVOCATION_UNAVAILABLE')
  )
}
