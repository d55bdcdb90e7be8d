/**
 * Policies, principals and questions that nobody wrote: what the laws are held against.
 *
 * Policies come from fast-check, so that a failure shrinks to a small one; questions come from a small seeded
 * generator, so that hundreds of thousands of them cost nothing.
 */
import fc from 'fast-check'
import {
  anonymous,
  type Claims,
  type Json,
  type Policy,
  type PolicyDocument,
  type Principal,
  presets,
  principalFromClaims,
  type Question,
} from '../src/index.ts'
import { now, nowSeconds, policyOf } from './support.ts'

export type StatementDocument = NonNullable<PolicyDocument['deny']>[number]

export const action = fc.constantFrom('read', 'infer', 'write', 'delete')
export const pattern = fc.constantFrom(
  '**',
  'model:acme/*',
  'model:acme/vision-*',
  'model:ACME/x',
  'dataset:*/**',
  '**:acme/**',
  'model:${principal.username}/*',
  'prompt:Team/*',
  'model:**',
  'model:*/x',
  'project:vision',
)
export const condition = fc.constantFrom(
  { 'resource.private': true },
  { 'resource.gated': { $ne: false } },
  { 'resource.tags': { $contains: 'nsfw' } },
  { 'principal.groups': { $contains: 'ml' } },
  { 'principal.mfa': true },
  { 'resource.owner': { $ref: 'principal.username' } },
  { $or: [{ 'resource.private': false }, { 'principal.mfa': true }] },
  { $not: { 'resource.tags': { $size: 0 } } },
  { 'principal.groups': { $contains: { $ref: 'resource.license' } }, 'resource.private': true },
  { 'context.ip': { $cidr: '10.0.0.0/8' } },
  { 'resource.revision': { $glob: 'v*' }, 'principal.username': { $in: ['ana', 'ben'] } },
)
export const statement: fc.Arbitrary<StatementDocument> = fc.record(
  {
    actions: fc.uniqueArray(fc.oneof({ weight: 4, arbitrary: action }, fc.constant('*')), {
      minLength: 1,
      maxLength: 3,
    }),
    on: fc.uniqueArray(pattern, { minLength: 1, maxLength: 3 }),
    when: condition,
    unless: condition,
    environments: fc.constant(['production']),
  },
  { requiredKeys: ['actions', 'on'] },
)
export const statements = fc.uniqueArray(statement, {
  maxLength: 4,
  selector: (s) =>
    JSON.stringify([[...s.actions].sort(), [...s.on].sort(), s.when, s.unless, s.environments]),
})

export const parts = fc.record({
  roles: fc.record({
    a: fc.record({ allow: statements, deny: statements.map((list) => list.slice(0, 1)) }),
    b: fc.record({ allow: statements, extends: fc.constantFrom<string[]>([], ['a']) }),
    c: fc.record({ allow: statements }),
  }),
  deny: statements.map((list) => list.slice(0, 2)),
  // Ceilings never make a statement unreachable here: `development` has none.
  ceiling: fc.option(fc.uniqueArray(action, { minLength: 1 }), { nil: undefined }),
})

export function toPolicy({
  roles,
  deny,
  ceiling,
}: {
  roles: PolicyDocument['roles']
  deny: StatementDocument[]
  ceiling: string[] | undefined
}) {
  const reachable = (list: StatementDocument[] | undefined) =>
    (list ?? []).filter(
      (s) =>
        s.environments === undefined ||
        ceiling === undefined ||
        s.actions.includes('*') ||
        s.actions.some((name) => ceiling.includes(name)),
    )
  return policyOf({
    resources: { prompt: { actions: ['read'] } },
    projects: { vision: ['model:acme/vision-*', 'dataset:acme/vision-*'] },
    environments: { production: ceiling === undefined ? {} : { actions: ceiling }, development: {} },
    roles: Object.fromEntries(
      Object.entries(roles).map(([name, role]) => [name, { ...role, allow: reachable(role.allow) }]),
    ),
    bindings: [
      { roles: ['b'], to: { issuer: 'oidc' } },
      { roles: ['c'], to: { issuer: 'okta' } },
    ],
    deny,
  })
}

