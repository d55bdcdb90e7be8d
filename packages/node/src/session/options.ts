/**
 * Options of sessions, and what is made of them.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { type Engine, HfAuthError, type Issuer } from '@hfauth/core'
import type { AuditLog } from '../audit/types.ts'
import { numberOption } from '../internal/number-option.ts'
import type { Fetch } from '../internal/request.ts'
import { createTrustedProxies, type TrustedProxies } from '../internal/trusted-proxies.ts'
import type { ClientSecret } from '../secrets/client-secret.ts'
import type { RevocableIdentity, Revocations, Verifier } from '../verify/types.ts'
import { isReservedParameter } from './authorization-request.ts'
import type { SessionStore } from './types.ts'

/**
 * Puts the client's proof of itself on a request to the token endpoint: adds to `body` or to `headers`. For
 * `private_key_jwt`, and for whatever else a provider asks for. Those of `oauth4webapi` are such functions.
 *
 * @see RFC 6749 §2.3; RFC 7523 §2.2
 */
export type ClientAuthentication = (
  // biome-ignore lint/suspicious/noExplicitAny: metadata of the provider, whose type is the library's own.
  server: any,
  client: { readonly client_id: string },
  body: URLSearchParams,
  headers: Headers,
) => void | Promise<void>

/** How people sign in with one issuer of the policy. */
export interface SessionProviderOptions {
  /** One of the audiences that the policy has for this issuer. */
  readonly clientId: string
  /** The secret, a ring that lives through its rotation, or how to get the one of the moment. None for a public client. */
  readonly clientSecret?: ClientSecret
  /** Instead of a secret. */
  readonly clientAuthentication?: ClientAuthentication
  /**
   * Asked for at sign-in, besides `openid`. Default for Hugging Face `profile` and the smallest set that the
   * policy's roles can use in this environment; for others `profile email`.
   */
  readonly scopes?: readonly string[]
  /** Further parameters of the authorization request, such as `orgIds`. Those of the protocol are refused. */
  readonly parameters?: Readonly<Record<string, string>>
}

export interface SessionsOptions {
  /** Its policy names the issuers; its environment the scopes. */
  readonly engine: Engine
  readonly verifier: Verifier
  /** Sign-ins, refusals, refreshes and sign-outs go here. */
  readonly audit: AuditLog
  /** `https://app.acme.dev`: where people reach this service. Never taken from a request. */
  readonly origin: string
  /** At least 32 characters of chance each. The first protects what is new, all open what is there. */
  readonly secrets: readonly string[]
  /** By the alias of an issuer in the policy. The first is used when a sign-in names none. */
  readonly providers: Readonly<Record<string, SessionProviderOptions>>
  /** Without one, the whole session is in its cookie: no refresh, no tokens, and see `revocations`. */
  readonly store?: SessionStore
  /** Asked about every session on every request. */
  readonly revocations?: Revocations
  /**
   * Takes sessions without a store back, so that a copy of the cookie is worth nothing after the sign-out: the one
   * with this `tokenId` or, for a sign-out everywhere, all of a subject that began no later than `issuedAt`.
   * `untilMs` is when nothing of it can be alive any more, in epoch milliseconds.
   */
  readonly revoke?: (identity: RevocableIdentity, untilMs: number) => void | Promise<void>
  /** Path of the handlers. Default `/auth`. */
  readonly basePath?: string
  /** Default `__Host-hfauth`; any other must begin with `__Host-` too. */
  readonly cookieName?: string
  /** A session that is not used for so long is over, in seconds. Default 1800. */
  readonly idleSeconds?: number
  /** A session is over so long after the sign-in, in seconds, up to 30 days. Default 28,800, eight hours. */
  readonly absoluteSeconds?: number
  /** How long the provider is believed before it is asked again with the refresh token, in seconds. Default 900. */
  readonly refreshSeconds?: number
  /** Oldest ID token of a browser that becomes a session, in seconds since it was issued. Default 600. */
  readonly handOverSeconds?: number
  /**
   * Addresses and ranges whose `X-Forwarded-For` is believed, for the record. Default none, so that the client is
   * whoever holds the socket.
   */
  readonly trustedProxies?: readonly string[]
  /** Path on this origin after a sign-out. Default `/`. */
  readonly afterSignOut?: string
  /** Path on this origin for refused sign-ins, with `?error=` and a reason. Default: a problem document. */
  readonly failurePath?: string
  /** Longest wait for one answer of a provider, in milliseconds. Default 5000. */
  readonly timeoutMs?: number
  /** Replaces the global `fetch` for requests to providers. */
  readonly fetch?: Fetch
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Chance. Default `randomBytes` of `node:crypto`. */
  readonly random?: (bytes: number) => Uint8Array
}

export interface ProviderSettings extends Omit<SessionProviderOptions, 'scopes'> {
  readonly issuer: Issuer
  readonly scopes: readonly string[]
  readonly redirectUri: string
}

