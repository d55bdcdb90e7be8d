/**
 * The engine: a policy in one environment, ready to answer for any principal.
 *
 * The one place where a clock enters, handed in or `Date.now`; everything behind it is pure.
 *
 * @module
 */
import { type CompiledPolicy, compilePolicy } from './compile/compile.ts'
import { type Access, createAccess } from './decide/access.ts'
import { type IndexedGrants, indexGrants } from './decide/decide.ts'
import { grantsFor } from './decide/grants.ts'
import { scopesForRules } from './decide/scopes.ts'
import { HfAuthError } from './errors.ts'
import { suggestion } from './internal/nearest.ts'
import { sortedUnique } from './internal/sort.ts'
import type { Environment, Policy } from './policy/policy.ts'
import { assertPrincipal, type Principal } from './principal/principal.ts'

export interface EngineOptions {
  /** A name under `environments` in the policy. */
  readonly environment: string
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

export interface Engine {
  readonly policy: Policy
  readonly environment: string
  /**
   * The questions one can ask about a principal; cheap, and kept as long as the principal lives.
   *
   * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the principal does not come from verified claims.
   */
  for(principal: Principal): Access
  /** The smallest set of Hugging Face scopes that anyone could use in this environment, sorted. */
  scopes(): string[]
}

/**
 * Compiles a policy for one environment.
 *
 * @throws HfAuthError `HFAUTH_ENVIRONMENT_UNKNOWN` when the policy has no such environment.
 */
export function createEngine(policy: Policy, options: EngineOptions): Engine {
  const environment = policy.environments.get(options.environment)
  if (environment === undefined) {
    const hint = suggestion(options.environment, policy.environments.keys())
    throw new HfAuthError(
      'HFAUTH_ENVIRONMENT_UNKNOWN',
      `policy \`${policy.reference.name}\` has no environment \`${options.environment}\`${hint}`,
    )
  }
  return engineIn(environment, {
    compiled: compilePolicy(policy),
    now: options.now ?? Date.now,
    engines: new Map(),
  })
}

interface Shared {
  readonly compiled: CompiledPolicy
  readonly now: () => number
  /** One engine for each environment that has been asked about. */
  readonly engines: Map<string, Engine>
}

function engineIn(environment: Environment, shared: Shared): Engine {
  const { compiled, now, engines } = shared
  const { policy } = compiled
  const known = new WeakMap<Principal, Access>()
  const engine: Engine = {
    policy,
    environment: environment.name,
    for(principal) {
      let access = known.get(principal)
      if (access === undefined) {
        assertPrincipal(principal)
        access = accessFor(principal)
        known.set(principal, access)
      }
      return access
    },
    scopes() {
      const bound = policy.bindings.flatMap((binding) => binding.roles)
      const ceiling = environment.actions && sortedUnique(environment.actions)
      return scopesForRules(compiled.rulesOf(bound, environment), ceiling)
    },
  }
  engines.set(environment.name, engine)

  function accessFor(principal: Principal): Access {
    let indexed: IndexedGrants | undefined
    let validUntil: number | undefined
    return createAccess({
      principal: principal.id,
      environment: environment.name,
      now,
      grantsAt(time) {
        if (indexed === undefined || (validUntil !== undefined && time >= validUntil)) {
          const fresh = grantsFor(compiled, principal, environment, time)
          indexed = indexGrants(fresh.grants, policy.reference)
          validUntil = fresh.validUntil
        }
        return indexed
      },
      elsewhere(name) {
        const other = policy.environments.get(name)
        return other && (engines.get(name) ?? engineIn(other, shared)).for(principal)
      },
    })
  }
  return engine
}
