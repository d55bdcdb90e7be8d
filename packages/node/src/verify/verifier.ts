/**
 * Verifier: one bearer credential in, one principal out.
 *
 * request → kind → **verify** → principal. Chooses the way of checking by kind and preset, and remembers
 * what passed for a short while; what failed is asked again.
 *
 * @module
 */
import { HfAuthError, type Issuer, issuerAtAddress, type Policy, principalFromClaims } from '@hfauth/core'
import { FlightCache, type Remembered } from '../internal/flight-cache.ts'
import { numberOption } from '../internal/number-option.ts'
import type { Fetch } from '../internal/request.ts'
import { createIssuerClient, type IssuerClient } from '../keys/issuer-client.ts'
import { claim } from '../token/claims.ts'
import { fingerprintOf, tokenDigest } from '../token/fingerprint.ts'
import { readTokenKind } from '../token/kind.ts'
import { checkClients, type VerifierClients } from './clients.ts'
import type { AcceptedToken } from './jwt.ts'
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
  /** How long a checked token is believed without another check, in seconds, up to 3600. Default 60; 0 for never. */
  readonly cacheSeconds?: number
  /** Most tokens remembered; the oldest goes first. Default 10,000. */
  readonly cacheEntries?: number
  /** Longest wait for one answer of an issuer, in milliseconds. Default 5000. */
  readonly timeoutMs?: number
  /** Least time between two fetches of keys for the sake of an unknown `kid`, in milliseconds. Default 30,000. */
  readonly keyCooldownMs?: number
  /** How long known keys stay in use while the issuer fails to give fresh ones, in milliseconds. Default an hour. */
  readonly maxStaleKeysMs?: number
  /**
   * Takes Hugging Face access tokens that do not say for which app they were made. Default false: such a
   * token may have been given to any other app, and whoever runs that app could act here as its users.
   */
  readonly acceptUnboundAccessTokens?: boolean
  /** Asked on every call, also for a token that is remembered. Default none. */
  readonly revocations?: Pick<Revocations, 'isRevoked'>
}

/** A verifier with a memory, and the means to empty it. */
export interface TokenVerifier extends Verifier {
  /** Forgets one checked credential, so that the next request with it is checked anew. */
  forget(fingerprint: string): void
  /** Forgets all of them. */
  clear(): void
}

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
  const toleranceSeconds =
    options.clockToleranceSeconds === undefined
      ? undefined
      : numberOption('clockToleranceSeconds', options.clockToleranceSeconds, { max: 300 })
  const cacheMs = 1000 * numberOption('cacheSeconds', options.cacheSeconds ?? 60, { max: 3600 })
  const maxEntries = numberOption('cacheEntries', options.cacheEntries ?? 10_000, { min: 1 })
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 5000, { min: 1 })
  const keyCooldownMs = numberOption('keyCooldownMs', options.keyCooldownMs ?? 30_000)
  const maxStaleKeysMs = numberOption('maxStaleKeysMs', options.maxStaleKeysMs ?? 3_600_000)

  const { clients = {}, revocations } = options
  checkClients(clients, policy.issuers)
  const issuers = [...policy.issuers.values()]
  const issuerAt = issuerAtAddress(issuers)
  const issuerClients = createIssuerClients(issuers, { fetch, now, timeoutMs, keyCooldownMs, maxStaleKeysMs })
  const wayOf = createWays({
    issuers,
    clients,
    fetch,
    now,
    timeoutMs,
    acceptUnbound: acceptUnboundAccessTokens,
    clientOf: ({ url }) => issuerClients.get(url) as IssuerClient,
    time: ({ clockToleranceSeconds }) => ({
      nowMs: now(),
      toleranceSeconds: toleranceSeconds ?? clockToleranceSeconds,
    }),
  })
  const cache = new FlightCache<VerifiedCredential>({ maxEntries, now })

  async function check(way: Way, digest: string): Promise<Remembered<VerifiedCredential>> {
    const sinceMs = now()
    const accepted = await way.check()
    const untilMs = Math.min(sinceMs + cacheMs, (accepted.expiresAt ?? Number.POSITIVE_INFINITY) * 1000)
    return { value: credentialOf(accepted, digest, issuerAt), untilMs }
  }

  return {
    async verify(token) {
      const kind = readTokenKind(token)
      const digest = tokenDigest(token)
      const credential = await cache.get(digest, async () => check(wayOf(token, kind), digest))
      if (revocations?.isRevoked(identityOf(credential))) {
        throw new HfAuthError('HFAUTH_TOKEN_REVOKED', 'the token has been revoked')
      }
      return credential
    },
    forget: (fingerprint) => cache.forget((digest) => fingerprintOf(digest) === fingerprint),
    clear: () => cache.clear(),
  }
}

function credentialOf(
  accepted: AcceptedToken,
  digest: string,
  issuerAt: (url: string) => Issuer | undefined,
): VerifiedCredential {
  const { issuer, kind, claims, expiresAt } = accepted
  const { alias, preset } = issuer
  return Object.freeze({
    principal: principalFromClaims({ issuer: alias, preset, credential: kind, claims, issuerAt }),
    issuer,
    kind,
    fingerprint: fingerprintOf(digest),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  })
}

function identityOf({ principal, issuer, fingerprint }: VerifiedCredential): RevocableIdentity {
  const text = (name: string) => {
    const value = claim(principal.claims, name)
    return typeof value === 'string' ? value : undefined
  }
  const issuedAt = claim(principal.claims, 'iat')
  return {
    issuer: issuer.url,
    subject: text('sub'),
    sessionId: text('sid'),
    tokenId: text(issuer.preset.tokenId),
    fingerprint,
    issuedAt: typeof issuedAt === 'number' ? issuedAt : undefined,
  }
}

/** One client per address; its keys serve every preset that is used with that address. */
function createIssuerClients(
  issuers: readonly Issuer[],
  shared: Omit<Parameters<typeof createIssuerClient>[1], 'algorithms'>,
): ReadonlyMap<string, IssuerClient> {
  const asked = issuers
    .filter(({ preset }) => preset.keys === 'discovery')
    .flatMap(({ addresses, preset, keys }) => addresses.map(({ url }) => ({ url, preset, keys })))
  return new Map(
    [...new Set(asked.map(({ url }) => url))].map((url) => {
      const same = asked.filter((other) => other.url === url)
      const algorithms = [...new Set(same.flatMap(({ preset }) => preset.algorithms))]
      const keys = same.find((other) => other.keys !== undefined)?.keys
      const keySet = keys === undefined ? undefined : { keys }
      return [url, createIssuerClient(url, { ...shared, algorithms, keySet })]
    }),
  )
}
