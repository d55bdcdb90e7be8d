/**
 * Access: the questions one can ask about one principal in one environment.
 *
 * The same interface over a live policy (`createEngine(…).for(principal)`) and over a snapshot
 * (`loadSnapshot`), since both are grants. The clock is handed in and read once per question.
 *
 * @module
 */
import { HfAuthError } from '../errors.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { Decision, Likelihood, Question, RequestContext, Resource, ResourceInput } from '../types.ts'
import { can, decide, keepAllowed, likelihood } from './decide.ts'
import { readSnapshot } from './read-snapshot.ts'
import { emptyFacts, nameOf, readFacts } from './resource.ts'
import { scopesForRules } from './scopes.ts'
import type { Standing } from './standing.ts'

export interface Access {
  /** Id of the principal, `alias|sub`. */
  readonly principal: string
  readonly environment: string
  /** `sha256:` of what it answers from, the policy or the snapshot: the same as long as nothing has changed. */
  readonly digest: string
  /** Names of the roles held now, sorted, with those they extend. */
  roles(): readonly string[]
  /** Whether the action is allowed: the hot path, without reasons. */
  can(action: string, resource: ResourceInput, context?: RequestContext): boolean
  /** For a page that has no attributes at hand: `maybe` when they would settle it. */
  likelihood(action: string, resource: ResourceInput, context?: RequestContext): Likelihood
  /** The answer with its reason and everything that decided it. */
  decide(question: Question): Decision
  /** Those of `resources` on which the action is allowed, in their order. */
  filter<T extends Resource>(action: string, resources: readonly T[], context?: RequestContext): T[]
  /** The actions allowed on a resource, sorted. */
  searchActions(resource: ResourceInput, context?: RequestContext): string[]
  /** {@link filter}, under the name that AuthZEN has for it. */
  searchResources<T extends Resource>(action: string, resources: readonly T[], context?: RequestContext): T[]
  /** The smallest set of Hugging Face scopes for what the roles allow here, sorted. */
  scopes(): string[]
}

/** What an access answers from just now. */
export interface Current {
  readonly standing: Standing
  readonly now: number
  readonly clock: () => number
}

/** The standing behind an access. @throws HfAuthError `HFAUTH_CONFIG_INVALID` when there is none. */
export function standingOf(access: Access): Current {
  if (access instanceof StandingAccess) return access.current()
  throw new HfAuthError(
    'HFAUTH_CONFIG_INVALID',
    'this access comes neither from an engine nor from a snapshot',
  )
}

/** Facts of the question being answered; one is enough, since answering never waits and never asks. */
const facts = emptyFacts()
let isAnswering = false

/** @throws HfAuthError `HFAUTH_REQUEST_INVALID` when a member of another question's resource or context asks this one. */
function beginAnswer(): void {
  if (isAnswering)
    throw new HfAuthError('HFAUTH_REQUEST_INVALID', 'a fact asked a question while it was read')
  isAnswering = true
}

function answer<T>(work: () => T): T {
  beginAnswer()
  try {
    return work()
  } finally {
    isAnswering = false
  }
}

/** A class, since a server makes one for every principal; so methods stay with their object. */
export abstract class StandingAccess implements Access {
  abstract readonly principal: string
  abstract readonly environment: string
  protected readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  /** The standing at `now`, in epoch milliseconds. */
  protected abstract standingAt(now: number): Standing
  /** The same principal in another environment; `undefined` when there is none of that name. */
  protected abstract elsewhere(environment: string): Access | undefined

  get digest(): string {
    return this.standing().reference.digest
  }

  roles(): readonly string[] {
    return this.standing().roles()
  }

  can(action: string, resource: ResourceInput, context?: RequestContext): boolean {
    const now = this.now()
    const standing = this.standingAt(now)
    // As `answer` does it, without a function made for each question.
    beginAnswer()
    try {
      return can(standing, action, readFacts(facts, resource, context, now))
    } finally {
      isAnswering = false
    }
  }

  likelihood(action: string, resource: ResourceInput, context?: RequestContext): Likelihood {
    const now = this.now()
    const standing = this.standingAt(now)
    return answer(() => likelihood(standing, action, readFacts(facts, resource, context, now)))
  }

  decide(question: Question): Decision {
    const { action, resource, context, environment } = question
    if (environment !== undefined && environment !== this.environment)
      return this.elsewhere(environment)?.decide(question) ?? this.nowhere(question)
    const now = this.now()
    const standing = this.standingAt(now)
    return answer(() => decide(standing, action, nameOf(resource), readFacts(facts, resource, context, now)))
  }

  filter<T extends Resource>(action: string, resources: readonly T[], context?: RequestContext): T[] {
    const now = this.now()
    const standing = this.standingAt(now)
    return answer(() =>
      keepAllowed(standing, action, resources, (resource) => readFacts(facts, resource, context, now)),
    )
  }

  searchActions(resource: ResourceInput, context?: RequestContext): string[] {
    const now = this.now()
    const standing = this.standingAt(now)
    return answer(() => {
      const asked = readFacts(facts, resource, context, now)
      return sortedUnique(standing.actions).filter((action) => can(standing, action, asked))
    })
  }

  searchResources<T extends Resource>(
    action: string,
    resources: readonly T[],
    context?: RequestContext,
  ): T[] {
    return this.filter(action, resources, context)
  }

  scopes(): string[] {
    const standing = this.standing()
    return scopesForRules(standing.rules(), standing.ceiling)
  }

  /** For what is built on an access from outside; see {@link standingOf}. */
  current(): Current {
    const now = this.now()
    return { standing: this.standingAt(now), now, clock: this.now }
  }

  private standing(): Standing {
    return this.standingAt(this.now())
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
  return new SnapshotAccess(readSnapshot(input), options.now ?? Date.now)
}

class SnapshotAccess extends StandingAccess {
  private readonly read: Standing

  constructor(read: Standing, now: () => number) {
    super(now)
    this.read = read
  }

  get principal(): string {
    return this.read.principal
  }

  get environment(): string {
    return this.read.environment
  }

  protected standingAt(): Standing {
    return this.read
  }

  protected elsewhere(): undefined {
    return undefined
  }
}
