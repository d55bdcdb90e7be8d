/**
 * Publisher exchange: a CI job trades its ID token for a token on one repository.
 *
 * token endpoint → **publisher exchange** → credentials. Answered before the provider,
 * because no client takes part. Keys are fetched anew each time: a test that rotates them
 * expects the next exchange to know.
 *
 * @module
 */

import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { HttpRefusal } from '../http/exchange.ts'
import type { TrustedPublisher, World } from '../world/world.ts'
import { readPayload } from './compact-jwt.ts'
import type { Credentials } from './credentials.ts'
import { accessTokenType } from './metadata.ts'

export const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'

export interface PublisherExchangeOptions {
  readonly url: string
  readonly world: World
  readonly credentials: Credentials
  readonly now: () => number
}

/**
 * Exchanges one token.
 *
 * @returns The token response.
 * @throws HttpRefusal 400 with `invalid_request` when a parameter is missing, and with
 *   `invalid_grant` when no publisher of the repository matches the token.
 */
export async function exchangePublisherToken(params: URLSearchParams, options: PublisherExchangeOptions) {
  const token = params.get('subject_token')
  const resource = params.get('resource')
  if (!token || !resource) throw refuse('invalid_request', 'subject_token and resource are required')
  const issuer = readPayload(token)?.iss
  const publishers = options.world.trustedPublishers.filter(
    (publisher) => publisher.resource === resource && publisher.issuer === issuer,
  )
  for (const publisher of publishers) {
    if (await isFromPublisher(token, publisher, options)) {
      return {
        access_token: options.credentials.mintForPublisher(resource),
        token_type: 'bearer',
        expires_in: 3600,
        issued_token_type: accessTokenType,
      }
    }
  }
  throw refuse('invalid_grant', 'no trusted publisher of the repository matches the token')
}

async function isFromPublisher(
  token: string,
  publisher: TrustedPublisher,
  { url, now }: PublisherExchangeOptions,
): Promise<boolean> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(await fetchKeys(publisher.issuer)), {
      issuer: publisher.issuer,
      audience: publisher.audience ?? url,
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'iat'],
    })
    return Object.entries(publisher.claims).every(([name, value]) => payload[name] === value)
  } catch {
    return false
  }
}

async function fetchKeys(issuer: string): Promise<JSONWebKeySet> {
  const metadata = await fetchLoopbackJson(`${issuer}/.well-known/openid-configuration`)
  const keys = await fetchLoopbackJson(String(metadata.jwks_uri))
  return keys as unknown as JSONWebKeySet
}

/** The testkit never leaves the computer, whatever a world or a discovery document says. */
async function fetchLoopbackJson(url: string): Promise<Record<string, unknown>> {
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)) {
    throw new Error('issuers of trusted publishers must be on loopback')
  }
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(5000) })
  if (!response.ok) throw new Error('the issuer did not answer')
  return (await response.json()) as Record<string, unknown>
}

function refuse(error: 'invalid_request' | 'invalid_grant', description: string): HttpRefusal {
  return new HttpRefusal(400, { error, error_description: description }, { 'cache-control': 'no-store' })
}
