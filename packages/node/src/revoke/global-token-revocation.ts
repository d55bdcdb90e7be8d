/**
 * Global token revocation: a provider orders, by name, the end of all that a person has here; Okta calls
 * it Universal Logout.
 *
 * POST → **global token revocation** → intake. The order is authenticated by a JWT of its own kind.
 *
 * @see draft-parecki-oauth-global-token-revocation; developer.okta.com: Universal Logout
 * @module
 */
import { type Claims, HfAuthError } from '@hfauth/core'
import { isJsonObject, parseJsonObject } from '../internal/json-object.ts'
import type { Fetch } from '../internal/request.ts'
import { claim } from '../token/claims.ts'
import { checkTimes } from '../verify/check-claims.ts'
import { type FindSubjects, revocationOf, subjectsOf } from './event-subject.ts'
import { answer, type Door, hasType, isRetryable, readBody, tryLater } from './http.ts'
import { providerActor, type RevocationIntake } from './intake.ts'
import {
  checkNoticeAudience,
  checkSignature,
  createNoticeKeys,
  NoticeError,
  readNotice,
  requireIssueTime,
  requireText,
} from './signed-notice.ts'
import { createUsedIds, type MarkStore } from './used-ids.ts'

export interface GlobalTokenRevocationOptions {
  readonly intake: RevocationIntake
  /** Address of the issuer, as in the policy. */
  readonly issuer: string
  /** Client id of this service there: `sub` of the order's token. */
  readonly clientId: string
  /** Address of this endpoint as the provider has it, without query: `aud` of the order's token. */
  readonly endpoint: string
  /** Finds whom an e-mail address means, in this issuer's own `sub`. Without it only `iss_sub` is understood. */
  readonly findSubjects?: FindSubjects
  /** Makes a `jti` count once on all replicas that share it. Default this process's memory. */
  readonly store?: MarkStore
  /** Default RS256 and ES256. */
  readonly algorithms?: readonly string[]
  /** Clock difference to forgive, in seconds. Default 30. */
  readonly clockToleranceSeconds?: number
  /** Replaces the global `fetch` for discovery and keys. */
  readonly fetch?: Fetch
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** Longest body and longest life of an order's token. */
const maxBodyBytes = 16 * 1024
const maxLifeSeconds = 900

/** Makes the endpoint. 204 done; 400 malformed; 401 not authenticated; 404 nobody of that name; 503 come again. */
export function createGlobalTokenRevocation(options: GlobalTokenRevocationOptions): Door {
  const { intake, issuer, clientId, endpoint, findSubjects, clockToleranceSeconds = 30 } = options
  const { fetch = globalThis.fetch, now = Date.now, algorithms = ['RS256', 'ES256'] } = options
  const keys = createNoticeKeys(issuer, { algorithms, fetch, now })
  const used = createUsedIds(`global-token-revocation ${issuer}`, { store: options.store, now })

  /** `jti` and `iat` of the token that authenticates the order. */
  async function authenticate(request: Request): Promise<{ id: string; issuedAt: number }> {
    const token = /^bearer ([^\s,]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    if (token === undefined) throw new NoticeError('authentication_failed', 'there is no bearer token')
    const jwt = readNotice(token)
    const { payload } = jwt
    if (claim(payload, 'iss') !== issuer)
      throw new NoticeError('invalid_issuer', 'the token is of another issuer')
    await checkSignature(jwt, { algorithms, types: ['global-token-revocation+jwt'], keys })
    checkNoticeAudience(payload, [endpoint])
    if (claim(payload, 'sub') !== clientId) {
      throw new NoticeError('authentication_failed', 'the token is about another client (`sub`)')
    }
    const times = { nowMs: now(), toleranceSeconds: clockToleranceSeconds }
    const issuedAt = requireIssueTime(payload, times)
    const expiresAt = checkTimes(payload, times) ?? 0
    if (expiresAt - issuedAt > maxLifeSeconds) {
      throw new NoticeError('authentication_failed', 'the token lives too long for an order')
    }
    return { id: requireText(payload, 'jti'), issuedAt }
  }

  async function readSubject(request: Request): Promise<Claims | undefined> {
    const body = hasType(request, 'application/json') ? await readBody(request, maxBodyBytes) : undefined
    const subject = parseJsonObject(body ?? '', { maxDepth: 4, maxValues: 50 })?.sub_id
    return isJsonObject(subject) && typeof subject.format === 'string' ? subject : undefined
  }

  async function receive(request: Request): Promise<Response> {
    const { id, issuedAt } = await authenticate(request)
    const subject = await readSubject(request)
    if (subject === undefined) return refuse(400, 'the body has no `sub_id` with a `format`')
    // The token says nothing of whom the order is about: used twice, it could end somebody else's access.
    if (!(await used.claim(id)))
      throw new NoticeError('authentication_failed', 'the token has been used (`jti`)')
    try {
      return await obey(subject, { id, issuedAt })
    } catch (error) {
      await used.release(id).catch(() => {})
      throw error
    }
  }

  async function obey(
    subject: Claims,
    { id, issuedAt }: { id: string; issuedAt: number },
  ): Promise<Response> {
    const found = await subjectsOf(subject, { issuers: [issuer], findSubjects })
    await intake.receive({
      door: 'global-token-revocation',
      actor: providerActor(issuer),
      revocations: found.map((one) =>
        revocationOf(one, issuer, Math.floor(now() / 1000) + clockToleranceSeconds),
      ),
      eventId: id,
      occurredAt: issuedAt * 1000,
      ...(found.length === 0 ? { error: 'subject_unknown' } : {}),
    })
    return found.length === 0 ? refuse(404, 'nobody here goes by that name') : answer(204)
  }

  return async (request) => {
    if (request.method !== 'POST') return answer(405, undefined, { allow: 'POST' })
    try {
      return await receive(request)
    } catch (error) {
      if (isRetryable(error)) return tryLater()
      if (!(error instanceof HfAuthError)) throw error
      return answer(401, { error: 'invalid_token' }, { 'www-authenticate': 'Bearer error="invalid_token"' })
    }
  }
}

function refuse(status: number, description: string): Response {
  return answer(status, { error: 'invalid_request', error_description: description })
}
