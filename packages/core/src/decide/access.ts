/**
 * Access: the questions one can ask about one principal in one environment.
 *
 * The same interface over a live policy (`createEngine(…).for(principal)`) and over a snapshot
 * (`loadSnapshot`), since both are grants. The clock is handed in and read once per question.
 *
 * @module
 */
import { HfAuthError } from '../errors.ts'
import type {
  Decision,
  Likelihood,
  PolicyReference,
  Question,
  RequestContext,
  Resource,
  ResourceInput,
} from '../types.ts'
import { can, canonicalQuestion, decide, type IndexedGrants, indexGrants, likelihood } from './decide.ts'
import { considered, type Explanation } from './explain.ts'
import type { Grants } from './grants.ts'
import { scopesForRules } from './scopes.ts'
import { readSnapshot, type Snapshot, snapshotOf } from './snapshot.ts'

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
  /** The grants as they stand at `now`, in epoch milliseconds. */
  grantsAt(now: number): IndexedGrants
  /** The same principal in another environment; `undefined` when there is none of that name. */
  elsewhere(environment: string): Access | undefined
}

export function createAccess(source: AccessSource): Access {
  const { principal, environment, now } = source
  const contextAt = (context: RequestContext | undefined, time: number): RequestContext => ({
    time,
    ...context,
  })

  const access: Access = {
    principal,
    environment,
    roles: () => source.grantsAt(now()).grants.roles,
    can(action, resource, context) {
      const time = now()
      return can(source.grantsAt(time), canonicalQuestion(action, resource, contextAt(context, time)), time)
    },
    likelihood(action, resource, context) {
      const time = now()
      return likelihood(
        source.grantsAt(time),
        canonicalQuestion(action, resource, contextAt(context, time)),
        time,
      )
    },
    decide: (question) => access.explain(question).decision,
    explain(question) {
      if (question.environment !== undefined && question.environment !== environment) {
        const other = source.elsewhere(question.environment)
        return (
          other?.explain(question) ?? {
            decision: inUnknownEnvironment(question, question.environment),
            considered: [],
          }
        )
      }
      const time = now()
      const indexed = source.grantsAt(time)
      const canonical = canonicalQuestion(
        question.action,
        question.resource,
        contextAt(question.context, time),
      )
      return {
        decision: decide(indexed, question.action, nameOf(question.resource), canonical, time),
        considered: canonical === undefined ? [] : considered(indexed, canonical),
      }
    },
    filter(action, resources, context) {
      const time = now()
      const indexed = source.grantsAt(time)
      const facts = contextAt(context, time)
      return resources.filter((resource) => can(indexed, canonicalQuestion(action, resource, facts), time))
    },
    scopes() {
      const { grants } = source.grantsAt(now())
      return scopesForRules(grants.rules, grants.ceiling)
    },
    snapshot: () => snapshotOf(source.grantsAt(now()).grants),
  }

  function inUnknownEnvironment(question: Question, name: string): Decision {
    return {
      allowed: false,
      reason: 'unknown_environment',
      principal,
      environment: name,
      action: question.action,
      resource: nameOf(question.resource),
      statements: [],
      roles: [],
      bindings: [],
      scopes: [],
      missingAttributes: [],
      policy: source.grantsAt(now()).reference,
    }
  }
  return access
}

function nameOf(resource: ResourceInput): string {
  return typeof resource === 'string' ? resource : `${resource.type}:${resource.id}`
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
  const { grants, digest } = readSnapshot(input)
  const indexed = indexSnapshot(grants, { name: 'snapshot', version: 1, digest })
  return createAccess({
    principal: grants.principal,
    environment: grants.environment,
    now: options.now ?? Date.now,
    grantsAt: () => indexed,
    elsewhere: () => undefined,
  })
}

/** Conditions are read while the rules are indexed; one that cannot be read makes the whole snapshot unreadable. */
function indexSnapshot(grants: Grants, reference: PolicyReference): IndexedGrants {
  try {
    return indexGrants(grants, reference)
  } catch (error) {
    throw new HfAuthError(
      'HFAUTH_SNAPSHOT_INVALID',
      'snapshot cannot be read: a condition is of no known kind',
      { cause: error },
    )
  }
}
