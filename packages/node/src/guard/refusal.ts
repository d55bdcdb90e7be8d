/**
 * Refusals: the one way in which a request is turned away.
 *
 * decision, error → **refusal** → response. The caller learns that it was refused, what it could bring to be
 * let in, and the id under which the whole story is on record; nothing of rules, groups or whether the
 * resource exists.
 *
 * @see RFC 9457 (problem details), RFC 6750 §3 (Bearer challenge), RFC 9470 §3 (step-up), RFC 9728 §5.1
 * @module
 */
import { type Decision, HfAuthError } from '@hfauth/core'

export interface Challenge {
  readonly error?:
    | 'invalid_request'
    | 'invalid_token'
    | 'insufficient_scope'
    | 'insufficient_user_authentication'
  readonly scope?: readonly string[]
  readonly maxAgeSeconds?: number
  readonly acrValues?: readonly string[]
}

export interface Refusal {
  readonly status: number
  /** Stable, for programs; shown to the caller. */
  readonly reason: string
  /** One sentence for people. */
  readonly detail: string
  readonly challenge?: Challenge
  /** Set when the same request may succeed later. */
  readonly retryAfterSeconds?: number
  readonly headers?: Readonly<Record<string, string>>
}

export interface RefusalOptions {
  readonly requestId: string
  readonly resourceMetadataUrl?: string | undefined
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

export interface RefusalText {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Problem JSON. */
  readonly text: string
}

export function buildRefusal(refusal: Refusal, options: RefusalOptions): Response {
  const { status, headers, text } = buildRefusalText(refusal, options)
  return new Response(text, { status, headers })
}

/** The same for servers that do without `Response`. */
export function buildRefusalText(
  refusal: Refusal,
  { requestId, resourceMetadataUrl }: RefusalOptions,
): RefusalText {
  const { status, reason, detail, challenge, retryAfterSeconds } = refusal
  const problem = {
    type: problemType(reason),
    title: titles[status] ?? 'Error',
    status,
    detail,
    reason,
    requestId,
    ...(retryAfterSeconds === undefined ? {} : { retryable: true }),
  }
  const text = JSON.stringify(problem)
  const headers = {
    ...refusal.headers,
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
    ...(challenge === undefined
      ? {}
      : { 'www-authenticate': buildChallenge(challenge, resourceMetadataUrl) }),
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    'content-length': String(Buffer.byteLength(text)),
  }
  return { status, headers, text }
}

/** Names the kind of a problem (RFC 9457 §3.1.1). Stable, and no address: there is nothing to fetch. */
export function problemType(reason: string): string {
  return `urn:hfauth:problem:${reason}`
}

/** What may stand in each parameter without an escape; whatever holds anything else is left out (RFC 6750 §3). */
const token = /^[\x21\x23-\x5b\x5d-\x7e]+$/

function buildChallenge(challenge: Challenge, resourceMetadataUrl: string | undefined): string {
  const { error, scope = [], maxAgeSeconds, acrValues = [] } = challenge
  const parameters: [name: string, value: string | undefined][] = [
    ['error', error],
    ['scope', scope.filter((name) => token.test(name)).join(' ')],
    ['max_age', Number.isSafeInteger(maxAgeSeconds) ? String(maxAgeSeconds) : undefined],
    ['acr_values', acrValues.filter((name) => token.test(name)).join(' ')],
    ['resource_metadata', resourceMetadataUrl],
  ]
  const shown = parameters.filter(([, value]) => value !== undefined && value !== '')
  return ['Bearer', shown.map(([name, value]) => `${name}="${value}"`).join(', ')].filter(Boolean).join(' ')
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `resourceMetadataUrl` cannot stand in a header as it is. */
export function assertMetadataUrl(resourceMetadataUrl: string | undefined): void {
  if (resourceMetadataUrl === undefined) return
  if (URL.canParse(resourceMetadataUrl) && token.test(resourceMetadataUrl)) return
  throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`resourceMetadataUrl` is not an address')
}

const bare: Challenge = {}
const invalidToken: Challenge = { error: 'invalid_token' }

/** How a denial is told. Reasons that hang on what the resource is like all sound the same. */
export function refusalOfDecision(decision: Decision): Refusal {
  const { reason, stepUp, scopes } = decision
  switch (reason) {
    case 'authentication_required':
      return { status: 401, reason, detail: 'Sign in to use this.', challenge: bare }
    case 'token_too_old':
    case 'step_up_required': {
      const { maxAgeSeconds, acrValues } = stepUp ?? {}
      const helps = reason === 'step_up_required' || maxAgeSeconds !== undefined
      return {
        status: 401,
        reason,
        detail: 'Sign in again to use this.',
        challenge: helps
          ? {
              error: 'insufficient_user_authentication',
              ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
              ...(acrValues === undefined ? {} : { acrValues }),
            }
          : invalidToken,
      }
    }
    case 'insufficient_scope':
      return {
        status: 403,
        reason,
        detail: 'The token does not carry the scope this needs.',
        challenge: { error: 'insufficient_scope', ...(scopes.length === 0 ? {} : { scope: scopes }) },
      }
    case 'environment_ceiling':
      return { status: 403, reason, detail: 'This is not done in this environment.' }
    default:
      return { status: 403, reason: 'access_denied', detail: 'You may not do this.' }
  }
}

/** Seconds after which a caller may try again when somebody else's service was down. */
const retryAfterSeconds = 5

/** How an error is told. What is not known to be the request's fault is ours. */
export function refusalOfError(error: unknown): Refusal {
  const code = error instanceof HfAuthError ? error.code : undefined
  switch (code) {
    case 'HFAUTH_REQUEST_INVALID':
      return {
        status: 400,
        reason: 'credential_malformed',
        detail: 'The request must carry exactly one bearer token, in its Authorization header.',
        challenge: { error: 'invalid_request' },
      }
    case 'HFAUTH_REQUEST_FORGED':
      return {
        status: 403,
        reason: 'request_forged',
        detail: 'The request does not prove that it comes from a page of this service.',
      }
    case 'HFAUTH_STORE_UNAVAILABLE':
      return {
        status: 503,
        reason: 'store_unavailable',
        detail: 'Sessions and revocations cannot be reached.',
        retryAfterSeconds,
      }
    case 'HFAUTH_TOKEN_UNSUPPORTED':
    case 'HFAUTH_TOKEN_INVALID':
    case 'HFAUTH_CLAIMS_INVALID':
      return {
        status: 401,
        reason: 'token_invalid',
        detail: 'The token is not accepted.',
        challenge: invalidToken,
      }
    case 'HFAUTH_TOKEN_EXPIRED':
      return {
        status: 401,
        reason: 'token_expired',
        detail: 'The token has expired.',
        challenge: invalidToken,
      }
    case 'HFAUTH_TOKEN_REVOKED':
      return {
        status: 401,
        reason: 'token_revoked',
        detail: 'The token has been revoked.',
        challenge: invalidToken,
      }
    case 'HFAUTH_TOKEN_AUDIENCE':
      return {
        status: 401,
        reason: 'token_audience',
        detail: 'The token was made for another service.',
        challenge: invalidToken,
      }
    case 'HFAUTH_ISSUER_UNAVAILABLE':
      return {
        status: 503,
        reason: 'issuer_unavailable',
        detail: 'The identity provider cannot be reached.',
        retryAfterSeconds,
      }
    case 'HFAUTH_REVOCATION_UNAVAILABLE':
      return {
        status: 503,
        reason: 'revocation_unavailable',
        detail: 'It is not known whether the token has been revoked.',
        retryAfterSeconds,
      }
    case 'HFAUTH_AUDIT_UNAVAILABLE':
      return {
        status: 503,
        reason: 'audit_unavailable',
        detail: 'The request cannot be put on record.',
        retryAfterSeconds,
      }
    default:
      return { status: 500, reason: 'internal_error', detail: 'The request could not be judged.' }
  }
}
