/**
 * Laws: what holds of every policy and question, not of chosen ones.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createEngine,
  type Decision,
  loadSnapshot,
  type PolicyDocument,
  type Question,
} from '../src/index.ts'
import { referenceReason } from './reference-evaluator.ts'
import { now, policyOf, principalOf } from './support.ts'

type StatementDocument = NonNullable<PolicyDocument['deny']>[number]

const action = fc.constantFrom('read', 'infer', 'write', 'delete')
const pattern = fc.constantFrom(
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
const condition = fc.constantFrom(
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
const statement: fc.Arbitrary<StatementDocument> = fc.record(
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
const statements = fc.uniqueArray(statement, {
  maxLength: 4,
  selector: (s) =>
    JSON.stringify([[...s.actions].sort(), [...s.on].sort(), s.when, s.unless, s.environments]),
})

const parts = fc.record({
  roles: fc.record({
    a: fc.record({ allow: statements, deny: statements.map((list) => list.slice(0, 1)) }),
    b: fc.record({ allow: statements, extends: fc.constantFrom<string[]>([], ['a']) }),
    c: fc.record({ allow: statements }),
  }),
  deny: statements.map((list) => list.slice(0, 2)),
  // Ceilings never make a statement unreachable here: `development` has none.
  ceiling: fc.option(fc.uniqueArray(action, { minLength: 1 }), { nil: undefined }),
})

function toPolicy({
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

const claims = fc.record(
  {
    preferred_username: fc.constantFrom('ana', 'Acme', '*'),
    groups: fc.constantFrom<string[]>(['ml'], ['mit', 'x'], []),
    amr: fc.constantFrom(['mfa'], ['pwd']),
  },
  { requiredKeys: [] },
)
const question: fc.Arbitrary<Question> = fc.record({
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

function ask(document: Parameters<typeof toPolicy>[0], principalClaims: object, asked: Question) {
  const policy = toPolicy(document)
  const principal = principalOf('oidc', principalClaims as never)
  const access = createEngine(policy, { environment: 'production', now: () => now }).for(principal)
  return { policy, principal, access, decision: access.decide(asked) }
}

const runs = { numRuns: 2000 }

describe('for every policy, principal and question', () => {
  test('the engine answers with the reason that the obvious evaluator gives, and every way of asking agrees', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(
        parts,
        claims,
        fc.array(question, { minLength: 1, maxLength: 8 }),
        (document, principalClaims, questions) => {
          for (const asked of questions) {
            const { policy, principal, access, decision } = ask(document, principalClaims, asked)
            seen.set(decision.reason, (seen.get(decision.reason) ?? 0) + 1)
            expect(decision.reason).toBe(
              referenceReason(policy, principal, new Set(['b']), 'production', asked, now),
            )
            expect(access.can(asked.action, asked.resource, asked.context)).toBe(decision.allowed)
            expect(access.filter(asked.action, [asked.resource as never], asked.context)).toHaveLength(
              decision.allowed ? 1 : 0,
            )
            const likelihood = access.likelihood(asked.action, asked.resource, asked.context)
            if (decision.allowed) expect(likelihood).toBe('allow')
            else expect(likelihood).not.toBe('allow')
            const loaded = loadSnapshot(access.snapshot(), { now: () => now })
            expect(loaded.decide(asked)).toMatchObject({
              reason: decision.reason,
              missingAttributes: decision.missingAttributes,
            })
            expect(loaded.can(asked.action, asked.resource, asked.context)).toBe(decision.allowed)
          }
        },
      ),
      runs,
    )
    // The law says something of each of these, not only of the common ones.
    for (const reason of [
      'allowed',
      'explicit_deny',
      'environment_ceiling',
      'no_matching_rule',
      'condition_unknown',
      'unknown_action',
      'unknown_resource_type',
      'invalid_resource',
    ]) {
      expect(seen.get(reason) ?? 0).toBeGreaterThan(10)
    }
  })

  test('adding a denial never opens', () => {
    fc.assert(
      fc.property(parts, claims, question, statement, (document, principalClaims, asked, extra) => {
        const before = ask(document, principalClaims, asked).decision
        const deny = [...document.deny.filter((s) => JSON.stringify(s) !== JSON.stringify(extra)), extra]
        const after = ask({ ...document, deny: distinct(deny) }, principalClaims, asked).decision
        expect(!before.allowed && after.allowed).toBe(false)
      }),
      runs,
    )
  })

  test('removing an allow never opens', () => {
    fc.assert(
      fc.property(parts, claims, question, (document, principalClaims, asked) => {
        const before = ask(document, principalClaims, asked).decision
        const roles = {
          ...document.roles,
          b: { ...document.roles.b, allow: document.roles.b.allow.slice(1) },
        }
        const after = ask({ ...document, roles }, principalClaims, asked).decision
        expect(!before.allowed && after.allowed).toBe(false)
      }),
      runs,
    )
  })

  test('telling less of the resource never opens', () => {
    fc.assert(
      fc.property(parts, claims, question, (document, principalClaims, asked) => {
        const { access, decision } = ask(document, principalClaims, asked)
        const { type, id } = asked.resource as { type: string; id: string }
        if (!decision.allowed) {
          const known = access.likelihood(asked.action, asked.resource, asked.context)
          if (known === 'deny') expect(access.can(asked.action, { type, id }, asked.context)).toBe(false)
        }
        if (access.likelihood(asked.action, { type, id }) === 'deny') expect(decision.allowed).toBe(false)
        if (access.likelihood(asked.action, { type, id }, asked.context) === 'allow')
          expect(decision.allowed).toBe(true)
      }),
      runs,
    )
  })

  test('the order of anything in the file changes nothing, to the byte', () => {
    fc.assert(
      fc.property(parts, claims, question, (document, principalClaims, asked) => {
        const reversed = {
          ...document,
          deny: [...document.deny].reverse().map(reverseSets),
          roles: Object.fromEntries(
            Object.entries(document.roles)
              .reverse()
              .map(([name, role]) => [name, { ...role, allow: [...role.allow].reverse().map(reverseSets) }]),
          ) as typeof document.roles,
        }
        const bytes = (decision: Decision) => JSON.stringify(decision)
        expect(bytes(ask(reversed, principalClaims, asked).decision)).toBe(
          bytes(ask(document, principalClaims, asked).decision),
        )
      }),
      runs,
    )
  })
})

function reverseSets(document: StatementDocument): StatementDocument {
  return { ...document, actions: [...document.actions].reverse(), on: [...document.on].reverse() }
}

function distinct(list: StatementDocument[]): StatementDocument[] {
  const key = (s: StatementDocument) =>
    JSON.stringify([[...s.actions].sort(), [...s.on].sort(), s.when, s.unless, s.environments])
  return [...new Map(list.map((s) => [key(s), s])).values()]
}
