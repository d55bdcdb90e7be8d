/**
 * The slow, obvious evaluator of the whole decision: section 5 of the specification, step by step, over every
 * statement and every binding of the policy. No index, no partial evaluation, no CASL, nothing remembered.
 *
 * Takes over from the engine only what is data (the table of scopes) and the canonical form of an id.
 */
import { canonicalId } from '../src/hub/ids.ts'
import { impliedScopes, sufficientScopes } from '../src/hub/scopes.ts'
import type {
  BindingReference,
  Decision,
  DecisionReason,
  Json,
  Likelihood,
  Policy,
  PrincipalShape,
  Question,
  StatementReference,
  StepUp,
} from '../src/index.ts'
import type { Condition, FactPath } from '../src/policy/condition.ts'
import type { Pattern } from '../src/policy/pattern.ts'
import type { Binding, Statement } from '../src/policy/policy.ts'
import { judge, type Truth } from './reference-judge.ts'

const hubTypes = ['model', 'dataset', 'space', 'endpoint', 'collection', 'bucket', 'kernel', 'job', 'org']

interface Asked {
  readonly type: string
  readonly id: string
  readonly attributes: { readonly [name: string]: Json | undefined }
  readonly context: { readonly [name: string]: Json | undefined }
}

/** What the engine must answer, to the byte of the canonical JSON. */
export function referenceDecision(
  policy: Policy,
  principal: PrincipalShape,
  environmentName: string,
  question: Question,
  now: number,
): Decision {
  const input = question.resource
  const named = typeof input === 'string' ? input : `${input.type}:${input.id}`
  const base = {
    allowed: false,
    principal: principal.id,
    environment: question.environment ?? environmentName,
    action: question.action,
    resource: named,
    statements: [] as StatementReference[],
    roles: [] as string[],
    bindings: [] as BindingReference[],
    scopes: [] as string[],
    missingAttributes: [] as string[],
    policy: policy.reference,
  }
  const environment = policy.environments.get(base.environment)
  if (environment === undefined) return { ...base, reason: 'unknown_environment' }

  const bindings = policy.bindings.filter((binding) => isBound(binding, principal, now))
  const roles = sorted(
    bindings.flatMap((binding) => binding.roles.flatMap((role) => policy.roles.get(role)?.closure ?? [])),
  )
  const who = {
    ...base,
    roles,
    bindings: bindings
      .map(({ id, roles: bound, location }) => ({
        id,
        roles: bound,
        ...(location === undefined ? {} : { location }),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  }

  const colon = named.indexOf(':')
  const type = typeof input === 'string' ? named.slice(0, colon) : input.type
  const id =
    typeof input === 'string' && colon < 0
      ? undefined
      : canonicalId(type, typeof input === 'string' ? named.slice(colon + 1) : input.id)
  if (id === undefined) return { ...who, reason: 'invalid_resource' }
  const asked: Asked = {
    type,
    id,
    attributes: typeof input === 'string' ? {} : (input.attributes ?? {}),
    context: { ...question.context, time: question.context?.time ?? now },
  }
  const known = { ...who, resource: `${type}:${id}` }
  const refuse = (reason: DecisionReason, stepUp?: StepUp): Decision => ({
    ...known,
    reason,
    ...(stepUp === undefined ? {} : { stepUp }),
  })

  // 1 to 3
  if (!policy.actions.has(question.action)) return refuse('unknown_action')
  if (!policy.types.has(type)) return refuse('unknown_resource_type')
  if (principal.kind === 'anonymous' && bindings.length === 0) return refuse('authentication_required')
  const maxAge = environment.maxTokenAgeSeconds
  const expired = principal.expiresAt !== undefined && now >= principal.expiresAt * 1000
  const aged =
    maxAge !== undefined &&
    principal.kind !== 'anonymous' &&
    (principal.issuedAt === undefined || now >= (principal.issuedAt + maxAge) * 1000)
  if (expired || aged)
    return refuse('token_too_old', {
      missing: [],
      ...(maxAge === undefined ? {} : { maxAgeSeconds: maxAge }),
    })
  const unmet = environment.exempt.has(principal.issuer) ? [] : unmetBy(environment.require, principal)
  if (unmet.length > 0) {
    const acrValues = ['http://schemas.openid.net/pape/policies/2007/06/multi-factor']
    return refuse('step_up_required', {
      missing: unmet,
      ...(unmet.includes('principal.mfa') ? { acrValues } : {}),
    })
  }

  // 4 to 6
  const about = statementsAbout(policy, roles, environment.name, question.action, principal, asked)
  const denies = about.filter(({ statement, truth }) => statement.effect === 'deny' && truth !== false)
  const deciding = (found: typeof about) => ({
    statements: sorted(found.map(({ statement }) => statement.id)).map((statementId) =>
      toReference(found.find(({ statement }) => statement.id === statementId)?.statement),
    ),
    missingAttributes: sorted(found.flatMap(({ missing }) => missing)),
  })
  if (denies.length > 0) return { ...known, reason: 'explicit_deny', ...deciding(denies) }
  if (environment.actions !== undefined && !environment.actions.has(question.action))
    return refuse('environment_ceiling')
  const allows = about.filter(({ statement, truth }) => statement.effect === 'allow' && truth === true)
  if (allows.length === 0) {
    const doubtful = about.filter(
      ({ statement, truth }) => statement.effect === 'allow' && truth === undefined,
    )
    return doubtful.length > 0
      ? { ...known, reason: 'condition_unknown', ...deciding(doubtful) }
      : refuse('no_matching_rule')
  }

  // 7 and 8
  const granted = { ...known, ...deciding(allows), missingAttributes: [] }
  const sufficient = sufficientScopes(question.action, type, asked.attributes)
  const lacking = lackingScopes(policy, principal, question.action, asked, sufficient)
  if (lacking !== undefined) return { ...granted, reason: 'insufficient_scope', scopes: lacking }
  const scopes = sufficient === undefined ? [] : (smallestOf(sufficient, []) ?? [])
  return { ...granted, allowed: true, reason: 'allowed', scopes }
}

/** The answer that a page gives before it knows the attributes. */
export function referenceLikelihood(
  policy: Policy,
  principal: PrincipalShape,
  environmentName: string,
  question: Question,
  now: number,
): Likelihood {
  const decision = referenceDecision(policy, principal, environmentName, question, now)
  const afterRules: readonly DecisionReason[] = [
    'explicit_deny',
    'no_matching_rule',
    'condition_unknown',
    'insufficient_scope',
    'allowed',
  ]
  const ceiling = policy.environments.get(decision.environment)?.actions
  if (!afterRules.includes(decision.reason) || ceiling?.has(question.action) === false) return 'deny'
  const input = question.resource
  const asked: Asked = {
    type: decision.resource.slice(0, decision.resource.indexOf(':')),
    id: decision.resource.slice(decision.resource.indexOf(':') + 1),
    attributes: typeof input === 'string' ? {} : (input.attributes ?? {}),
    context: { ...question.context, time: question.context?.time ?? now },
  }
  const about = statementsAbout(
    policy,
    decision.roles,
    decision.environment,
    question.action,
    principal,
    asked,
  )
  const truths = (effect: string) =>
    about.filter(({ statement }) => statement.effect === effect).map(({ truth }) => truth)
  if (truths('deny').includes(true)) return 'deny'
  const best = truths('allow').includes(true)
    ? 'allow'
    : truths('allow').includes(undefined)
      ? 'maybe'
      : 'deny'
  if (best === 'deny') return 'deny'
  const lacks = (attributes: Asked['attributes']) => {
    const sufficient = sufficientScopes(question.action, asked.type, attributes)
    return lackingScopes(policy, principal, question.action, asked, sufficient) !== undefined
  }
  if (lacks(asked.attributes))
    return lacks({ private: false, gated: false, ...asked.attributes }) ? 'deny' : 'maybe'
  return truths('deny').includes(undefined) ? 'maybe' : best
}

function statementsAbout(
  policy: Policy,
  roles: readonly string[],
  environment: string,
  action: string,
  principal: PrincipalShape,
  asked: Asked,
) {
  return [...policy.deny, ...roles.flatMap((role) => policy.roles.get(role)?.statements ?? [])]
    .filter(({ environments }) => environments === undefined || environments.has(environment))
    .filter(({ actions }) => actions.includes('*') || actions.includes(action))
    .filter(({ patterns }) =>
      patterns.some((pattern) => patternMatches(pattern, principal, asked.type, asked.id)),
    )
    .map((statement) => ({ statement, ...verdictOn(statement, principal, asked) }))
}

/** ASCII alone has cases. */
function withoutCase(name: string): string {
  return [...name].map((char) => (char < '\u0080' ? char.toLowerCase() : char)).join('')
}

function isBound({ to, claims, from, until }: Binding, principal: PrincipalShape, now: number): boolean {
  const all = (wanted: string | readonly string[] | undefined, has: (value: string) => boolean) =>
    wanted === undefined || [wanted].flat().some(has)
  const ignoringCase = (a: string, b: string | undefined) =>
    b !== undefined && withoutCase(a) === withoutCase(b)
  const wantsAnonymous = to.anonymous === true || to.kind === 'anonymous'
  const member =
    (to.org === undefined && to.orgRole === undefined && to.resourceGroup === undefined) ||
    (principal.orgs ?? []).some(
      (org) =>
        (org.restrictions ?? []).length === 0 &&
        all(to.org, (value) => value === org.id || ignoringCase(value, org.handle)) &&
        all(to.orgRole, (value) => value === org.role) &&
        all(to.resourceGroup, (value) =>
          (org.resourceGroups ?? []).some((group) => value === group.id || value === group.name),
        ),
    )
  return (
    wantsAnonymous === (principal.kind === 'anonymous') &&
    all(to.issuer, (value) => value === principal.issuer) &&
    all(to.kind, (value) => value === principal.kind) &&
    all(to.username, (value) => ignoringCase(value, principal.username)) &&
    all(to.email, (value) => principal.emailVerified === true && ignoringCase(value, principal.email)) &&
    all(to.group, (value) => (principal.groups ?? []).includes(value)) &&
    member &&
    (claims === undefined || judge(claims, (path) => lookUp(principal.claims, path.name)) === true) &&
    (from === undefined || from <= now) &&
    (until === undefined || now < until)
  )
}

function unmetBy(require: Condition | undefined, principal: PrincipalShape): string[] {
  if (require === undefined) return []
  const holds = (condition: Condition) =>
    judge(condition, (path) => (path.root === 'principal' ? principalFact(principal, path.name) : undefined))
  if (holds(require) === true) return []
  const parts = require.kind === 'all' ? require.of : [require]
  return sorted(parts.filter((part) => holds(part) !== true).flatMap(factsIn))
}

function factsIn(condition: Condition): readonly string[] {
  switch (condition.kind) {
    case 'test':
    case 'element':
      return [nameOf(condition.path)]
    case 'not':
      return factsIn(condition.of)
    case 'unknown':
      return condition.facts
    default:
      return condition.of.flatMap(factsIn)
  }
}

function lackingScopes(
  policy: Policy,
  principal: PrincipalShape,
  action: string,
  asked: Asked,
  sufficient: readonly (readonly string[])[] | undefined,
): string[] | undefined {
  const carried = principal.scopes ?? []
  if (principal.huggingface && principal.credential === 'access_token') {
    if (sufficient === undefined) return undefined
    const held = impliedScopes(carried)
    if (sufficient.some((set) => set.every((scope) => held.includes(scope)))) return undefined
    return smallestOf(sufficient, held) ?? []
  }
  const named = carried.filter((scope) => policy.scopes.has(scope))
  if (named.length === 0) return undefined
  const covers = (name: string) => {
    const scope = policy.scopes.get(name)
    return (
      scope !== undefined &&
      (scope.actions.includes('*') || scope.actions.includes(action)) &&
      scope.patterns.some((pattern) => patternMatches(pattern, principal, asked.type, asked.id))
    )
  }
  return named.some(covers) ? undefined : sorted(policy.scopes.keys()).filter(covers).slice(0, 1)
}

/** Fewest rights, then fewest names, then first by name. */
function smallestOf(
  alternatives: readonly (readonly string[])[],
  held: readonly string[],
): string[] | undefined {
  const [best] = alternatives
    .map((set) => sorted(set.filter((scope) => !held.includes(scope))))
    .map((set) =>
      set.filter((scope) => !set.some((other) => other !== scope && impliedScopes([other]).includes(scope))),
    )
    .map((set) => ({ set, rights: impliedScopes(set).length, text: set.join(' ') }))
    .sort((a, b) => a.rights - b.rights || a.set.length - b.set.length || (a.text < b.text ? -1 : 1))
  return best?.set
}

function verdictOn(
  { condition }: Statement,
  principal: PrincipalShape,
  asked: Asked,
): { truth: Truth; missing: readonly string[] } {
  if (condition === undefined) return { truth: true, missing: [] }
  const facts = (path: FactPath) =>
    path.root === 'principal' ? principalFact(principal, path.name) : requestFact(asked, path)
  const truth = judge(condition, facts)
  return { truth, missing: truth === undefined ? missingIn(condition, facts) : [] }
}

/**
 * What left a condition unknown: the facts that were not told, of those parts that did not decide. Where the
 * principal does not tell, no request can help, and only that is named; a value of the principal that cannot be
 * compared is named as well.
 */
function missingIn(condition: Condition, facts: (path: FactPath) => Json | undefined): readonly string[] {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return condition.of
        .filter((part) => judge(part, facts) === undefined)
        .flatMap((part) => missingIn(part, facts))
    case 'not':
      return missingIn(condition.of, facts)
    case 'unknown':
      return condition.facts
    case 'element':
      return facts(condition.path) === undefined ? [nameOf(condition.path)] : []
    case 'test': {
      const paths = [condition.path, ...('ref' in condition.operand ? [condition.operand.ref] : [])]
      const untold = paths.filter((path) => facts(path) === undefined)
      const ofPrincipal = untold.filter(({ root }) => root === 'principal')
      if (ofPrincipal.length > 0) return ofPrincipal.map(nameOf)
      if (untold.length > 0) return untold.map(nameOf)
      return paths.every(({ root }) => root === 'principal') ? [nameOf(condition.path)] : []
    }
  }
}

function patternMatches(
  { type: wanted, pieces }: Pattern,
  principal: PrincipalShape,
  type: string,
  id: string,
): boolean {
  if (wanted !== '**' && wanted !== type) return false
  const literal = (text: string) => text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
  let expression = ''
  for (const piece of pieces) {
    if ('text' in piece) {
      expression += literal(piece.text).replaceAll(/\*+/g, (stars) => (stars === '*' ? '[^/]*' : '[^]*'))
    } else {
      const value = principalFact(principal, piece.placeholder.slice('principal.'.length))
      if (typeof value !== 'string' || /[%\u212a]/.test(value)) return false
      if (canonicalId('literal', value) === undefined) return false
      expression += literal(canonicalId('literal', value) ?? '')
    }
  }
  return new RegExp(`^${expression}$`, hubTypes.includes(type) ? 'i' : '').test(id)
}

function requestFact({ type, id, attributes, context }: Asked, { root, name }: FactPath): Json | undefined {
  if (root === 'context') return lookUp(context, name)
  if (root !== 'resource') return undefined
  const slash = id.indexOf('/')
  const ownFacts: Record<string, string> = {
    id,
    type,
    owner: slash < 0 ? '' : id.slice(0, slash),
    name: slash < 0 ? id : id.slice(slash + 1),
  }
  return Object.hasOwn(ownFacts, name) ? ownFacts[name] : lookUp(attributes, name)
}

function principalFact(principal: PrincipalShape, name: string): Json | undefined {
  if (name.startsWith('claims.')) return lookUp(principal.claims, name.slice('claims.'.length))
  if (name === 'email') return principal.emailVerified === true ? principal.email : undefined
  if (name === 'authTime' || name === 'issuedAt' || name === 'expiresAt') {
    const seconds = principal[name]
    return seconds === undefined ? undefined : seconds * 1000
  }
  const facts: Record<string, Json | undefined> = {
    kind: principal.kind,
    issuer: principal.issuer,
    id: principal.id,
    username: principal.username,
    name: principal.name,
    emailVerified: principal.emailVerified,
    mfa: principal.mfa,
    orgs: principal.orgs as Json | undefined,
    groups: principal.groups,
    scopes: principal.scopes,
  }
  return Object.hasOwn(facts, name) ? facts[name] : undefined
}

/** An own member by its whole name, or else step by step; `null` says nothing. */
function lookUp(node: { readonly [name: string]: Json | undefined }, name: string): Json | undefined {
  if (Object.hasOwn(node, name) && node[name] !== undefined) return node[name] ?? undefined
  const dot = name.indexOf('.')
  const head = name.slice(0, dot)
  if (dot < 0 || !Object.hasOwn(node, head)) return undefined
  const next = node[head]
  return typeof next === 'object' && next !== null && !Array.isArray(next)
    ? lookUp(next as { readonly [name: string]: Json }, name.slice(dot + 1))
    : undefined
}

function toReference(statement: Statement | undefined): StatementReference {
  if (statement === undefined) throw new Error('a statement decided that is not there')
  const { id, effect, reason, location } = statement
  return {
    id,
    effect,
    ...(reason === undefined ? {} : { reason }),
    ...(location === undefined ? {} : { location }),
  }
}

function nameOf({ root, name }: FactPath): string {
  return root === 'element' || root === 'claims' ? name : `${root}.${name}`
}

function sorted(names: Iterable<string>): string[] {
  return [...new Set(names)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}
