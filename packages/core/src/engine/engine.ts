/**
 * The engine: a policy in one environment, ready to answer for any principal.
 *
 * The one place where a clock enters, handed in or `Date.now`; everything behind it is pure.
 *
 * @module
 */
import { type CompiledPolicy, compilePolicy } from '../compile/compile.ts'
import { type Access, StandingAccess } from '../decide/access.ts'
import { decide } from '../decide/decide.ts'
import { createStandings, type PolicyStanding, type StandingSource } from '../decide/grants.ts'
import { emptyFacts, nameOf, readFacts } from '../decide/resource.ts'
import { scopesForEither } from '../decide/scopes.ts'
import { type Snapshot, snapshotOf } from '../decide/snapshot.ts'
import type { Standing } from '../decide/standing.ts'
import { HfAuthError } from '../errors.ts'
import { consideredStatements, type ExplainOptions, type Explanation } from '../explain/explain.ts'
import { remediesFor } from '../explain/remedies.ts'
import { type Holder, holdersOf } from '../explain/who-can.ts'
import { suggestion } from '../internal/nearest.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { Environment, Policy } from '../policy/policy.ts'
import { actorFor, keepFor, keptFor, type Principal } from '../principal/principal.ts'
import { type AbilityOptions, abilityOf, type HfAuthAbility } from '../reach/ability.ts'
import { type Patterns, patternsFor } from '../reach/search.ts'
import type { Question } from '../types.ts'
import { DelegatedAccess } from './delegation.ts'
import type { PolicyAccess } from './policy-access.ts'

export interface EngineOptions {
  /** A name under `environments` in the policy. */
  readonly environment: string
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

export interface ScopesOptions {
  /** A role of the policy; without one, what anyone could use. */
  readonly role?: string
}

export interface Engine {
  readonly policy: Policy
  readonly environment: string
  /**
   * The questions one can ask about a principal; cheap, and kept as long as the principal lives. Where
   * somebody acts for the principal, the answers are for what both may.
   *
   * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the principal does not come from verified claims.
   */
  for(principal: Principal): PolicyAccess
  /**
   * The smallest set of Hugging Face scopes that anyone could use in this environment, or that a role could, sorted.
   *
   * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the policy has no such role.
   */
  scopes(options?: ScopesOptions): string[]
  /** Those of `principals` who are allowed, in their order. */
  searchPrincipals(question: Question, principals: readonly Principal[]): Principal[]
  /** The bindings through which somebody could be allowed, from the policy alone; supposes a fresh token with enough scopes. */
  whoCan(question: Question): Holder[]
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
  readonly engines: Map<string, PlacedEngine>
}

interface PlacedEngine extends Engine {
  readonly compiled: CompiledPolicy
}

function engineIn(environment: Environment, shared: Shared): PlacedEngine {
  const { policy, now, engines } = shared
  const compiled = compilePolicy(policy, environment)
  const standings = createStandings(compiled)
  const engineOf = (name: string): PlacedEngine | undefined => {
    const other = policy.environments.get(name)
    return other && (engines.get(name) ?? engineIn(other, shared))
  }
  const place: Place = {
    name: environment.name,
    now,
    standings,
    compiled,
    compiledIn: (name) => engineOf(name)?.compiled,
    elsewhere: (principal, name) => engineOf(name)?.for(principal),
  }
  const accessOf = (principal: Principal): PolicyAccess => {
    const own = new PrincipalAccess(principal, place)
    const actor = actorFor(principal)
    return actor === undefined ? own : new DelegatedAccess(own, engine.for(actor))
  }
  const engine: PlacedEngine = {
    policy,
    environment: environment.name,
    compiled,
    for: (principal) =>
      keptFor<PolicyAccess>(principal, place) ?? keepFor(principal, place, accessOf(principal)),
    scopes({ role } = {}) {
      if (role !== undefined && !policy.roles.has(role)) {
        const hint = suggestion(role, policy.roles.keys())
        throw new HfAuthError('HFAUTH_CONFIG_INVALID', `the policy has no role \`${role}\`${hint}`)
      }
      const roles = role === undefined ? policy.bindings.flatMap((binding) => binding.roles) : [role]
      const lists = sortedUnique(roles).map((name) => compiled.rulesOf([name]))
      return scopesForEither(lists, environment.actions)
    },
    searchPrincipals: (question, principals) =>
      principals.filter((principal) => engine.for(principal).decide(question).allowed),
    whoCan({ action, resource, context, environment: name }) {
      const there = name === undefined ? compiled : engineOf(name)?.compiled
      const asked = readFacts(emptyFacts(), resource, context, now())
      return there === undefined || asked === undefined ? [] : holdersOf(there, action, asked, now())
    },
  }
  engines.set(environment.name, engine)
  return engine
}

interface Place {
  readonly name: string
  readonly now: () => number
  readonly standings: StandingSource
  readonly compiled: CompiledPolicy
  compiledIn(environment: string): CompiledPolicy | undefined
  elsewhere(principal: Principal, environment: string): PolicyAccess | undefined
}

/** A principal's standing, worked out when it is first needed and again when a binding begins or ends. */
class PrincipalAccess extends StandingAccess implements PolicyAccess {
  private readonly owner: Principal
  private readonly place: Place
  private known: PolicyStanding | undefined

  constructor(owner: Principal, place: Place) {
    super(place.now)
    this.owner = owner
    this.place = place
  }

  get principal(): string {
    return this.owner.id
  }

  get environment(): string {
    return this.place.name
  }

  protected standingAt(time: number): Standing {
    let current = this.known
    if (current === undefined || (current.validUntil !== undefined && time >= current.validUntil)) {
      current = this.place.standings(this.owner, time)
      this.known = current
    }
    return current
  }

  protected elsewhere(environment: string): Access | undefined {
    return this.place.elsewhere(this.owner, environment)
  }

  patternsFor(action: string, type: string): Patterns {
    const { standing, now } = this.current()
    return patternsFor(standing, action, type, now)
  }

  snapshot(): Snapshot {
    return snapshotOf(this.current().standing)
  }

  ability(options?: AbilityOptions): HfAuthAbility {
    return abilityOf(this, options)
  }

  explain(question: Question, { audience = 'self' }: ExplainOptions = {}): Explanation {
    const { action, resource, context, environment } = question
    if (environment !== undefined && environment !== this.environment) {
      const there = this.place.elsewhere(this.owner, environment)
      return there?.explain(question, { audience }) ?? { decision: this.decide(question), considered: [] }
    }
    const { standing, now } = this.current()
    const request = readFacts(emptyFacts(), resource, context, now)
    const decision = decide(standing, action, nameOf(resource), request)
    if (request === undefined) return { decision, considered: [] }
    const { compiled, compiledIn } = this.place
    const principal = this.owner
    const by = { compiled, roles: decision.roles, principal, audience }
    const considered = consideredStatements(by, action, request)
    if (decision.allowed) return { decision, considered }
    const situation = { compiled, principal, action, request, now, compiledIn }
    return { decision, considered, remedies: remediesFor(situation, audience) }
  }
}
