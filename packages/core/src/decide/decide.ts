/**
 * Decide: answers one question against the grants of one principal.
 *
 * grants → **decide** → explain, audit. Pure and synchronous: no clock, no network, no logging. A
 * missing rule is a denial, never an error. `can` and `decide` walk the same steps in the same order;
 * `can` stops at the first that refuses and gathers nothing.
 *
 * @module
 */
import { type CompiledRule, compileRules } from '../compile/casl.ts'
import type { RequestFacts } from '../compile/facts.ts'
import { indexRules, type RuleIndex } from '../compile/rule-index.ts'
import { canonicalId } from '../hub/ids.ts'
import { smallestScopes, sufficientScopes } from '../hub/scopes.ts'
import { sortedUnique } from '../internal/sort.ts'
import type {
  Decision,
  DecisionReason,
  Likelihood,
  PolicyReference,
  RequestContext,
  ResourceInput,
  StepUp,
} from '../types.ts'
import type { Grants } from './grants.ts'

/** Grants with their rules indexed; lives as long as the grants are valid. */
export interface IndexedGrants {
  readonly grants: Grants
  /** Stands in every decision: the policy's, or for a snapshot its own. */
  readonly reference: PolicyReference
  readonly rules: RuleIndex
  readonly covered: RuleIndex | undefined
  readonly actions: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  readonly ceiling: ReadonlySet<string> | undefined
}

export function indexGrants(grants: Grants, reference: PolicyReference): IndexedGrants {
  return {
    grants,
    reference,
    rules: indexRules(compileRules(grants.rules)),
    covered: grants.scopes?.kind === 'own' ? indexRules(compileRules(grants.scopes.covers)) : undefined,
    actions: new Set(grants.actions),
    types: new Set(grants.types),
    ceiling: grants.ceiling && new Set(grants.ceiling),
  }
}

/** A question in its canonical form. */
export interface CanonicalQuestion {
  readonly action: string
  readonly facts: RequestFacts
}

/** `undefined` when the resource has no canonical form; such a question is always denied. */
export function canonicalQuestion(
  action: string,
  input: ResourceInput,
  context: RequestContext,
): CanonicalQuestion | undefined {
  const { type, id } = typeof input === 'string' ? splitResource(input) : input
  const canonical = canonicalId(type, id)
  if (canonical === undefined) return undefined
  const attributes = typeof input === 'string' ? {} : (input.attributes ?? {})
  return { action, facts: { resource: { type, id: canonical, attributes }, context } }
}

function splitResource(text: string): { type: string; id: string } {
  const colon = text.indexOf(':')
  return colon < 0 ? { type: text, id: '' } : { type: text.slice(0, colon), id: text.slice(colon + 1) }
}

/** The hot path: whether the question would be allowed. */
export function can(indexed: IndexedGrants, question: CanonicalQuestion | undefined, now: number): boolean {
  if (question === undefined || refusedBeforeRules(indexed, question, now) !== undefined) return false
  const { resource } = question.facts
  let allowed = false
  for (const compiled of indexed.rules.candidates(question.action, resource.type, resource.id)) {
    if (allowed && compiled.rule.effect === 'allow') continue
    if (!compiled.matches(question.facts)) continue
    if (compiled.rule.effect === 'deny') return false
    allowed = true
  }
  return allowed && withinCeiling(indexed, question.action) && missingScopes(indexed, question) === undefined
}

/** As {@link can} for someone who does not know the attributes: `maybe` when they would settle it. */
export function likelihood(
  indexed: IndexedGrants,
  question: CanonicalQuestion | undefined,
  now: number,
): Likelihood {
  if (question === undefined || refusedBeforeRules(indexed, question, now) !== undefined) return 'deny'
  const { resource } = question.facts
  let best: Likelihood = 'deny'
  let doubted = false
  for (const compiled of indexed.rules.candidates(question.action, resource.type, resource.id)) {
    const truth = compiled.truth(question.facts)
    if (truth === false) continue
    if (compiled.rule.effect === 'deny') {
      if (truth === true) return 'deny'
      doubted = true
    } else if (truth === true) best = 'allow'
    else if (best === 'deny') best = 'maybe'
  }
  if (best === 'deny' || !withinCeiling(indexed, question.action)) return 'deny'
  if (missingScopes(indexed, question) !== undefined) {
    // A public resource might need less; only its owner's word makes that certain.
    const asPublic = withAttributes(question, { private: false, gated: false, ...resource.attributes })
    return missingScopes(indexed, asPublic) === undefined ? 'maybe' : 'deny'
  }
  return doubted ? 'maybe' : best
}

function withAttributes(
  question: CanonicalQuestion,
  attributes: RequestFacts['resource']['attributes'],
): CanonicalQuestion {
  return { ...question, facts: { ...question.facts, resource: { ...question.facts.resource, attributes } } }
}

