/**
 * Kind: what a bearer credential looks like, before anything is known of it.
 *
 * request → **kind** → verify. Decides by shape only, and says of what is not taken what it was and
 * what to send instead; the credential itself is never repeated.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'

export type TokenKind =
  /** A signed compact JWT; `jwt` is without the `hf_oidc_` prefix. */
  | { readonly kind: 'jwt'; readonly jwt: string }
  /** A Hugging Face OAuth access token; `payload` is its middle part when it is three parts long. */
  | { readonly kind: 'huggingface'; readonly payload?: string }
  /** A GitHub token of a person, given to an app. */
  | { readonly kind: 'github' }
  /** Three parts with padding, as AWS load balancers write them and nobody else does. */
  | { readonly kind: 'padded-jwt' }
  /** Some text; what it means only its issuer knows. */
  | { readonly kind: 'opaque' }
  | { readonly kind: 'unsupported'; readonly reason: string }

/**
 * Put before a JWT, it makes a credential that begins with `hf_`. Hugging Face's JavaScript clients
 * send no other; the prefix is our own convention, means nothing, and is taken off.
 */
export const jwtPrefix = 'hf_oidc_'

/** Longest credential that is looked at, in characters. */
export const maxTokenLength = 16_384

/** The credential without our own prefix. */
export function bareToken(token: string): string {
  return token.startsWith(jwtPrefix) ? token.slice(jwtPrefix.length) : token
}

/**
 * Tells the kind of a credential by its prefix and number of parts.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when it is empty, too long or not of the alphabet of bearer tokens.
 * @see RFC 6750 §2.1 (b64token)
 */
export function readTokenKind(token: string): TokenKind {
  // No other kind begins as a JSON object does in base64url; the rest of its alphabet is for its reader to check.
  if (isPlainJwt(token)) {
    return { kind: 'jwt', jwt: token }
  }
  if (isPaddedJwt(token)) return { kind: 'padded-jwt' }
  assertBearerText(token)
  const unsupported = unsupportedPrefixes.find(({ prefix }) => token.startsWith(prefix))
  if (unsupported !== undefined) return { kind: 'unsupported', reason: unsupported.reason }
  if (token.startsWith('hf_oauth_')) {
    const parts = token.slice('hf_oauth_'.length).split('.')
    const payload = parts.length === 3 ? parts[1] : undefined
    return payload === undefined ? { kind: 'huggingface' } : { kind: 'huggingface', payload }
  }
  if (/^gh[ou]_/.test(token)) return { kind: 'github' }
  const jwt = bareToken(token)
  // Only after our prefix: what else begins with `hf_` is Hugging Face's to give a meaning.
  if (jwt.startsWith('hf_')) return { kind: 'unsupported', reason: personalToken }
  const dots = countDots(jwt)
  if (dots === 2) return { kind: 'jwt', jwt }
  if (dots === 4) {
    return { kind: 'unsupported', reason: 'an encrypted JWT is not taken: send a signed one' }
  }
  return { kind: 'opaque' }
}

function isPlainJwt(token: string): boolean {
  return (
    typeof token === 'string' &&
    token.length <= maxTokenLength &&
    token.startsWith('eyJ') &&
    !token.includes('=') &&
    countDots(token) === 2
  )
}

function countDots(text: string): number {
  let dots = 0
  for (let at = text.indexOf('.'); at >= 0; at = text.indexOf('.', at + 1)) dots++
  return dots
}

export const sendInstead = 'send an ID token, or an access token, of an issuer in the policy'
const personalToken =
  'a Hugging Face user access token is not taken, because it tells neither whom nor what it is for: ' +
  'sign in and send the OAuth access token or the ID token'

const personalGithubToken =
  'a personal GitHub token was made for no app and cannot be checked by one: sign in and send the OAuth access token'

/** In this order: some prefixes begin with others. */
const unsupportedPrefixes: readonly { readonly prefix: string; readonly reason: string }[] = [
  {
    prefix: 'hf_oauth__refresh_',
    reason: 'a refresh token is for the token endpoint only: send the access token that comes with it',
  },
  {
    prefix: 'hf_jwt_',
    reason:
      'a Hugging Face repository token (`hf_jwt_`) is for the Hub only: send the ID token of the CI job itself',
  },
  { prefix: 'hf_s3_', reason: `a Hugging Face S3 session is for the Hub only: ${sendInstead}` },
  { prefix: 'hf_app_', reason: `a Hugging Face app token is for the Hub only: ${sendInstead}` },
  {
    prefix: 'oauth_app_secret_',
    reason: 'a client secret must never be sent as a credential: replace it now',
  },
  {
    prefix: 'ghr_',
    reason: 'a GitHub refresh token is for the token endpoint only: send the access token that comes with it',
  },
  // With and without dots: it is becoming a JWT that nobody but GitHub can check.
  {
    prefix: 'ghs_',
    reason: 'a GitHub installation token speaks for an app and not for a person: a job sends its ID token',
  },
  { prefix: 'ghp_', reason: personalGithubToken },
  { prefix: 'github_pat_', reason: personalGithubToken },
  {
    prefix: 'ya29.',
    reason: 'a Google access token does not say soundly for which app it was made: send the ID token',
  },
  { prefix: 'xox', reason: 'a Slack app token is for Slack only: send the ID token of Sign in with Slack' },
  { prefix: 'api_org_', reason: `a Hugging Face organisation token is not taken: ${sendInstead}` },
]

/** Base64url parts, one of them padded (RFC 4648 §3.2); in a bearer token only the end may be. */
function isPaddedJwt(token: string): boolean {
  return (
    typeof token === 'string' &&
    token.length <= maxTokenLength &&
    /^[\w-]+={0,2}\.[\w-]+={0,2}\.[\w-]+={0,2}$/.test(token) &&
    token.includes('=')
  )
}

/** @throws HfAuthError `HFAUTH_TOKEN_INVALID` when there is no credential, or more than anyone looks at. */
export function assertTokenLength(token: string): void {
  if (typeof token !== 'string' || token === '') {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the credential is empty')
  }
  if (token.length > maxTokenLength) {
    throw new HfAuthError(
      'HFAUTH_TOKEN_INVALID',
      `the credential is longer than ${maxTokenLength} characters`,
    )
  }
}

function assertBearerText(token: string): void {
  assertTokenLength(token)
  if (!isBearerText(token)) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the credential has characters that no bearer token has')
  }
}

/** Whether `text` can be sent as a bearer token at all, and is not longer than any is. */
export function isBearerText(text: string): boolean {
  return text.length <= maxTokenLength && /^[A-Za-z0-9\-._~+/]+=*$/.test(text)
}
