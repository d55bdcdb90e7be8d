/**
 * Cedar as an oracle: policies of the part of the language that both have, written once as ours and once as
 * Cedar's, and asked the same questions. The translation starts from the document, so nothing of our reader,
 * compiler or evaluator stands on both sides.
 *
 * Every attribute is told: where one is missing the two differ on purpose (Cedar skips a policy that cannot be
 * evaluated, so a denial that is unknown does not deny).
 */
import { createRequire } from 'node:module'
import {
  createEngine,
  type Json,
  type PolicyDocument,
  type PrincipalShape,
  type Question,
} from '../src/index.ts'
import { Dice } from './generators.ts'
import { now, policyOf, principalOf } from './support.ts'

type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs')
const cedar = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs') as Cedar

type StatementDocument = NonNullable<PolicyDocument['deny']>[number]
type ConditionDocument = NonNullable<StatementDocument['when']>

export interface Comparison {
  questions: number
  allowed: number
  denied: number
}

/** Asks both engines `questions` questions about one generated policy; throws with the first that differ. */
export function compareWithCedar(seed: number, questions: number, total: Comparison): void {
  const dice = new Dice(seed)
  const document = rollPolicy(dice)
  const policy = policyOf(document)
  const source = toCedar(document)
  const parsed = cedar.preparsePolicySet('oracle', { staticPolicies: source })
  if (parsed.type !== 'success')
    throw new Error(`Cedar cannot read\n${source}\n${JSON.stringify(parsed.errors)}`)
  const engine = createEngine(policy, { environment: 'production', now: () => now })
  for (let i = 0; i < questions; i++) {
    const principal = rollPrincipal(dice)
    const question = rollQuestion(dice)
    const decision = engine.for(principal).decide(question)
    const answer = cedar.statefulIsAuthorized({
      ...toRequest(document, principal, question),
      preparsedPolicySetId: 'oracle',
    })
    if (answer.type !== 'success' || answer.response.diagnostics.errors.length > 0)
      throw new Error(`Cedar cannot answer\n${source}\n${JSON.stringify(answer)}`)
    const allowed = answer.response.decision === 'allow'
    if (allowed !== decision.allowed)
      throw new Error(
        `Cedar says ${answer.response.decision}, we say ${decision.reason} (seed ${seed})\n${JSON.stringify(question)}\n${JSON.stringify(principal)}\n${JSON.stringify(document)}\n${source}`,
      )
    total.questions += 1
    total[allowed ? 'allowed' : 'denied'] += 1
  }
}

const patterns = [
  '**',
  '**:acme/**',
  'model:**',
  'model:acme/*',
  'model:ACME/**',
  'model:acme/vision-*',
  'model:acme/vision-**',
  'model:Acme/Vision-Large',
  'model:*/vision-large',
  'dataset:acme/*',
  'dataset:ana/notes',
  'model:${principal.username}/*',
  '**:${principal.username}/**',
] as const
const actions = ['read', 'infer', 'write', 'delete'] as const

function rollPolicy(dice: Dice): Partial<PolicyDocument> {
  const production: PolicyDocument['environments'][string] = dice.chance(0.4)
    ? { actions: actions.filter(() => dice.chance(0.6)).concat('read') }
    : {}
  return {
    environments: { production: { ...production }, development: {} },
    roles: {
      a: { allow: rollStatements(dice, 4), deny: rollStatements(dice, 1) },
      b: { extends: dice.of([[], ['a']]), allow: rollStatements(dice, 3) },
    },
    bindings: [
      { roles: ['b'], to: { issuer: 'oidc' } },
      { roles: ['a'], to: { issuer: 'oidc', group: 'ml' } },
    ],
    deny: rollStatements(dice, 2),
  }
}

function rollStatements(dice: Dice, most: number): StatementDocument[] {
  const made = Array.from(
    { length: dice.below(most + 1) },
    (): StatementDocument => ({
      actions: dice.chance(0.2) ? ['*'] : [...new Set([dice.of(actions), dice.of(actions)])],
      on: [...new Set([dice.of(patterns), dice.of(patterns)])],
      ...(dice.chance(0.6) ? { when: rollCondition(dice, 2) } : {}),
      ...(dice.chance(0.25) ? { unless: rollCondition(dice, 1) } : {}),
    }),
  )
  return [...new Map(made.map((statement) => [normal(statement), statement])).values()]
}

function normal({ actions: named, on, ...rest }: StatementDocument): string {
  return JSON.stringify([[...named].sort(), [...on].sort(), rest.when, rest.unless])
}

function rollCondition(dice: Dice, depth: number): ConditionDocument {
  if (depth > 0 && dice.chance(0.4)) {
    const parts = Array.from({ length: 1 + dice.below(3) }, () => rollCondition(dice, depth - 1))
    const [first] = parts
    return dice.of<ConditionDocument>([{ $and: parts }, { $or: parts }, { $not: first ?? {} }])
  }
  const two = dice.chance(0.2) ? rollTest(dice) : {}
  return { ...rollTest(dice), ...two }
}

