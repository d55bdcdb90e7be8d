/**
 * Token response: what Hugging Face's token endpoint answered, judged.
 *
 * exchange → **token response** → cache. Only the error's name is kept of a refusal: its description may
 * repeat what was sent.
 *
 * @see RFC 6749 §5.1, §5.2; RFC 8693 §2.2
 * @module
 */
import { type Claims, HfAuthError, impliedScopes } from '@hfauth/core'
import { parseJsonObject } from '../internal/json-object.ts'
import { type BoundedResponse, unavailable } from '../internal/request.ts'
import { InvalidClientError } from '../secrets/client-secret.ts'
import { claim } from '../token/claims.ts'
import { isBearerText } from '../token/kind.ts'
import type { ExchangedToken } from './types.ts'

export interface ReadTokenResponseOptions {
  /** What was asked, for messages. */
  readonly subject: string
  /** Scopes asked for; absent where the grant has none to ask for. */
  readonly requested?: readonly string[]
  /** When the request was sent, in epoch milliseconds: the token's life is counted from there. */
  readonly sentMs: number
}

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/**
 * Reads the answer to a token exchange.
 *
 * @throws HfAuthError `HFAUTH_EXCHANGE_REFUSED` for an OAuth error, or when more was granted than asked
 * for; `HFAUTH_ISSUER_UNAVAILABLE` (retryable) for 429, 5xx and an answer that is no token response.
 */
export function readTokenResponse(
  { status, text }: BoundedResponse,
  { subject, requested, sentMs }: ReadTokenResponseOptions,
): ExchangedToken {
  const body = parseJsonObject(text)
  if (status !== 200) throw refusal(status, body, subject)
  if (body === undefined) throw unavailable(subject, 'the answer is not a JSON object')
  const token = claim(body, 'access_token')
  const type = claim(body, 'token_type')
  const lifetime = claim(body, 'expires_in')
  const issued = claim(body, 'issued_token_type') ?? accessTokenType
  if (typeof token !== 'string' || !isBearerText(token)) {
    throw unavailable(subject, 'the answer has no `access_token` that can be sent')
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer' || issued !== accessTokenType) {
    throw unavailable(subject, 'the answer is not a bearer access token')
  }
  if (typeof lifetime !== 'number' || !Number.isSafeInteger(lifetime) || lifetime <= 0) {
    throw unavailable(subject, '`expires_in` is not a number of seconds')
  }
  const scopes = readScopes(claim(body, 'scope'), requested, subject)
  return Object.freeze({ token, expiresAt: sentMs + lifetime * 1000, scopes: Object.freeze(scopes) })
}

/** Without `scope` in the answer the grant is what was asked for (RFC 6749 §5.1); it must never be more. */
function readScopes(granted: unknown, requested: readonly string[] | undefined, subject: string): string[] {
  if (granted === undefined) return [...(requested ?? [])]
  if (typeof granted !== 'string') throw unavailable(subject, '`scope` is not a text')
  const scopes = granted.split(' ').filter((scope) => scope !== '')
  if (requested === undefined) return scopes
  const allowed = new Set(impliedScopes(requested))
  if (scopes.every((scope) => allowed.has(scope))) return scopes
  throw new HfAuthError(
    'HFAUTH_EXCHANGE_REFUSED',
    `${subject} gave more scopes than were asked for, so the token is not used`,
  )
}

/** Errors that have a name of their own in OAuth; any other text may be anything. */
const oauthErrors: ReadonlyMap<string, string> = new Map([
  ['invalid_client', 'the client id or secret is wrong'],
  ['invalid_grant', 'the person is not a member, or the job matches no trusted publisher'],
  ['invalid_request', 'the request is malformed'],
  ['invalid_scope', 'a scope is not enabled on the app'],
  ['invalid_target', 'the resource cannot be had this way'],
  ['unauthorized_client', 'the app may not exchange tokens'],
  ['unsupported_grant_type', 'token exchange is not offered'],
  ['access_denied', 'access was denied'],
])

function refusal(status: number, body: Claims | undefined, subject: string): HfAuthError {
  const name = body === undefined ? undefined : claim(body, 'error')
  const isBusy =
    status === 429 || status >= 500 || name === 'temporarily_unavailable' || name === 'server_error'
  const meaning = typeof name === 'string' ? oauthErrors.get(name) : undefined
  if (isBusy || status < 400) return unavailable(subject, `status ${status}`)
  const RefusalError = name === 'invalid_client' ? InvalidClientError : HfAuthError
  return new RefusalError(
    'HFAUTH_EXCHANGE_REFUSED',
    meaning === undefined
      ? `${subject} refused the exchange with status ${status}`
      : `${subject} refused the exchange: \`${name}\`, ${meaning}`,
  )
}
