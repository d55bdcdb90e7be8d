/**
 * OAuth: the code flow and the refresh of one provider, through `oauth4webapi`.
 *
 * attempt, answer → **oauth** → identity. The only file that knows the library; its types end here. Its errors
 * hold answers, and answers hold tokens, so none of them leaves as a `cause`.
 *
 * @see RFC 6749 §4.1, §6; RFC 7636; RFC 9207; RFC 9700
 * @module
 */
import { type Claims, HfAuthError } from '@hfauth/core'
import * as oauth from 'oauth4webapi'
import { CachedSource, maxAgeOf } from '../internal/cached-source.ts'
import { callableEndpoint } from '../internal/endpoint.ts'
import { requestBounded, unavailable } from '../internal/request.ts'
import { revokeAtSlack } from '../revoke/provider.ts'
import { withClientSecret } from '../secrets/client-secret.ts'
import type { ProviderSettings, Settings } from './options.ts'

export interface ExpectedAnswer {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly maxAgeSeconds?: number | undefined
}

/** What the token endpoint gave. `idToken` has passed the protocol's checks; its signature is for the verifier. */
export interface TokenAnswer {
  readonly accessToken: string
  /** Epoch milliseconds. */
  readonly accessUntil: number
  readonly refreshToken?: string
  readonly idToken?: string
  /** As granted; absent when it is what was asked for. */
  readonly scope?: string
}

export interface OAuthProvider {
  metadata(): Promise<{ readonly authorizationEndpoint: string; readonly endSessionEndpoint?: string }>
  /**
   * Judges the answer in the address and turns its code into tokens.
   *
   * @throws HfAuthError `HFAUTH_SIGNIN_REFUSED` when the provider says no, `HFAUTH_SIGNIN_INVALID` when a check
   * fails, `HFAUTH_ISSUER_UNAVAILABLE` (retryable).
   */
  redeem(answer: URLSearchParams, expected: ExpectedAnswer): Promise<TokenAnswer>
  /**
   * Uses a refresh token.
   *
   * @throws HfAuthError `HFAUTH_SIGNED_OUT` for `invalid_grant`, which is final; everything else may pass.
   */
  refresh(refreshToken: string): Promise<TokenAnswer>
  /** What userinfo says of the person. @throws HfAuthError `HFAUTH_SIGNIN_INVALID` when it is another person. */
  userinfo(accessToken: string, subject: string): Promise<Claims>
  /**
   * Gives tokens back the provider's way: the refresh token by RFC 7009 where discovery names an endpoint, the access
   * token by `auth.revoke` at Slack, which names none. Does nothing where there is no way.
   *
   * @throws HfAuthError `HFAUTH_REVOCATION_REFUSED`; `HFAUTH_ISSUER_UNAVAILABLE` (retryable).
   */
  revoke(tokens: { readonly access: string; readonly refresh?: string }): Promise<void>
}

/** Used when the provider does not say, in seconds: short, since a token believed alive is the worse mistake. */
const defaultLifetimeSeconds = 3600
const maxAnswerBytes = 512 * 1024

