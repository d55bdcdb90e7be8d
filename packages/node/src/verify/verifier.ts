/**
 * Verifier: one bearer credential in, one principal out.
 *
 * request → kind → **verify** → principal. Chooses the way of checking by kind and preset, and remembers
 * what passed for a short while; what failed is asked again. Whether a credential has been taken back is
 * asked each time.
 *
 * @module
 */
import { HfAuthError, type Issuer, issuerAtAddress, type Policy, principalFromClaims } from '@hfauth/core'
import { ExpiringMap } from '../internal/expiring-map.ts'
import { FlightCache, type Remembered } from '../internal/flight-cache.ts'
import { numberOption } from '../internal/number-option.ts'
import type { Fetch } from '../internal/request.ts'
import { createIssuerClient, type IssuerClient, type IssuerClientOptions } from '../keys/issuer-client.ts'
import type { KeyStore } from '../keys/key-store.ts'
import { fingerprintOf, tokenDigest } from '../token/fingerprint.ts'
import { assertTokenLength, readTokenKind } from '../token/kind.ts'
import { checkClients, type VerifierClients } from './clients.ts'
import type { AcceptedToken } from './jwt.ts'
import { type IssuerNamed, identitiesOf } from './revocable.ts'
import type { RevocableIdentity, Revocations, VerifiedCredential, Verifier } from './types.ts'
import { createWays, type Way } from './ways.ts'

export interface VerifierOptions {
  /** Its issuers are the only ones whose tokens are taken. */
  readonly policy: Pick<Policy, 'issuers'>
  /** As whom issuers are asked about tokens, by alias: for the presets `github`, `okta-org` and `oidc`. */
  readonly clients?: VerifierClients
  /** Replaces the global `fetch` for discovery, keys, userinfo and whatever else is asked. */
  readonly fetch?: Fetch
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Clock difference to forgive on `exp`, `nbf` and `iat`, in seconds, up to 300. Default as the preset says: 30. */
  readonly clockToleranceSeconds?: number
  /**
   * How long a checked token is believed without another check, in seconds, up to 3600. Default 60; 0 for never: then
   * those who ask at the same time still share one check.
   */
  readonly cacheSeconds?: number
  /** Most tokens remembered; the oldest goes first. Default 10,000. */
  readonly cacheEntries?: number
  /**
   * How long the issuer is not asked again about an opaque token that it refused, in seconds, up to 60.
   * Default 5; 0 for never.
   */
  readonly refusedSeconds?: number
  /** Longest wait for one answer of an issuer, in milliseconds. Default 5000. */
  readonly timeoutMs?: number
  /**
   * How long keys count as fresh, in milliseconds. Default 10 minutes; less when the issuer's `Cache-Control`
   * says so, but not under 30 seconds. A key that the issuer withdraws is refused after that time.
   */
  readonly keyMaxAgeMs?: number
  /**
   * Least time between two fetches of keys, in milliseconds. Default 600. A token with an unknown `kid` waits
   * that long at most for the next one.
   */
  readonly keyCooldownMs?: number
  /** How long known keys stay in use while the issuer fails to give fresh ones, in milliseconds. Default a day. */
  readonly maxStaleKeysMs?: number
  /** Keeps key sets outside the process; see `directoryKeyStore`. Default none. */
  readonly keyStore?: KeyStore
  /** What has been taken back. Asked for every credential, remembered or not. Default nothing. */
  readonly revocations?: Pick<Revocations, 'isRevoked'>
  /**
   * Takes Hugging Face access tokens that do not say for which app they were made. Default false: such a
   * token may have been given to any other app, and whoever runs that app could act here as its users.
   */
  readonly acceptUnboundAccessTokens?: boolean
}

/** A verifier with a memory, and the means to empty it. */
export interface TokenVerifier extends Verifier {
  /** Forgets one checked credential, so that the next request with it is checked anew. */
  forget(fingerprint: string): void
  /** Forgets all of them. */
  clear(): void
}

/** What is remembered of a credential that passed. */
interface Checked {
  readonly credential: VerifiedCredential
  /** Its own names, and those of whoever acts for its subject. */
  readonly identities: readonly RevocableIdentity[]
}

/** Most refusals remembered; each is a token that somebody made up or lost. */
const maxRefusals = 1000

/**
 * Creates a verifier for the issuers of a policy. Nothing is fetched before the first token needs it.
 *
 * Takes compact JWTs (also behind `hf_oidc_`, for clients that send nothing without `hf_`), Hugging Face
 * access tokens (`hf_oauth_…`), what a load balancer of AWS signed, and with `clients` GitHub's and other
 * opaque access tokens. Results are shared: the same token gives the same principal object
 * while it is remembered.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is out of its range, or `clients` do not fit the policy.
 */
