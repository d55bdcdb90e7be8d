/**
 * Agreement: the engine answers as the obvious evaluator does, and every way of asking says the same. One
 * function for the law in the suite and for the long run of `pnpm fuzz`.
 */
import { compilePolicy } from '../src/compile/compile.ts'
import { can } from '../src/decide/decide.ts'
import { createStandings, type StandingSource } from '../src/decide/grants.ts'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
import {
  type Access,
  canonicalJson,
  createEngine,
  type Decision,
  type Engine,
  type Json,
  loadSnapshot,
  type Policy,
  type Principal,
  type Question,
  type Resource,
} from '../src/index.ts'
import { Dice, rollPrincipal, rollQuestion } from './generators.ts'
import { referenceDecision, referenceLikelihood } from './reference-decision.ts'
import { now } from './support.ts'

export type Seen = Map<string, number>

/** Asks `count` questions for each of `principals` principals; throws with the first that disagrees. */
export function askAround(
  policy: Policy,
  seed: number,
  { principals, questions }: { principals: number; questions: number },
  seen: Seen = new Map(),
): Seen {
  const dice = new Dice(seed)
  const engine = createEngine(policy, { environment: 'production', now: () => now })
  const environment = policy.environments.get('production')
  if (environment === undefined) throw new Error('no environment `production`')
  const standings = createStandings(compilePolicy(policy, environment))
  for (let i = 0; i < principals; i++) {
    const principal = rollPrincipal(dice)
    const access = engine.for(principal)
    const loaded = loadSnapshot(access.snapshot(), { now: () => now })
    // Some ask about one action and type again and again: the engine remembers more of such.
    const first = dice.chance(0.3) ? rollQuestion(dice) : undefined
    for (let j = 0; j < questions; j++) {
      const rolled = rollQuestion(dice)
      const question = first === undefined ? rolled : about(first, rolled)
      const reason = agree({ policy, engine, standings, principal, access, loaded }, question)
      seen.set(reason, (seen.get(reason) ?? 0) + 1)
    }
  }
  return seen
}

/** The second question, on the action and the type of the first. */
function about(first: Question, second: Question): Question {
  const { resource } = second
  const type = typeOf(first.resource)
  return {
    ...second,
    action: first.action,
    resource:
      typeof resource === 'string'
        ? `${type}${resource.slice(resource.indexOf(':'))}`
        : { ...resource, type },
  }
}

function typeOf(resource: Question['resource']): string {
  return typeof resource === 'string' ? resource.slice(0, resource.indexOf(':')) : resource.type
}

export interface Asking {
  readonly policy: Policy
  readonly engine: Engine
  /** The same engine's way to meet somebody for the first time: a first question takes a way of its own. */
  readonly standings: StandingSource
  readonly principal: Principal
  readonly access: Access
  /** The same access, from its snapshot. */
  readonly loaded: Access
}

/** @throws Error that shows the first disagreement. */
export function agree(
  { policy, engine, standings, principal, access, loaded }: Asking,
  question: Question,
): string {
  const { action, resource, context } = question
  const decision = access.decide(question)
  const fail = (what: string, found: unknown, wanted: unknown): never => {
    throw new Error(
      `${what}: ${show(found)} instead of ${show(wanted)}\nprincipal ${show(principal)}\nquestion ${show(question)}\npolicy ${show(policy.document)}`,
    )
  }
  const wanted = referenceDecision(policy, principal, 'production', question, now)
  if (bytes(decision) !== bytes(wanted)) fail('decide', decision, wanted)
  // The canonical form leaves these out, an audit record might not.
  for (const part of [decision, decision.stepUp ?? {}])
    if (Object.values(part).includes(undefined)) fail('a member without a value', Object.keys(part), 'none')
  // The other ways of asking know their own environment only.
  if (question.environment !== undefined && question.environment !== 'production') return decision.reason
  const { allowed } = decision
  if (access.can(action, resource, context) !== allowed) fail('can', !allowed, allowed)
  const first = can(standings(principal, now), action, readFacts(emptyFacts(), resource, context, now))
  if (first !== allowed) fail('can of somebody met just now', first, allowed)
  if (typeof resource !== 'string') {
    const kept = access.filter(action, [resource as Resource], context)
    if ((kept.length === 1) !== allowed) fail('filter', kept, allowed)
    const found = access.searchResources(action, [resource as Resource], context)
    if ((found.length === 1) !== allowed) fail('searchResources', found, allowed)
  }
  const actions = access.searchActions(resource, context)
  if (actions.includes(action) !== allowed) fail('searchActions', actions, allowed)
  const principals = engine.searchPrincipals(question, [principal])
  if (principals.includes(principal) !== allowed) fail('searchPrincipals', principals, allowed)

  const likelihood = access.likelihood(action, resource, context)
  const wantedLikelihood = referenceLikelihood(policy, principal, 'production', question, now)
  if (likelihood !== wantedLikelihood) fail('likelihood', likelihood, wantedLikelihood)

  const snapshot = loaded.decide(question)
  const effect = decision.reason === 'explicit_deny' ? 'deny' : 'allow'
  const isAnonymised = snapshot.statements.every(
    (statement) => statement.effect === effect && Object.keys(statement).length === 2,
  )
  if (!isAnonymised || snapshot.bindings.length > 0)
    fail('what a snapshot tells of its source', snapshot, effect)
  if (snapshot.statements.length > 0 !== decision.statements.length > 0)
    fail('statements of a snapshot', snapshot.statements, decision.statements)
  if (bytes(told(snapshot)) !== bytes(told(decision))) fail('snapshot', told(snapshot), told(decision))
  if (loaded.can(action, resource, context) !== allowed) fail('can of a snapshot', !allowed, allowed)
  if (loaded.likelihood(action, resource, context) !== likelihood)
    fail('likelihood of a snapshot', loaded.likelihood(action, resource, context), likelihood)
  return decision.reason
}

/** What a snapshot can tell: all but what names parts of the policy, and the scopes that others issue. */
function told(decision: Decision): object {
  const { statements: _, bindings, policy, scopes, ...rest } = decision
  return decision.reason === 'insufficient_scope' ? rest : { ...rest, scopes }
}

function bytes(value: object): string {
  return canonicalJson(value as Json)
}

function show(value: unknown): string {
  return JSON.stringify(value)
}
