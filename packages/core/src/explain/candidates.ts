/**
 * Candidates: the single changes that could matter to a question, from which remedies are put together.
 *
 * Nothing is guessed: roles are those with an allow on this action and type, attribute values those at which
 * a test in a statement on this resource turns, scopes those that the action asks for.
 *
 * @module
 */
import type { CompiledPolicy } from '../compile/compile.ts'
import { sufficientScopes } from '../hub/scopes.ts'
import { matchGlob, parseGlob } from '../internal/glob.ts'
import { getOrAdd } from '../internal/maps.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import { type Condition, factName, type TestCondition } from '../policy/condition.ts'
import type { Statement } from '../policy/policy.ts'
import type { Json } from '../types.ts'
import { readFact } from './atoms.ts'
import { type AttributeChange, type Change, type Situation, steppableFacts } from './counterfactual.ts'
import { type Point, turningPoints, valuesIn } from './turning-points.ts'

export interface Candidates {
  readonly changes: readonly Change[]
  /** False when there were more than are looked at. */
  readonly complete: boolean
}

/** Most changes of one kind that are looked at. */
const maxOfKind = 12
const maxAttributes = 24

export function candidateChanges(situation: Situation): Candidates {
  const { compiled, principal, now } = situation
  const { policy } = compiled
  const environments = [...policy.environments.keys()].flatMap((name) => situation.compiledIn(name) ?? [])
  /** Statements about this question that holders of these roles meet, here or in another environment. */
  const about = (names: readonly string[]) =>
    new Set(environments.flatMap((there) => there.statementsOf(names).filter(isAbout(situation, there))))
  const held = compiled.closureOf(
    compiled.bindingsOf(principal, now).bindings.flatMap((binding) => binding.roles),
  )
  const lacking = cut(roles(situation, held, about([...policy.roles.keys()])), maxOfKind)
  const own = about(held)
  const others = about(
    lacking.changes.flatMap((change) => (change.kind === 'role' ? (change.role ?? []) : [])),
  )
  const conditions = conditionsOf([...own, ...others])
  const facts = attributes(situation, conditions, new Set(conditionsOf([...own])))
  const kinds = [
    cut(signIns(situation), maxOfKind),
    lacking,
    cut(scopes(situation), maxOfKind),
    cut(otherEnvironments(situation), maxOfKind),
    cut(freshness(situation), maxOfKind),
    cut(stepUps(conditions, environments), maxOfKind),
    { changes: facts.slice(0, maxAttributes), complete: facts.length <= maxAttributes },
  ]
  return {
    changes: kinds.flatMap(({ changes }) => changes),
    complete: kinds.every(({ complete }) => complete),
  }
}

function cut(changes: readonly Change[], most: number): Candidates {
  return { changes: [...changes].sort(byText).slice(0, most), complete: changes.length <= most }
}

function conditionsOf(statements: readonly Statement[]): Condition[] {
  return statements.flatMap(({ condition }) => condition ?? [])
}

function otherEnvironments({ compiled }: Situation): Change[] {
  return [...compiled.policy.environments.keys()]
    .filter((environment) => environment !== compiled.environment.name)
    .map((environment) => ({ kind: 'environment', environment }))
}

/** Changes in one order, so that the same policy gives the same remedies. */
export function byText(a: Change, b: Change): number {
  return compareCodeUnits(JSON.stringify(a), JSON.stringify(b))
}

/** Whether a statement is about this action and resource, for anybody at all. */
function isAbout({ action, request }: Situation, compiled: CompiledPolicy) {
  return (statement: Statement): boolean =>
    (statement.actions.includes('*') || statement.actions.includes(action)) &&
    compiled
      .globsFor(statement)
      .some(
        ({ types, id }) =>
          (types.includes('**') || types.includes(request.type)) &&
          (id === undefined || matchGlob(parseGlob(id), request.id)),
      )
}

function signIns({ compiled, principal }: Situation): Change[] {
  if (principal.kind !== 'anonymous') return []
  return [...compiled.policy.issuers.keys()].map((issuer) => ({ kind: 'sign_in', issuer }))
}

function roles({ compiled }: Situation, held: readonly string[], about: ReadonlySet<Statement>): Change[] {
  return [...compiled.policy.roles.values()]
    .filter(({ name }) => !held.includes(name))
    .filter(({ closure }) =>
      closure.some((name) =>
        compiled.policy.roles.get(name)?.statements.some((s) => s.effect === 'allow' && about.has(s)),
      ),
    )
    .map(({ name }) => ({ kind: 'role', role: name }))
}

