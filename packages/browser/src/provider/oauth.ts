/**
 * OAuth: the authorization code flow with PKCE, through `oauth4webapi`.
 *
 * metadata, code, signature → **oauth** → login. We send, the library judges token answers. The only file that knows it;
 * its types end here. Its errors hold answers, and answers hold tokens, so none of them leaves as a `cause`.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import * as oauth from 'oauth4webapi'
import type { Settings } from '../options.ts'
import { issuedAt, readClock } from './clock.ts'
import { readCode } from './code.ts'
import {
  type AskedOfIdToken,
  assertAsAsked,
  assertIdTokenClaims,
  assertSameSignIn,
  type IdTokenClaims,
} from './id-token.ts'
import { createMetadataSource, type Metadata } from './metadata.ts'
import { exchange } from './network.ts'
import { type RefusedRequest, SignInRefusedError } from './refusal.ts'
import { assertSignature } from './signature.ts'

export interface ExpectedAnswer extends AskedOfIdToken {
  readonly state: string
  readonly verifier: string
  readonly redirectUri: string
  readonly scope: string
}

export interface Tokens {
  readonly accessToken: string
  readonly claims: IdTokenClaims
  /** As granted; `undefined` means as asked for. */
  readonly scope: string | undefined
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** How long the access token lived when it came, in milliseconds. */
  readonly lifetimeMs: number
  readonly refreshToken: string | undefined
  /** End of the refresh token in epoch milliseconds, where the provider tells it. */
  readonly renewableUntil: number | undefined
  readonly idToken: string | undefined
}

export interface Provider {
  metadata(): Promise<Metadata>
  /** Judges the answer and turns its code into tokens. @throws HfAuthError, every sign-in code. */
  redeem(answer: URLSearchParams, expected: ExpectedAnswer): Promise<Tokens>
  /** Asks for the metadata, past every cache. @throws HfAuthError when the provider cannot be reached. */
  probe(): Promise<void>
  /**
   * One refresh grant. The refresh token of `held` is used up by it, whatever happens, unless the error is a
   * `SignInRefusedError` or a `ProviderUnavailableError` that was `answered`.
   *
   * @see RFC 6749 §6, OpenID Connect Core §12.2
   */
  refresh(held: Tokens): Promise<Tokens>
  /** Tells the provider to forget them, where it can be told. What fails is no error. @see RFC 7009 */
  forget(tokens: Pick<Tokens, 'refreshToken' | 'accessToken'>): Promise<void>
}

const unusable = 'the answer of the provider cannot be used'

/** Used when the provider does not say: short, since a token believed alive is the worse mistake. */
const defaultLifetimeMs = 3_600_000

