/**
 * The engine: a policy in one environment, ready to answer for any principal.
 *
 * The one place where a clock enters, handed in or `Date.now`; everything behind it is pure.
 *
 * @module
 */
import { compilePolicy } from './compile/compile.ts'
import { type Access, type AccessSource, StandingAccess } from './decide/access.ts'
import { createStandings, type StandingForNow, type StandingSource } from './decide/grants.ts'
import { scopesForRules } from './decide/scopes.ts'
import type { Standing } from './decide/standing.ts'
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
  return engineIn(environment, { policy, now: options.now ?? Date.now, engines: new Map() })
}

interface Shared {
  readonly policy: Policy
  readonly now: () => number
  /** One engine for each environment that has been asked about. */
  readonly engines: Map<string, Engine>
}

function engineIn(environment: Environment, shared: Shared): Engine {
  const { policy, now, engines } = shared
  const compiled = compilePolicy(policy, environment)
  const standings = createStandings(compiled)
  const known = new WeakMap<Principal, Access>()
  const elsewhere = (principal: Principal, name: string): Access | undefined => {
    const other = policy.environments.get(name)
    return other && (engines.get(name) ?? engineIn(other, shared)).for(principal)
  }
  const engine: Engine = {
    policy,
    environment: environment.name,
    for(principal) {
      let access = known.get(principal)
      if (access === undefined) {
        assertPrincipal(principal)
        access = new StandingAccess(
          new PrincipalSource(principal, environment.name, now, standings, elsewhere),
        )
        known.set(principal, access)
      }
      return access
    },
    scopes() {
      const bound = policy.bindings.flatMap((binding) => binding.roles)
      return scopesForRules(compiled.rulesOf(sortedUnique(bound)), environment.actions)
    },
  }
  engines.set(environment.name, engine)
  return engine
}

/** A principal's standing, worked out when it is first needed and again when a binding begins or ends. */
class PrincipalSource implements AccessSource {
  readonly environment: string
  readonly now: () => number
  private readonly owner: Principal
  private readonly standings: StandingSource
  private readonly other: (principal: Principal, name: string) => Access | undefined
  private current: StandingForNow | undefined

  constructor(
    owner: Principal,
    environment: string,
    now: () => number,
    standings: StandingSource,
    other: (principal: Principal, name: string) => Access | undefined,
  ) {
    this.owner = owner
    this.environment = environment
    this.now = now
    this.standings = standings
    this.other = other
  }

  get principal(): string {
    return this.owner.id
  }

  standingAt(time: number): Standing {
    let current = this.current
    if (current === undefined || (current.validUntil !== undefined && time >= current.validUntil)) {
      current = this.standings(this.owner, time)
      this.current = current
    }
    return current.standing
  }

  elsewhere(environment: string): Access | undefined {
    return this.other(this.owner, environment)
  }
}