export const claims = fc.record(
  {
    preferred_username: fc.constantFrom('ana', 'Acme', '*'),
    groups: fc.constantFrom<string[]>(['ml'], ['mit', 'x'], []),
    amr: fc.constantFrom(['mfa'], ['pwd']),
  },
  { requiredKeys: [] },
)
export const question: fc.Arbitrary<Question> = fc.record({
  action: fc.oneof({ weight: 9, arbitrary: action }, fc.constant('raed')),
  resource: fc.record({
    type: fc.constantFrom('model', 'dataset', 'prompt', 'modle'),
    id: fc.constantFrom(
      'acme/x',
      'ACME/X',
      'acme/vision-large',
      'ana/thing',
      'Team/hello',
      'team/hello',
      'other/x',
      'acme/a/b',
      'acme/../x',
    ),
    attributes: fc.record(
      {
        private: fc.boolean(),
        gated: fc.boolean(),
        tags: fc.constantFrom<string[]>([], ['nsfw']),
        license: fc.constantFrom('mit', 'x'),
        revision: fc.constantFrom('v1', 'main'),
      },
      { requiredKeys: [] },
    ),
  }),
  context: fc.record({ ip: fc.constantFrom('10.1.2.3', '192.0.2.1') }, { requiredKeys: [] }),
})

/** What stays of a list of statements when each may stand there once. */
export function distinct(list: readonly StatementDocument[]): StatementDocument[] {
  return [...new Map(list.map((s) => [contentOf(s), s])).values()]
}

function contentOf(s: StatementDocument): string {
  return JSON.stringify([[...s.actions].sort(), [...s.on].sort(), s.when, s.unless, s.environments])
}

// The whole language: everything that section 5 asks about, in one policy.

const issuers = ['huggingface', 'okta', 'github-actions', 'oidc'] as const

const test = fc.constantFrom<{ readonly [key: string]: Json }>(
  { 'resource.private': true },
  { 'resource.private': { $exists: false } },
  { 'resource.gated': { $ne: false } },
  { 'resource.tags': { $contains: 'nsfw' } },
  { 'resource.tags': { $all: ['nsfw', 'beta'] } },
  { 'resource.tags': { $size: 1 } },
  { 'resource.tags': 'beta' },
  { 'resource.license': { $in: ['mit', 'x'] } },
  { 'resource.license': { $nin: ['x'] } },
  { 'resource.license': { $gte: 'mit', $lt: 'n' } },
  { 'resource.owner': { $ref: 'principal.username' } },
  { 'resource.name': { $glob: 'vision-*' } },
  { 'resource.revision': { $glob: 'v**' } },
  { 'resource.revision': { $ne: { $ref: 'context.branch' } } },
  { 'principal.groups': { $contains: { $ref: 'resource.license' } } },
  { 'principal.groups': { $contains: 'ml' } },
  { 'principal.groups': 'x' },
  { 'principal.mfa': true },
  { 'principal.mfa': { $exists: true } },
  { 'principal.kind': { $in: ['user', 'anonymous'] } },
  { 'principal.username': { $lte: 'b' } },
  { 'principal.claims.level': { $gt: 2 } },
  { 'principal.claims.team.name': 'vision' },
  { 'principal.claims.constructor': { $exists: true } },
  { 'principal.email': { $glob: '*@acme.dev' } },
  { 'principal.authTime': { $after: '-10m' } },
  { 'principal.claims.joined': { $before: '-7d' } },
  { 'principal.issuedAt': { $before: '2026-06-01T12:00:00Z' } },
  { 'principal.orgs': { $elemMatch: { handle: 'acme', role: { $in: ['admin', 'write'] } } } },
  { 'context.ip': { $cidr: ['10.0.0.0/8', '2001:db8::/32'] } },
  { 'context.time': { $before: '2026-06-01T12:00:01Z' } },
  { 'context.level': { $gt: 2, $lte: 5 } },
  { 'context.branch': { $in: ['main', 'v1'] } },
  { 'context.until': { $after: '1h' } },
)

/** Conditions up to three deep. */
export const anyCondition: fc.Arbitrary<{ readonly [key: string]: Json }> = fc.letrec<{
  node: { readonly [key: string]: Json }
}>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 5, arbitrary: test },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('$and', '$or'), fc.array(tie('node'), { minLength: 1, maxLength: 3 }))
        .map(([key, parts]) => ({ [key]: parts })),
    },
    { weight: 1, arbitrary: tie('node').map((part) => ({ $not: part })) },
  ),
})).node

