/**
 * Issuer client: an issuer's metadata and keys, fetched when needed and kept while they may be.
 *
 * policy → **issuer client** → verify. One per issuer address, whatever number of aliases share it.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { CachedSource, maxAgeOf } from '../internal/cached-source.ts'
import { type Fetch, requestBounded } from '../internal/request.ts'
import { discoveryUrl, type IssuerMetadata, readDiscovery } from './discovery.ts'
import { type KeyOwner, type KeySet, readKeySet } from './key-set.ts'
import type { VerificationKey } from './signature.ts'

export interface IssuerClientOptions {
  readonly algorithms: readonly string[]
  readonly fetch: Fetch
  /** Current time in epoch milliseconds. */
  readonly now: () => number
  /** Longest wait for one answer, in milliseconds. */
  readonly timeoutMs: number
  /** Least time between two fetches for the sake of an unknown `kid`, in milliseconds. */
  readonly keyCooldownMs: number
  /** How long keys stay in use beyond their age while the issuer fails, in milliseconds. */
  readonly maxStaleKeysMs: number
  /** Its keys, when they are known beforehand: then it is never asked for them. */
  readonly keySet?: { readonly keys: readonly object[] } | undefined
}

export interface IssuerClient {
  metadata(): Promise<IssuerMetadata>
  /**
   * The key for a token's header. A name that is not in the set makes it be fetched again, at most once
   * per cooldown.
   *
   * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when the issuer has no such key for that algorithm;
   * `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when it could not be asked.
   */
  key(kid: string | undefined, algorithm: string, of?: KeyOwner): Promise<VerificationKey>
}

/** Longest discovery document or key set, in bytes. */
const maxDocumentBytes = 512 * 1024

export function createIssuerClient(issuer: string, options: IssuerClientOptions): IssuerClient {
  const { algorithms, fetch, now, timeoutMs, keyCooldownMs, maxStaleKeysMs } = options
  const request = { fetch, timeoutMs, maxBytes: maxDocumentBytes, headers: { accept: 'application/json' } }
  const bounds = { now, cooldownMs: keyCooldownMs, maxStaleMs: maxStaleKeysMs }

  const discovery = new CachedSource<IssuerMetadata>({
    ...bounds,
    async load() {
      const subject = `the discovery document of issuer \`${issuer}\``
      const response = await requestBounded(discoveryUrl(issuer), { ...request, subject })
      return withAge(readDiscovery(response, issuer), response.headers)
    },
  })

  const keys = new CachedSource<KeySet>({
    ...bounds,
    async load() {
      const subject = `the key set of issuer \`${issuer}\``
      if (options.keySet !== undefined) {
        const pinned = { status: 200, headers: new Headers(), text: JSON.stringify(options.keySet) }
        return { value: await readKeySet(pinned, subject, algorithms) }
      }
      const { jwksUri } = await discovery.get()
      try {
        const response = await requestBounded(jwksUri, { ...request, subject })
        return withAge(await readKeySet(response, subject, algorithms), response.headers)
      } catch (error) {
        // The set may have moved.
        discovery.expire()
        throw error
      }
    },
  })

  return {
    metadata: () => discovery.get(),
    async key(kid, algorithm, of) {
      const known = await keys.get()
      const set = kid === undefined || known.has(kid) ? known : await keys.renew()
      const key = set.find(kid, algorithm, of)
      if (key !== undefined) return key
      throw new HfAuthError(
        'HFAUTH_TOKEN_INVALID',
        `issuer \`${issuer}\` has no key for the \`kid\` and \`alg\` of the token`,
      )
    },
  }
}

function withAge<T>(value: T, headers: Headers): { value: T; maxAgeMs?: number } {
  const maxAgeMs = maxAgeOf(headers)
  return { value, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) }
}
