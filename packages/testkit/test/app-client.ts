/**
 * App client: an app as its developer would write it, on top of `oauth4webapi`.
 *
 * Used by the tests only. It checks everything a strict client checks, so an answer the
 * library accepts is an answer real clients accept.
 *
 * @module
 */

import * as oauth from 'oauth4webapi'
import { type Hub, publicAppId } from '../src/index.ts'

export const redirectUri = 'http://127.0.0.1:5173/callback'

export interface AuthorizeOptions {
  readonly scope?: string
  readonly username?: string
  readonly grantOrgs?: readonly string[]
  readonly deny?: boolean
  /** Replaces or, with `undefined`, removes parameters of the authorization request. */
  readonly params?: Readonly<Record<string, string | undefined>>
}

export interface AppClient {
  readonly server: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly verifier: string
  readonly nonce: string
  /** Ends at the app's redirect URI. */
  authorize(options?: AuthorizeOptions): Promise<URL>
  /** Trades the code of a redirect for tokens. */
  redeem(callback: URL): Promise<oauth.TokenEndpointResponse>
}

export const insecure = { [oauth.allowInsecureRequests]: true } as const

export async function createAppClient(hub: Hub, clientId = publicAppId): Promise<AppClient> {
  const issuer = new URL(hub.url)
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const client: oauth.Client = { client_id: clientId }
  const verifier = oauth.generateRandomCodeVerifier()
  const nonce = oauth.generateRandomNonce()
  const state = oauth.generateRandomState()
  const challenge = await oauth.calculatePKCECodeChallenge(verifier)
  return {
    server,
    client,
    verifier,
    nonce,
    async authorize({ scope = 'openid profile', username = 'ana', grantOrgs, deny, params } = {}) {
      const url = new URL(server.authorization_endpoint ?? '')
      const all = {
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope,
        state,
        nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
        ...params,
      }
      for (const [name, value] of Object.entries(all))
        if (value !== undefined) url.searchParams.set(name, value)
      const back = await hub.signIn({
        authorizationUrl: url.href,
        username,
        ...(grantOrgs && { grantOrgs }),
        ...(deny !== undefined && { deny }),
      })
      return new URL(back)
    },
    async redeem(callback) {
      const params = oauth.validateAuthResponse(server, client, callback, state)
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        params,
        redirectUri,
        verifier,
        insecure,
      )
      return oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce })
    },
  }
}

/** Signs in and returns the tokens, in one go. */
export async function signInForTokens(hub: Hub, options: AuthorizeOptions = {}) {
  const app = await createAppClient(hub)
  return app.redeem(await app.authorize(options))
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** Posts a form to the token endpoint. */
export async function postToken(
  hub: Hub,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return readAnswer(
    await fetch(`${hub.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form), headers }),
  )
}

export async function readAnswer(response: Response): Promise<Answer> {
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

export async function readUserinfo(hub: Hub, token: string): Promise<Answer> {
  return readAnswer(
    await fetch(`${hub.url}/oauth/userinfo`, { headers: { authorization: `Bearer ${token}` } }),
  )
}
