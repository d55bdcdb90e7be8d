/**
 * Decide: answers one question against the grants of one principal.
 *
 * grants → **decide** → explain, audit. Pure and synchronous: no clock, no network, no logging. A
 * missing rule is a denial, never an error. `can` and `decide` walk the same steps in the same order;
 * `can` stops at the first that refuses and gathers nothing.
 *
 * @module
 */
import type { CompiledRule } from '../compile/compiled-rule.ts'
import { type RequestFacts, timeOf } from '../compile/facts.ts'
import { smallestScopes, sufficientScopes } from '../hub/scopes.ts'
import { Memory } from '../internal/memory.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { Decision, DecisionReason, Likelihood, StepUp } from '../types.ts'
import { type Standing, withinScopes } from './standing.ts'

/** The hot path: whether the question would be allowed. `facts` are `undefined` when the id has no canonical form. */
export function can(standing: Standing, action: string, facts: RequestFacts | undefined): boolean {
  return facts !== undefined && mayAsk(standing, facts) && isAllowed(standing, action, facts)
}

/** As {@link can} for each of a list; what does not depend on the resource is looked at once. */
export function keepAllowed<T>(
  standing: Standing,
  action: string,
  list: readonly T[],
  read: (item: T) => RequestFacts | undefined,
): T[] {
  let may: boolean | undefined
  return list.filter((item) => {
    const facts = read(item)
    if (facts === undefined) return false
    may ??= mayAsk(standing, facts)
    return may && isAllowed(standing, action, facts)
  })
}

/** Somebody who is known, with a token that is fresh and strong enough. */
function mayAsk(standing: Standing, facts: RequestFacts): boolean {
  return standing.authenticated && standing.unmet === undefined && !isTooOld(standing, facts)
}

function isAllowed(standing: Standing, action: string, facts: RequestFacts): boolean {
  return standing.index.allow(action, facts) && withinScopes(standing, action, facts)
}

/** As {@link can} for someone who does not know the attributes: `maybe` when they would settle it. */
export function likelihood(standing: Standing, action: string, facts: RequestFacts | undefined): Likelihood {
  if (facts === undefined || refusedBeforeRules(standing, action, facts) !== undefined) return 'deny'
  if (!withinCeiling(standing, action)) return 'deny'
  let best: Likelihood = 'deny'
  let doubted = false
  for (const rule of standing.index.candidates(action, facts)) {
    const truth = rule.truth(facts)
    if (truth === false) continue
    if (rule.isDenial) {
      if (truth === true) return 'deny'
      doubted = true
    } else if (truth === true) best = 'allow'
    else if (best === 'deny') best = 'maybe'
  }
  if (best === 'deny') return 'deny'
  if (!withinScopes(standing, action, facts)) {
    // A public resource might need less; only its owner's word makes that certain.
    const { private: isPrivate, gated } = facts.attributes
    const open = { ...facts.attributes, private: isPrivate ?? false, gated: gated ?? false }
    const asPublic = { ...facts, attributes: open }
    return withinScopes(standing, action, asPublic) ? 'maybe' : 'deny'
  }
  return doubted ? 'maybe' : best
}

/** The whole answer, with everything that decided it. */
export function decide(
  standing: Standing,
  action: string,
  resource: string,
  facts: RequestFacts | undefined,
): Decision {
  const outcome = judgeQuestion(standing, action, facts)
  const { sources } = standing
  return {
    allowed: outcome.reason === 'allowed',
    reason: outcome.reason,
    principal: standing.principal,
    environment: standing.environment,
    action,
    resource: facts === undefined ? resource : `${facts.type}:${facts.id}`,
    statements: sortedUnique((outcome.deciding ?? []).map(({ rule }) => rule.statement)).map(
      (id) => sources?.statement(id) ?? { id, effect: outcome.reason === 'explicit_deny' ? 'deny' : 'allow' },
    ),
    roles: standing.roles(),
    bindings: sources?.bindings ?? [],
    scopes: outcome.scopes ?? [],
    missingAttributes: sortedUnique(outcome.missing ?? []),
    policy: standing.reference,
    ...(outcome.stepUp === undefined ? {} : { stepUp: outcome.stepUp }),
  }
}

interface Outcome {
  readonly reason: DecisionReason
  readonly deciding?: readonly CompiledRule[]
  readonly missing?: ReadonlySet<string>
  readonly scopes?: readonly string[]
  readonly stepUp?: StepUp
}