/** The whole answer, with everything that decided it. */
export function decide(
  indexed: IndexedGrants,
  action: string,
  resource: string,
  question: CanonicalQuestion | undefined,
  now: number,
): Decision {
  const { grants } = indexed
  const outcome = judgeQuestion(indexed, action, question, now)
  return {
    allowed: outcome.reason === 'allowed',
    reason: outcome.reason,
    principal: grants.principal,
    environment: grants.environment,
    action,
    resource:
      question === undefined ? resource : `${question.facts.resource.type}:${question.facts.resource.id}`,
    statements: sortedUnique((outcome.deciding ?? []).map(({ rule }) => rule.statement)).map((id) =>
      grants.sources === undefined ? { id, effect: effectOf(outcome) } : grants.sources.statement(id),
    ),
    roles: grants.roles,
    bindings: grants.sources?.bindings ?? [],
    scopes: outcome.scopes ?? [],
    missingAttributes: sortedUnique(outcome.missing ?? []),
    policy: indexed.reference,
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

function judgeQuestion(
  indexed: IndexedGrants,
  action: string,
  question: CanonicalQuestion | undefined,
  now: number,
): Outcome {
  if (question === undefined) return { reason: 'invalid_resource' }
  const refusal = refusedBeforeRules(indexed, question, now)
  if (refusal !== undefined) return refusal

  const { resource } = question.facts
  const denies: CompiledRule[] = []
  const allows: CompiledRule[] = []
  const doubtful: CompiledRule[] = []
  const missingForDeny = new Set<string>()
  const missingForAllow = new Set<string>()
  for (const compiled of indexed.rules.candidates(action, resource.type, resource.id)) {
    const isDenial = compiled.rule.effect === 'deny'
    const truth = compiled.truth(question.facts, isDenial ? missingForDeny : missingForAllow)
    if (isDenial) {
      if (truth !== false) denies.push(compiled)
    } else if (truth === true) allows.push(compiled)
    else if (truth === undefined) doubtful.push(compiled)
  }
  if (denies.length > 0) return { reason: 'explicit_deny', deciding: denies, missing: missingForDeny }
  if (!withinCeiling(indexed, action)) return { reason: 'environment_ceiling' }
  if (allows.length === 0) {
    if (doubtful.length > 0)
      return { reason: 'condition_unknown', deciding: doubtful, missing: missingForAllow }
    return { reason: 'no_matching_rule' }
  }
  const lacking = missingScopes(indexed, question)
  if (lacking !== undefined) return { reason: 'insufficient_scope', deciding: allows, scopes: lacking }
  return { reason: 'allowed', deciding: allows, scopes: neededScopes(question) }
}

function effectOf(outcome: Outcome): 'allow' | 'deny' {
  return outcome.reason === 'explicit_deny' ? 'deny' : 'allow'
}

/** Steps 1 to 3: names that do not exist, nobody asking, a token too old or too weak. */
function refusedBeforeRules(
  indexed: IndexedGrants,
  question: CanonicalQuestion,
  now: number,
): Outcome | undefined {
  const { grants } = indexed
  if (!indexed.actions.has(question.action)) return { reason: 'unknown_action' }
  if (!indexed.types.has(question.facts.resource.type)) return { reason: 'unknown_resource_type' }
  if (!grants.authenticated) return { reason: 'authentication_required' }
  if (grants.freshUntil !== undefined && now >= grants.freshUntil) {
    const { maxTokenAgeSeconds } = grants
    const stepUp: StepUp = {
      missing: [],
      ...(maxTokenAgeSeconds === undefined ? {} : { maxAgeSeconds: maxTokenAgeSeconds }),
    }
    return { reason: 'token_too_old', stepUp }
  }
  if (grants.unmet !== undefined) return { reason: 'step_up_required', stepUp: stepUpFor(grants.unmet) }
  return undefined
}

/** The name by which OpenID providers know several factors (OpenID PAPE 1.0 §4, as an `acr` value). */
const multiFactor = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor'

function stepUpFor(unmet: readonly string[]): StepUp {
  return { missing: unmet, ...(unmet.includes('principal.mfa') ? { acrValues: [multiFactor] } : {}) }
}

function withinCeiling(indexed: IndexedGrants, action: string): boolean {
  return indexed.ceiling === undefined || indexed.ceiling.has(action)
}

/** The scopes that are lacking, or `undefined` when the token's scopes are no obstacle. */
function missingScopes(indexed: IndexedGrants, question: CanonicalQuestion): readonly string[] | undefined {
  const { scopes } = indexed.grants
  if (scopes === undefined) return undefined
  const { resource } = question.facts
  if (scopes.kind === 'huggingface') {
    const sufficient = sufficientScopes(question.action, resource.type, resource.attributes)
    if (sufficient === undefined) return undefined
    const addition = smallestScopes([sufficient], scopes.scopes)
    return addition?.length === 0 ? undefined : (addition ?? [])
  }
  for (const compiled of indexed.covered?.candidates(question.action, resource.type, resource.id) ?? []) {
    if (compiled.matches(question.facts)) return undefined
  }
  return indexed.grants.sources?.scopeCovering(question.action, question.facts) ?? []
}

function neededScopes({ action, facts }: CanonicalQuestion): readonly string[] {
  const sufficient = sufficientScopes(action, facts.resource.type, facts.resource.attributes)
  return sufficient === undefined ? [] : (smallestScopes([sufficient]) ?? [])
}
