/**
 * Proxy options, and what is made of them.
 *
 * @module
 */
import { HfAuthError, type HubService } from '@hfauth/core'
import type { GuardOptions } from '../../guard/types.ts'
import { numberOption } from '../../internal/number-option.ts'
import type { Limiter } from '../../limits/types.ts'
import type { Revocations } from '../../verify/types.ts'
import type { UpstreamCredentials } from '../upstream/credentials.ts'
import { createProviderModels, type ProviderModels } from '../upstream/provider-models.ts'
import { sendByFetch } from '../upstream/send-by-fetch.ts'
import { createUpstreamClient, type Send, type UpstreamClient } from '../upstream/upstream-client.ts'
import { type AddressOf, type AddressOption, readAddresses } from '../wire/addresses.ts'
import { originOption } from '../wire/origin-option.ts'

export interface ProxyLimits {
  /** Longest JSON body that a decision has to be read from, in bytes. Default 1 MiB. */
  readonly jsonBodyBytes?: number
  /** Longest wait for such a body, in milliseconds. Default 30,000. */
  readonly bodyTimeoutMs?: number
  /** Longest wait until an upstream begins to answer, in milliseconds. Default 120,000. */
  readonly upstreamTimeoutMs?: number
  /** Longest silence within an answer or an upload that has begun, in milliseconds. Default 600,000. */
  readonly idleTimeoutMs?: number
  /** Most requests of one caller at a time. Default 256. */
  readonly requestsPerCaller?: number
  /**
   * A request that is under way for longer has its beginning on record as well, as streams have at once; in
   * milliseconds. Default 10,000.
   */
  readonly longAfterMs?: number
}

/** What says whether an event stream still arrives: a `StreamWatch`. */
export interface WatchedStream {
  health(): { readonly name: string; readonly reason?: string; readonly silentSince?: number }
}

/** Without `sessions` clients bring tokens, and a cookie lets nobody in. */
export interface ProxyOptions extends GuardOptions {
  readonly upstream: {
    /** Origin of the Hub, such as `https://huggingface.co`. */
    readonly hub: string
    /** Origin of the inference router, such as `https://router.huggingface.co`. */
    readonly router: string
    /** Origin of the management API of Inference Endpoints, `https://api.endpoints.huggingface.cloud`. Default none. */
    readonly endpoints?: string
    /** Origin of the dataset viewer, `https://datasets-server.huggingface.co`. Default none. */
    readonly viewer?: string
  }
  /**
   * What each value of `Host` leads to; others are turned away. Endpoints and Spaces that are deployed are
   * reached by an address of their own. Default every address leads to the whole of `upstream`.
   */
  readonly hosts?: Readonly<Record<string, AddressOption>>
  /** Event streams whose silence `/readyz` tells of, by the names it tells them by. Default none. */
  readonly streams?: Readonly<Record<string, WatchedStream>>
  /** What the silence of one is to `/readyz`: a warning in its body, or a 503. Default `warn`. */
  readonly whenStreamSilent?: 'warn' | 'unready'
  /** Ends what is under way for a caller whose credential has been taken back: the set that the verifier asks. */
  readonly revocations?: Revocations
  /**
   * What becomes of an answer or an upload whose caller's credential expires under way: it is cut, or it may
   * finish. Default `cut`.
   */
  readonly atExpiry?: 'cut' | 'finish'
  /**
   * What becomes of the address of a file store, which is a credential by itself, in a redirect or for a download of
   * Git LFS: the client gets it, or the proxy follows it and streams the file. Default `pass`.
   */
  readonly signedUrls?: 'pass' | 'through'
  /** Who pays for inference (`X-HF-Bill-To`): an organisation or a resource group. Default whoever the credential is. */
  readonly billTo?: string
  /**
   * Hosts that a body may point a model to, for images, files or tools: exact, or a suffix that begins with a
   * dot; https only. Default none: addresses in bodies are refused, data in them is not.
   */
  readonly allowedUrlHosts?: readonly string[]
  /**
   * `dry-run` decides and records as ever, and lets through what the policy or a limit refuses, with the
   * caller's own Hugging Face token or none: nobody gets more there than without the proxy. Credentials are
   * checked all the same. Default `enforce`.
   */
  readonly mode?: 'enforce' | 'dry-run'
  /** How much each caller and each organisation may ask for. Default no limit. */
  readonly limiter?: Limiter
  /** Origins whose pages may call the proxy with a token: exact, `https://app.acme.dev`. Default none. */
  readonly corsOrigins?: readonly string[]
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
  /** Replaces the proxy's own client for upstream requests. */
  readonly fetch?: typeof globalThis.fetch
  readonly limits?: ProxyLimits
}