const anyPattern = fc.constantFrom<string>(
  '**',
  '**:**',
  'model:**',
  'model:acme/*',
  'model:ACME/Vision-*',
  'model:acme/x',
  'model:acme/a/b',
  'model:*/x',
  'model:ac*/**',
  'dataset:*/**',
  '**:acme/**',
  '**:Team/**',
  'space:**/x',
  'prompt:Team/*',
  'prompt:**',
  'model:${principal.username}/*',
  '**:${principal.username}/**',
  'dataset:${principal.claims.team.name}/x',
  'model:acme/${principal.id}',
  'project:vision',
)
const actions: fc.Arbitrary<string[]> = fc.uniqueArray(
  fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('read', 'infer', 'write', 'discuss', 'delete') },
    { weight: 1, arbitrary: fc.constant('*') },
  ),
  { minLength: 1, maxLength: 3 },
)
const bare = {
  actions,
  on: fc.uniqueArray(anyPattern, { minLength: 1, maxLength: 3 }),
}
// Half of the statements ask nothing: a policy that allows next to nothing says little.
const anyStatement: fc.Arbitrary<StatementDocument> = fc.oneof(
  { weight: 2, arbitrary: fc.record(bare) },
  { weight: 2, arbitrary: fc.record({ ...bare, when: anyCondition }) },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        ...bare,
        when: anyCondition,
        unless: anyCondition,
        environments: fc.constantFrom<string[]>(
          ['production'],
          ['development'],
          ['production', 'development'],
        ),
        reason: fc.constant('For a reason.'),
      },
      { requiredKeys: ['actions', 'on'] },
    ),
  },
)
const anyStatements = (maxLength: number, minLength = 0) =>
  fc.array(anyStatement, { minLength, maxLength }).map(distinct)

const subject: fc.Arbitrary<PolicyDocument['bindings'][number]['to']> = fc
  .record(
    {
      issuer: fc.oneof(
        fc.constantFrom<string>(...issuers),
        fc.constantFrom(['oidc', 'okta'], [...issuers] as string[]),
      ),
      kind: fc.constantFrom('user', 'workload'),
      org: fc.constantFrom<string | string[]>('acme', 'org-1', ['ACME', 'other']),
      orgRole: fc.constantFrom<string | string[]>('admin', ['read', 'write']),
      resourceGroup: fc.constantFrom<string | string[]>('rg-1', ['vision', 'nobody']),
      group: fc.constantFrom<string | string[]>('ml', ['x', 'constructor']),
      username: fc.constantFrom<string | string[]>('Ana', ['ben', 'acme']),
      email: fc.constantFrom<string | string[]>('ANA@acme.dev', ['ben@acme.dev']),
      claims: fc.constantFrom<{ [name: string]: Json }>(
        { ref: 'refs/heads/main' },
        { level: { $gte: 2 } },
        { 'team.name': 'vision' },
        { $or: [{ ref: { $glob: 'refs/tags/*' } }, { level: 3 }] },
        { $not: { level: 1 } },
      ),
    },
    { requiredKeys: [] },
  )
  // Each further key makes it rarer that anybody is meant: two of them are enough.
  .map((to) => Object.fromEntries(Object.entries(to).filter((_, i) => i % 4 === 0 || i === 2)))
  .filter((to) => Object.keys(to).length > 0)

export const anyBinding: fc.Arbitrary<PolicyDocument['bindings'][number]> = fc.record(
  {
    roles: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 2 }),
    to: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ issuer: fc.constantFrom<string | string[]>(...issuers, [...issuers]) }),
      },
      { weight: 4, arbitrary: subject },
      { weight: 1, arbitrary: fc.constant({ anonymous: true as const }) },
    ),
    from: fc.constantFrom('2026-06-01T12:00:00Z', '2026-01-01T12:00:00Z', '2026-06-01T12:00:01Z'),
    until: fc.constantFrom('2026-06-01T12:00:00Z', '2026-07-01T00:00:00Z', '2026-06-01T12:00:01Z'),
  },
  { requiredKeys: ['roles', 'to'] },
)

