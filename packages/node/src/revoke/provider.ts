/**
 * Provider: tells the provider itself that a token is to be no longer good.
 *
 * **provider** → revocation endpoint. What is revoked there may still pass where it is only looked at, so
 * it has to be revoked here as well.
 *
 * @see RFC 7009 §2; docs.github.com: REST API, OAuth applications; docs.slack.dev: auth.revoke
 * @module
 */
import { HfAuthError, type Issuer } from '@hfauth/core'
import { basicAuthorization } from '../internal/basic-authorization.ts'
import { callableEndpoint } from '../internal/endpoint.ts'
import { parseJsonObject } from '../internal/json-object.ts'
import { type BoundedResponse, type Fetch, requestBounded, unavailable } from '../internal/request.ts'
import { type ClientSecret, InvalidClientError, withClientSecret } from '../secrets/client-secret.ts'

export interface ProviderCallOptions {
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch
  /** Longest wait for the answer, in milliseconds. Default 5000. */
  readonly timeoutMs?: number
}

export interface RevokeAtProviderOptions extends ProviderCallOptions {
  /** Whose token it is, as the policy has it: then a provider that has no such endpoint is not called. */
  readonly issuer?: Pick<Issuer, 'alias' | 'preset'>
  /** `revocation_endpoint` of the provider: Okta `…/v1/revoke`, Google `https://oauth2.googleapis.com/revoke`. */
  readonly endpoint: string
  readonly token: string
  readonly tokenTypeHint?: 'access_token' | 'refresh_token'
  /** How the client proves itself: by secret, by the parameters of `createAssertionKeys`, or not at all (Google). */
  readonly client?:
    | { readonly id: string; readonly secret: ClientSecret }
    | { readonly id: string; readonly assertion: () => Promise<Readonly<Record<string, string>>> }
    | { readonly id: string }
}

const maxAnswerBytes = 64 * 1024

/**
 * Revokes one token at a provider. A token that the provider does not know is revoked already.
 *
 * @throws HfAuthError `HFAUTH_REVOCATION_REFUSED`; `HFAUTH_ISSUER_UNAVAILABLE` (retryable);
 * `HFAUTH_CONFIG_INVALID` when `endpoint` is no https address, or the `issuer` revokes in another way or not at all.
 */
export async function revokeAtProvider(options: RevokeAtProviderOptions): Promise<void> {
  const { token, tokenTypeHint, client, issuer } = options
  if (issuer !== undefined) assertRevokesHere(issuer)
  const url = endpointOf(options.endpoint)
  const form = { token, ...(tokenTypeHint === undefined ? {} : { token_type_hint: tokenTypeHint }) }
  const send = async (
    more: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const response = await call(url, options, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...form, ...more }).toString(),
    })
    if (response.status === 200) return
    // Google has it so for a token that is gone.
    if (response.status === 400 && errorOf(response) === 'invalid_token') return
    throw refusal(url, response)
  }
  if (client === undefined) return send({})
  if ('assertion' in client) return send({ client_id: client.id, ...(await client.assertion()) })
  if (!('secret' in client)) return send({ client_id: client.id })
  return withClientSecret(client.secret, (secret) =>
    send({}, { authorization: basicAuthorization({ id: client.id, secret }) }),
  )
}

function assertRevokesHere({ alias, preset }: Pick<Issuer, 'alias' | 'preset'>): void {
  const { name, revocation } = preset
  if (revocation === 'rfc7009') return
  const instead = { github: ': use `revokeAtGitHub`', slack: ': use `revokeAtSlack`', none: '' }[revocation]
  throw new HfAuthError(
    'HFAUTH_CONFIG_INVALID',
    `issuer \`${alias}\` has no revocation endpoint of RFC 7009, as no \`${name}\` has${instead}`,
  )
}

export interface RevokeAtGitHubOptions extends ProviderCallOptions {
  readonly token: string
  readonly client: { readonly id: string; readonly secret: ClientSecret }
  /** `grant` ends all that the person gave the app, and not this token only. Default `token`. */
  readonly what?: 'token' | 'grant'
  /** Default `https://api.github.com`; `https://HOST/api/v3` for a server of one's own. */
  readonly apiUrl?: string
}

