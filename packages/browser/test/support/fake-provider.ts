/**
 * Fake provider: an OpenID provider behind an injected `fetch`, whose answers a test can spoil.
 *
 * No network: a request to an address it does not know fails the test.
 *
 * @module
 */
import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

export const issuer = 'https://hub.example'
export const clientId = 'client-1'
export const accessToken = 'hf_oauth_secret-access-token'
export const refreshToken = 'hf_oauth__refresh_secret'

export interface SentRequest {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: URLSearchParams
  readonly init: RequestInit
}

type Answer = () => Response | Promise<Response>
type Members = Record<string, unknown>

export interface FakeProvider {
  readonly fetch: typeof globalThis.fetch
  readonly requests: SentRequest[]
  /** Requests to one path, in their order. */
  to(path: string): SentRequest[]
  /** Merged into the metadata; `undefined` takes a member away. */
  metadata: Members
  /** Headers of the token answer. */
  headers: Record<string, string>
  /** Merged into the claims of the ID token; `undefined` takes a claim away. */
  claims: Members
  /** Merged into the token answer; `undefined` takes a member away. */
  tokens: Members
  header: Members
  /** Signs ID tokens with a key the provider does not publish. */
  foreignKey: boolean
  /** Merged into the answer of a refresh grant; `undefined` takes a member away. */
  refreshed: Members
  /** An ID token of the last sign-in, with other claims. */
  idToken(claims: Members): string
  /** Refresh tokens that are good, each for one use. */
  readonly alive: Set<string>
  /** Replaces the answer of a path. */
  readonly answers: Map<string, Answer>
  /** Plays login and consent: the address the browser is sent back to. */
  authorize(url: string, extra?: Record<string, string>): string
  /** Plays a person who refuses, or a provider in trouble. */
  refuse(url: string, error: string, extra?: Record<string, string>): string
}

export const paths = {
  metadata: '/.well-known/openid-configuration',
  token: '/oauth/token',
  jwks: '/oauth/jwks',
}

const own = generateKeyPairSync('rsa', { modulusLength: 2048 })
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 })

export function createFakeProvider(now: () => number): FakeProvider {
  const codes = new Map<string, URLSearchParams>()
  const answers = new Map<string, Answer>()
  const requests: SentRequest[] = []
  let lastClaims: Members = {}

  const provider: FakeProvider = {
    requests,
    to: (path) => requests.filter(({ url }) => new URL(url).pathname === path),
    metadata: {},
    headers: {},
    claims: {},
    tokens: {},
    header: {},
    foreignKey: false,
    refreshed: {},
    idToken: (claims) => signToken({ ...lastClaims, ...claims }),
    alive: new Set(),
    answers,
    async fetch(input, init = {}) {
      const url = String(input)
      const body = new URLSearchParams(String(init.body ?? ''))
      requests.push({
        url,
        method: init.method ?? 'GET',
        headers: new Request(url, init).headers,
        body,
        init,
      })
      const { origin, pathname } = new URL(url)
      const replaced = answers.get(pathname)
      if (replaced) return abortable(replaced, init.signal)
      if (origin !== issuer) throw new Error(`nobody answers at ${url}`)
      if (pathname === paths.metadata) return Response.json(without(metadata()))
      if (pathname === paths.jwks) return Response.json({ keys: [publishedKey()] })
      if (pathname === paths.token) {
        if (body.get('grant_type') === 'refresh_token') return refreshAnswer(body)
        return Response.json(without(tokenAnswer(body)), { headers: provider.headers })
      }
      throw new Error(`nobody answers at ${url}`)
    },
    authorize(url, extra = {}) {
      const asked = new URL(url).searchParams
      const code = `code-${codes.size + 1}`
      codes.set(code, asked)
      return withQuery(asked.get('redirect_uri') ?? '', { code, state: asked.get('state') ?? '', ...extra })
    },
    refuse(url, error, extra = {}) {
      const asked = new URL(url).searchParams
      return withQuery(asked.get('redirect_uri') ?? '', { error, state: asked.get('state') ?? '', ...extra })
    },
  }

  function metadata(): Members {
    return {
      issuer,
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}${paths.token}`,
      jwks_uri: `${issuer}${paths.jwks}`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      id_token_signing_alg_values_supported: ['RS256', 'PS256'],
      ...provider.metadata,
    }
  }

  function tokenAnswer(body: URLSearchParams): Members {
    const asked = codes.get(body.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url')
    if (asked === undefined || asked.get('code_challenge') !== challenge) throw new Error('PKCE failed')
    const seconds = Math.floor(now() / 1000)
    const claims = {
      iss: issuer,
      sub: 'user-1',
      aud: clientId,
      iat: seconds,
      exp: seconds + 3600,
      nonce: asked.get('nonce'),
      auth_time: seconds - 5,
      preferred_username: 'ana',
      name: 'Ana Ruiz',
      picture: 'https://hub.example/ana.png',
      ...provider.claims,
    }
    provider.alive.add(refreshToken)
    lastClaims = claims
    return {
      access_token: accessToken,
      token_type: 'bearer',
      expires_in: 28800,
      refresh_token: refreshToken,
      scope: asked.get('scope'),
      id_token: signToken(claims),
      ...provider.tokens,
    }
  }

  let renewals = 0
  /** Strict rotation: a token that comes twice ends the whole family. */
  function refreshAnswer(body: URLSearchParams): Response {
    const given = body.get('refresh_token') ?? ''
    if (!provider.alive.delete(given)) {
      provider.alive.clear()
      return Response.json({ error: 'invalid_grant' }, { status: 400 })
    }
    renewals += 1
    const answer = without({
      access_token: `${accessToken}-${renewals}`,
      token_type: 'bearer',
      expires_in: 28800,
      refresh_token: `${refreshToken}-${renewals}`,
      ...provider.refreshed,
    })
    provider.alive.add(String(answer.refresh_token ?? given))
    return Response.json(answer)
  }

  function signToken(claims: Members): string {
    const { privateKey } = provider.foreignKey ? foreign : own
    return compact({ alg: 'RS256', kid: 'k1', ...provider.header }, without(claims), privateKey)
  }
  return provider
}

function compact(header: Members, claims: Members, key: KeyObject): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode(header)}.${encode(claims)}`
  if (header.alg === 'none') return `${signed}.`
  const padding = header.alg === 'PS256' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  const signature = sign('sha256', Buffer.from(signed), { key, padding, saltLength: 32 }).toString(
    'base64url',
  )
  return `${signed}.${signature}`
}

function publishedKey(): Members {
  return { ...own.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig' }
}

function without(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

function withQuery(address: string, query: Record<string, string>): string {
  // Added as text: what the application has in its address stays as it is.
  return `${address}${address.includes('?') ? '&' : '?'}${new URLSearchParams(query)}`
}

/** A stand-in may hang; like the real `fetch` it gives up when the signal says so. */
function abortable(answer: Answer, signal: AbortSignal | null | undefined): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason))
    Promise.resolve().then(answer).then(resolve, reject)
  })
}
