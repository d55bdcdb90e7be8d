/**
 * Invariants: what is proved is so for a reason, and one change to the policy brings a request that breaks it.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Counterexample, type Proof, proveInvariants } from '../src/analysis/index.ts'
import { anonymous, createEngine, type Json, type Policy, type PolicyDocument } from '../src/index.ts'
import { parsePolicy } from '../src/yaml.ts'
import { now, policyOf, principalOf } from './support.ts'

type Condition = { readonly [fact: string]: Json }
type Invariant = NonNullable<PolicyDocument['invariants']>[number]

const everyone = ['huggingface', 'okta', 'github-actions', 'oidc']
const anything = { actions: ['*'], on: ['**'] }

function prove(policy: Policy, environment = 'production', options = {}): Proof {
  const proof = proveInvariants(policy, { now, ...options }).find((each) => each.environment === environment)
  if (proof === undefined) throw new Error('nothing was proved')
  return proof
}

/** Asks the engine anew, with nothing but what the counterexample says. */
function replay(policy: Policy, { principal, environment, action, resource, context, time }: Counterexample) {
  const engine = createEngine(policy, { environment, now: () => time })
  const who = principal === 'anonymous' ? anonymous : principalOf(principal.issuer, principal.claims)
  return engine.for(who).decide({ action, resource, context })
}

function holds(parts: Partial<PolicyDocument>): void {
  expect(prove(policyOf(parts))).toMatchObject({ invariant: 'never', holds: true })
}

function broken(parts: Partial<PolicyDocument>): Counterexample {
  const policy = policyOf(parts)
  const proof = prove(policy)
  if (proof.holds !== false) throw new Error(`not broken: ${JSON.stringify(proof)}`)
  const { counterexample } = proof
  expect(counterexample.decision.allowed).toBe(true)
  expect(replay(policy, counterexample)).toEqual(counterexample.decision)
  return counterexample
}

const invariant = (never: Invariant['never'] = anything, subject?: Invariant['for']): Invariant => ({
  name: 'never',
  never,
  ...(subject === undefined ? {} : { for: subject }),
})

/** Everyone may read models when `allow` holds, and may not when `deny` does. */
function reading(
  allow: Condition,
  deny: Condition,
  more: Partial<PolicyDocument> = {},
): Partial<PolicyDocument> {
  return {
    roles: { reader: { allow: [{ actions: ['read'], on: ['model:**'], when: allow }] } },
    bindings: [{ roles: ['reader'], to: { issuer: everyone } }],
    deny: [{ actions: ['read'], on: ['**'], when: deny }],
    invariants: [invariant()],
    ...more,
  }
}

const license = (test: Json) => ({ 'resource.license': test })
const tags = (test: Json) => ({ 'resource.tags': test })
const level = (test: Json) => ({ 'context.level': test })
const orgs = (member: Json) => ({ 'principal.orgs': { $elemMatch: member } })