export interface Settings extends Pick<SessionsOptions, 'engine' | 'verifier' | 'audit'> {
  readonly origin: string
  readonly secrets: readonly string[]
  readonly providers: ReadonlyMap<string, ProviderSettings>
  readonly defaultProvider: string
  readonly store: SessionStore | undefined
  readonly revocations: Revocations | undefined
  readonly revoke: SessionsOptions['revoke']
  readonly basePath: string
  readonly cookieName: string
  readonly idleMs: number
  readonly absoluteMs: number
  readonly refreshMs: number
  readonly handOverMs: number
  readonly proxies: TrustedProxies
  readonly afterSignOut: string
  readonly failurePath: string | undefined
  readonly timeoutMs: number
  readonly fetch: Fetch
  readonly now: () => number
  /** 256 bits of chance, in base64url. */
  readonly randomId: () => string
}

const leastSecretLength = 32

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is missing, weak or out of its range. */
export function readSessionsOptions(options: SessionsOptions): Settings {
  const { engine, verifier, audit, store, revocations, revoke, random = randomBytes, secrets } = options
  if (secrets.length === 0 || secrets.some((secret) => secret.length < leastSecretLength)) {
    throw invalid(`\`secrets\` must be one or more texts of at least ${leastSecretLength} characters`)
  }
  const origin = readOrigin(options.origin)
  const path = readPath('basePath', options.basePath ?? '/auth', origin)
  // Of the root nothing is left: what is under it begins with the slash of its own.
  const basePath = path === '/' ? '' : path
  const cookieName = options.cookieName ?? '__Host-hfauth'
  if (!/^__Host-[A-Za-z0-9_-]{1,64}$/.test(cookieName)) {
    throw invalid('`cookieName` must be `__Host-` and then letters, digits, `_` or `-`')
  }
  const aliases = Object.keys(options.providers)
  const providers = new Map(
    aliases.map((alias, place) => [
      alias,
      readProvider(alias, options, `${origin}${basePath}/callback${place === 0 ? '' : `/${alias}`}`),
    ]),
  )
  const [defaultProvider] = aliases
  if (defaultProvider === undefined) throw invalid('`providers` must name at least one issuer of the policy')
  const seconds = (name: keyof SessionsOptions & string, fallback: number, max = 2_592_000) =>
    1000 * numberOption(name, (options[name] as number | undefined) ?? fallback, { min: 1, max })

  return {
    engine,
    verifier,
    audit,
    store,
    revocations,
    revoke,
    origin,
    secrets: [...secrets],
    providers,
    defaultProvider,
    basePath,
    cookieName,
    idleMs: seconds('idleSeconds', 1800),
    absoluteMs: seconds('absoluteSeconds', 28_800),
    refreshMs: seconds('refreshSeconds', 900),
    handOverMs: seconds('handOverSeconds', 600, 86_400),
    proxies: createTrustedProxies(options.trustedProxies),
    afterSignOut: readPath('afterSignOut', options.afterSignOut ?? '/', origin),
    failurePath:
      options.failurePath === undefined ? undefined : readPath('failurePath', options.failurePath, origin),
    timeoutMs: numberOption('timeoutMs', options.timeoutMs ?? 5000, { min: 1, max: 60_000 }),
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? Date.now,
    randomId: () => Buffer.from(random(32)).toString('base64url'),
  }
}

function readProvider(
  alias: string,
  { engine, providers }: SessionsOptions,
  redirectUri: string,
): ProviderSettings {
  const { scopes, parameters = {}, ...rest } = providers[alias] as SessionProviderOptions
  const issuer = engine.policy.issuers.get(alias)
  if (issuer === undefined) throw invalid(`the policy has no issuer \`${alias}\``)
  if (issuer.preset.kind !== 'user' || issuer.preset.algorithms.length === 0) {
    throw invalid(`nobody signs in with issuer \`${alias}\`, which gives people no ID token`)
  }
  if (!issuer.audience.includes(rest.clientId)) {
    throw invalid(`the client id for \`${alias}\` is none of the audiences that the policy has for it`)
  }
  if (rest.clientSecret !== undefined && rest.clientAuthentication !== undefined) {
    throw invalid(`\`${alias}\` has both a secret and a way of authentication`)
  }
  const taken = Object.keys(parameters).find(isReservedParameter)
  if (taken !== undefined)
    throw invalid(`\`${taken}\` in \`parameters\` of \`${alias}\` belongs to the protocol`)
  const asked = scopes ?? (issuer.preset.huggingface ? ['profile', ...engine.scopes()] : ['profile', 'email'])
  const malformed = asked.find((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
  if (malformed !== undefined) throw invalid(`\`scopes\` of \`${alias}\` has what is no scope`)
  return { ...rest, parameters, issuer, redirectUri, scopes: [...new Set(['openid', ...asked])] }
}

/** The browser takes secure cookies from https, and from this machine. */
function readOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const local = url?.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url === undefined || url.origin !== text || !(url.protocol === 'https:' || local)) {
    throw invalid(
      '`origin` must be an origin such as `https://app.acme.dev`, by https except on this machine',
    )
  }
  return text
}

function readPath(name: string, path: string, origin: string): string {
  const plain = URL.canParse(path, origin) && new URL(path, origin).href === `${origin}${path}`
  if (!plain || !/^\/(?![/\\])[^?#]*$/.test(path) || (path.endsWith('/') && path !== '/')) {
    throw invalid(`\`${name}\` must be a path on this origin`)
  }
  return path
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', message)
}
