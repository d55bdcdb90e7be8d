/**
 * Register: dynamic client registration, which turns a request into an app of the world.
 *
 * **register** → world → storage. Open to anyone, as on Hugging Face.
 *
 * @module
 * @see RFC 7591 §3.1 (request), §3.2 (response and errors)
 */

import { randomUUID } from 'node:crypto'
import { type Exchange, HttpRefusal, readJson, sendJson } from '../http/exchange.ts'
import { randomText } from '../world/random-text.ts'
import { knownScopes } from '../world/scopes.ts'
import type { World } from '../world/world.ts'
import { deviceCodeGrant, tokenExchangeGrant } from './metadata.ts'

export interface RegisterOptions {
  readonly world: World
  readonly now: () => number
  readonly onSecret: (value: string) => void
}

const echoed = ['client_uri', 'logo_uri', 'contacts', 'software_id', 'software_version']

export function registerApp(exchange: Exchange, { world, now, onSecret }: RegisterOptions): void {
  const request = readJson(exchange)
  const redirectUris = request.redirect_uris
  if (!Array.isArray(redirectUris) || redirectUris.length === 0 || !redirectUris.every(isUri)) {
    throw refuse('invalid_redirect_uri', 'redirect_uris must be a list of absolute URIs')
  }
  const method = request.token_endpoint_auth_method ?? 'client_secret_basic'
  if (method !== 'none' && method !== 'client_secret_basic' && method !== 'client_secret_post') {
    throw refuse('invalid_client_metadata', 'token_endpoint_auth_method is not supported')
  }
  const scope = typeof request.scope === 'string' ? request.scope : 'openid profile'
  const scopes = scope.split(' ').filter(Boolean)
  if (!scopes.every((name) => knownScopes.includes(name))) {
    throw refuse('invalid_client_metadata', 'scope names an unknown scope')
  }
  const clientId = randomUUID()
  const clientSecret = method === 'none' ? undefined : `oauth_app_secret_${randomText(34)}`
  const name = typeof request.client_name === 'string' ? request.client_name : clientId
  world.apps.push({
    clientId,
    name,
    redirectUris,
    scopes,
    kind: clientSecret === undefined ? 'public' : 'confidential',
    ...(clientSecret !== undefined && { clientSecret }),
  })
  if (clientSecret !== undefined) onSecret(clientSecret)
  sendJson(
    exchange,
    201,
    {
      client_id: clientId,
      ...(clientSecret !== undefined && { client_secret: clientSecret, client_secret_expires_at: 0 }),
      client_id_issued_at: Math.floor(now() / 1000),
      client_name: name,
      redirect_uris: redirectUris,
      scope: scopes.join(' '),
      grant_types: [tokenExchangeGrant, deviceCodeGrant, 'authorization_code', 'refresh_token'],
      token_endpoint_auth_method: method,
      ...Object.fromEntries(Object.entries(request).filter(([key]) => echoed.includes(key))),
    },
    { 'cache-control': 'no-store' },
  )
}

function isUri(value: unknown): value is string {
  return typeof value === 'string' && URL.canParse(value) && !value.includes('#')
}

function refuse(error: string, description: string): HttpRefusal {
  return new HttpRefusal(400, { error, error_description: description })
}