describe('conditions', () => {
  const of = (counterexample: Counterexample, name: string) => counterexample.resource.attributes[name]
  const rows: [
    name: string,
    allow: Condition,
    deny: Condition,
    breaks: Condition,
    witness: (found: Counterexample) => unknown,
  ][] = [
    ['$eq', license('mit'), license('mit'), license('x'), (found) => of(found, 'license') === 'mit'],
    [
      '$eq on a list',
      tags('a'),
      tags({ $contains: 'a' }),
      tags({ $contains: 'b' }),
      (found) => [of(found, 'tags')].flat().includes('a'),
    ],
    [
      '$ne',
      license({ $ne: 'mit' }),
      license({ $ne: 'mit' }),
      license({ $ne: 'x' }),
      (found) => of(found, 'license') === 'x',
    ],
    [
      '$in',
      license({ $in: ['a', 'b'] }),
      license({ $in: ['a', 'b', 'c'] }),
      license({ $in: ['a'] }),
      (found) => of(found, 'license') === 'b',
    ],
    [
      '$nin',
      license({ $nin: ['a', 'b'] }),
      license({ $nin: ['a'] }),
      license({ $nin: ['a', 'c'] }),
      (found) => of(found, 'license') === 'c',
    ],
    [
      '$gt of numbers',
      level({ $gt: 2 }),
      level({ $gte: 2 }),
      level({ $gt: 3 }),
      (found) => Number(found.context.level) > 2 && Number(found.context.level) <= 3,
    ],
    [
      '$lt of numbers',
      level({ $lt: 2 }),
      level({ $lte: 2 }),
      level({ $lt: 1 }),
      (found) => Number(found.context.level) >= 1 && Number(found.context.level) < 2,
    ],
    [
      'between two numbers',
      level({ $gt: 4, $lt: 5 }),
      level({ $gte: 4 }),
      level({ $in: [4, 5] }),
      (found) => found.context.level === 4.5,
    ],
    [
      '$lte of texts',
      license({ $lte: 'm' }),
      license({ $lt: 'n' }),
      license({ $lt: 'm' }),
      (found) => of(found, 'license') === 'm',
    ],
    [
      '$gte of texts',
      license({ $gte: 'm' }),
      license({ $gt: 'l' }),
      license({ $gte: 'ma' }),
      (found) => String(of(found, 'license')) >= 'm' && String(of(found, 'license')) < 'ma',
    ],
    [
      '$exists',
      license({ $exists: false }),
      license('x'),
      license({ $exists: true }),
      (found) => of(found, 'license') === undefined,
    ],
    [
      '$all',
      tags({ $all: ['a', 'b'] }),
      tags({ $contains: 'a' }),
      tags({ $all: ['a', 'b', 'c'] }),
      (found) => found,
    ],
    [
      '$contains',
      tags({ $contains: 'a' }),
      tags({ $contains: 'a' }),
      tags({ $contains: 'b' }),
      (found) => [of(found, 'tags')].flat().includes('a'),
    ],
    [
      '$size',
      tags({ $size: 2 }),
      tags({ $size: 2 }),
      tags({ $size: 3 }),
      (found) => [of(found, 'tags')].flat().length === 2,
    ],
    [
      '$elemMatch',
      orgs({ handle: 'acme', role: 'admin' }),
      orgs({ handle: 'acme' }),
      orgs({ handle: 'acme', role: 'read' }),
      (found) => JSON.stringify(found.principal).includes('"roleInOrg":"admin"'),
    ],
    [
      '$glob',
      license({ $glob: 'v1*' }),
      license({ $glob: 'v*' }),
      license({ $glob: 'v1.*' }),
      (found) => /^v1(?!\.)/.test(String(of(found, 'license'))),
    ],
    [
      'a `*` that takes no `/`',
      license({ $glob: 'v*' }),
      license({ $glob: '*' }),
      license({ $glob: '*/*' }),
      (found) => !String(of(found, 'license')).includes('/'),
    ],
    [
      'a `**` that takes a `/`',
      license({ $glob: '**' }),
      license({ $glob: '**' }),
      license({ $glob: '*' }),
      (found) => String(of(found, 'license')).includes('/'),
    ],
    [
      '$cidr',
      { 'context.ip': { $cidr: '10.1.0.0/16' } },
      { 'context.ip': { $cidr: ['10.0.0.0/9', '10.128.0.0/9'] } },
      { 'context.ip': { $cidr: ['10.1.0.0/17', '192.0.2.0/24'] } },
      (found) => found.context.ip === '10.1.128.0',
    ],
    [
      '$cidr of IPv6',
      { 'context.ip': { $cidr: '2001:db8::/32' } },
      { 'context.ip': { $cidr: '2001::/16' } },
      { 'context.ip': { $cidr: '2001:db8::/33' } },
      (found) => String(found.context.ip).startsWith('2001:db8:8000:'),
    ],
    [
      '$before',
      { 'context.until': { $before: '2026-01-01T00:00:00Z' } },
      { 'context.until': { $before: '2026-01-02T00:00:00Z' } },
      { 'context.until': { $before: '2025-01-01T00:00:00Z' } },
      (found) => found.context.until !== undefined,
    ],
    [
      '$after, relative to now',
      { 'principal.authTime': { $after: '-10m' } },
      { 'principal.authTime': { $after: '-1h' } },
      { 'principal.authTime': { $after: '-5m' } },
      (found) => found,
    ],
    [
      'relative and fixed times together',
      { 'context.until': { $before: '-1h', $after: '2026-01-01T00:00:00Z' } },
      { 'context.time': { $after: '2026-01-01T01:00:00Z' } },
      { 'context.time': { $after: '2026-01-01T01:30:00Z' } },
      (found) => found,
    ],
    [
      '$or',
      { $or: [license('a'), license('b')] },
      license({ $in: ['a', 'b'] }),
      license('a'),
      (found) => of(found, 'license') === 'b',
    ],
    [
      'the id and its parts',
      { 'resource.id': { $glob: 'acme/*' }, 'resource.name': { $in: ['x', 'y'] } },
      { 'resource.owner': 'acme' },
      { 'resource.id': { $in: ['acme/x', 'acme/z'] } },
      (found) => found.resource.id === 'acme/y',
    ],
    [
      'a list that is not one',
      tags({ $ne: ['a'] }),
      tags({ $ne: ['a'] }),
      tags({ $size: 1 }),
      (found) => of(found, 'tags') !== undefined,
    ],
    ['$not', { $not: license('a') }, license({ $ne: 'a' }), license('a'), (found) => found],
    [
      'two facts',
      { ...license('a'), 'resource.private': true },
      { $or: [license('b'), { 'resource.private': true }] },
      { ...license('a'), 'resource.private': false },
      (found) => of(found, 'private') === true,
    ],
    [
      '$ref',
      license({ $ref: 'context.license' }),
      { 'context.license': { $exists: true } },
      { 'context.license': { $exists: false } },
      (found) => found.context.license === of(found, 'license'),
    ],
    [
      'what a denial does not know',
      license({ $exists: false }),
      { 'resource.license': { $glob: 'x' } },
      { 'resource.private': true },
      (found) => of(found, 'private') === false,
    ],
  ]
  test.each(rows)(
    '%s: a denial of all that is allowed proves it, a denial of less does not',
    (_, allow, deny, breaks, witness) => {
      holds(reading(allow, deny))
      expect(witness(broken(reading(allow, breaks)))).toBeTruthy()
    },
  )

  test('a condition that nothing satisfies proves it', () => {
    holds(reading({ ...license('a'), 'resource.tags': { $size: 1, $all: ['a', 'b'] } }, license('z')))
    holds(
      reading(
        { $and: [license('a'), license('b'), { $not: { 'resource.license': { $contains: 'b' } } }] },
        license('z'),
      ),
    )
    holds(reading(license({ $gt: 'b', $lt: 'a' }), license('z')))
    holds(reading(orgs({ handle: 'acme', id: { $exists: false } }), { 'principal.orgs': { $exists: true } }))
  })

  test('two facts are compared with the same now', () => {
    const between = (end: string) =>
      reading(
        {
          'context.from': { $before: '-1h', $after: '2026-01-01T00:00:00Z' },
          'context.to': { $after: '1h', $before: end },
        },
        license('z'),
      )
    holds(between('2026-01-01T02:00:00Z'))
    broken(between('2026-01-01T02:01:00Z'))
  })

  test('`unless` is a way around a denial', () => {
    const parts = reading(license('a'), license('a'))
    const deny = [{ ...parts.deny?.[0], unless: { 'principal.mfa': true } }] as NonNullable<
      PolicyDocument['deny']
    >
    expect(broken({ ...parts, deny }).principal).toMatchObject({ claims: { amr: ['mfa'] } })
  })
})