/**
 * Revokes a user's token at GitHub, which has a way of its own. Throws as {@link revokeAtProvider}.
 */
export async function revokeAtGitHub(options: RevokeAtGitHubOptions): Promise<void> {
  const { token, client, what = 'token', apiUrl = 'https://api.github.com' } = options
  const url = endpointOf(`${apiUrl.replace(/\/$/, '')}/applications/${encodeURIComponent(client.id)}/${what}`)
  await withClientSecret(client.secret, async (secret) => {
    const response = await call(url, options, {
      method: 'DELETE',
      headers: {
        authorization: basicAuthorization({ id: client.id, secret }),
        'content-type': 'application/json',
        'user-agent': 'hfauth',
        'x-github-api-version': '2022-11-28',
      },
      body: JSON.stringify({ access_token: token }),
    })
    // 404: no such token any more; but also what a wrong client id gets, which 401 does not cover.
    if (response.status === 204 || response.status === 404) return
    throw refusal(url, response)
  })
}

export interface RevokeAtSlackOptions extends ProviderCallOptions {
  /** `xoxb-`, `xoxp-`, `xoxe.…`: the token itself is what permits its end; there is no client to name. */
  readonly token: string
  /** Default `https://slack.com/api`. */
  readonly apiUrl?: string
}

/** What Slack says of a token that is good for nothing any more. */
const goneAtSlack: ReadonlySet<unknown> = new Set(['token_revoked', 'token_expired', 'account_inactive'])

const troubleAtSlack: ReadonlySet<unknown> = new Set([
  'fatal_error',
  'internal_error',
  'ratelimited',
  'request_timeout',
  'service_unavailable',
  'team_added_to_org',
])

/**
 * Revokes one token at Slack, which answers failures with 200 too and says in the body what became of it.
 * `invalid_auth` is a failure: an address that Slack does not let in gets it for a good token as well.
 * Throws as {@link revokeAtProvider}.
 */
export async function revokeAtSlack(options: RevokeAtSlackOptions): Promise<void> {
  const { token, apiUrl = 'https://slack.com/api' } = options
  const url = endpointOf(`${apiUrl.replace(/\/$/, '')}/auth.revoke`)
  const response = await call(url, options, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
  })
  if (response.status !== 200) throw refusal(url, response)
  const { ok, revoked, error } = parseJsonObject(response.text) ?? {}
  if (ok === true && revoked === true) return
  if (ok === false && goneAtSlack.has(error)) return
  // Only words are repeated: what else stands there may be the token.
  const said = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? `\`${error}\`` : 'no reason'
  if (troubleAtSlack.has(error)) throw unavailable(subjectOf(url), said)
  throw new HfAuthError('HFAUTH_REVOCATION_REFUSED', `${subjectOf(url)} did not revoke the token: ${said}`)
}

function endpointOf(address: string): URL {
  const url = callableEndpoint(address, URL.canParse(address) ? address : 'https://invalid')
  if (url !== undefined) return url
  throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'the revocation endpoint must be an https address')
}

function call(
  url: URL,
  { fetch = globalThis.fetch, timeoutMs = 5000 }: ProviderCallOptions,
  { headers, ...request }: { method: 'POST' | 'DELETE'; headers: Record<string, string>; body: string },
): Promise<BoundedResponse> {
  return requestBounded(url.href, {
    ...request,
    subject: subjectOf(url),
    fetch,
    timeoutMs,
    maxBytes: maxAnswerBytes,
    headers: { accept: 'application/json', ...headers },
  })
}

function refusal(url: URL, response: BoundedResponse): HfAuthError {
  const { status } = response
  if (status === 429 || status >= 500) return unavailable(subjectOf(url), `status ${status}`)
  const message = `${subjectOf(url)} did not revoke the token: status ${status}`
  if (status === 401 || errorOf(response) === 'invalid_client') {
    return new InvalidClientError('HFAUTH_REVOCATION_REFUSED', `${message}, the client is refused`)
  }
  return new HfAuthError('HFAUTH_REVOCATION_REFUSED', message)
}

function subjectOf(url: URL): string {
  return `the revocation endpoint of \`${url.origin}\``
}

function errorOf({ text }: BoundedResponse): unknown {
  return parseJsonObject(text)?.error
}