export interface ProxySettings {
  /** Origins of what has an upstream. */
  readonly origins: Readonly<Partial<Record<HubService, string>>> & { readonly hub: string }
  readonly addressOf: AddressOf
  readonly publicOrigin: string | undefined
  readonly allowedHosts: ReadonlySet<string> | undefined
  readonly redirectHosts: readonly string[]
  readonly urlHosts: readonly string[]
  readonly atExpiry: 'cut' | 'finish'
  readonly signedUrls: 'pass' | 'through'
  readonly billTo: string | undefined
  readonly isDryRun: boolean
  readonly corsOrigins: ReadonlySet<string>
  readonly send: Send
  readonly openSocket: UpstreamClient['openSocket']
  readonly providerModels: ProviderModels
  readonly now: () => number
  readonly jsonBodyBytes: number
  readonly bodyTimeoutMs: number
  readonly upstreamTimeoutMs: number
  readonly requestsPerCaller: number
  readonly longAfterMs: number
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an address is not an origin, or a limit is no number. */
export function readProxyOptions(options: ProxyOptions): ProxySettings {
  const { upstream, publicUrl, allowedHosts, billTo, fetch, limits = {} } = options
  const origins = readOrigins(upstream)
  const limit = (name: keyof ProxyLimits, fallback: number) =>
    numberOption(`limits.${name}`, limits[name] ?? fallback, { min: 1 })
  if (billTo !== undefined && !/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}$/.test(billTo)) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`billTo` must be an organisation or a resource group')
  }
  const client = createUpstreamClient({ idleTimeoutMs: limit('idleTimeoutMs', 600_000) })
  const send = fetch === undefined ? client.send : sendByFetch({ fetch })
  const now = options.now ?? Date.now
  return {
    origins,
    addressOf: readAddresses(options.hosts, new Set(Object.keys(origins) as HubService[])),
    publicOrigin: publicUrl === undefined ? undefined : originOption('publicUrl', publicUrl),
    allowedHosts: allowedHosts && new Set(allowedHosts.map((host) => host.toLowerCase())),
    redirectHosts: (options.allowedRedirectHosts ?? ['.hf.co']).map((host) => host.toLowerCase()),
    urlHosts: (options.allowedUrlHosts ?? []).map((host) => host.toLowerCase()),
    atExpiry: options.atExpiry ?? 'cut',
    signedUrls: options.signedUrls ?? 'pass',
    billTo,
    isDryRun: options.mode === 'dry-run',
    corsOrigins: new Set((options.corsOrigins ?? []).map((origin) => originOption('corsOrigins', origin))),
    send,
    openSocket: client.openSocket,
    providerModels: createProviderModels({ hub: origins.hub, send, now }),
    now,
    jsonBodyBytes: limit('jsonBodyBytes', 1_048_576),
    bodyTimeoutMs: limit('bodyTimeoutMs', 30_000),
    upstreamTimeoutMs: limit('upstreamTimeoutMs', 120_000),
    requestsPerCaller: limit('requestsPerCaller', 256),
    longAfterMs: limit('longAfterMs', 10_000),
  }
}

function readOrigins({ hub, router, endpoints, viewer }: ProxyOptions['upstream']): ProxySettings['origins'] {
  return {
    hub: originOption('upstream.hub', hub),
    router: originOption('upstream.router', router),
    ...(endpoints === undefined ? {} : { endpoints: originOption('upstream.endpoints', endpoints) }),
    ...(viewer === undefined ? {} : { viewer: originOption('upstream.viewer', viewer) }),
  }
}
