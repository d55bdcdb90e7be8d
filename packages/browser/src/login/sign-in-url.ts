/**
 * Sign-in address: the authorization request, and the record its answer will be compared with.
 *
 * provider → **sign-in address** → attempts. Sends nobody anywhere.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { invalid, readScopes, type Settings } from '../options.ts'
import { challengeOf, type Provider, randomSecrets } from '../provider/oauth.ts'
import { readAnswer } from './answer.ts'
import type { Attempts } from './attempts.ts'
import { safeReturnTo } from './return-address.ts'

export interface SignInOptions {
  /** Path on this origin to come back to. Default: where the page is now; anything foreign becomes `/`. */
  readonly returnTo?: string
  /** For instance `login`, `consent` or `none`. */
  readonly prompt?: string
  /** Longest time since the person last proved who they are, in seconds. Checked in the answer. */
  readonly maxAgeSeconds?: number
  /** Levels of sign-in to ask for. A provider may give another: read `session.claims.acr`. */
  readonly acrValues?: readonly string[]
  readonly loginHint?: string
  /** Asked for instead of the configured ones; `openid` and `profile` are always among them. */
  readonly scopes?: readonly string[]
  /** Further parameters, such as `ui_locales` or `resource`. Those of the protocol are refused. */
  readonly parameters?: Readonly<Record<string, string>>
}

const reserved =
  /^(client_(id|secret|assertion|assertion_type)|redirect_uri|response_(type|mode)|scope|state|nonce|code(_.*)?|request(_uri)?|prompt|max_age|acr_values|login_hint|orgIds|registration|dpop_jkt)$/

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
  const { issuer, clientId, redirectUri, orgIds, now } = settings
  const { maxAgeSeconds, parameters = {} } = options
  const taken = Object.keys(parameters).find((name) => reserved.test(name))
  if (taken !== undefined) throw invalid(`\`${taken}\` in \`parameters\` belongs to the protocol`)
  if (maxAgeSeconds !== undefined && !(Number.isInteger(maxAgeSeconds) && maxAgeSeconds >= 0)) {
    throw invalid('`maxAgeSeconds` must be a whole number from 0')
  }
  const scope = (options.scopes ? readScopes(options.scopes) : settings.scopes).join(' ')
  const here = settings.page()?.location.href ?? redirectUri
  const returnTo = safeReturnTo(options.returnTo ?? readAnswer(here)?.cleaned ?? here, here)

  const { authorization_endpoint: endpoint } = await provider.metadata()
  const { state, nonce, verifier } = randomSecrets()
  const url = new URL(endpoint)
  const query: Readonly<Record<string, string | undefined>> = {
    ...parameters,
    prompt: options.prompt,
    max_age: maxAgeSeconds?.toString(),
    acr_values: options.acrValues?.join(' '),
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
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  const kept = attempts.save(state, {
    issuer,
    clientId,
    redirectUri,
    nonce,
    verifier,
    scope,
    returnTo,
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    createdAt: now(),
  })
  if (!kept) {
    throw new HfAuthError('HFAUTH_SIGNIN_STATE', 'the browser does not let this page remember a sign-in')
  }
  return url.href
}
