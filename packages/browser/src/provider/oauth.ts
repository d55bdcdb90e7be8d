/**
 * OAuth: the authorization code flow with PKCE, through `oauth4webapi`.
 *
 * metadata → **oauth** → login. The only file that knows the library; its types end here. Its errors
 * hold answers, and answers hold tokens, so none of them leaves as a `cause`.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import * as oauth from 'oauth4webapi'
import type { Settings } from '../options.ts'
import { assertIdTokenClaims, type IdTokenClaims } from './id-token.ts'
import { assertMetadata, createMetadataSource, type Metadata } from './metadata.ts'
import { exchange, type ProviderRequest } from './network.ts'
import { SignInRefusedError } from './refusal.ts'

/** What a sign-in must be compared with when its answer comes. */
export interface Secrets {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export interface ExpectedAnswer {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly redirectUri: string
  readonly maxAgeSeconds?: number
}

export interface Tokens {
  readonly accessToken: string
  readonly claims: IdTokenClaims
  /** As granted; `undefined` means as asked for. */
  readonly scope: string | undefined
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface Provider {
  metadata(): Promise<Metadata>
  /** Judges the answer and turns its code into tokens. @throws HfAuthError, every sign-in code. */
  redeem(answer: URLSearchParams, expected: ExpectedAnswer): Promise<Tokens>
}

/** Used when the provider does not say, in seconds: short, since a token believed alive is the worse mistake. */
const defaultLifetimeSeconds = 3600

export function createProvider(settings: Settings): Provider {
  const { issuer, clientId, allowLoopbackHttp, clockToleranceSeconds, now } = settings
  const options = {
    [oauth.customFetch]: (url: string, request: ProviderRequest) => exchange(settings, url, request),
    [oauth.allowInsecureRequests]: allowLoopbackHttp,
  }

  const metadata = createMetadataSource(now, async () => {
    const url = new URL(issuer)
    try {
      const response = await oauth.discoveryRequest(url, options)
      const found = await oauth.processDiscoveryResponse(url, response)
      assertMetadata(found, settings)
      return found
    } catch (error) {
      throw translated(error, 'HFAUTH_ISSUER_UNAVAILABLE', 'the metadata cannot be used')
    }
  })

  async function redeem(answer: URLSearchParams, expected: ExpectedAnswer): Promise<Tokens> {
    const server = await metadata()
    const client: oauth.Client = {
      client_id: clientId,
      id_token_signed_response_alg: 'RS256',
      [oauth.clockTolerance]: clockToleranceSeconds,
      [oauth.clockSkew]: Math.floor(now() / 1000) - Math.floor(Date.now() / 1000),
    }
    try {
      // The library takes an empty `iss` for none.
      if (answer.get('iss') === '') throw wrongAnswer('its `iss` is empty')
      const checked = oauth.validateAuthResponse(server, client, answer, expected.state)
      const sentAt = now()
      // Hugging Face takes public clients without listing `none` in its metadata.
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        checked,
        expected.redirectUri,
        expected.verifier,
        options,
      )
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
        expectedNonce: expected.nonce,
        maxAge: expected.maxAgeSeconds ?? oauth.skipAuthTimeCheck,
        requireIdToken: true,
      })
      if (tokens.token_type !== 'bearer') throw wrongAnswer('its token is not a bearer token')
      await oauth.validateApplicationLevelSignature(server, response, options)
      const claims = oauth.getValidatedIdTokenClaims(tokens) as IdTokenClaims
      const accessToken = tokens.access_token
      await assertIdTokenClaims(claims, { clientId, accessToken, now: now(), clockToleranceSeconds })
      return {
        accessToken,
        claims,
        scope: tokens.scope,
        expiresAt: sentAt + (tokens.expires_in ?? defaultLifetimeSeconds) * 1000,
      }
    } catch (error) {
      throw translated(error, 'HFAUTH_SIGNIN_INVALID', 'the answer of the provider cannot be used')
    }
  }

  return { metadata: metadata as () => Promise<oauth.AuthorizationServer & Metadata>, redeem }
}

export function randomSecrets(): Secrets {
  return {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    verifier: oauth.generateRandomCodeVerifier(),
  }
}

/** The S256 code challenge. @see RFC 7636 §4.2 */
export function challengeOf(verifier: string): Promise<string> {
  return oauth.calculatePKCECodeChallenge(verifier)
}

function wrongAnswer(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNIN_INVALID', `the answer of the provider cannot be used: ${why}`)
}

function translated(
  error: unknown,
  code: 'HFAUTH_ISSUER_UNAVAILABLE' | 'HFAUTH_SIGNIN_INVALID',
  message: string,
): HfAuthError {
  if (error instanceof HfAuthError) return error
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    return new SignInRefusedError(error.error, error.error_description)
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    return new SignInRefusedError('invalid_client', undefined)
  }
  // These two are fixed sentences; any other message may quote what it tripped over.
  const known =
    error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError
  return new HfAuthError(code, known ? `${message}: ${error.message}` : message)
}