export function createProvider(settings: Settings): Provider {
  const { clientId, clockToleranceSeconds, now } = settings
  const metadata = createMetadataSource(settings) as (
    fresh?: boolean,
  ) => Promise<Metadata & oauth.AuthorizationServer>

  /** Hugging Face takes public clients, which only say who they are, without listing `none` in its metadata. */
  const post = (endpoint: string, fields: Record<string, string>) =>
    exchange(settings, endpoint, { body: new URLSearchParams({ ...fields, client_id: clientId }) })

  const clientAt = (seconds: number): oauth.Client => ({
    client_id: clientId,
    id_token_signed_response_alg: 'RS256',
    [oauth.clockTolerance]: clockToleranceSeconds,
    [oauth.clockSkew]: Math.floor(seconds) - Math.floor(Date.now() / 1000),
  })

  /** The protocol's checks are the library's, the narrower ones ours. `seconds` is the time to judge by. */
  async function readAnswer(server: oauth.AuthorizationServer, response: Response, seconds: number) {
    const tokens = await oauth.processGenericTokenEndpointResponse(server, clientAt(seconds), response)
    if (tokens.token_type !== 'bearer') throw wrongAnswer('its token is not a bearer token')
    const claims = oauth.getValidatedIdTokenClaims(tokens) as IdTokenClaims | undefined
    const { access_token: accessToken } = tokens
    const expected = { clientId, accessToken, now: seconds * 1000, clockToleranceSeconds }
    if (claims) await assertIdTokenClaims(claims, expected)
    return { tokens, claims }
  }

  async function redeem(answer: URLSearchParams, expected: ExpectedAnswer): Promise<Tokens> {
    const server = await metadata()
    try {
      const code = readCode(answer, server, expected.state, expected)
      const sentAt = now()
      // RFC 6749 §4.1.3, RFC 7636 §4.5
      const response = await post(server.token_endpoint, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: expected.redirectUri,
        code_verifier: expected.verifier,
      })
      const clock = await readClock(response, now() / 1000, clockToleranceSeconds)
      const { tokens, claims } = await readAnswer(server, response, clock.seconds)
      const { id_token: idToken } = tokens
      if (idToken === undefined || claims === undefined) throw wrongAnswer('it has no ID token')
      assertAsAsked(claims, expected, clock.seconds - clockToleranceSeconds)
      await assertSignature(settings, server.jwks_uri, idToken)
      // Last, so that whatever else is wrong is said instead.
      if (clock.wrong) throw clock.wrong
      return toTokens(tokens, claims, sentAt)
    } catch (error) {
      throw translated(error, expected)
    }
  }

  async function refresh(held: Tokens): Promise<Tokens> {
    const server = await metadata()
    const sentAt = now()
    try {
      // RFC 6749 §6
      const fields = { grant_type: 'refresh_token', refresh_token: held.refreshToken ?? '' }
      const response = await post(server.token_endpoint, fields)
      // This computer's clock may have been put wrong since the sign-in; the provider has just told the time.
      const seconds = (await issuedAt(response.clone())) ?? now() / 1000
      const { tokens, claims } = await readAnswer(server, response, seconds)
      if (claims) assertSameSignIn(claims, held.claims)
      // A new ID token may say less than the first: what it leaves out stays true.
      return toTokens(tokens, { ...held.claims, ...claims }, sentAt, held)
    } catch (error) {
      throw translated(error)
    }
  }

  async function forget(tokens: Pick<Tokens, 'refreshToken' | 'accessToken'>): Promise<void> {
    for (const token of [tokens.refreshToken, tokens.accessToken]) {
      try {
        const { revocation_endpoint: endpoint } = await metadata()
        if (endpoint && token) await post(endpoint, { token })
      } catch {
        // They end by themselves, and the person is signed out here all the same.
      }
    }
  }

  return {
    metadata,
    redeem,
    probe: async () => void (await metadata(true)),
    refresh,
    forget,
  }
}

/** @param before - What an answer to a renewal leaves out stays as it was. */
function toTokens(
  tokens: oauth.TokenEndpointResponse,
  claims: IdTokenClaims,
  sentAt: number,
  before?: Tokens,
): Tokens {
  const seconds = tokens.expires_in
  // Without `expires_in` a token is taken to live as long as the one before.
  const lifetimeMs = seconds === undefined ? (before?.lifetimeMs ?? defaultLifetimeMs) : seconds * 1000
  const refreshToken = tokens.refresh_token ?? before?.refreshToken
  return {
    accessToken: tokens.access_token,
    claims,
    scope: narrowed(tokens.scope, before?.scope),
    // Counted from the moment of asking.
    expiresAt: sentAt + lifetimeMs,
    lifetimeMs,
    refreshToken,
    renewableUntil:
      refreshToken === undefined
        ? undefined
        : (endOfRefresh(tokens, sentAt) ?? (tokens.refresh_token ? undefined : before?.renewableUntil)),
    idToken: tokens.id_token ?? before?.idToken,
  }
}

/**
 * No standard has it. Microsoft, GitHub and others say `refresh_token_expires_in`, Keycloak `refresh_expires_in`; both in
 * seconds, and 0 stands for no end.
 */
function endOfRefresh(tokens: oauth.TokenEndpointResponse, sentAt: number): number | undefined {
  const seconds = Number(tokens.refresh_token_expires_in ?? tokens.refresh_expires_in)
  return Number.isFinite(seconds) && seconds > 0 ? sentAt + seconds * 1000 : undefined
}

/** A refresh never widens, RFC 6749 §6. */
function narrowed(scope: string | undefined, before: string | undefined): string | undefined {
  const known = before?.split(' ')
  if (scope !== undefined && known && scope.split(' ').some((name) => !known.includes(name))) {
    throw wrongAnswer('it grants more than was granted before')
  }
  return scope ?? before
}

function wrongAnswer(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNIN_INVALID', `${unusable}: ${why}`)
}

function translated(error: unknown, request?: RefusedRequest): HfAuthError {
  if (error instanceof HfAuthError) return error
  if (error instanceof oauth.ResponseBodyError) {
    return new SignInRefusedError(error.error, error.error_description, request)
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    return new SignInRefusedError('invalid_client', undefined, request)
  }
  // These two are fixed sentences; any other message may quote what it tripped over.
  const known =
    error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError
  return new HfAuthError('HFAUTH_SIGNIN_INVALID', known ? `${unusable}: ${error.message}` : unusable)
}
