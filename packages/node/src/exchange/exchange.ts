/**
 * Exchange: trades somebody already verified for a short-lived Hugging Face token.
 *
 * verify → decide → scopes → **exchange** → Hugging Face. Tokens are kept in this process's memory for
 * at most half of their life, under hashed names, and nowhere else.
 *
 * @see RFC 8693 §2; huggingface.co/docs/hub: OAuth token exchange, Trusted Publishers
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { basicAuthorization } from '../internal/basic-authorization.ts'
import { callableEndpoint } from '../internal/endpoint.ts'
import { cacheKey, FlightCache, type Remembered } from '../internal/flight-cache.ts'
import { numberOption } from '../internal/number-option.ts'
import { type Fetch, requestBounded } from '../internal/request.ts'
import { type ClientSecret, withClientSecret } from '../secrets/client-secret.ts'
import { isBearerText, readTokenKind } from '../token/kind.ts'
import type { Revocations } from '../verify/types.ts'
import { readTokenResponse } from './token-response.ts'
import type { ExchangedToken, ExchangeOwner, TokenExchange } from './types.ts'

export interface TokenExchangeOptions {
  /** Origin of the Hub: `https://huggingface.co`. */
  readonly hubUrl: string
  /** The organisation's app with the token-exchange privilege; needed for members only. */
  readonly client?: { readonly id: string; readonly secret: ClientSecret }
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Longest wait for the token endpoint, in milliseconds. Default 5000. */
  readonly timeoutMs?: number
  /** Most tokens kept; the oldest goes first. Default 10,000. */
  readonly cacheEntries?: number
  /** What has been taken back: its owners get no token, and those that were kept for them are forgotten at once. */
  readonly revocations?: Revocations
}

/** A token in memory, and for whom. */
interface Kept {
  readonly token: ExchangedToken
  readonly owner: ExchangeOwner | undefined
}

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const emailType = 'urn:huggingface:token-type:user-email'
const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'

/** Longest answer of the token endpoint, in bytes. */
const maxAnswerBytes = 64 * 1024

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is malformed. */
export function createTokenExchange(options: TokenExchangeOptions): TokenExchange {
  const { client, fetch = globalThis.fetch, now = Date.now, revocations } = options
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 5000, { min: 1 })
  const maxEntries = numberOption('cacheEntries', options.cacheEntries ?? 10_000, { min: 1 })
  const endpoint = tokenEndpointOf(options.hubUrl)
  // A fixed secret that is no good is told now; what a ring or a function gives is known later.
  if (typeof client?.secret === 'string') basicAuthorization({ id: client.id, secret: client.secret })
  const subject = `the token endpoint of \`${new URL(endpoint).origin}\``
  const cache = new FlightCache<Kept>({ maxEntries, now })
  const isRevoked = ({ identities }: ExchangeOwner) =>
    identities.some((identity) => revocations?.isRevoked(identity) === true)
  // Whose nobody knows, or what is still under way, might be somebody's who was just revoked.
  revocations?.subscribe(() => cache.forget((_, kept) => kept?.owner === undefined || isRevoked(kept.owner)))

  async function remembered(
    key: readonly string[],
    owner: ExchangeOwner | undefined,
    load: () => Promise<Remembered<ExchangedToken>>,
  ): Promise<ExchangedToken> {
    assertCurrent(owner)
    const whole = cacheKey(...key, owner?.environment ?? '', owner?.principal ?? '')
    const { token } = await cache.get(whole, async () => {
      const { value, untilMs } = await load()
      return { value: { token: value, owner }, untilMs }
    })
    assertCurrent(owner)
    return token
  }

  function assertCurrent(owner: ExchangeOwner | undefined): void {
    if (owner === undefined || !isRevoked(owner)) return
    throw new HfAuthError('HFAUTH_EXCHANGE_REFUSED', 'the credential of the caller has been revoked')
  }

  async function exchange(
    headers: Readonly<Record<string, string>>,
    body: string,
    requested?: readonly string[],
  ): Promise<Remembered<ExchangedToken>> {
    const sentMs = now()
    const response = await requestBounded(endpoint, {
      subject,
      fetch,
      timeoutMs,
      maxBytes: maxAnswerBytes,
      method: 'POST',
      headers: { accept: 'application/json', ...headers },
      body,
    })
    const value = readTokenResponse(response, {
      subject,
      sentMs,
      ...(requested === undefined ? {} : { requested }),
    })
    return { value, untilMs: sentMs + (value.expiresAt - sentMs) / 2 }
  }

  return {
    async forMember({ email, scopes, owner }) {
      if (client === undefined) {
        throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'exchanging for a member needs `client`')
      }
      assertEmail(email)
      const requested = [...new Set(scopes)].sort()
      assertScopes(requested)
      return remembered(['member', email, requested.join(' ')], owner, () => {
        const form = new URLSearchParams({
          grant_type: grantType,
          subject_token: email,
          subject_token_type: emailType,
          scope: requested.join(' '),
        })
        return withClientSecret(client.secret, (secret) => {
          const authorization = basicAuthorization({ id: client.id, secret })
          const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
          return exchange(headers, form.toString(), requested)
        })
      })
    },

    async forPublisher({ idToken, resource, owner }) {
      const subjectToken = readIdToken(idToken)
      assertResource(resource)
      return remembered(['publisher', subjectToken, resource], owner, () => {
        const body = {
          grant_type: grantType,
          subject_token_type: idTokenType,
          subject_token: subjectToken,
          resource,
        }
        return exchange({ 'content-type': 'application/json' }, JSON.stringify(body))
      })
    },
  }
}

function tokenEndpointOf(hubUrl: string): string {
  const url = callableEndpoint(hubUrl, URL.canParse(hubUrl) ? hubUrl : 'https://invalid')
  if (url === undefined || url.pathname !== '/' || url.search !== '') {
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      '`hubUrl` must be an https origin, such as `https://huggingface.co`',
    )
  }
  return new URL('/oauth/token', url).href
}

function assertEmail(email: string): void {
  if (typeof email !== 'string' || email.length > 320 || !/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email)) {
    throw new HfAuthError('HFAUTH_EXCHANGE_REFUSED', 'the member has no e-mail address to exchange')
  }
}

/** An absent scope would mean every scope of the app, so asking for none is refused here. */
function assertScopes(scopes: readonly string[]): void {
  if (scopes.length === 0) {
    throw new HfAuthError(
      'HFAUTH_EXCHANGE_REFUSED',
      'no scope was asked for, which would grant all of the app’s',
    )
  }
  if (!scopes.every((scope) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope))) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`scopes` has a text that is not a scope (RFC 6749 §3.3)')
  }
}

/** Only what has the form of an ID token: a Hugging Face access token has three parts too, and must not be sent on. */
function readIdToken(idToken: string): string {
  const kind = isBearerText(idToken) ? readTokenKind(idToken) : undefined
  if (kind?.kind === 'jwt') return kind.jwt
  throw new HfAuthError('HFAUTH_EXCHANGE_REFUSED', 'only a signed ID token can be exchanged')
}

function assertResource(resource: string): void {
  if (resource.length > 256 || !/^(?:[a-z]+\/)?[\w.-]+\/[\w.-]+$|^[\w.-]+$/.test(resource)) {
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      '`resource` must be `ns/name`, `datasets/ns/name` … or a username',
    )
  }
}
