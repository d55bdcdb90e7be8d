/**
 * Sign-in: leaving for the provider, and coming back with its answer.
 *
 * **sign-in** → identity → keeper. Whose answer it is, is settled by the attempt and nothing else; the attempt
 * is used up before its code is sent anywhere; the session that comes of it has an id nobody has seen.
 *
 * @see RFC 9700 §2.1, §4.4 (mix-up), §4.7 (CSRF); OpenID Connect Core 1.0 §3.1.2
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { redirectAnswer } from './answers.ts'
import type { Attempt, Attempts } from './attempts.ts'
import { buildAuthorizationUrl } from './authorization-request.ts'
import { type IdentityReader, identityOf, tokensOf } from './identity.ts'
import type { Settings } from './options.ts'
import type { SessionRecord } from './record.ts'
import { safeReturnTo } from './return-address.ts'

export interface SignInParts {
  readonly settings: Settings
  readonly attempts: Attempts
  readonly readers: ReadonlyMap<string, IdentityReader>
}

/**
 * Sends the browser to the provider. The query may have `provider`, `return_to`, `prompt`, `max_age` (seconds)
 * and `acr_values`; the last two are how a refused request's step-up is answered (RFC 9470).
 *
 * @throws HfAuthError `HFAUTH_REQUEST_INVALID`, `HFAUTH_ISSUER_UNAVAILABLE`.
 */
export async function startSignIn(
  request: Request,
  { settings, attempts, readers }: SignInParts,
): Promise<Response> {
  const { origin, defaultProvider, randomId, now } = settings
  const query = new URL(request.url).searchParams
  const reader = readers.get(query.get('provider') ?? defaultProvider)
  if (reader === undefined) throw malformed('it names no provider that people sign in with')
  const prompt = query.get('prompt') ?? undefined
  if (prompt !== undefined && !prompts.has(prompt)) throw malformed('`prompt` is none of the known ones')
  const maxAge = query.get('max_age') ?? undefined
  if (maxAge !== undefined && !/^\d{1,8}$/.test(maxAge)) throw malformed('`max_age` is no number of seconds')
  const acrValues = query.get('acr_values') ?? undefined
  if (acrValues !== undefined && !/^[\x21\x23-\x5b\x5d-\x7e ]{1,256}$/.test(acrValues)) {
    throw malformed('`acr_values` has what no such value has')
  }

  const { provider, oauth } = reader
  const { authorizationEndpoint } = await oauth.metadata()
  const maxAgeSeconds = maxAge === undefined ? undefined : Number(maxAge)
  const attempt: Attempt = {
    alias: provider.issuer.alias,
    state: randomId(),
    nonce: randomId(),
    verifier: randomId(),
    returnTo: safeReturnTo(query.get('return_to') ?? undefined, origin),
    createdAt: now(),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  }
  const location = buildAuthorizationUrl({
    endpoint: authorizationEndpoint,
    clientId: provider.clientId,
    redirectUri: provider.redirectUri,
    scopes: provider.scopes,
    state: attempt.state,
    nonce: attempt.nonce,
    verifier: attempt.verifier,
    parameters: provider.parameters ?? {},
    prompt,
    maxAgeSeconds,
    acrValues,
  })
  return redirectAnswer(location, await attempts.save(attempt, request.headers))
}

export interface SignedIn {
  readonly record: SessionRecord
  readonly returnTo: string
}

/**
 * Takes the provider's answer and makes a record of it.
 *
 * @param alias - Whose redirect address the answer came to.
 * @throws HfAuthError `HFAUTH_SIGNIN_STATE`, `HFAUTH_SIGNIN_REFUSED`, `HFAUTH_SIGNIN_INVALID`,
 * `HFAUTH_ISSUER_UNAVAILABLE`, `HFAUTH_STORE_UNAVAILABLE`.
 */
export async function finishSignIn(
  request: Request,
  alias: string,
  { settings, attempts, readers }: SignInParts,
): Promise<SignedIn> {
  const answer = new URL(request.url).searchParams
  const attempt = await attempts.find(stateOf(answer), request.headers)
  if (attempt === undefined) {
    throw new HfAuthError('HFAUTH_SIGNIN_STATE', 'no such sign-in is under way in this browser')
  }
  const reader = readers.get(attempt.alias)
  if (reader === undefined || attempt.alias !== alias) {
    throw new HfAuthError('HFAUTH_SIGNIN_INVALID', 'the answer came to the address of another provider')
  }
  if (!(await attempts.spend(attempt))) {
    throw new HfAuthError('HFAUTH_SIGNIN_STATE', 'the answer has been used before')
  }
  // From before anything was asked: what is revoked meanwhile is revoked of this sign-in too.
  const at = settings.now()
  const tokens = await reader.oauth.redeem(answer, attempt)
  const identity = await identityOf(tokens, reader.provider.scopes, reader)
  const record = recordOf(reader, identity, at)
  return {
    // Without a store nobody could use a refresh token exactly once, and a cookie has no room for tokens.
    record: settings.store === undefined ? record : { ...record, tokens: tokensOf(tokens) },
    returnTo: safeReturnTo(attempt.returnTo, settings.origin),
  }
}

/**
 * A record for somebody who has just proved who they are.
 *
 * @param at - When they came with the proof, in epoch milliseconds.
 */
export function recordOf(
  { provider: { issuer } }: Pick<IdentityReader, 'provider'>,
  identity: Pick<SessionRecord, 'credential' | 'claims' | 'scopes' | 'vouchedAt'>,
  at: number,
): SessionRecord {
  const { alias, url, preset } = issuer
  return { alias, issuer: url, preset: preset.name, ...identity, signedInAt: at, seenAt: at, checkedAt: at }
}

/** The one `state` of an answer; empty, which fits no attempt, when there is none or more than one. */
export function stateOf(answer: URLSearchParams): string {
  const [state = '', ...more] = answer.getAll('state')
  return more.length === 0 && state.length <= 128 ? state : ''
}

const prompts: ReadonlySet<string> = new Set(['login', 'consent', 'select_account', 'none'])

function malformed(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_REQUEST_INVALID', `the sign-in cannot begin: ${why}`)
}
