/**
 * Answers: what the handlers say, never to be kept by anybody on the way.
 *
 * @see RFC 9457 (problem details); RFC 9110 §15.4.4 (303)
 * @module
 */
import { HfAuthError } from '@hfauth/core'

const always = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  vary: 'cookie',
}

export function jsonAnswer(body: object, cookies: readonly string[] = []): Response {
  return withCookies(
    new Response(JSON.stringify(body), { headers: { ...always, 'content-type': 'application/json' } }),
    cookies,
  )
}

/** 303 and not 302 or 307: whatever was sent here is not sent on (RFC 9700 §4.12). */
export function redirectAnswer(location: string, cookies: readonly string[] = []): Response {
  return withCookies(new Response(null, { status: 303, headers: { ...always, location } }), cookies)
}

export interface Problem {
  readonly status: number
  /** Stable, for programs. */
  readonly reason: string
  /** One sentence for people. */
  readonly detail: string
}

export function problemAnswer(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const { status, reason, detail } = problem
  const type = { 'content-type': 'application/problem+json' }
  const body = JSON.stringify({
    type: 'about:blank',
    title: titles[status] ?? 'Error',
    status,
    detail,
    reason,
  })
  return new Response(body, { status, headers: { ...always, ...headers, ...type } })
}

export function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append('set-cookie', cookie)
  return response
}

/** How an error is told: by its code alone, since the words of a provider are nobody's here. */
export function problemOf(error: unknown): Problem {
  const code = error instanceof HfAuthError ? error.code : undefined
  switch (code) {
    case 'HFAUTH_SIGNIN_STATE':
      return {
        status: 400,
        reason: 'signin_state',
        detail: 'No such sign-in is under way in this browser. Start again.',
      }
    case 'HFAUTH_SIGNIN_REFUSED':
      return { status: 403, reason: 'signin_refused', detail: 'The identity provider ended the sign-in.' }
    case 'HFAUTH_SIGNIN_INVALID':
      return {
        status: 400,
        reason: 'signin_invalid',
        detail: 'The answer of the identity provider is not accepted.',
      }
    case 'HFAUTH_REQUEST_FORGED':
      return {
        status: 403,
        reason: 'request_forged',
        detail: 'The request does not come from a page of this service.',
      }
    case 'HFAUTH_REQUEST_INVALID':
      return { status: 400, reason: 'request_invalid', detail: 'The request is malformed.' }
    case 'HFAUTH_ISSUER_UNAVAILABLE':
      return { status: 503, reason: 'issuer_unavailable', detail: 'The identity provider cannot be reached.' }
    case 'HFAUTH_STORE_UNAVAILABLE':
      return { status: 503, reason: 'store_unavailable', detail: 'Sessions cannot be reached.' }
    case 'HFAUTH_REVOCATION_UNAVAILABLE':
      return {
        status: 503,
        reason: 'revocation_unavailable',
        detail: 'What has been revoked is not known at the moment.',
      }
    case 'HFAUTH_AUDIT_UNAVAILABLE':
      return { status: 503, reason: 'audit_unavailable', detail: 'The request cannot be put on record.' }
    default:
      return code?.startsWith('HFAUTH_TOKEN_') || code === 'HFAUTH_CLAIMS_INVALID'
        ? { status: 401, reason: 'token_invalid', detail: 'The token is not accepted.' }
        : { status: 500, reason: 'internal_error', detail: 'The request could not be answered.' }
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}