/** A policy in all its parts, as a document. */
export interface WorldDocument {
  readonly roles: Readonly<Record<'a' | 'b' | 'c' | 'd', PolicyDocument['roles'][string]>>
  readonly deny: readonly StatementDocument[]
  readonly bindings: PolicyDocument['bindings']
  readonly environment: PolicyDocument['environments'][string]
  readonly scopes?: NonNullable<PolicyDocument['scopes']>
}

export const world: fc.Arbitrary<WorldDocument> = fc.record(
  {
    roles: fc.record({
      a: fc.record({ allow: anyStatements(5, 1), deny: anyStatements(1) }, { requiredKeys: ['allow'] }),
      b: fc.record({ allow: anyStatements(4, 1), extends: fc.constantFrom<string[]>([], ['a'], ['c', 'd']) }),
      c: fc.record({ allow: anyStatements(3) }),
      d: fc.record({ extends: fc.constant(['c']), deny: anyStatements(1) }, { requiredKeys: ['extends'] }),
    }),
    deny: anyStatements(2),
    bindings: fc.uniqueArray(anyBinding, {
      minLength: 2,
      maxLength: 6,
      selector: (b) => JSON.stringify([[...b.roles].sort(), b.to, b.from, b.until]),
    }),
    environment: fc.oneof(
      { weight: 1, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: fc.record(
          {
            actions,
            maxTokenAge: fc.constantFrom('15m', '8h', '30d'),
            require: fc.constantFrom<{ [key: string]: Json }>(
              { 'principal.mfa': true },
              { 'principal.mfa': true, 'principal.kind': 'user' },
              { $or: [{ 'principal.mfa': true }, { 'principal.claims.level': { $gte: 2 } }] },
              { $not: { 'principal.username': 'ben' } },
            ),
            exempt: fc.constantFrom<string[]>(['github-actions'], ['okta', 'oidc']),
          },
          { requiredKeys: [] },
        ),
      },
    ),
    scopes: fc.constantFrom<NonNullable<PolicyDocument['scopes']>>(
      { 'vision:read': { actions: ['read'], on: ['project:vision'] } },
      {
        'vision:read': { actions: ['read'], on: ['project:vision'] },
        all: { actions: ['*'], on: ['**'] },
        mine: { actions: ['read', 'write'], on: ['model:${principal.username}/*', 'prompt:Team/*'] },
      },
    ),
  },
  { requiredKeys: ['roles', 'deny', 'bindings', 'environment'] },
)

export function worldDocument(
  { roles, deny, bindings, environment, scopes }: WorldDocument,
  parts: Partial<PolicyDocument> = {},
): Partial<PolicyDocument> {
  const ceiling = environment.actions
  const reachable = ({ actions: named, environments = ['development'] }: StatementDocument) =>
    environments.includes('development') ||
    ceiling === undefined ||
    ceiling.includes('*') ||
    named.includes('*') ||
    named.some((name) => ceiling.includes(name))
  return {
    resources: { prompt: { actions: ['read', 'edit'] } },
    projects: { vision: ['model:acme/vision-*', 'dataset:acme/vision-*'] },
    environments: { production: environment, development: {} },
    roles: Object.fromEntries(
      Object.entries(roles).map(([name, role]) => [
        name,
        role.allow === undefined ? role : { ...role, allow: role.allow.filter(reachable) },
      ]),
    ),
    deny: [...deny],
    bindings,
    ...(scopes === undefined ? {} : { scopes }),
    ...parts,
  }
}

export function worldPolicy(document: WorldDocument, parts: Partial<PolicyDocument> = {}): Policy {
  return policyOf(worldDocument(document, parts))
}

/** Numbers from a seed; mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Chooses from lists, with one stream of numbers. */
export class Dice {
  private readonly next: () => number

  constructor(seed: number) {
    this.next = seeded(seed)
  }

