/**
 * Sign-in address: the authorization request, and the record its answer will be compared with.
 *
 * provider → **sign-in address** → attempts. Sends nobody anywhere.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { invalid, readScopes, type Settings } from '../options.ts'
import type { Metadata } from '../provider/metadata.ts'
import type { Provider } from '../provider/oauth.ts'
import { challengeOf, randomSecrets } from '../provider/secrets.ts'
import { withQuery } from '../secure-url.ts'
import type { SessionState } from '../session/session-state.ts'
import { readAnswer } from './answer.ts'
import type { Attempt, Attempts } from './attempts.ts'
import { safeReturnTo } from './return-address.ts'

export interface SignInOptions {
  /** Path on this origin to come back to. Default: where the page is now; anything foreign becomes `/`. */
  readonly returnTo?: string
  /** For instance `login`, `consent` or `none`. */
  readonly prompt?: string
  /** Longest time since the person last proved who they are, in seconds. Checked in the answer. */
  readonly maxAgeSeconds?: number
  /** Levels of sign-in to ask for. A provider may give another: read `session.claims.acr`, or set `acrRequired`. */
  readonly acrValues?: readonly string[]
  /** Refuses an answer whose `acr` is none of `acrValues`. Default false. */
  readonly acrRequired?: boolean
  readonly loginHint?: string
  /** Asked for instead of the configured ones; `openid` and `profile` are always among them. */
  readonly scopes?: readonly string[]
  /** Asked for beside those the session has, or the configured ones when nobody is signed in. */
  readonly addScopes?: readonly string[]
  /** Further parameters, such as `ui_locales` or `resource`. Those of the protocol are refused. */
  readonly parameters?: Readonly<Record<string, string>>
}

/** Some by their beginning: what the protocol may still invent there belongs to it as well. */
const reserved =
  /^(client|code|dpop|request|response)_|^(redirect_uri|scope|state|nonce|code|request|registration|prompt|max_age|acr_values|login_hint|orgIds)$/

/**
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID`, `HFAUTH_ISSUER_UNAVAILABLE`, or `HFAUTH_SIGNIN_STATE` when the
 *   browser keeps no record of the attempt: leaving would only lead back to an answer that cannot be used.
 */
export async function buildSignInUrl(
  settings: Settings,
  provider: Provider,
  attempts: Attempts,
  options: SignInOptions,
): Promise<string> {
  const here = settings.page()?.location.href
  if (here !== undefined && new URL(here).origin !== new URL(settings.redirectUri).origin) {
    throw invalid(
      `\`redirectUri\` is \`${settings.redirectUri}\`, but this page is at \`${here.replace(/[?#].*/, '')}\`: on another origin the sign-in would not be known`,
    )
  }
  const { url, state, attempt } = await prepareSignIn(settings, provider, options)
  if (!attempts.save(state, attempt)) {
    throw new HfAuthError('HFAUTH_SIGNIN_STATE', 'the browser does not let this page remember a sign-in')
  }
  return url
}

/** Scopes that are added are asked for beside those of the session. */
export function besideHeld<T extends SignInOptions>(state: SessionState, options: T): T {
  const held = options.addScopes && state.snapshot().session?.scopes
  return held ? { scopes: held, ...options } : options
}

/** Where to go, and what the answer must be compared with. Remembers nothing. */
export interface PreparedSignIn {
  readonly url: string
  readonly state: string
  readonly attempt: Attempt
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID`, `HFAUTH_ISSUER_UNAVAILABLE`. */
export async function prepareSignIn(
  settings: Settings,
  provider: Provider,
  options: SignInOptions,
  redirectUri = settings.redirectUri,
): Promise<PreparedSignIn> {
  const { issuer, clientId, orgIds, now } = settings
  const { maxAgeSeconds, acrValues, parameters = {} } = options
  const taken = Object.keys(parameters).find((name) => reserved.test(name))
  if (taken !== undefined) throw invalid(`\`${taken}\` in \`parameters\` belongs to the protocol`)
  if (maxAgeSeconds !== undefined && !(Number.isInteger(maxAgeSeconds) && maxAgeSeconds >= 0)) {
    throw invalid('`maxAgeSeconds` must be a whole number from 0')
  }
  const scope = readScopes([...(options.scopes ?? settings.scopes), ...(options.addScopes ?? [])]).join(' ')
  const here = settings.page()?.location.href ?? redirectUri
  const returnTo = safeReturnTo(options.returnTo ?? readAnswer(here)?.cleaned ?? here, here)

  const metadata = await provider.metadata()
  const { state, nonce, verifier } = randomSecrets()
  const fields: Readonly<Record<string, string | undefined>> = {
    ...parameters,
    prompt: options.prompt,
    max_age: maxAgeSeconds?.toString(),
    acr_values: acrValues?.join(' '),
    login_hint: options.loginHint,
    orgIds: orgIds.join(',') || undefined,
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    state,
    nonce,
    code_challenge: await challengeOf(verifier),
    code_challenge_method: 'S256',
  }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) query.set(name, value)
  const attempt = {
    issuer,
    clientId,
    redirectUri,
    nonce,
    verifier,
    scope,
    returnTo,
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    ...(options.acrRequired && { acrValues: acrValues ?? [] }),
    createdAt: now(),
  }
  return { url: await authorizationUrl(settings, metadata, query), state, attempt }
}

/** @see RFC 6749 §4.1.1; RFC 9126 §4 when the request is pushed */
async function authorizationUrl(
  settings: Settings,
  metadata: Metadata,
  query: URLSearchParams,
): Promise<string> {
  const { pushRequest, clientId } = settings
  if (metadata.require_pushed_authorization_requests === true && pushRequest === undefined) {
    throw invalid('the provider takes pushed requests only: give `pushRequest` to `createAuth`')
  }
  const sent = pushRequest
    ? { client_id: clientId, request_uri: await pushRequest(settings, metadata, query) }
    : Object.fromEntries(query)
  return withQuery(metadata.authorization_endpoint, sent)
}
