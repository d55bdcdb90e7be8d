/**
 * Limiter: from a caller and an action to the buckets that count, and to the refusal when one is empty.
 *
 * address → **limit** → who → **limit** → decide. Denied requests count as well: guessing is not free.
 *
 * @see RFC 6585 §4 (429), draft-ietf-httpapi-ratelimit-headers (RateLimit, RateLimit-Policy)
 * @module
 */
import { HfAuthError, type Principal } from '@hfauth/core'
import type { Refusal } from '../guard/refusal.ts'
import { numberOption } from '../internal/number-option.ts'
import { addressKey } from './address-key.ts'
import { memoryLimitStore } from './memory-store.ts'
import type { LimitDemand, LimitedCaller, Limiter, LimitRule, LimitState, LimitStore } from './types.ts'

export interface LimiterOptions {
  readonly rules: readonly LimitRule[]
  /** Where the buckets are: `redisLimitStore` for several replicas. Default in memory. */
  readonly store?: LimitStore
  /** What happens when the store cannot be asked. Default `refuse`. */
  readonly whenUnavailable?: 'refuse' | 'allow'
}

const longestWindowSeconds = 31 * 86_400
/** What an answer counts that does not say. */
const usualTokens = 1000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` for a rule that cannot be kept. */
export function createLimiter(options: LimiterOptions): Limiter {
  const { rules, store = memoryLimitStore(), whenUnavailable = 'refuse' } = options
  for (const rule of rules) assertRule(rule)
  if (new Set(rules.map(({ name }) => name)).size < rules.length) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'two limits have one name')
  }

  const ofAddresses = rules.filter(({ per }) => per === 'address')
  const ofCallers = rules.filter(({ per }) => per !== 'address')

  async function takeAll(asked: readonly Asked[]): Promise<Refusal | undefined> {
    if (asked.length === 0) return undefined
    let states: readonly LimitState[]
    try {
      states = await store.take(asked.map(({ demand }) => demand))
    } catch {
      if (whenUnavailable === 'allow') return undefined
      throw new HfAuthError('HFAUTH_STORE_UNAVAILABLE', 'limits cannot be read', { retryable: true })
    }
    let worst: { rule: LimitRule; state: LimitState } | undefined
    for (const [i, state] of states.entries()) {
      const rule = asked[i]?.rule
      if (rule === undefined || state.allowed) continue
      if (worst === undefined || state.retryMs > worst.state.retryMs) worst = { rule, state }
    }
    return worst && refusalOf(worst.rule, worst.state)
  }

  return {
    arrive(ip) {
      const key = `ip:${addressKey(ip)}`
      return takeAll(ofAddresses.map((rule) => ({ rule, demand: demandOf(rule, key, 1) })))
    },

    take(caller, action) {
      return takeAll(
        ofCallers.flatMap((rule) => demandsOf(rule, caller, action).map((demand) => ({ rule, demand }))),
      )
    },

    async spend(caller, action, told) {
      const spent = rules.flatMap((rule) => {
        const { unit, untoldTokens = usualTokens, limit } = rule
        // A count beyond the whole budget would lock its owner out for longer than the window.
        const tokens = Math.min(told ?? untoldTokens, limit)
        // One was taken when the request began.
        if (unit !== 'tokens' || tokens <= 1) return []
        return demandsOf(rule, caller, action).map(
          (demand): LimitDemand => ({ ...demand, cost: tokens - 1, burst: 2 * demand.burst + tokens }),
        )
      })
      // Each by itself: one that is overdrawn already must not spare the others.
      await Promise.all(spent.map((demand) => store.take([demand])))
    },
  }
}

interface Asked {
  readonly rule: LimitRule
  readonly demand: LimitDemand
}

function demandsOf(rule: LimitRule, caller: LimitedCaller, action: string): LimitDemand[] {
  const cost = costOf(rule, action)
  if (cost === 0) return []
  const whose = rule.per === 'principal' ? [callerKey(caller)] : organisationKeys(caller.principal)
  return whose.map((key) => demandOf(rule, key, cost))
}

function demandOf(rule: LimitRule, key: string, cost: number): LimitDemand {
  const { name, limit, windowSeconds, burst = limit } = rule
  return { key: `${name}:${key}`, unitMs: (windowSeconds * 1000) / limit, burst, cost }
}

function costOf({ unit, costs }: LimitRule, action: string): number {
  if (unit === 'tokens') return action === 'infer' ? 1 : 0
  if (costs === undefined) return 1
  return Object.hasOwn(costs, action) ? (costs[action] ?? 0) : 0
}

function callerKey({ principal, ip }: LimitedCaller): string {
  return principal.kind === 'anonymous' ? `ip:${addressKey(ip)}` : `p:${principal.id}`
}

/** Who belongs to no organisation is not without a limit. */
function organisationKeys({ issuer, orgs = [] }: Principal): string[] {
  const ids = [...new Set(orgs.map(({ id }) => id))]
  return ids.length === 0 ? [`issuer:${issuer}`] : ids.map((id) => `org:${issuer}:${id}`)
}

/** Names the limit and its size, never how much others have used of it. */
function refusalOf({ name, unit, limit, windowSeconds }: LimitRule, { retryMs }: LimitState): Refusal {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryMs / 1000))
  return {
    status: 429,
    reason: 'limit_reached',
    detail: unit === 'tokens' ? 'The tokens are used up for now.' : 'There have been too many requests.',
    retryAfterSeconds,
    headers: {
      ratelimit: `"${name}";r=0;t=${retryAfterSeconds}`,
      'ratelimit-policy': `"${name}";q=${limit};w=${windowSeconds}`,
    },
  }
}

function assertRule(rule: LimitRule): void {
  const { name, limit, windowSeconds, burst = limit, costs = {}, unit = 'requests', untoldTokens } = rule
  if (unit !== 'requests' && unit !== 'tokens') {
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      `\`limits.${name}.unit\` must be \`requests\` or \`tokens\``,
    )
  }
  if (rule.per === 'address' && (unit === 'tokens' || rule.costs !== undefined)) {
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      'a limit per `address` counts requests, one like the other',
    )
  }
  if (unit === 'tokens' ? rule.costs !== undefined : untoldTokens !== undefined) {
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      '`costs` is for limits on requests, and `untoldTokens` for limits on tokens',
    )
  }
  numberOption(`limits.${name}.untoldTokens`, untoldTokens ?? usualTokens, { min: 0, max: 1_000_000 })
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'the name of a limit is lower case, digits and dashes')
  }
  numberOption(`limits.${name}.limit`, limit, { min: 1, max: 1_000_000_000 })
  numberOption(`limits.${name}.windowSeconds`, windowSeconds, { min: 1, max: longestWindowSeconds })
  numberOption(`limits.${name}.burst`, burst, { min: 1, max: limit })
  for (const cost of Object.values(costs)) {
    // A request that costs more than there can ever be would be told to come back for nothing.
    numberOption(`limits.${name}.costs`, cost, { min: 0, max: burst })
  }
}