export function createVerifier(options: VerifierOptions): TokenVerifier {
  const { policy, fetch = globalThis.fetch, now = Date.now, acceptUnboundAccessTokens = false } = options
  const { revocations, keyStore } = options
  const toleranceSeconds =
    options.clockToleranceSeconds === undefined
      ? undefined
      : numberOption('clockToleranceSeconds', options.clockToleranceSeconds, { max: 300 })
  const cacheMs = 1000 * numberOption('cacheSeconds', options.cacheSeconds ?? 60, { max: 3600 })
  const maxEntries = numberOption('cacheEntries', options.cacheEntries ?? 10_000, { min: 1 })
  const refusedMs = 1000 * numberOption('refusedSeconds', options.refusedSeconds ?? 5, { max: 60 })
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 5000, { min: 1 })
  const keyMaxAgeMs = numberOption('keyMaxAgeMs', options.keyMaxAgeMs ?? 600_000, { min: 30_000 })
  const keyCooldownMs = numberOption('keyCooldownMs', options.keyCooldownMs ?? 600)
  const maxStaleKeysMs = numberOption('maxStaleKeysMs', options.maxStaleKeysMs ?? 86_400_000)

  const { clients = {} } = options
  checkClients(clients, policy.issuers)
  const issuers = [...policy.issuers.values()]
  const issuerAt = issuerAtAddress(issuers)
  // Where nobody asks, nothing is worked out.
  const issuerNamed = revocations === undefined ? undefined : (alias: string) => policy.issuers.get(alias)
  const keyOptions = { keyMaxAgeMs, keyCooldownMs, maxStaleKeysMs, keyStore }
  const issuerClients = createIssuerClients(issuers, { fetch, now, timeoutMs, ...keyOptions })
  const wayOf = createWays({
    issuers,
    clients,
    fetch,
    now,
    timeoutMs,
    acceptUnbound: acceptUnboundAccessTokens,
    clientOf: ({ alias }, url) => issuerClients.get(alias)?.get(url) as IssuerClient,
    time: ({ clockToleranceSeconds }) => ({
      nowMs: now(),
      toleranceSeconds: toleranceSeconds ?? clockToleranceSeconds,
    }),
  })
  const cache = new FlightCache<Checked>({ maxEntries, now })
  const refusals = new ExpiringMap<HfAuthError>({ maxEntries: maxRefusals, now })

  function check(
    token: string,
    digest: string,
    sinceMs: number,
  ): Remembered<Checked> | Promise<Remembered<Checked>> {
    const way = wayOf(token, readTokenKind(token))
    const accepted = way.asks ? askOnce(way, digest) : way.check()
    const remember = (checked: AcceptedToken) => remembered(checked, fingerprintOf(token, digest), sinceMs)
    return accepted instanceof Promise ? accepted.then(remember) : remember(accepted)
  }

  function remembered(accepted: AcceptedToken, fingerprint: string, sinceMs: number): Remembered<Checked> {
    const untilMs = Math.min(sinceMs + cacheMs, (accepted.expiresAt ?? Number.POSITIVE_INFINITY) * 1000)
    const value = checkedOf(accepted, fingerprint, { issuerAt, issuerNamed })
    return accepted.holds === undefined ? { value, untilMs } : { value, untilMs, holds: accepted.holds }
  }

  /** A refusal of the issuer is remembered for a while, its silence is not. */
  async function askOnce(way: Way, digest: string): Promise<AcceptedToken> {
    const refused = refusals.get(digest)
    if (refused !== undefined) throw new HfAuthError(refused.code, refused.message)
    try {
      return await way.check()
    } catch (error) {
      if (error instanceof HfAuthError && !error.retryable) refusals.set(digest, error, now() + refusedMs)
      throw error
    }
  }

  return {
    async verify(token) {
      assertTokenLength(token)
      const digest = tokenDigest(token)
      const answer = cache.peek(digest) ?? cache.get(digest, (sinceMs) => check(token, digest, sinceMs))
      // What is there is not waited for: a wait takes as long as many of the checks.
      const { credential, identities } = answer instanceof Promise ? await answer : answer
      // It stays remembered: the next attempt with it is refused without asking its issuer.
      if (revocations !== undefined && identities.some((identity) => revocations.isRevoked(identity))) {
        throw new HfAuthError('HFAUTH_TOKEN_REVOKED', 'the token has been revoked')
      }
      return credential
    },
    forget(fingerprint) {
      // Whose an answer under way is, is not known yet: it is given and not remembered.
      cache.forget((_, checked) => checked === undefined || checked.credential.fingerprint === fingerprint)
    },
    clear() {
      cache.clear()
      refusals.clear()
    },
  }
}

function checkedOf(
  accepted: AcceptedToken,
  fingerprint: string,
  {
    issuerAt,
    issuerNamed,
  }: {
    readonly issuerAt: (iss: string) => Issuer | undefined
    readonly issuerNamed: IssuerNamed | undefined
  },
): Checked {
  const { issuer, kind, claims, expiresAt } = accepted
  const { alias, preset } = issuer
  const principal = principalFromClaims({ issuer: alias, preset, credential: kind, claims, issuerAt })
  const credential = Object.freeze({
    principal,
    issuer,
    kind,
    fingerprint,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  })
  const identities =
    issuerNamed === undefined ? [] : identitiesOf(accepted, principal, fingerprint, issuerNamed)
  return { credential, identities }
}

/**
 * By alias, and then by address. What is fetched from an address serves all who fetch from it; pinned keys
 * are those of their own alias alone, because several clusters may have one address.
 */
function createIssuerClients(
  issuers: readonly Issuer[],
  shared: Omit<IssuerClientOptions, 'algorithms' | 'keySet'>,
): ReadonlyMap<string, ReadonlyMap<string, IssuerClient>> {
  const asked = issuers.filter(({ preset }) => preset.keys === 'discovery')
  const fetching = asked.filter(({ keys }) => keys === undefined)
  const fetched = new Map<string, IssuerClient>()
  const clientOf = ({ preset, keys }: Issuer, url: string): IssuerClient => {
    if (keys !== undefined)
      return createIssuerClient(url, { ...shared, algorithms: preset.algorithms, keySet: { keys } })
    const same = fetching.filter(({ addresses }) => addresses.some((address) => address.url === url))
    const algorithms = [...new Set(same.flatMap((issuer) => issuer.preset.algorithms))]
    const client = fetched.get(url) ?? createIssuerClient(url, { ...shared, algorithms })
    fetched.set(url, client)
    return client
  }
  return new Map(
    asked.map((issuer) => {
      const urls = [...new Set(issuer.addresses.map(({ url }) => url))]
      return [issuer.alias, new Map(urls.map((url) => [url, clientOf(issuer, url)]))]
    }),
  )
}
