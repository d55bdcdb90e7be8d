/**
 * Authorization request: the address that a person is sent to.
 *
 * login → **authorization request** → provider. Makes text and touches nothing else.
 *
 * @see RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core 1.0 §3.1.2.1
 * @module
 */
import { hash } from 'node:crypto'

export interface AuthorizationRequest {
  readonly endpoint: string
  readonly clientId: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly parameters: Readonly<Record<string, string>>
  readonly prompt?: string | undefined
  readonly maxAgeSeconds?: number | undefined
  readonly acrValues?: string | undefined
}

const reserved =
  /^(client_(id|secret|assertion|assertion_type)|redirect_uri|response_(type|mode)|scope|state|nonce|code(_.*)?|request(_uri)?|prompt|max_age|acr_values|registration|dpop_jkt)$/

/** Whether a parameter is the protocol's own, so that nobody else may set it. */
export function isReservedParameter(name: string): boolean {
  return reserved.test(name)
}

export function buildAuthorizationUrl(request: AuthorizationRequest): string {
  const url = new URL(request.endpoint)
  const query: Readonly<Record<string, string | undefined>> = {
    ...request.parameters,
    prompt: request.prompt,
    max_age: request.maxAgeSeconds?.toString(),
    acr_values: request.acrValues,
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    response_type: 'code',
    scope: request.scopes.join(' '),
    state: request.state,
    nonce: request.nonce,
    code_challenge: hash('sha256', request.verifier, 'base64url'),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url.href
}
