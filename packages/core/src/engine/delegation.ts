/**
 * Delegation: somebody acts for somebody else, and may do only what both may.
 *
 * access of the subject, access of the actor → **delegation** → decide, filter. Each is asked by their own
 * bindings, and the answer is the intersection: an allow needs both, and a denial of either holds. An actor
 * may have an actor before it, so its access may be a delegation again.
 *
 * @see RFC 8693 §1.1, §4.1
 * @module
 */

import { standingOf } from '../decide/access.ts'
import { scopesForUses, type Use, usesOf } from '../decide/scopes.ts'
import type { Snapshot } from '../decide/snapshot.ts'
import { HfAuthError } from '../errors.ts'
import type { ExplainOptions, Explanation } from '../explain/explain.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { HfAuthAbility } from '../reach/ability.ts'
import type { PatternGrant, Patterns } from '../reach/search.ts'
import type { Decision, Likelihood, Question, RequestContext, Resource, ResourceInput } from '../types.ts'
import type { PolicyAccess } from './policy-access.ts'

export class DelegatedAccess implements PolicyAccess {
  private readonly subject: PolicyAccess
  private readonly actor: PolicyAccess

  /**
   * @param subject - What the subject may do themselves.
   * @param actor - What whoever acts for them may do.
   */
  constructor(subject: PolicyAccess, actor: PolicyAccess) {
    this.subject = subject
    this.actor = actor
  }

  get principal(): string {
    return this.subject.principal
  }

  get environment(): string {
    return this.subject.environment
  }

  get digest(): string {
    return this.subject.digest
  }

  /** Roles that all of the chain hold, so that a role that only the subject has opens nothing to the actor. */
  roles(): readonly string[] {
    return common(this.subject.roles(), this.actor.roles())
  }

  can(action: string, resource: ResourceInput, context?: RequestContext): boolean {
    return this.subject.can(action, resource, context) && this.actor.can(action, resource, context)
  }

  likelihood(action: string, resource: ResourceInput, context?: RequestContext): Likelihood {
    const answers = [this.subject, this.actor].map((access) => access.likelihood(action, resource, context))
    return answers.includes('deny') ? 'deny' : answers.includes('maybe') ? 'maybe' : 'allow'
  }

  decide(question: Question): Decision {
    return this.join(this.subject.decide(question), this.actor.decide(question))
  }

  filter<T extends Resource>(action: string, resources: readonly T[], context?: RequestContext): T[] {
    return this.actor.filter(action, this.subject.filter(action, resources, context), context)
  }

  searchActions(resource: ResourceInput, context?: RequestContext): string[] {
    return common(this.subject.searchActions(resource, context), this.actor.searchActions(resource, context))
  }

  searchResources<T extends Resource>(
    action: string,
    resources: readonly T[],
    context?: RequestContext,
  ): T[] {
    return this.filter(action, resources, context)
  }

  scopes(): string[] {
    return scopesForUses(this.uses())
  }

  patternsFor(action: string, type: string): Patterns {
    const [ours, theirs] = [this.subject, this.actor].map((access) => access.patternsFor(action, type))
    const allow = (ours?.allow ?? []).flatMap((mine) =>
      (theirs?.allow ?? []).map((other) => bothOf(mine, other)),
    )
    return { allow, deny: allow.length === 0 ? [] : [...(ours?.deny ?? []), ...(theirs?.deny ?? [])] }
  }

  /** What was considered for whoever was refused, or for the subject. No remedies: what helps one may hurt the other. */
  explain(question: Question, options?: ExplainOptions): Explanation {
    const [ours, theirs] = [this.subject, this.actor].map((access) => access.explain(question, options)) as [
      Explanation,
      Explanation,
    ]
    const { considered } = ours.decision.allowed && !theirs.decision.allowed ? theirs : ours
    return { decision: this.join(ours.decision, theirs.decision), considered }
  }

  snapshot(): Snapshot {
    throw unsupported('snapshot')
  }

  ability(): HfAuthAbility {
    throw unsupported('ability')
  }

  /** One set for each of the chain. */
  uses(): readonly ReadonlySet<Use>[] {
    return [this.subject, this.actor].flatMap((access) => {
      if (access instanceof DelegatedAccess) return access.uses()
      const { standing } = standingOf(access)
      return [usesOf(standing.rules(), standing.ceiling)]
    })
  }

  private join(ours: Decision, theirs: Decision): Decision {
    const chain = [ours.principal, ...(theirs.delegation?.chain ?? [theirs.principal])]
    const roles = common(ours.roles, theirs.roles)
    if (!ours.allowed || !theirs.allowed) {
      const denial = ours.allowed ? theirs : ours
      // In another environment the subject's own answer is for the whole chain already.
      const refused = denial.delegation?.refused ?? denial.principal
      return { ...denial, principal: ours.principal, roles, delegation: { chain, refused } }
    }
    return {
      ...ours,
      roles,
      statements: byId(ours.statements, theirs.statements),
      bindings: byId(ours.bindings, theirs.bindings),
      delegation: { chain },
    }
  }
}

/** Under the subject's statement, within the actor's. */
function bothOf(mine: PatternGrant, other: PatternGrant): PatternGrant {
  return {
    statement: mine.statement,
    ids: sortedUnique([...mine.ids, ...other.ids]),
    when: [...mine.when, ...other.when],
  }
}

function common(some: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others)
  return some.filter((name) => known.has(name))
}

function byId<T extends { readonly id: string }>(some: readonly T[], others: readonly T[]): T[] {
  const known = new Map([...some, ...others].map((item) => [item.id, item]))
  return sortedUnique(known.keys()).map((id) => known.get(id) as T)
}

function unsupported(what: string): HfAuthError {
  return new HfAuthError(
    'HFAUTH_DELEGATION_UNSUPPORTED',
    `there is no ${what} for somebody who acts for another: the rules of two people do not make one list`,
  )
}