const texts = ['mit', 'x', 'ml', 'v1', 'main', 'ana']

function rollTest(dice: Dice): ConditionDocument {
  const flag = dice.of(['resource.private', 'resource.gated', 'principal.mfa'])
  const text = dice.of([
    'resource.license',
    'resource.revision',
    'principal.username',
    'context.branch',
    'resource.owner',
    'resource.name',
    'resource.type',
    'resource.id',
  ])
  const set = dice.of(['resource.tags', 'principal.groups'])
  const number = dice.of(['context.level', 'principal.claims.level'])
  const some = texts.filter(() => dice.chance(0.4))
  return dice.of<() => ConditionDocument>([
    () => ({ [flag]: dice.chance(0.5) }),
    () => ({ [flag]: { $ne: dice.chance(0.5) } }),
    () => ({ [text]: dice.of(texts) }),
    () => ({ [text]: { $ne: dice.of(texts) } }),
    () => ({ [text]: { $in: some } }),
    () => ({ [text]: { $nin: some } }),
    () => ({ [text]: { $not: { $in: some } } }),
    () => ({ [set]: { $contains: dice.of(texts) } }),
    () => ({ [set]: { $all: some } }),
    () => ({ [set]: dice.of(texts) }),
    () => ({ [set]: { $contains: { $ref: dice.of(['resource.license', 'context.branch']) } } }),
    () => ({ [text]: { $ref: dice.of(['principal.username', 'context.branch', 'resource.license']) } }),
    () => ({ [number]: { $gt: dice.below(4) } }),
    () => ({ [number]: { $gte: dice.below(4), $lt: 1 + dice.below(5) } }),
    () => ({ [number]: { $lte: dice.below(4) } }),
    () => ({ 'resource.revision': { $glob: dice.of(['v*', 'm*n', '*1', '*']) } }),
    () => ({
      'context.ip': { $cidr: dice.of(['10.0.0.0/8', '10.1.0.0/16', '192.0.2.0/31', '2001:db8::/32']) },
    }),
  ])()
}

function rollPrincipal(dice: Dice) {
  return principalOf('oidc', {
    sub: 'somebody',
    preferred_username: dice.of(['ana', 'acme', 'x']),
    groups: texts.filter(() => dice.chance(0.4)),
    amr: [dice.of(['mfa', 'pwd'])],
    level: dice.below(5),
  })
}

function rollQuestion(dice: Dice): Question & { readonly resource: object } {
  return {
    action: dice.of(actions),
    resource: {
      type: dice.of(['model', 'model', 'dataset']),
      id: dice.of([
        'acme/x',
        'ACME/Vision-Large',
        'acme/vision-large',
        'acme/vision-a/b',
        'ana/notes',
        'ana/x',
        'x/vision-large',
        'acme',
        'other/a/b',
      ]),
      attributes: {
        private: dice.chance(0.5),
        gated: dice.chance(0.5),
        license: dice.of(texts),
        revision: dice.of(['v1', 'main']),
        tags: texts.filter(() => dice.chance(0.4)),
      },
    },
    context: {
      branch: dice.of(texts),
      level: dice.below(5),
      ip: dice.of(['10.1.2.3', '10.200.0.1', '192.0.2.1', '2001:db8::7']),
    },
  }
}

// Ours → Cedar's.

function toCedar({ roles = {}, deny = [], environments = {} }: Partial<PolicyDocument>): string {
  const lines = deny.map((statement) => toPolicy('forbid(principal', statement))
  for (const [name, role] of Object.entries(roles)) {
    for (const statement of role.allow ?? [])
      lines.push(toPolicy(`permit(principal in Role::"${name}"`, statement))
    for (const statement of role.deny ?? [])
      lines.push(toPolicy(`forbid(principal in Role::"${name}"`, statement))
  }
  const ceiling = environments.production?.actions
  if (ceiling !== undefined) {
    const named = ceiling.map((action) => `Action::${JSON.stringify(action)}`).join(', ')
    lines.push(`forbid(principal, action, resource) unless { [${named}].contains(action) };`)
  }
  return lines.join('\n')
}

function toPolicy(head: string, { actions: named, on, when, unless }: StatementDocument): string {
  const uids = named.map((action) => `Action::${JSON.stringify(action)}`).join(', ')
  const action = named.includes('*') ? 'action' : `action in [${uids}]`
  const where = on.map((pattern) => `(${toScope(pattern)})`).join(' || ')
  const guards = [
    `when { ${where} }`,
    ...(when === undefined ? [] : [`when { ${toExpression(when)} }`]),
    ...(unless === undefined ? [] : [`unless { ${toExpression(unless)} }`]),
  ]
  return `${head}, ${action}, resource) ${guards.join(' ')};`
}

