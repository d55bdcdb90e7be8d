/**
 * Userinfo: verifies a Hugging Face access token by asking Hugging Face whose it is.
 *
 * kind → **userinfo** → principal. No key for these tokens is published, so their own words count only
 * after the Hub has accepted that very token: then they are what the Hub signed. Until then they are not
 * read, except to tell two Hubs apart.
 *
 * @see huggingface.co/docs/hub/oauth; OpenID Connect Core 1.0 §5.3
 * @module
 */
import { type Claims, HfAuthError, type Issuer, type Preset } from '@hfauth/core'
import { isJsonObject, parseJsonObject } from '../internal/json-object.ts'
import { type BoundedResponse, type Fetch, requestBounded, unavailable } from '../internal/request.ts'
import type { IssuerClient } from '../keys/issuer-client.ts'
import { claim } from '../token/claims.ts'
import { readJwtPart } from '../token/compact-jwt.ts'
import { checkTimes, type TimeOptions } from './check-claims.ts'
import type { AcceptedToken } from './jwt.ts'

export interface VerifyByUserinfoOptions {
  readonly issuers: readonly Issuer[]
  clientOf(issuer: Pick<Issuer, 'alias'>, url: string): IssuerClient
  time(preset: Preset): TimeOptions
  readonly fetch: Fetch
  /** Longest wait for the answer, in milliseconds. */
  readonly timeoutMs: number
  /** Takes tokens that do not say for which app they are. */
  readonly acceptUnbound: boolean
}

/** Longest userinfo answer, in bytes: a person may be in many organisations. */
const maxUserinfoBytes = 512 * 1024

/**
 * Verifies one access token.
 *
 * @param payload - Its middle part, when it has one.
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when the Hub does not accept it; `HFAUTH_TOKEN_AUDIENCE` when
 * it was given to another app, or does not say to which; `HFAUTH_TOKEN_EXPIRED`;
 * `HFAUTH_TOKEN_UNSUPPORTED` when the policy has no such issuer; `HFAUTH_ISSUER_UNAVAILABLE` (retryable).
 */
export async function verifyByUserinfo(
  token: string,
  payload: string | undefined,
  options: VerifyByUserinfoOptions,
): Promise<AcceptedToken> {
  const [first, ...others] = chooseHub(payload, options.issuers)
  const subject = `userinfo of issuer \`${first.url}\``
  const { userinfoEndpoint } = await options.clientOf(first, first.url).metadata()
  if (userinfoEndpoint === undefined) throw unavailable(subject, 'discovery names no endpoint on its origin')
  const { fetch, timeoutMs } = options
  const response = await requestBounded(userinfoEndpoint, {
    subject,
    fetch,
    timeoutMs,
    maxBytes: maxUserinfoBytes,
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
  })
  const userinfo = readUserinfo(response, subject)
  const told = payload === undefined ? undefined : readJwtPart(payload)
  return combine(userinfo, told, [first, ...others], options)
}

/**
 * Judges the answer of the userinfo endpoint.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` for 401 and 403; `HFAUTH_ISSUER_UNAVAILABLE` (retryable) for
 * every other status, and for an answer that is not a person.
 */
export function readUserinfo({ status, text }: BoundedResponse, subject: string): Claims {
  if (status === 401 || status === 403) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'Hugging Face does not accept the access token')
  }
  if (status !== 200) throw unavailable(subject, `status ${status}`)
  const claims = parseJsonObject(text)
  if (claims === undefined) throw unavailable(subject, 'the answer is not a JSON object')
  if (typeof claims.sub !== 'string' || claims.sub === '')
    throw unavailable(subject, 'the answer has no `sub`')
  return claims
}

/** Puts what userinfo says of the person and what the token says of itself together, if they agree. */
function combine(
  userinfo: Claims,
  told: Claims | undefined,
  issuers: readonly [Issuer, ...Issuer[]],
  { acceptUnbound, time }: VerifyByUserinfoOptions,
): AcceptedToken {
  if (told !== undefined && Object.hasOwn(told, 'sub') && told.sub !== userinfo.sub) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the access token and userinfo disagree about `sub`')
  }
  const clientIds = told === undefined ? [] : readClientIds(told)
  if (clientIds.length === 0 && !acceptUnbound) {
    throw new HfAuthError('HFAUTH_TOKEN_AUDIENCE', 'the access token does not say for which app it was made')
  }
  const issuer = issuers.find(({ audience }) => clientIds.every((id) => audience.includes(id)))
  if (issuer === undefined) {
    throw new HfAuthError('HFAUTH_TOKEN_AUDIENCE', 'the access token was given to another app')
  }
  if (told === undefined) return { issuer, kind: 'access_token', claims: userinfo }
  const expiresAt = checkTimes(told, { ...time(issuer.preset), requireExpiry: false })
  const named = Object.entries(told).filter(([name]) => toldClaims.has(name))
  return {
    issuer,
    kind: 'access_token',
    claims: { ...userinfo, ...Object.fromEntries(named) },
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

/** What only the token tells: userinfo has no scopes and no times. */
const toldClaims: ReadonlySet<string> = new Set(['scope', 'iat', 'exp'])

/** The app a token names, under its name of today and of 2025; both must be ours when both are there. */
function readClientIds(told: Claims): readonly string[] {
  return ['client_id', 'oauthApp'].flatMap((name) => {
    const value = claim(told, name)
    if (value === undefined) return []
    return typeof value === 'string' && value !== '' ? [value] : ['']
  })
}

/**
 * The aliases of the Hub to ask. With several Hubs in the policy the token's `iss` chooses, unverified, so
 * that no token is shown to a Hub it does not come from.
 */
function chooseHub(payload: string | undefined, issuers: readonly Issuer[]): readonly [Issuer, ...Issuer[]] {
  const hubs = issuers.filter(({ preset }) => preset.accessTokens === 'userinfo')
  const urls = new Set(hubs.map(({ url }) => url))
  const named = urls.size > 1 && payload !== undefined ? readJwtPart(payload) : undefined
  const url = urls.size > 1 ? isJsonObject(named) && claim(named, 'iss') : hubs[0]?.url
  const [first, ...others] = hubs.filter((issuer) => issuer.url === url)
  if (first !== undefined) return [first, ...others]
  throw new HfAuthError(
    'HFAUTH_TOKEN_UNSUPPORTED',
    urls.size > 1
      ? 'the access token comes from no Hub in the policy'
      : 'the policy has no Hugging Face issuer, so a Hugging Face access token is not taken',
  )
}