describe('comparisons of two facts', () => {
  const same = (path: string, other: string): Condition => ({ [path]: { $eq: { $ref: other } } })
  const told = (path: string): Condition => ({ [path]: { $exists: true } })

  const rows: [name: string, allow: Condition, deny: Condition, breaks: Condition][] = [
    [
      'an address that is verified',
      same('resource.license', 'principal.email'),
      told('principal.email'),
      { 'principal.emailVerified': false },
    ],
    [
      'what is not so of an address that is verified',
      { 'principal.email': { $ne: { $ref: 'resource.license' } } },
      told('resource.license'),
      same('resource.license', 'principal.email'),
    ],
    [
      'the type of the resource on the right',
      same('context.kind', 'resource.type'),
      { 'context.kind': 'model' },
      { 'context.kind': 'dataset' },
    ],
    [
      'the issuer on the left, whatever the other is not',
      { 'principal.issuer': { $ne: { $ref: 'context.issuer' } } },
      told('context.issuer'),
      { 'context.issuer': { $in: ['oidc', 'okta'] } },
    ],
    [
      'an id that is the name of somebody',
      { 'resource.owner': { $eq: { $ref: 'principal.username' } } },
      told('principal.username'),
      { 'principal.username': { $glob: 'a*' } },
    ],
    [
      'a time and another fact',
      { 'context.until': { $after: { $ref: 'context.since' } } },
      told('context.since'),
      { 'context.since': { $after: '2026-01-01T00:00:00Z' } },
    ],
    [
      'an element that is none of two',
      orgs({ $not: { handle: { $in: ['acme', 'other'] } } }),
      told('principal.orgs'),
      orgs({ $or: [{ handle: 'acme' }, { handle: 'other' }] }),
    ],
  ]
  test.each(rows)(
    '%s: a denial of all of them proves it, a denial of less does not',
    (_, allow, deny, breaks) => {
      holds(reading(allow, deny))
      broken(reading(allow, breaks))
    },
  )

  const tried: typeof rows = [
    [
      'the type of the resource on the left',
      same('resource.type', 'context.kind'),
      { 'context.kind': 'model' },
      { 'context.kind': 'dataset' },
    ],
    [
      'an element and the owner',
      orgs({ handle: { $ref: 'resource.owner' } }),
      told('principal.orgs'),
      orgs({ handle: 'acme' }),
    ],
  ]
  test.each(tried)(
    '%s: a way is found by trying, and that there is none stays unknown',
    (_, allow, deny, breaks) => {
      expect(prove(policyOf(reading(allow, deny))).holds).toBe('unknown')
      broken(reading(allow, breaks))
    },
  )
})