export function createOAuthProvider(provider: ProviderSettings, settings: Settings): OAuthProvider {
  const { issuer, clientId, clientAuthentication, clientSecret, redirectUri } = provider
  const { now, fetch, timeoutMs } = settings
  const subject = `issuer \`${issuer.url}\``
  const options = {
    // The policy takes plain http only for an issuer on this machine.
    [oauth.allowInsecureRequests]: issuer.url.startsWith('http:'),
    [oauth.customFetch]: async (url: string, request: ProviderRequest) => {
      const { method, headers, body } = request
      const bounds = { subject, fetch, timeoutMs, maxBytes: maxAnswerBytes, headers }
      const answer = await requestBounded(url, {
        ...bounds,
        method: method === 'POST' ? 'POST' : 'GET',
        ...(body == null ? {} : { body: String(body) }),
      })
      const { status } = answer
      if (status >= 500 || status === 429) throw unavailable(subject, `status ${status}`)
      return new Response(answer.text === '' ? null : answer.text, { status, headers: answer.headers })
    },
  }

  const discovery = new CachedSource<oauth.AuthorizationServer>({
    now,
    pauseMs: 600,
    maxAgeMs: 600_000,
    maxStaleMs: 3_600_000,
    async load() {
      try {
        const url = new URL(issuer.url)
        const response = await oauth.discoveryRequest(url, options)
        const maxAgeMs = maxAgeOf(response.headers)
        const server = await oauth.processDiscoveryResponse(url, response)
        assertUsable(server, subject)
        return { value: server, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) }
      } catch (error) {
        throw error instanceof HfAuthError ? error : unavailable(subject, 'its metadata cannot be used')
      }
    },
  })

  /** The library reads the clock itself; this tells it how far ours is from that. */
  const client = (): oauth.Client => ({
    client_id: clientId,
    [oauth.clockTolerance]: 30,
    [oauth.clockSkew]: Math.floor(now() / 1000) - Math.floor(Date.now() / 1000),
  })

  /** Calls an endpoint as the client; of a secret that was rotated, with the one before where the new one is refused. */
  async function asClient<T>(
    server: oauth.AuthorizationServer,
    call: (auth: oauth.ClientAuth) => Promise<T>,
  ): Promise<T> {
    if (clientAuthentication !== undefined) return call(clientAuthentication)
    // Hugging Face takes public clients without listing `none` in its metadata.
    if (clientSecret === undefined) return call(oauth.None())
    const methods = server.token_endpoint_auth_methods_supported
    const basic = methods === undefined || methods.includes('client_secret_basic')
    const auth = basic ? oauth.ClientSecretBasic : oauth.ClientSecretPost
    return withClientSecret(clientSecret, (secret) => call(auth(secret)), isInvalidClient)
  }

  function read(tokens: oauth.TokenEndpointResponse, sentAt: number): TokenAnswer {
    if (tokens.token_type !== 'bearer') throw invalid('its token is not a bearer token')
    return {
      accessToken: tokens.access_token,
      accessUntil: sentAt + (tokens.expires_in ?? defaultLifetimeSeconds) * 1000,
      ...(tokens.refresh_token === undefined ? {} : { refreshToken: tokens.refresh_token }),
      ...(tokens.id_token === undefined ? {} : { idToken: tokens.id_token }),
      ...(tokens.scope === undefined ? {} : { scope: tokens.scope }),
    }
  }

  return {
    async metadata() {
      const { authorization_endpoint, end_session_endpoint } = await discovery.get()
      const end = callableEndpoint(end_session_endpoint, issuer.url)
      return {
        authorizationEndpoint: authorization_endpoint as string,
        ...(end === undefined ? {} : { endSessionEndpoint: end.href }),
      }
    },

    async redeem(answer, { state, nonce, verifier, maxAgeSeconds }) {
      try {
        const server = await discovery.get()
        // The library takes an empty `iss` for none.
        if (answer.get('iss') === '') throw invalid('its `iss` is empty')
        const checked = oauth.validateAuthResponse(server, client(), answer, state)
        const sentAt = now()
        const tokens = await asClient(server, async (auth) => {
          const response = await oauth.authorizationCodeGrantRequest(
            server,
            client(),
            auth,
            checked,
            redirectUri,
            verifier,
            options,
          )
          return oauth.processAuthorizationCodeResponse(server, client(), response, {
            expectedNonce: nonce,
            maxAge: maxAgeSeconds ?? oauth.skipAuthTimeCheck,
            requireIdToken: true,
          })
        })
        return read(tokens, sentAt)
      } catch (error) {
        throw translated(error)
      }
    },

    async refresh(refreshToken) {
      try {
        const server = await discovery.get()
        const sentAt = now()
        const tokens = await asClient(server, async (auth) => {
          const response = await oauth.refreshTokenGrantRequest(server, client(), auth, refreshToken, options)
          return oauth.processRefreshTokenResponse(server, client(), response)
        })
        return read(tokens, sentAt)
      } catch (error) {
        if (error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant') {
          throw new HfAuthError('HFAUTH_SIGNED_OUT', 'the provider does not renew the session')
        }
        throw translated(error)
      }
    },

    async userinfo(accessToken, expected) {
      try {
        const server = await discovery.get()
        const response = await oauth.userInfoRequest(server, client(), accessToken, options)
        return (await oauth.processUserInfoResponse(server, client(), expected, response)) as Claims
      } catch (error) {
        throw translated(error)
      }
    },

    async revoke({ access, refresh }) {
      if (issuer.preset.revocation === 'slack') return revokeAtSlack({ token: access, fetch, timeoutMs })
      try {
        const server = await discovery.get()
        if (server.revocation_endpoint === undefined) return
        await asClient(server, async (auth) =>
          oauth.processRevocationResponse(
            await oauth.revocationRequest(server, client(), auth, refresh ?? access, options),
          ),
        )
      } catch (error) {
        if (error instanceof HfAuthError) throw error
        const said = error instanceof oauth.ResponseBodyError ? saidCode(error.error) : 'unknown'
        throw new HfAuthError(
          'HFAUTH_REVOCATION_REFUSED',
          `the provider did not take the token back, \`${said}\``,
        )
      }
    },
  }

  /** @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` when the metadata cannot be built on (RFC 9700 §2.1.1). */
  function assertUsable(server: oauth.AuthorizationServer, name: string): void {
    const endpoints = [server.authorization_endpoint, server.token_endpoint]
    if (endpoints.some((endpoint) => callableEndpoint(endpoint, issuer.url) === undefined)) {
      throw unavailable(name, 'its metadata lacks an endpoint that may be called')
    }
    const methods = server.code_challenge_methods_supported
    if (methods !== undefined && !methods.includes('S256')) {
      throw unavailable(name, 'it does not support PKCE with S256')
    }
  }
}

interface ProviderRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: unknown
}

function invalid(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNIN_INVALID', `the answer of the provider cannot be used: ${why}`)
}

/** The provider refused the client, and has not looked at what it brought (RFC 6749 §5.2). */
function isInvalidClient(error: unknown): boolean {
  if (error instanceof oauth.ResponseBodyError) return error.error === 'invalid_client'
  return error instanceof oauth.WWWAuthenticateChallengeError && error.status === 401
}

function translated(error: unknown): HfAuthError {
  if (error instanceof HfAuthError) return error
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    return refused(error.error)
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) return refused('invalid_client')
  // These two are fixed sentences; any other message may quote what it tripped over.
  const known =
    error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError
  return invalid(known ? error.message : 'it is malformed')
}

/** The provider's own code when it looks like one (RFC 6749 §4.1.2.1), and nothing else of what it wrote. */
function saidCode(code: string): string {
  return /^[a-z_]{1,64}$/.test(code) ? code : 'unknown'
}

function refused(code: string): HfAuthError {
  const said = saidCode(code)
  const retryable = ['temporarily_unavailable', 'server_error'].includes(said)
  return new HfAuthError('HFAUTH_SIGNIN_REFUSED', `the provider refused, \`${said}\``, { retryable })
}
