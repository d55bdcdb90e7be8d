/**
 * Options: what an application says once, checked before anything is built on it.
 *
 * **options** → provider → session → login. Reads no global: clock, network, storage
 * and page are looked up when they are used.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { type AttemptStorage, currentPage, type Page, tabStorage } from './page.ts'
import { isSecureUrl, parseUrl } from './secure-url.ts'
import type { TokenStore } from './token-store.ts'

export interface AuthOptions {
  /** Exact `issuer`, compared as a string: no slash at the end. Default `https://huggingface.co`. */
  readonly issuer?: string
  /** Id of a public app, or the address of its client metadata document. */
  readonly clientId: string
  /** One registered address, sent as it stands here. Never built from the current address. */
  readonly redirectUri: string
  /** Scopes to ask for; `openid` and `profile` are always among them. */
  readonly scopes?: readonly string[]
  /** `pushRequest` of this package: sends each request to the provider first, RFC 9126. Needed where metadata says so. */
  readonly pushRequest?: PushRequest
  /** Ids of organisations to preselect on the consent page. */
  readonly orgIds?: readonly string[]
  /**
   * Who may receive the access token: origins, or addresses that end in `/` and stand for what lies below.
   * Default: the page's own origin alone.
   */
  readonly apiOrigins?: readonly string[]
  /** Keeps tokens beyond the page, such as {@link inSessionStorage}. Default: none, tokens are in memory only. */
  readonly tokenStore?: TokenStore
  /**
   * Whether the tabs of this origin share one sign-in, and tell each other its tokens, on a channel that any script
   * of the origin can hear. Default true; where the browser lacks what it takes, each tab signs in by itself.
   */
  readonly shareTabs?: boolean
  /** Whether a tab that nobody looks at renews as well. Default false: it does when it is looked at or asked. */
  readonly renewHidden?: boolean
  /** Allows plain http on localhost, 127.0.0.1 and [::1]. Default false. */
  readonly allowLoopbackHttp?: boolean
  /** Clock difference to forgive in every check of time, in seconds. Default 300: people's clocks drift. */
  readonly clockToleranceSeconds?: number
  /** Longest wait for one answer of the provider, in milliseconds. Default 10000. */
  readonly requestTimeoutMs?: number
  /** Replaces the global `fetch`, for the provider and for `auth.fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Keeps a sign-in that is under way; never a token. Default `sessionStorage`. */
  readonly storage?: AttemptStorage
  /** Replaces the window's location and history. */
  readonly page?: Page
}

/** Hands a request over and gives the `request_uri` that stands for it. */
export type PushRequest = (
  settings: Settings,
  metadata: Readonly<Record<string, unknown>>,
  query: URLSearchParams,
) => Promise<string>

/** Options after their check, with every default in place. */
export interface Settings {
  readonly issuer: string
  readonly clientId: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly pushRequest: PushRequest | undefined
  readonly orgIds: readonly string[]
  /** `undefined` stands for the page's own origin. */
  readonly apiOrigins: readonly string[] | undefined
  readonly shareTabs: boolean
  readonly renewHidden: boolean
  readonly tokenStore: TokenStore | undefined
  readonly allowLoopbackHttp: boolean
  readonly clockToleranceSeconds: number
  readonly requestTimeoutMs: number
  readonly fetch: typeof globalThis.fetch
  readonly now: () => number
  readonly storage: () => AttemptStorage | undefined
  readonly page: () => Page | undefined
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID`. */
export function readOptions(options: AuthOptions): Settings {
  for (const name of ['clientSecret', 'client_secret']) {
    if (name in options) throw invalid(`\`${name}\` does not belong in a page: use a public app`)
  }
  const { clientId, redirectUri, apiOrigins, fetch, now = Date.now, storage, page } = options
  const { issuer = 'https://huggingface.co', allowLoopbackHttp = false } = options
  if (typeof clientId !== 'string' || clientId === '') throw invalid('`clientId` is missing')
  return {
    issuer: readAddress('issuer', issuer, allowLoopbackHttp),
    clientId,
    redirectUri: readRedirectUri(redirectUri, allowLoopbackHttp),
    scopes: readScopes(options.scopes),
    pushRequest: options.pushRequest,
    orgIds: options.orgIds ?? [],
    apiOrigins: apiOrigins?.map((text) => readOrigin(text, allowLoopbackHttp)),
    shareTabs: options.shareTabs ?? true,
    renewHidden: options.renewHidden ?? false,
    tokenStore: options.tokenStore,
    allowLoopbackHttp,
    clockToleranceSeconds: readDuration('clockToleranceSeconds', options.clockToleranceSeconds ?? 300),
    requestTimeoutMs: readDuration('requestTimeoutMs', options.requestTimeoutMs ?? 10_000),
    // Called without a receiver: the browser's own refuses any but the window.
    fetch: (input, init) => (fetch ?? globalThis.fetch)(input, init),
    now,
    storage: () => storage ?? tabStorage(),
    page: () => page ?? currentPage(),
  }
}

/**
 * Adds the scopes of a sign-in, drops repeats and keeps the order.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when one is no scope-token.
 * @see RFC 6749 §3.3
 */
export function readScopes(scopes: readonly string[] = []): readonly string[] {
  const wrong = scopes.find((scope) => !/^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope))
  if (wrong !== undefined) throw invalid(`\`${wrong}\` is not a scope`)
  return [...new Set(['openid', 'profile', ...scopes])]
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID`. */
export function readRedirectUri(text: string, allowLoopbackHttp: boolean): string {
  return readAddress('redirectUri', text, allowLoopbackHttp)
}

function readAddress(name: string, text: string, allowLoopbackHttp: boolean): string {
  const url = parseUrl(text)
  if (url === undefined || !isSecureUrl(url, allowLoopbackHttp) || url.hash !== '') {
    throw invalid(`\`${name}\` must be an https address without a fragment`)
  }
  return text
}

function readOrigin(text: string, allowLoopbackHttp: boolean): string {
  const url = parseUrl(text)
  // A path without a slash at its end would cover `/v1` and `/v10` alike.
  if (url === undefined || !isSecureUrl(url, allowLoopbackHttp) || url.href !== url.origin + url.pathname) {
    throw invalid(`\`${text}\` in \`apiOrigins\` must be an https origin, or a path on one`)
  }
  if (!url.pathname.endsWith('/')) throw invalid(`\`${text}\` in \`apiOrigins\` must end in \`/\``)
  return url.href
}

function readDuration(name: string, value: number): number {
  if (!Number.isFinite(value) || value < 0) throw invalid(`\`${name}\` must be a number from 0`)
  return value
}

export function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', message)
}