/** Each set of scopes that suffices, for the resource as it was told and as it may turn out to be. */
function scopes({ compiled, principal, action, request }: Situation): Change[] {
  const held = new Set(principal.scopes ?? [])
  const variants = [request.attributes, {}, { private: false }, { private: false, gated: false }]
  const sets =
    principal.huggingface && principal.credential === 'access_token'
      ? variants.flatMap((attributes) => sufficientScopes(action, request.type, attributes) ?? [])
      : [...compiled.policy.scopes.keys()].map((name) => [name])
  const lacking = sets.map((set) => sortedUnique(set.filter((scope) => !held.has(scope))))
  const changes = lacking
    .filter((set) => set.length > 0)
    .map((set) => ({ kind: 'scope', scopes: set }) as const)
  return [...new Map(changes.map((change) => [JSON.stringify(change), change])).values()]
}

function freshness({ compiled, principal }: Situation): Change[] {
  const { maxTokenAgeSeconds } = compiled.environment
  if (principal.kind === 'anonymous') return []
  return [
    {
      kind: 'fresher_token',
      ...(maxTokenAgeSeconds === undefined ? {} : { maxAgeSeconds: maxTokenAgeSeconds }),
    },
  ]
}

/** What `require` or a statement asks of a sign-in. */
function stepUps(conditions: readonly Condition[], everywhere: readonly CompiledPolicy[]): Change[] {
  const asked = [...conditions, ...everywhere.flatMap(({ environment }) => environment.require ?? [])]
  return sortedUnique(asked.flatMap(testsOf).map(({ path }) => factName(path)))
    .filter((fact) => steppableFacts.includes(fact))
    .map((fact) => ({ kind: 'step_up', missing: [fact] }))
}

/** What an id says cannot change, and nobody can change the time. */
const fixedFacts = ['resource.id', 'resource.type', 'resource.owner', 'resource.name', 'context.time']

/** What the statements that the principal meets already ask comes first. */
function attributes(
  situation: Situation,
  conditions: readonly Condition[],
  own: ReadonlySet<Condition>,
): Change[] {
  const { request, principal, action } = situation
  let changes: AttributeChange[] = []
  const add = (fact: string, now: Json | undefined, points: readonly Point[]) => {
    if (fixedFacts.includes(fact)) return
    for (const point of points) {
      if (JSON.stringify(point.is) !== JSON.stringify(now))
        changes.push({ kind: 'attribute', fact, told: now !== undefined, ...point })
    }
  }
  const addFrom = (test: TestCondition) => {
    const { path, operand } = test
    const reference = 'ref' in operand ? operand.ref : undefined
    const literal = 'literal' in operand ? operand.literal : readFact(operand.ref, { request, principal })
    const now = readFact(path, { request, principal })
    if (path.root === 'resource' || path.root === 'context')
      add(factName(path), now, turningPoints(test.operator, literal))
    if (reference !== undefined && (reference.root === 'resource' || reference.root === 'context'))
      add(
        factName(reference),
        readFact(reference, { request, principal }),
        valuesIn(now).map((is) => ({ is })),
      )
  }
  // Whether something is public decides which scopes it takes.
  if (
    principal.huggingface &&
    principal.credential === 'access_token' &&
    sufficientScopes(action, request.type)
  ) {
    for (const name of ['private', 'gated'])
      if (request.attributes[name] === undefined) add(`resource.${name}`, undefined, [{ is: false }])
  }
  for (const test of [...own].flatMap(testsOf)) addFrom(test)
  const first = changes.sort(byText)
  changes = []
  for (const test of conditions.filter((condition) => !own.has(condition)).flatMap(testsOf)) addFrom(test)
  const distinct = new Map<string, AttributeChange>()
  for (const change of [...first, ...changes.sort(byText)])
    getOrAdd(distinct, JSON.stringify([change.fact, change.is]), () => change)
  return [...distinct.values()]
}

function testsOf(condition: Condition): readonly TestCondition[] {
  switch (condition.kind) {
    case 'test':
      return [condition]
    case 'not':
      return testsOf(condition.of)
    case 'all':
    case 'any':
      return condition.of.flatMap(testsOf)
    default:
      return []
  }
}
