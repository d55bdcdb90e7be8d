/**
 * Issuer client: an issuer's metadata and keys, fetched when needed and kept while they may be.
 *
 * policy → **issuer client** → verify. One per issuer address, whatever number of aliases share it.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { CachedSource, maxAgeOf } from '../internal/cached-source.ts'
import { ExpiringMap } from '../internal/expiring-map.ts'
import { type Fetch, requestBounded, unavailable } from '../internal/request.ts'
import { discoveryUrl, type IssuerMetadata, readDiscovery } from './discovery.ts'
import { type KeyOwner, type KeySet, type KeySetDocument, readKeySet } from './key-set.ts'
import { type KeyStore, readKeptKeys, writeKeptKeys } from './key-store.ts'
import { type KeySource, pinnedKeys } from './pinned-keys.ts'
import type { VerificationKey } from './signature.ts'

export interface IssuerClientOptions {
  readonly algorithms: readonly string[]
  readonly fetch: Fetch
  /** Current time in epoch milliseconds. */
  readonly now: () => number
  /** Longest wait for one answer, in milliseconds. */
  readonly timeoutMs: number
  /** Longest time that keys count as fresh, in milliseconds; the issuer may ask for less. */
  readonly keyMaxAgeMs: number
  /** Least time between two fetches, in milliseconds. */
  readonly keyCooldownMs: number
  /** How long keys stay in use beyond their age while the issuer fails, in milliseconds. */
  readonly maxStaleKeysMs: number
  readonly keyStore?: KeyStore | undefined
  /** Its keys, when they are known beforehand: then it is never asked for them. */
  readonly keySet?: KeySetDocument | undefined
}

/** Which key a token's header asks for. */
export interface WantedKey {
  readonly kid: string | undefined
  readonly algorithm: string
  readonly of?: KeyOwner
}

export interface IssuerClient {
  metadata(): Promise<IssuerMetadata>
  /**
   * The key for a token's header, at once when it is known. A name that is not in the set makes it be fetched
   * again, for all names of one cooldown together.
   *
   * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when the issuer has no such key for that algorithm;
   * `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when it could not be asked, or too many tokens wait for it already.
   */
  key(wanted: WantedKey): VerificationKey | Promise<VerificationKey>
  /**
   * The key that the issuer has put in the place of `known` under the same name, for a token that `known` did
   * not sign; `undefined` when there is none, or nobody can say. Fetches as seldom as for unknown names.
   */
  replacedKey(wanted: WantedKey, known: VerificationKey): Promise<VerificationKey | undefined>
  /** Whether `key` may still be used, as far as is known without asking anybody. */
  isCurrent(key: VerificationKey): boolean
}

/** Longest discovery document or key set, in bytes. */
const maxDocumentBytes = 512 * 1024
/** Most tokens that wait for one fetch: whoever invents names must not fill the memory with them. */
const maxWaiting = 4000

