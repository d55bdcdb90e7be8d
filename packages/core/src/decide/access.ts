/**
 * Access: the questions one can ask about one principal in one environment.
 *
 * The same interface over a live policy (`createEngine(…).for(principal)`) and over a snapshot
 * (`loadSnapshot`), since both are grants. The clock is handed in and read once per question.
 *
 * @module
 */
import type { Decision, Likelihood, Question, RequestContext, Resource, ResourceInput } from '../types.ts'
import { can, decide, likelihood } from './decide.ts'
import { considered, type Explanation } from './explain.ts'
import { emptyFacts, nameOf, readFacts } from './resource.ts'
import { scopesForRules } from './scopes.ts'
import { readSnapshot, type Snapshot, snapshotOf } from './snapshot.ts'
import type { Standing } from './standing.ts'

export interface Access {
  /** Id of the principal, `alias|sub`. */
  readonly principal: string
  readonly environment: string
  /** Names of the roles held now, sorted, with those they extend. */
  roles(): readonly string[]
  /** Whether the action is allowed: the hot path, without reasons. */
  can(action: string, resource: ResourceInput, context?: RequestContext): boolean
  /** For a page that has no attributes at hand: `maybe` when they would settle it. */
  likelihood(action: string, resource: ResourceInput, context?: RequestContext): Likelihood
  /** The answer with its reason and everything that decided it. */
  decide(question: Question): Decision
  /** A decision, and how every statement about this action and resource came out. */
  explain(question: Question): Explanation
  /** Those of `resources` on which the action is allowed, in their order. */
  filter<T extends Resource>(action: string, resources: readonly T[], context?: RequestContext): T[]
  /** The smallest set of Hugging Face scopes for what the roles allow here, sorted. */
  scopes(): string[]
  /** This principal's grants alone, as JSON for the browser. */
  snapshot(): Snapshot
}

export interface AccessSource {
  readonly principal: string
  readonly environment: string
  readonly now: () => number
  /** The standing at `now`, in epoch milliseconds. */
  standingAt(now: number): Standing
  /** The same principal in another environment; `undefined` when there is none of that name. */
  elsewhere(environment: string): Access | undefined
}

/** A class, since a server makes one for every principal; so methods stay with their object. */
export class StandingAccess implements Access {
  private readonly source: AccessSource
  private readonly facts = emptyFacts()

  constructor(source: AccessSource) {
    this.source = source
  }

  get principal(): string {
    return this.source.principal
  }

  get environment(): string {
    return this.source.environment
  }

  roles(): readonly string[] {
    return this.standing().roles
  }

  can(action: string, resource: ResourceInput, context?: RequestContext): boolean {
    const now = this.source.now()
    return can(this.source.standingAt(now), action, readFacts(this.facts, resource, context, now))
  }

  likelihood(action: string, resource: ResourceInput, context?: RequestContext): Likelihood {
    const now = this.source.now()
    return likelihood(this.source.standingAt(now), action, readFacts(this.facts, resource, context, now))
  }

  decide(question: Question): Decision {
    return this.explain(question).decision
  }

  explain(question: Question): Explanation {
    const { action, resource, context, environment } = question
    if (environment !== undefined && environment !== this.environment) {
      return (
        this.source.elsewhere(environment)?.explain(question) ?? {
          decision: this.nowhere(question),
          considered: [],
        }
      )
    }
    const now = this.source.now()
    const standing = this.source.standingAt(now)
    const facts = readFacts(emptyFacts(), resource, context, now)
    return {
      decision: decide(standing, action, nameOf(resource), facts),
      considered: facts === undefined ? [] : considered(standing, action, facts),
    }
  }

  filter<T extends Resource>(action: string, resources: readonly T[], context?: RequestContext): T[] {
    const now = this.source.now()
    const standing = this.source.standingAt(now)
    return resources.filter((resource) =>
      can(standing, action, readFacts(this.facts, resource, context, now)),
    )
  }

  scopes(): string[] {
    const { ceiling, rules } = this.standing()
    return scopesForRules(rules(), ceiling)
  }

  snapshot(): Snapshot {
    return snapshotOf(this.standing())
  }

  private standing(): Standing {
    return this.source.standingAt(this.source.now())
  }

  private nowhere({ action, resource, environment = '' }: Question): Decision {
    return {
      allowed: false,
      reason: 'unknown_environment',
      principal: this.principal,
      environment,
      action,
      resource: nameOf(resource),
      statements: [],
      roles: [],
      bindings: [],
      scopes: [],
      missingAttributes: [],
      policy: this.standing().reference,
    }
  }
}

export interface LoadSnapshotOptions {
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/**
 * Answers questions from a snapshot, as the engine would that made it.
 *
 * What a page shows is a courtesy: the server asks its own engine again.
 *
 * @param input - The snapshot as text or as parsed JSON; nothing about it is trusted.
 * @throws HfAuthError `HFAUTH_SNAPSHOT_INVALID`.
 */
export function loadSnapshot(input: unknown, options: LoadSnapshotOptions = {}): Access {
  const standing = readSnapshot(input)
  return new StandingAccess({
    principal: standing.principal,
    environment: standing.environment,
    now: options.now ?? Date.now,
    standingAt: () => standing,
    elsewhere: () => undefined,
  })
}
