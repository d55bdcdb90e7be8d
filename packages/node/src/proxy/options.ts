/**
 * Proxy options, and what is made of them.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { GuardOptions } from '../guard/types.ts'
import { numberOption } from '../internal/number-option.ts'
import type { UpstreamCredentials } from './credentials.ts'

export interface ProxyLimits {
  /** Longest JSON body that a decision has to be read from, in bytes. Default 1 MiB. */
  readonly jsonBodyBytes?: number
  /** Longest wait for such a body, in milliseconds. Default 30,000. */
  readonly bodyTimeoutMs?: number
  /** Longest wait until an upstream begins to answer, in milliseconds. Default 120,000. */
  readonly upstreamTimeoutMs?: number
}

/** Clients of the proxy bring tokens; a cookie would be sent by any page that knows its address. */
export interface ProxyOptions extends Omit<GuardOptions, 'sessions'> {
  readonly upstream: {
    /** Origin of the Hub, such as `https://huggingface.co`. */
    readonly hub: string
    /** Origin of the inference router, such as `https://router.huggingface.co`. */
    readonly router: string
  }
  /** With what the proxy goes to Hugging Face. */
  readonly credentials: UpstreamCredentials
  /** Origin at which clients reach the proxy, for links and redirects. Default what the client's `Host` says. */
  readonly publicUrl?: string
  /** Values of `Host` to answer to, with their port. Default all. */
  readonly allowedHosts?: readonly string[]
  /**
   * Hosts outside that a client may be redirected to by https: exact, or a suffix that begins with a dot.
   * Default `.hf.co`, where the Hub's file stores are.
   */
  readonly allowedRedirectHosts?: readonly string[]
  /** Replaces the global `fetch` for upstream requests. */
  readonly fetch?: typeof globalThis.fetch
  readonly limits?: ProxyLimits
}

export interface ProxySettings {
  readonly origins: Readonly<Record<'hub' | 'router', string>>
  readonly publicOrigin: string | undefined
  readonly allowedHosts: ReadonlySet<string> | undefined
  readonly redirectHosts: readonly string[]
  readonly fetch: typeof globalThis.fetch
  readonly now: () => number
  readonly jsonBodyBytes: number
  readonly bodyTimeoutMs: number
  readonly upstreamTimeoutMs: number
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an address is not an origin, or a limit is no number. */
export function readProxyOptions(options: ProxyOptions): ProxySettings {
  const { upstream, publicUrl, allowedHosts, limits = {} } = options
  return {
    origins: {
      hub: originOption('upstream.hub', upstream.hub),
      router: originOption('upstream.router', upstream.router),
    },
    publicOrigin: publicUrl === undefined ? undefined : originOption('publicUrl', publicUrl),
    allowedHosts: allowedHosts && new Set(allowedHosts.map((host) => host.toLowerCase())),
    redirectHosts: (options.allowedRedirectHosts ?? ['.hf.co']).map((host) => host.toLowerCase()),
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? Date.now,
    jsonBodyBytes: numberOption('limits.jsonBodyBytes', limits.jsonBodyBytes ?? 1_048_576, { min: 1 }),
    bodyTimeoutMs: numberOption('limits.bodyTimeoutMs', limits.bodyTimeoutMs ?? 30_000, { min: 1 }),
    upstreamTimeoutMs: numberOption('limits.upstreamTimeoutMs', limits.upstreamTimeoutMs ?? 120_000, {
      min: 1,
    }),
  }
}

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Credentials travel there: https, or this machine. */
function originOption(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain =
    url?.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === ''
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback.has(url.hostname))
  if (url === undefined || !isPlain || !isSafe) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `\`${name}\` must be an https origin without a path`)
  }
  return url.origin
}