export function createIssuerClient(issuer: string, options: IssuerClientOptions): IssuerClient {
  const { algorithms, fetch, now, timeoutMs, keyMaxAgeMs, keyCooldownMs, maxStaleKeysMs, keyStore } = options
  const request = { fetch, timeoutMs, maxBytes: maxDocumentBytes, headers: { accept: 'application/json' } }
  const bounds = { now, pauseMs: keyCooldownMs, maxAgeMs: keyMaxAgeMs, maxStaleMs: maxStaleKeysMs }

  const discovery = new CachedSource<IssuerMetadata>({
    ...bounds,
    async load() {
      const document = `the discovery document of issuer \`${issuer}\``
      const response = await requestBounded(discoveryUrl(issuer), { ...request, subject: document })
      return { value: readDiscovery(response, issuer), maxAgeMs: maxAgeOf(response.headers) }
    },
  })

  const keys = options.keySet === undefined ? fetchedKeys() : pinnedKeys(options.keySet, issuer, algorithms)

  const absent = new SettledNames(now)
  /** Names whose key stayed the same although it did not sign a token. */
  const unchanged = new SettledNames(now)
  let waiting = 0

  async function keySetFor(kid: string | undefined): Promise<KeySet> {
    const known = await keys.get()
    if (kid === undefined || known.has(kid) || absent.isSettled(kid)) return known
    const renewed = await renew()
    if (!renewed.has(kid)) absent.add(kid, keyCooldownMs)
    return renewed
  }

  async function renew(): Promise<KeySet> {
    if (waiting >= maxWaiting) {
      throw unavailable(`the key set of issuer \`${issuer}\``, 'too many tokens wait for it')
    }
    waiting++
    try {
      return await keys.renew()
    } finally {
      waiting--
    }
  }

  function fetchedKeys(): KeySource {
    const subject = `the key set of issuer \`${issuer}\``
    let latest: KeySet | undefined
    return new CachedSource<KeySet>({
      ...bounds,
      async load() {
        const { jwksUri } = await discovery.get()
        try {
          const response = await requestBounded(jwksUri, { ...request, subject })
          // The same text is the same set: what was checked with it still holds.
          if (response.status !== 200 || response.text !== latest?.text) {
            latest = await readKeySet(response, subject, algorithms)
          }
          return { value: latest, maxAgeMs: maxAgeOf(response.headers) }
        } catch (error) {
          // The set may have moved.
          discovery.expire()
          throw error
        }
      },
      ...(keyStore === undefined
        ? {}
        : {
            restore: () => readKeptKeys(keyStore, issuer, algorithms),
            keep: (kept) => writeKeptKeys(keyStore, issuer, kept),
          }),
    })
  }

  return {
    metadata: () => discovery.get(),
    key(wanted) {
      const { kid, algorithm, of } = wanted
      return keys.peek()?.find(kid, algorithm, of) ?? askForKey(wanted)
    },
    async replacedKey({ kid, algorithm, of }, known) {
      const name = kid ?? ''
      const current = () => keys.peek()?.find(kid, algorithm, of)
      // Somebody else may have noticed while this token was on its way.
      if (unchanged.isSettled(name)) return other(current(), known)
      const renewed = await renew().catch(() => undefined)
      const found = other(renewed?.find(kid, algorithm, of), known)
      if (found === undefined) unchanged.add(name, keyCooldownMs)
      return found
    },
    isCurrent: (key) => keys.peek()?.gave(key) === true,
  }

  async function askForKey({ kid, algorithm, of }: WantedKey): Promise<VerificationKey> {
    const key = (await keySetFor(kid)).find(kid, algorithm, of)
    if (key !== undefined) return key
    throw new HfAuthError(
      'HFAUTH_TOKEN_INVALID',
      `issuer \`${issuer}\` has no key for the \`kid\` and \`alg\` of the token`,
    )
  }
}

function other(found: VerificationKey | undefined, known: VerificationKey): VerificationKey | undefined {
  return found === known ? undefined : found
}

/** Names that a fetch was in vain for. Each is asked for again after twice as long as the time before. */
class SettledNames {
  private readonly names: ExpiringMap<{ readonly untilMs: number; readonly pauseMs: number }>
  private readonly now: () => number

  constructor(now: () => number) {
    this.names = new ExpiringMap({ maxEntries: 1000, now })
    this.now = now
  }

  isSettled(name: string): boolean {
    const settled = this.names.get(name)
    return settled !== undefined && this.now() < settled.untilMs
  }

  /** Once for each fetch, however many waited for it. */
  add(name: string, leastPauseMs: number): void {
    if (this.isSettled(name)) return
    const before = this.names.get(name)?.pauseMs
    const pauseMs = before === undefined ? leastPauseMs : Math.min(2 * before, 60_000)
    const untilMs = this.now() + pauseMs
    this.names.set(name, { untilMs, pauseMs }, untilMs + 120_000)
  }
}