  below(count: number): number {
    return Math.floor(this.next() * count)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** A part of `members`, each with the same probability. */
  some<T extends object>(members: T, probability = 0.6): Partial<T> {
    return Object.fromEntries(Object.entries(members).filter(() => this.chance(probability))) as Partial<T>
  }
}

export function rollClaims(dice: Dice): Claims {
  return {
    sub: dice.of(['ana', 'ben', 'constructor']),
    ...dice.some(
      {
        iat: nowSeconds - dice.of([0, 60, 60, 120, 899, 900, 30_000]),
        preferred_username: dice.of(['ana', 'Acme', '*', 'Team', '..', 'e\u0301va']),
        groups: dice.of([['ml'], ['mit', 'x'], [], ['constructor', '__proto__'], 'ml']),
        amr: dice.of([['mfa'], ['pwd']]),
        email: dice.of(['ana@acme.dev', 'ben@acme.dev']),
        email_verified: dice.of([true, false, 'true']),
        level: dice.of([1, 2, 3, '3']),
        team: dice.of<Json>([{ name: 'vision' }, { name: null }, 'vision']),
        ref: dice.of(['refs/heads/main', 'refs/tags/v1', 'refs/tags/a/b']),
        joined: dice.of<Json>(['2026-05-25T12:00:00Z', '2026-05-25T11:59:59.999Z', 'long ago', true]),
        auth_time: nowSeconds - dice.of([10, 599, 600, 601]),
        orgs: [
          {
            sub: dice.of(['org-1', 'org-2']),
            preferred_username: dice.of(['Acme', 'other']),
            roleInOrg: dice.of(['admin', 'read', 'write']),
            ...dice.some({ securityRestrictions: dice.of([[], ['mfa']]) }, 0.3),
            resourceGroups: [
              { sub: dice.of(['rg-1', 'rg-2']), name: dice.of(['vision', 'x']), role: 'read' },
            ],
          },
        ],
      },
      0.7,
    ),
    ...(dice.chance(0.25)
      ? {
          [dice.of(['scope', 'scp'])]: dice.of([
            'vision:read openid',
            'all',
            'mine',
            'read-repos inference-api',
            'manage-repos',
          ]),
        }
      : {}),
    exp: nowSeconds + (dice.chance(0.04) ? 0 : dice.of([1, 3600])),
  }
}

export function rollPrincipal(dice: Dice): Principal {
  if (dice.chance(0.06)) return anonymous
  const issuer = dice.of(issuers)
  const preset = presets.get(issuer)
  if (preset === undefined) throw new Error(`no preset ${issuer}`)
  const credential = dice.chance(issuer === 'huggingface' ? 0.5 : 0.2) ? 'access_token' : 'id_token'
  return principalFromClaims({ issuer, preset, credential, claims: rollClaims(dice) })
}

const ids = [
  'acme/x',
  'ACME/X',
  'acme/vision-large',
  'acme/vision-',
  'acme/a/b',
  'acme',
  'ana/thing',
  'Ana/x',
  'Team/hello',
  'team/hello',
  'vision/x',
  'other/x',
  'acme/oidc|ana',
  'e\u0301va/x',
  '\u00e9va/x',
  'acme/../x',
  'acme%2Fx',
  'constructor/x',
]

export function rollQuestion(dice: Dice): Question {
  const type = dice.chance(0.03)
    ? 'modle'
    : dice.of(['model', 'model', 'model', 'dataset', 'space', 'prompt', 'org'])
  const id = dice.of(ids)
  const attributes = dice.some<{ [name: string]: Json }>({
    private: dice.chance(0.5),
    gated: dice.chance(0.5),
    tags: dice.of<Json>([[], ['nsfw'], ['beta'], ['nsfw', 'beta'], 'beta']),
    license: dice.of(['mit', 'x', 'ml']),
    revision: dice.of(['v1', 'main', 'v1/rc']),
  })
  const context = dice.some<{ [name: string]: Json }>({
    ip: dice.of(['10.1.2.3', '192.0.2.1', '2001:db8::1', 'localhost']),
    level: dice.of<Json>([2, 3, 5, 6, '4']),
    branch: dice.of(['main', 'v1']),
    until: dice.of<Json>([now + 3_600_000, now + 3_600_001, '2026-06-02T00:00:00Z', 'soon']),
  })
  return {
    action: dice.chance(0.03)
      ? 'raed'
      : dice.of(['read', 'read', 'infer', 'write', 'discuss', 'delete', 'edit']),
    resource: dice.chance(0.2) ? `${type}:${id}` : { type, id, attributes },
    ...(dice.chance(0.7) ? { context } : {}),
    ...(dice.chance(0.05) ? { environment: dice.of(['development', 'production', 'staging']) } : {}),
  }
}