describe('lists', () => {
  test('two elements that are asked for are looked for in lists of both sizes, and never proved away', () => {
    const both = (size: number): Condition => ({
      $and: [orgs({ handle: 'acme' }), orgs({ role: 'admin' })],
      'principal.orgs': { $size: size },
    })
    broken(reading(both(2), license('z')))
    // One member can be both. Whether it is looked for or not, it must not be proved impossible.
    expect(prove(policyOf(reading(both(1), license('z')))).holds).not.toBe(true)
  })

  test('a list that is too long to be tried is unknown, and never proved away', () => {
    expect(prove(policyOf(reading(tags({ $size: 100_000 }), license('z')))).holds).not.toBe(true)
    expect(
      prove(policyOf(reading(tags({ $all: Array.from({ length: 40 }, (_, i) => `t${i}`) }), license('z'))))
        .holds,
    ).not.toBe(true)
  })

  test('a list as a whole is one of those that are named, or another', () => {
    const whole = { $or: [tags(['a', 'b']), tags(['c'])] }
    broken(reading(whole, tags({ $contains: 'c' })))
    expect(prove(policyOf(reading(tags({ $ne: ['a'] }), tags({ $contains: 'a' })))).holds).not.toBe(true)
  })
})

describe('patterns', () => {
  const allowing = (on: string[], never: string[], deny: string[] = [], subject?: Invariant['for']) => ({
    resources: { prompt: { actions: ['read'] } },
    roles: { reader: { allow: [{ actions: ['read'], on }] } },
    bindings: [{ roles: ['reader'], to: { issuer: everyone } }],
    deny: deny.length === 0 ? [] : [{ actions: ['read'], on: deny }],
    invariants: [invariant({ actions: ['read'], on: never }, subject)],
  })
  test.each<[on: string[], never: string[], deny: string[]]>([
    [['model:acme/*'], ['model:acme/*/*'], []],
    [['model:acme/*'], ['model:other/**'], []],
    [['model:acme/*'], ['dataset:**'], []],
    [['model:acme/v*'], ['model:**'], ['model:ACME/*']],
    [['model:*/x', '**:acme/x'], ['model:**'], ['**:**/x']],
    [['model:acme/a*b'], ['model:acme/*c'], []],
    [['prompt:Team/*'], ['prompt:team/*'], []],
    [['model:acme/\u{1f600}*'], ['model:acme/**'], ['model:*/\u{1f600}*']],
    [['model:acme/${principal.id}'], ['model:acme/x'], []],
  ])('what %j allows is nowhere in %j, apart from what %j denies', (on, never, deny) => {
    holds(allowing(on, never, deny))
  })

  test.each<[on: string[], never: string[], deny: string[], id: RegExp]>([
    [['model:acme/**'], ['model:acme/*/*'], [], /^acme\/[^/]+\/[^/]+$/],
    [['model:acme/v*'], ['model:**'], ['model:acme/v1*'], /^acme\/v(?!1)/],
    [['model:*/x'], ['model:acme/*'], [], /^acme\/x$/],
    [['prompt:Team/*'], ['prompt:Team/**'], ['prompt:team/*'], /^Team\//],
    [['model:Acme/*'], ['model:ACME/x'], [], /^acme\/x$/],
    [['model:acme/\u{1f600}*'], ['model:acme/**'], [], /^acme\/\u{1f600}/u],
    [['model:acme/e\u0301*'], ['model:acme/**'], [], /^acme\/\u00e9/],
    [['model:${principal.username}/*'], ['model:acme/*'], [], /^acme\//],
    [['model:${principal.claims.team}/*'], ['model:acme/*'], ['model:${principal.username}/*'], /^acme\//],
    [['model:acme/${principal.id}'], ['model:acme/okta|*'], [], /^acme\/okta\|./],
  ])('what %j allows in %j, apart from what %j denies, has the id %s', (on, never, deny, id) => {
    expect(broken(allowing(on, never, deny)).resource.id).toMatch(id)
  })

  test('whose name fills a placeholder is known when `for` says so, whatever its case', () => {
    const own = ['**:${principal.username}/**']
    holds(allowing(own, ['model:acme/**'], [], { username: 'mallory' }))
    holds(allowing(own, ['**'], own, { username: 'mallory' }))
    expect(
      broken(allowing(own, ['model:Mallory/**'], [], { username: ['mallory', 'eve'] })).resource.id,
    ).toMatch(/^mallory\//)
  })

  test('a denial on ids under a name that is not known denies only those', () => {
    const parts = allowing(['model:**'], ['model:acme/**'], ['model:${principal.username}/**'], {
      issuer: 'oidc',
    })
    expect(broken(parts).resource.id).toMatch(/^acme\//)
    holds(allowing(['model:**'], ['model:acme/**'], ['model:${principal.username}/**'], { username: 'acme' }))
  })

  test('an owner that has to be the one who asks is known as well', () => {
    const parts = (owner: string) => ({
      ...allowing(['model:**'], [`model:${owner}/**`], [], { username: 'mallory' }),
      roles: {
        reader: {
          allow: [
            {
              actions: ['read'],
              on: ['model:**'],
              when: { 'resource.owner': { $ref: 'principal.username' } },
            },
          ],
        },
      },
    })
    holds(parts('acme'))
    expect(broken(parts('mallory')).principal).toMatchObject({ claims: { preferred_username: 'mallory' } })
  })
})

describe('who', () => {
  const roles = {
    reader: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] },
    writer: { extends: ['reader'], allow: [{ actions: ['write'], on: ['model:acme/*'] }] },
    guarded: { deny: [{ actions: ['*'], on: ['model:acme/secret'] }] },
  }
  const writing = { actions: ['write'], on: ['**'] }

  test('a binding and `for` that exclude each other prove it', () => {
    const parts = (to: PolicyDocument['bindings'][number]['to'], subject: Invariant['for']) => ({
      roles,
      bindings: [{ roles: ['writer'], to }],
      invariants: [invariant(writing, subject)],
    })
    holds(parts({ issuer: 'okta' }, { issuer: 'oidc' }))
    holds(parts({ issuer: 'okta' }, { kind: 'workload' }))
    holds(parts({ issuer: 'okta' }, { anonymous: true }))
    holds(parts({ username: 'ana' }, { username: ['ben', 'eve'] }))
    holds(parts({ claims: { ref: 'main' } }, { claims: { ref: { $ne: 'main' } } }))
    holds(parts({ issuer: 'okta', org: 'acme' }, { issuer: 'okta' }))
    holds(parts({ issuer: 'huggingface', org: 'acme' }, { claims: { $not: { sub: { $exists: true } } } }))
    holds(parts({ issuer: 'oidc', email: 'ana@acme.dev' }, { claims: { email_verified: false } }))
    broken(parts({ issuer: 'okta' }, { kind: 'user' }))
    broken(parts({ anonymous: true }, { anonymous: true }))
    broken(parts({ username: 'Ana' }, { username: ['ben', 'ana'] }))
    expect(
      broken(parts({ issuer: 'oidc', email: 'ana@acme.dev' }, { issuer: 'oidc' })).principal,
    ).toMatchObject({
      claims: { email: 'ana@acme.dev', email_verified: true },
    })
    expect(
      broken(
        parts({ issuer: 'huggingface', org: 'acme', orgRole: 'admin', resourceGroup: 'g' }, { org: 'acme' }),
      ).principal,
    ).toMatchObject({
      claims: { orgs: [{ preferred_username: 'acme', roleInOrg: 'admin', resourceGroups: [{ sub: 'g' }] }] },
    })
  })

  test.each<[preset: string, issuer: object, to: Partial<PolicyDocument['bindings'][number]['to']>]>([
    ['entra', { tenants: ['11111111-1111-1111-1111-111111111111'] }, { group: 'ml' }],
    ['google', {}, { email: 'ana@gmail.com' }],
    ['keycloak', { issuer: 'https://id.acme.dev/realms/acme' }, { username: 'ana' }],
    ['gitlab-ci', {}, { claims: { ref: 'main' } }],
    ['kubernetes', { issuer: 'https://k8s.acme.dev' }, { kind: 'workload' }],
  ])('people and jobs of `%s` are looked at', (preset, issuer, to) => {
    const policy = (subject: NonNullable<Invariant['for']>) =>
      policyOf({
        issuers: { idp: { preset, audience: 'https://models.acme.dev', ...issuer } },
        roles,
        bindings: [{ roles: ['writer'], to: { issuer: 'idp', ...to } }],
        invariants: [invariant(writing, subject)],
      })
    const proof = prove(policy({ issuer: 'idp' }))
    expect(proof).toMatchObject({ holds: false, counterexample: { principal: { issuer: 'idp' } } })
    expect(prove(policy({ anonymous: true })).holds).toBe(true)
  })

  test('a denial of a role counts only for those who hold it', () => {
    const parts = (to: PolicyDocument['bindings'][number]['to']) => ({
      roles,
      bindings: [
        { roles: ['writer'], to: { issuer: 'okta', group: 'ml' } },
        { roles: ['guarded'], to },
      ],
      invariants: [invariant({ actions: ['write'], on: ['model:acme/secret'] })],
    })
    holds(parts({ issuer: 'okta' }))
    holds(parts({ group: ['x', 'ml'] }))
    expect(broken(parts({ issuer: 'okta', group: 'x' })).principal).toMatchObject({
      claims: { groups: ['ml'] },
    })
  })

  test('roles reach what they extend', () => {
    const parts = (name: string) => ({
      roles,
      bindings: [{ roles: [name], to: { issuer: 'okta' } }],
      invariants: [invariant({ actions: ['read'], on: ['**'] })],
    })
    holds(parts('guarded'))
    expect(broken(parts('writer')).decision.statements[0]?.id).toMatch(/^roles\.reader\.allow#/)
  })

  test('the times of bindings are times of the clock', () => {
    const parts = (from: string) => ({
      roles,
      bindings: [
        { roles: ['writer'], to: { issuer: 'okta' }, until: '2026-03-01T00:00:00Z' },
        { roles: ['guarded'], to: { issuer: 'okta' }, from },
      ],
      invariants: [invariant({ actions: ['write'], on: ['model:acme/secret'] })],
    })
    holds({
      ...parts('2026-01-01T00:00:00Z'),
      bindings: [
        {
          roles: ['writer'],
          to: { issuer: 'okta' },
          from: '2026-03-01T00:00:00Z',
          until: '2026-03-01T00:00:00Z',
        },
      ],
    })
    const { time } = broken(parts('2026-01-01T00:00:00Z'))
    expect(time).toBeLessThan(Date.UTC(2026, 0, 1))
  })

  test('scopes of an own issuer are a ceiling for those who must carry one', () => {
    const parts = (on: string) => ({
      roles,
      scopes: {
        'acme:read': { actions: ['read'], on: ['model:acme/*'] },
        'acme:write': { actions: ['write'], on: [on] },
      },
      bindings: [{ roles: ['writer'], to: { issuer: 'oidc' } }],
      invariants: [invariant(writing, { claims: { scope: 'acme:write' } })],
    })
    holds(parts('model:other/*'))
    expect(broken(parts('model:acme/x')).resource.id).toBe('acme/x')
  })
})

describe('environments', () => {
  const parts = (environment: PolicyDocument['environments'][string]): Partial<PolicyDocument> => ({
    environments: { production: environment, development: {} },
    roles: { writer: { allow: [{ actions: ['write', 'read'], on: ['model:acme/*'] }] } },
    bindings: [{ roles: ['writer'], to: { issuer: 'okta' } }],
    invariants: [invariant({ actions: ['write'], on: ['**'] }, { claims: { amr: ['pwd'] } })],
  })

  test('each is proved for itself, under its own ceiling', () => {
    const policy = policyOf(parts({ actions: ['read'] }))
    expect(proveInvariants(policy).map(({ environment, holds: proved }) => [environment, proved])).toEqual([
      ['production', true],
      ['development', false],
    ])
  })

  test('what an environment requires rules out those who lack it, unless their issuer is exempt', () => {
    holds(parts({ require: { 'principal.mfa': true } }))
    broken(parts({ require: { 'principal.mfa': true }, exempt: ['okta'] }))
    broken(parts({ require: { 'principal.mfa': false } }))
  })

  test('a token is as fresh as it has to be', () => {
    expect(broken(parts({ maxTokenAge: '15m' })).principal).toMatchObject({ claims: { iat: now / 1000 } })
    holds({
      ...parts({ maxTokenAge: '15m' }),
      invariants: [invariant(anything, { claims: { iat: { $exists: false } } })],
    })
  })

  test('a statement for other environments does not count', () => {
    holds({
      ...parts({}),
      roles: { writer: { allow: [{ actions: ['write'], on: ['**'], environments: ['development'] }] } },
    })
  })
})

describe('bounds', () => {
  const wide = {
    roles: { reader: { allow: [{ actions: ['read'], on: ['model:a*b*c*d*/**'] }] } },
    bindings: [{ roles: ['reader'], to: { issuer: 'okta' } }],
    deny: [{ actions: ['read'], on: ['model:*a*b*c*/**'] }],
    invariants: [invariant()],
  }

  test('beyond its steps a proof is unknown, and never holds', () => {
    holds(wide)
    expect(prove(policyOf(wide), 'production', { steps: 50 })).toMatchObject({
      holds: 'unknown',
      reason: 'it takes more steps than are allowed',
    })
    for (let steps = 0; steps < 3000; steps += 37)
      expect(prove(policyOf(reading(license('a'), license('b'))), 'production', { steps }).holds).not.toBe(
        true,
      )
  })

  test('10,000 bindings are within the usual steps', () => {
    const policy = policyOf({
      roles: Object.fromEntries(
        Array.from({ length: 100 }, (_, i) => [
          `r${i}`,
          {
            allow: [
              { actions: ['read', 'write'], on: [`model:org-${i}/*`], when: { 'resource.gated': false } },
            ],
          },
        ]),
      ),
      bindings: Array.from({ length: 10_000 }, (_, i) => ({
        roles: [`r${i % 100}`],
        to: { issuer: 'okta', group: `g${i}` },
      })),
      deny: [{ actions: ['write'], on: ['model:org-*/secret'] }],
      invariants: [
        invariant({ actions: ['write'], on: ['model:**/secret'] }),
        invariant({ actions: ['read'], on: ['**'] }, { issuer: 'okta', claims: { groups: { $size: 0 } } }),
        invariant({ actions: ['read'], on: ['model:org-99/x'] }),
      ],
    })
    const proofs = proveInvariants(policy, { now }).filter(({ environment }) => environment === 'production')
    expect(proofs.map((proof) => proof.holds)).toEqual([true, true, false])
  })

  test('a policy without invariants has no proofs', () => {
    expect(proveInvariants(policyOf({}))).toEqual([])
  })
})

describe('the example of the language', () => {
  const text = readFileSync(new URL('./example.policy.yaml', import.meta.url), 'utf8')
  const parse = (changed = text) => parsePolicy(changed, { file: 'p.yaml', variables: { HF_CLIENT_ID: 'x' } })

  test('its pull requests could write, since the binding of the releaser does not look at the event', () => {
    const proof = prove(parse())
    expect(proof).toMatchObject({
      invariant: 'a pull request never writes',
      location: { file: 'p.yaml', line: 61 },
      holds: false,
      counterexample: {
        principal: { issuer: 'ci', claims: { event_name: 'pull_request', ref: 'refs/heads/main' } },
        action: 'write',
        decision: { statements: [{ location: { file: 'p.yaml', line: 39 } }], roles: ['releaser'] },
      },
    })
  })

  test('once the binding does, it is proved in every environment', () => {
    const bound = text.replace('ref: refs/heads/main }', 'ref: refs/heads/main, event_name: push }')
    expect(proveInvariants(parse(bound)).map((proof) => proof.holds)).toEqual([true, true, true])
  })
})

describe('facts of a principal', () => {
  const issuers = {
    oidc: { preset: 'oidc', issuer: 'https://id.acme.dev', audience: 'app' },
    huggingface: { preset: 'huggingface', audience: 'app' },
    entra: { preset: 'entra', audience: 'app', tenants: ['0f1e2d3c-0000-4000-8000-000000000001'] },
    'aws-eks': {
      preset: 'aws-eks',
      issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF',
      audience: 'https://models.acme.dev',
    },
    'google-workspace': { preset: 'google-workspace', audience: 'app', tenants: ['acme.com'] },
    auth0: { preset: 'auth0', issuer: 'https://acme.eu.auth0.com/', audience: 'app' },
  } as unknown as PolicyDocument['issuers']

  /** Whoever is of `issuer` may read under `when`, and with `denied` not if `denied` holds. */
  const readingBy = (issuer: string, when: Condition, denied?: Condition): Partial<PolicyDocument> => ({
    issuers,
    roles: { reader: { allow: [{ actions: ['read'], on: ['model:**'], when }] } },
    bindings: [{ roles: ['reader'], to: { issuer } }],
    deny: denied === undefined ? [] : [{ actions: ['read'], on: ['**'], when: denied }],
    invariants: [invariant()],
  })

  const facts: [fact: string, issuer: string, test: Json, others: Json][] = [
    ['id', 'oidc', 'oidc|ana', 'oidc|ben'],
    ['id', 'entra', { $glob: 'entra|*:ana' }, { $glob: 'entra|*:ben' }],
    ['username', 'oidc', 'ana', 'ben'],
    ['name', 'oidc', { $glob: 'A*' }, { $glob: 'B*' }],
    ['name', 'aws-eks', 'trainer', 'loader'],
    ['email', 'oidc', { $glob: '*@acme.dev' }, { $glob: '*@other.dev' }],
    ['email', 'google-workspace', 'ana@acme.com', 'ben@acme.com'],
    ['emailVerified', 'oidc', true, false],
    ['mfa', 'oidc', true, false],
    ['authTime', 'oidc', { $after: '-1h' }, { $before: '-2h' }],
    ['issuedAt', 'huggingface', { $after: '-5m' }, { $before: '-1h' }],
    ['expiresAt', 'oidc', { $after: '1h' }, { $before: '-1h' }],
    ['groups', 'entra', { $contains: 'staff' }, { $contains: 'guests' }],
    ['groups', 'oidc', { $contains: 'staff' }, { $contains: 'guests' }],
    ['scopes', 'auth0', { $contains: 'read' }, { $contains: 'write' }],
    ['kind', 'aws-eks', 'workload', 'user'],
    ['issuer', 'auth0', 'auth0', 'oidc'],
  ]

  test.each(facts)(
    '`%s` of `%s` can be told so that somebody reads, unless just that is denied',
    (fact, issuer, is) => {
      const when = { [`principal.${fact}`]: is }
      expect(broken(readingBy(issuer, when)).principal).toMatchObject({ issuer })
      holds(readingBy(issuer, when, when))
    },
  )

  test.each(facts)('a denial on another `%s` of `%s` leaves the way open', (fact, issuer, is, other) => {
    const [when, denied] = [{ [`principal.${fact}`]: is }, { [`principal.${fact}`]: other }]
    broken(readingBy(issuer, when, denied))
  })

  test.each([
    ['mfa', 'aws-eks', true],
    ['authTime', 'aws-eks', { $after: '-1h' }],
    ['email', 'aws-eks', { $glob: '*' }],
    ['groups', 'google-workspace', { $contains: 'staff' }],
    ['orgs', 'oidc', { $elemMatch: { handle: 'acme' } }],
  ] as [string, string, Json][])(
    '`%s` is told by no token of `%s`, so nothing rests on it',
    (fact, issuer, is) => {
      holds(readingBy(issuer, { [`principal.${fact}`]: is }))
    },
  )

  test('claims inside others are told where they stand', () => {
    const { principal } = broken({
      ...readingBy('aws-eks', { 'principal.kind': 'workload' }),
      bindings: [
        {
          roles: ['reader'],
          to: {
            issuer: 'aws-eks',
            claims: { 'kubernetes.io/namespace': 'ml', 'kubernetes.io/serviceaccount/name': 'trainer' },
          },
        },
      ],
    })
    expect(principal).toMatchObject({
      claims: { 'kubernetes.io': { namespace: 'ml', serviceaccount: { name: 'trainer' } } },
    })
  })
})

test('who is denied by a name is meant in any case, and nobody else is', () => {
  const readers = (...names: string[]): Partial<PolicyDocument> => ({
    roles: {
      reader: {
        allow: [{ actions: ['read'], on: ['model:**'], when: { 'principal.username': { $in: names } } }],
      },
      kept: { deny: [anything] },
    },
    bindings: [
      { roles: ['reader'], to: { issuer: 'oidc' } },
      { roles: ['kept'], to: { issuer: 'oidc', username: 'kim' } },
    ],
    invariants: [invariant()],
  })
  holds(readers('kim', 'KIM', 'Kim'))
  expect(broken(readers('kim', '\u212aim')).principal).toMatchObject({
    claims: { preferred_username: '\u212aim' },
  })
})