/** Patterns by owner, name and depth, since Cedar's `like` has one wildcard, and that one crosses slashes. */
function toScope(pattern: string): string {
  if (pattern === '**') return 'true'
  const colon = pattern.indexOf(':')
  const type = pattern.slice(0, colon)
  const parts = type === '**' ? [] : [`resource.type == "${type}"`]
  const glob = pattern.slice(colon + 1)
  if (glob !== '**') {
    const slash = glob.indexOf('/')
    const owner = glob.slice(0, slash)
    const name = glob.slice(slash + 1)
    if (owner === '${principal.username}') parts.push('resource.owner == principal.username')
    else if (owner !== '*') parts.push(`resource.owner == "${owner.toLowerCase()}"`)
    if (name.includes('**')) parts.push('resource.depth >= 2')
    else parts.push('resource.depth == 2')
    parts.push(`resource.name like "${name.toLowerCase().replaceAll('**', '*')}"`)
  }
  return parts.length === 0 ? 'true' : parts.join(' && ')
}

function toExpression(condition: ConditionDocument): string {
  const parts = Object.entries(condition).map(([key, value]) => {
    if (key === '$not') return `!(${toExpression(value as ConditionDocument)})`
    if (key === '$and' || key === '$or') {
      const of = (value as ConditionDocument[]).map((part) => `(${toExpression(part)})`)
      return of.join(key === '$and' ? ' && ' : ' || ')
    }
    return toTests(key, value)
  })
  return parts.map((part) => `(${part})`).join(' && ')
}

function toTests(fact: string, value: Json): string {
  if (typeof value !== 'object' || value === null || '$ref' in value) return toTest(fact, '$eq', value)
  return Object.entries(value)
    .map(([operator, operand]) =>
      operator === '$not' ? `!(${toTests(fact, operand)})` : toTest(fact, operator, operand),
    )
    .join(' && ')
}

function toTest(fact: string, operator: string, operand: Json): string {
  const left = fact.replace('principal.claims.', 'principal.')
  const right =
    typeof operand === 'object' && operand !== null && '$ref' in operand
      ? String(operand.$ref)
      : JSON.stringify(operand)
  const isSet = /tags|groups/.test(fact)
  switch (operator) {
    case '$eq':
      return isSet ? `${left}.contains(${right})` : `${left} == ${right}`
    case '$ne':
      return `${left} != ${right}`
    case '$in':
      return `${right}.contains(${left})`
    case '$nin':
      return `!(${right}.contains(${left}))`
    case '$contains':
      return `${left}.contains(${right})`
    case '$all':
      return `${left}.containsAll(${right})`
    case '$glob':
      return `${left} like ${right}`
    case '$cidr':
      return `${left}.isInRange(ip(${right}))`
    case '$lt':
      return `${left} < ${right}`
    case '$lte':
      return `${left} <= ${right}`
    case '$gt':
      return `${left} > ${right}`
    case '$gte':
      return `${left} >= ${right}`
    default:
      throw new Error(`no translation of ${operator}`)
  }
}

function toRequest(
  { roles }: Partial<PolicyDocument>,
  principal: PrincipalShape,
  { action, resource, context = {} }: ReturnType<typeof rollQuestion>,
) {
  const { type, id, attributes } = resource as {
    type: string
    id: string
    attributes: { [name: string]: Json }
  }
  const lower = id.toLowerCase()
  const [owner = '', ...rest] = lower.split('/')
  const groups = principal.groups ?? []
  const user = { type: 'User', id: 'somebody' }
  const uid = { type: 'Repository', id: `${type}:${lower}` }
  const held = [{ type: 'Role', id: 'b' }, ...(groups.includes('ml') ? [{ type: 'Role', id: 'a' }] : [])]
  return {
    principal: user,
    action: { type: 'Action', id: action },
    resource: uid,
    context: { ...context, ip: { __extn: { fn: 'ip', arg: String(context.ip) } } } as never,
    entities: [
      {
        uid: user,
        attrs: {
          username: principal.username ?? '',
          groups: [...groups],
          mfa: principal.mfa === true,
          level: Number(principal.claims.level),
        },
        parents: held,
      },
      {
        uid,
        attrs: {
          ...attributes,
          type,
          id: lower,
          owner: rest.length === 0 ? '' : owner,
          name: rest.length === 0 ? owner : rest.join('/'),
          depth: 1 + rest.length,
        } as never,
        parents: [],
      },
      // A role that extends another is a member of it.
      {
        uid: { type: 'Role', id: 'b' },
        attrs: {},
        parents: (roles?.b?.extends ?? []).map((id) => ({ type: 'Role', id })),
      },
    ],
  }
}