function judgeQuestion(standing: Standing, action: string, facts: RequestFacts | undefined): Outcome {
  if (facts === undefined) return { reason: 'invalid_resource' }
  const refusal = refusedBeforeRules(standing, action, facts)
  if (refusal !== undefined) return outcomeOf(refusal, standing)

  const denies: CompiledRule[] = []
  const allows: CompiledRule[] = []
  const doubtful: CompiledRule[] = []
  const missingForDeny = new Set<string>()
  const missingForAllow = new Set<string>()
  for (const rule of standing.index.candidates(action, facts)) {
    const truth = rule.truth(facts, rule.isDenial ? missingForDeny : missingForAllow)
    if (rule.isDenial) {
      if (truth !== false) denies.push(rule)
    } else if (truth === true) allows.push(rule)
    else if (truth === undefined) doubtful.push(rule)
  }
  if (denies.length > 0) return { reason: 'explicit_deny', deciding: denies, missing: missingForDeny }
  if (!withinCeiling(standing, action)) return { reason: 'environment_ceiling' }
  if (allows.length === 0) {
    if (doubtful.length > 0)
      return { reason: 'condition_unknown', deciding: doubtful, missing: missingForAllow }
    return { reason: 'no_matching_rule' }
  }
  if (!withinScopes(standing, action, facts)) {
    return { reason: 'insufficient_scope', deciding: allows, scopes: lackingScopes(standing, action, facts) }
  }
  return { reason: 'allowed', deciding: allows, scopes: neededScopes(action, facts) }
}

type EarlyRefusal =
  | 'unknown_action'
  | 'unknown_resource_type'
  | 'authentication_required'
  | 'token_too_old'
  | 'step_up_required'

/** Steps 1 to 3: names that do not exist, nobody asking, a token too old or too weak. */
function refusedBeforeRules(
  standing: Standing,
  action: string,
  facts: RequestFacts,
): EarlyRefusal | undefined {
  if (!standing.actions.has(action)) return 'unknown_action'
  if (!standing.types.has(facts.type)) return 'unknown_resource_type'
  if (!standing.authenticated) return 'authentication_required'
  if (isTooOld(standing, facts)) return 'token_too_old'
  return standing.unmet === undefined ? undefined : 'step_up_required'
}

function isTooOld({ freshUntil }: Standing, facts: RequestFacts): boolean {
  // Put this way round, a clock that tells no time makes every token too old that could be.
  return freshUntil !== undefined && !(timeOf(facts) < freshUntil)
}

/** The name by which OpenID providers know several factors (OpenID PAPE 1.0 §4, as an `acr` value). */
const multiFactor = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor'

/** What a fresh sign-in would have to bring, where one would help. */
function outcomeOf(reason: EarlyRefusal, { maxTokenAgeSeconds, unmet = [] }: Standing): Outcome {
  switch (reason) {
    case 'token_too_old':
      return {
        reason,
        stepUp: {
          missing: [],
          ...(maxTokenAgeSeconds === undefined ? {} : { maxAgeSeconds: maxTokenAgeSeconds }),
        },
      }
    case 'step_up_required':
      return {
        reason,
        stepUp: { missing: unmet, ...(unmet.includes('principal.mfa') ? { acrValues: [multiFactor] } : {}) },
      }
    default:
      return { reason }
  }
}

function withinCeiling({ ceiling }: Standing, action: string): boolean {
  return ceiling === undefined || ceiling.has(action)
}

/** The smallest addition that would do; nothing when no scope would. */
function lackingScopes(
  { scopes, sources }: Standing,
  action: string,
  facts: RequestFacts,
): readonly string[] {
  if (scopes?.kind !== 'huggingface') return sources?.scopeCovering(action, facts) ?? []
  const sufficient = sufficientScopes(action, facts.type, facts.attributes)
  return (sufficient && smallestScopes([sufficient], scopes.scopes)) ?? []
}

/** By what needs depend on; a search for the smallest set takes longer than all the rest of a decision. */
const knownNeeds = /* @__PURE__ */ new Memory<readonly string[]>({ maxTexts: 1_000, maxLength: 256 })

function neededScopes(action: string, { type, attributes }: RequestFacts): readonly string[] {
  const key = `${type} ${action} ${attributes.private === false} ${attributes.gated === false}`
  const known = knownNeeds.get(key)
  if (known !== undefined) return known
  const sufficient = sufficientScopes(action, type, attributes)
  // Everybody gets the same list.
  return knownNeeds.remember(key, Object.freeze((sufficient && smallestScopes([sufficient])) ?? []))
}
