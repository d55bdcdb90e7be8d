/**
 * Small policies that are made of everything the explanations, searches and abilities have to cope with.
 */
import fc from 'fast-check'
import type { Policy, PolicyDocument, Principal, Resource } from '../src/index.ts'
import { policyOf, principalOf } from './support.ts'

type StatementDocument = NonNullable<PolicyDocument['deny']>[number]

const action = fc.constantFrom('read', 'infer', 'write')
const pattern = fc.constantFrom(
  '**',
  'model:acme/*',
  'model:acme/**',
  'model:acme/vision-*',
  'model:acme/v*-*',
  'model:acme/x',
  'dataset:*/**',
  '**:acme/**',
  'model:${principal.username}/*',
  'prompt:Team/*',
  'model:*/x',
)
export const condition = fc.constantFrom<NonNullable<StatementDocument['when']>>(
  { 'resource.private': true },
  { 'resource.gated': { $ne: false } },
  { 'resource.tags': { $contains: 'nsfw' } },
  { 'resource.tags': 'nsfw' },
  { 'resource.tags': { $all: ['nsfw', 'x'] } },
  { $not: { 'resource.tags': { $all: ['nsfw', 'x'] } } },
  { 'principal.groups': { $contains: 'ml' } },
  { 'principal.mfa': true },
  { 'resource.owner': { $ref: 'principal.username' } },
  { 'resource.owner': { $ne: 'ana' } },
  { $or: [{ 'resource.private': false }, { 'principal.mfa': true }] },
  { $or: [{ 'resource.license': 'mit' }, { 'resource.private': true, 'resource.gated': false }] },
  { $not: { 'resource.tags': { $size: 0 } } },
  { 'principal.groups': { $contains: { $ref: 'resource.license' } }, 'resource.private': true },
  { 'context.ip': { $cidr: '10.0.0.0/8' } },
  { 'resource.revision': { $glob: 'v*' }, 'principal.username': { $in: ['ana', 'ben'] } },
  { 'resource.license': { $in: ['mit', 'x'] } },
  { 'resource.license': { $nin: ['mit'], $exists: true } },
  { 'resource.revision': { $gt: 'm', $lte: 'v1' } },
  { 'resource.type': 'model' },
  { 'resource.license': { $ref: 'resource.revision' } },
  { 'resource.path': { $exists: false } },
)
const guard = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 4, arbitrary: fc.record({ when: condition }) },
  { weight: 2, arbitrary: fc.record({ unless: condition }) },
  { weight: 1, arbitrary: fc.record({ when: condition, unless: condition }) },
)
const statement: fc.Arbitrary<StatementDocument> = fc
  .record({
    actions: fc.uniqueArray(fc.oneof({ weight: 3, arbitrary: action }, fc.constant('*')), {
      minLength: 1,
      maxLength: 2,
    }),
    on: fc.uniqueArray(pattern, { minLength: 1, maxLength: 2 }),
    guard,
  })
  .map(({ guard: conditions, ...rest }) => ({ ...rest, ...conditions }))
const statements = (maxLength: number) =>
  fc.uniqueArray(statement, {
    minLength: 1,
    maxLength,
    selector: (s) => JSON.stringify([[...s.actions].sort(), [...s.on].sort(), s.when, s.unless]),
  })

/** Two environments, one with a ceiling, an age and a second factor; four roles, of which `a` is bound. */
export const world: fc.Arbitrary<Policy> = fc
  .record({
    a: statements(3),
    aDenies: fc.oneof({ weight: 3, arbitrary: fc.constant<StatementDocument[]>([]) }, statements(1)),
    b: statements(2),
    c: statements(2),
    deny: fc.oneof({ weight: 1, arbitrary: fc.constant<StatementDocument[]>([]) }, statements(1)),
    ceiling: fc.option(fc.constantFrom<string[]>(['read'], ['read', 'infer']), { nil: undefined }),
    strict: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    until: fc.boolean(),
  })
  .map(({ a, aDenies, b, c, deny, ceiling, strict, until }) =>
    policyOf({
      resources: { prompt: { actions: ['read'] } },
      environments: {
        production: {
          ...(ceiling === undefined ? {} : { actions: ceiling }),
          ...(strict ? { maxTokenAge: '15m', require: { 'principal.mfa': true } } : {}),
        },
        development: {},
      },
      scopes: { 'vision:read': { actions: ['read'], on: ['model:acme/vision-*'] } },
      roles: { a: { allow: a, deny: aDenies }, b: { allow: b, extends: ['a'] }, c: { allow: c } },
      bindings: [
        { roles: ['a'], to: { issuer: ['oidc', 'huggingface', 'okta'] } },
        { roles: ['b'], to: { issuer: 'oidc', group: 'ml' } },
        { roles: ['c'], to: { anonymous: true }, ...(until ? { until: '2026-06-02T00:00:00Z' } : {}) },
      ],
      deny,
    }),
  )

const claims = fc.record(
  {
    preferred_username: fc.constantFrom('ana', 'acme'),
    groups: fc.constantFrom<string[]>(['ml'], ['mit', 'x'], []),
    amr: fc.constantFrom(['mfa'], ['pwd']),
  },
  { requiredKeys: [] },
)

export const somebody: fc.Arbitrary<Principal> = fc.oneof(
  { weight: 5, arbitrary: claims.map((c) => principalOf('oidc', c as never)) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('openid', 'read-repos', 'inference-api manage-repos', 'gated-repos')
      .map((scope) => principalOf('huggingface', { scope, orgs: [] }, { credential: 'access_token' })),
  },
  { weight: 1, arbitrary: fc.constant(principalOf('okta', { scp: ['vision:read'] })) },
)

const attributes = {
  private: fc.boolean(),
  gated: fc.boolean(),
  tags: fc.constantFrom<string[]>([], ['nsfw'], ['nsfw', 'x']),
  license: fc.constantFrom('mit', 'x', 'v1'),
  revision: fc.constantFrom('v1', 'main'),
  path: fc.constantFrom('a', 'b'),
}
const named = (told: fc.Arbitrary<Resource['attributes']>): fc.Arbitrary<Resource> =>
  fc.record({
    type: fc.constantFrom('model', 'model', 'model', 'model', 'dataset', 'prompt', 'modle'),
    id: fc.constantFrom(
      'acme/x',
      'acme/x',
      'ACME/X',
      'acme/vision-large',
      'ana/thing',
      'Team/hello',
      'team/hello',
      'other/x',
      'acme/a/b',
      'acme',
      'acme/../x',
    ),
    attributes: told as fc.Arbitrary<NonNullable<Resource['attributes']>>,
  })

/** Everything told, and of the right kind. */
export const toldResource = named(fc.record(attributes))
/** Some of it. */
export const resource = named(fc.record(attributes, { requiredKeys: [] }))
export const anyAction = fc.oneof({ weight: 9, arbitrary: action }, fc.constant('raed'))
