/** The rarer branches: each way to be malformed, each answer that is seldom given. */
import { describe, expect, test } from 'vitest'
import {
  createAppRouter,
  createEngine,
  HfAuthError,
  type Json,
  loadSnapshot,
  type PolicyDocument,
  PolicyError,
  parsePolicy,
  runExamples,
} from '../src/index.ts'
import { parseCidr, parseIp } from '../src/internal/ip.ts'
import { nearest } from '../src/internal/nearest.ts'
import { parseMoment, parseTime } from '../src/policy/time.ts'
import { accessOf, now, policyOf, principalOf, reader } from './support.ts'

function faultsOf(parts: Partial<PolicyDocument>): string[] {
  try {
    policyOf(parts)
  } catch (error) {
    if (error instanceof PolicyError) return error.faults.map(({ code, path }) => `${code} ${path}`)
    throw error
  }
  return []
}

describe('a condition that cannot be read is a fault where it stands', () => {
  test.each<[string, Json]>([
    ['an operator that does not exist', { 'resource.private': { $is: true } }],
    ['a root that does not exist', { 'subject.name': 'x' }],
    ['a root without a name', { 'resource.': 'x' }],
    ['no test at all', { 'resource.private': {} }],
    ['nothing at all', {}],
    ['nothing at all as one of several', { $or: [{ 'resource.private': true }, {}] }],
    ['nothing at all, turned round', { $not: {} }],
    ['`$elemMatch` of nothing at all', { 'resource.tags': { $elemMatch: {} } }],
    ['`$elemMatch` without a condition', { 'resource.tags': { $elemMatch: 'x' } }],
    ['`$not` without a condition', { $not: true }],
    ['an empty `$or`', { $or: [] }],
    ['a list for a mapping in `$and`', { $and: ['x'] }],
    ['a reference with more than itself', { 'resource.owner': { $ref: 'principal.username', $eq: 1 } }],
    ['a reference to nothing', { 'resource.owner': { $ref: 'nothing' } }],
    ['a reference that is no text', { 'resource.owner': { $ref: 1 } }],
    ['a reference for a pattern', { 'resource.owner': { $glob: { $ref: 'principal.username' } } }],
    ['`$in` without a list', { 'resource.license': { $in: 'mit' } }],
    ['`$all` of mappings', { 'resource.tags': { $all: [{}] } }],
    ['`$contains` of a list', { 'resource.tags': { $contains: ['x'] } }],
    ['`$eq` of a mapping', { 'resource.license': { $eq: { a: 1 } } }],
    ['`$lt` of a boolean', { 'context.level': { $lt: true } }],
    ['`$exists` of a text', { 'resource.private': { $exists: 'yes' } }],
    ['a negative `$size`', { 'resource.tags': { $size: -1 } }],
    ['an empty `$glob`', { 'resource.revision': { $glob: '' } }],
    ['a `$cidr` without a range', { 'context.ip': { $cidr: ['10.0.0.1'] } }],
    ['a `$before` that is no time', { 'context.time': { $before: 'tomorrow' } }],
    ['what only partial evaluation writes', { $unknown: ['resource.private'] }],
    ['a value that is known', { $known: { value: 1, is: { $eq: 1 } } }],
  ])('%s', (_, when) => {
    const faults = faultsOf({ deny: [{ actions: ['read'], on: ['model:**'], when: when as never }] })
    expect(faults.length).toBeGreaterThan(0)
    for (const fault of faults) expect(fault).toMatch(/^\w+ deny\[0\]\.when/)
    expect(
      faultsOf({ deny: [{ actions: ['read'], on: ['model:**'], unless: when as never }] }).length,
    ).toBeGreaterThan(0)
  })

  test('under `require` and under `claims` as well', () => {
    expect(faultsOf({ environments: { production: { require: { 'resource.private': true } } } })).toEqual([
      'malformed_condition environments.production.require.resource.private',
    ])
    expect(faultsOf({ bindings: [{ roles: [], to: { claims: { sub: { $glob: '' } } } }] }).length).toBe(1)
    expect(faultsOf({ environments: { production: { require: {} } } })).toEqual([
      'malformed_condition environments.production.require',
    ])
    // Everybody whom any issuer vouches for is not what somebody means who writes this.
    expect(faultsOf({ bindings: [{ roles: [], to: { claims: {} } }] })).toEqual([
      'malformed_condition bindings[0].to.claims',
    ])
  })
})

describe('a pattern that no id could match is a fault', () => {
  test.each([
    'acme/x',
    'Model:acme/x',
    'model:',
    'model:a//b',
    'model:a/./b',
    'model:../b',
    'model:a b',
    'model:a%2f',
    'model:${env.X}/x',
    'model:${principal.groups}/x',
    'model:$x',
    'modle:acme/x',
  ])('%s', (pattern) => {
    expect(faultsOf({ deny: [{ actions: ['read'], on: [pattern] }] })).toHaveLength(1)
    expect(
      faultsOf({ projects: { p: [pattern] }, deny: [{ actions: ['read'], on: ['project:p'] }] }),
    ).toHaveLength(1)
  })
})

describe('addresses', () => {
  test.each(['10.0.0.1', '::', '::1', '2001:db8::1', '1:2:3:4:5:6:7:8', '::ffff:10.0.0.1', '1::8'])(
    '%s is one',
    (text) => {
      expect(parseIp(text)).toBeDefined()
    },
  )

  test.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'x::',
    '::10.0.0.256',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })

  test.each(['10.0.0.0/33', '::/129', '10.0.0.0', '10.0.0.0/', 'x/8', '10.0.0/8', '10.0.0.0/x'])(
    '%j is no range',
    (text) => {
      expect(parseCidr(text)).toBeUndefined()
    },
  )

  test('of another version are in no range, and a range of everything has all of its own', () => {
    const access = (range: string) =>
      accessOf({
        roles: {
          r: { allow: [{ actions: ['read'], on: ['model:**'], when: { 'context.ip': { $cidr: range } } }] },
        },
      })
    expect(access('0.0.0.0/0').can('read', 'model:a/x', { ip: '203.0.113.9' })).toBe(true)
    expect(access('0.0.0.0/0').can('read', 'model:a/x', { ip: '2001:db8::1' })).toBe(false)
    expect(access('::/0').can('read', 'model:a/x', { ip: '2001:db8::1' })).toBe(true)
  })
})

describe('times', () => {
  test.each([
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T25:00:00Z',
    '2026-01-01',
    'x',
  ])('%s is none', (text) => {
    expect(parseTime(text)).toBeUndefined()
  })

  test('and a moment is a time, or a while from now either way', () => {
    expect(parseMoment('2024-02-29T00:00:00Z')).toEqual({ at: Date.UTC(2024, 1, 29) })
    expect(parseMoment('1w')).toEqual({ fromNow: 604_800_000 })
    expect(parseMoment('+2m')).toEqual({ fromNow: 120_000 })
    expect(parseMoment('-1d')).toEqual({ fromNow: -86_400_000 })
    expect(parseMoment('soon')).toBeUndefined()
  })
})

test('the nearest name is near: swapped, missing or other letters, and none when everything differs', () => {
  expect(nearest('raed', ['read', 'write'])).toBe('read')
  expect(nearest('productoin', ['production', 'development'])).toBe('production')
  expect(nearest('', ['read'])).toBeUndefined()
  expect(nearest('x', [])).toBeUndefined()
  expect(nearest('xyz', ['read'])).toBeUndefined()
  expect(nearest('a'.repeat(70), ['a'.repeat(69)])).toBeUndefined()
  expect(nearest('READ', ['read'])).toBe('read')
})

describe('what Hugging Face says of organisations counts when it is whole', () => {
  const access = (orgs: Json) =>
    createEngine(
      policyOf({
        roles: { member: {}, inGroup: {} },
        bindings: [
          { roles: ['member'], to: { org: 'acme' } },
          { roles: ['inGroup'], to: { org: 'acme', resourceGroup: ['rg', 'vision'] } },
        ],
      }),
      { environment: 'production', now: () => now },
    ).for(principalOf('huggingface', { orgs }))
  const acme = { sub: 'id', preferred_username: 'acme' }

  test.each<[string, Json, string[]]>([
    ['no list', 'acme', []],
    ['no mapping', ['acme', null, ['acme']], []],
    ['no id', [{ preferred_username: 'acme' }], []],
    ['no handle', [{ sub: 'id' }], []],
    ['a membership', [acme], ['member']],
    ['groups that are no list', [{ ...acme, resourceGroups: 'rg' }], ['member']],
    ['no restriction', [{ ...acme, securityRestrictions: [] }], ['member']],
    ['no word of restrictions', [{ ...acme, securityRestrictions: null }], ['member']],
    ['a restriction', [{ ...acme, securityRestrictions: ['sso'] }], []],
    ['a restriction that is no list', [{ ...acme, securityRestrictions: 'sso' }], []],
    ['restrictions that are no texts', [{ ...acme, securityRestrictions: [{ kind: 'sso' }] }], []],
    [
      'groups without a role',
      [{ ...acme, resourceGroups: [{ sub: 'rg', name: 'vision' }, 'rg', null] }],
      ['member'],
    ],
    [
      'a group by id',
      [{ ...acme, resourceGroups: [{ sub: 'rg', name: 'x', role: 'read' }] }],
      ['inGroup', 'member'],
    ],
    [
      'a group by name',
      [{ ...acme, resourceGroups: [{ sub: 'x', name: 'vision', role: 'read' }] }],
      ['inGroup', 'member'],
    ],
  ])('%s', (_, orgs, roles) => {
    expect(access(orgs).roles()).toEqual(roles)
  })
})

describe('a snapshot with a part of another kind is refused', () => {
  const whole = accessOf({ roles: reader }).snapshot()
  test.each<[string, object]>([
    ['rules that are no list', { rules: {} }],
    ['a rule that is none', { rules: ['x'] }],
    ['an effect of no known kind', { rules: [{ effect: 'maybe', actions: [], types: [] }] }],
    ['a condition that is a list', { rules: [{ effect: 'allow', actions: [], types: [], when: [] }] }],
    [
      'a condition with an operator of no known kind',
      { rules: [{ effect: 'allow', actions: [], types: [], when: { $is: 1 } }] },
    ],
    ['an id that is a number', { rules: [{ effect: 'allow', actions: [], types: [], id: 1 }] }],
    ['actions that are numbers', { actions: [1] }],
    ['a principal that is none', { principal: 1 }],
    ['a time that is a text', { freshUntil: 'now' }],
    ['scopes of no known kind', { scopes: { kind: 'other' } }],
    ['scopes that are a text', { scopes: 'all' }],
    [
      'covers that cannot be read',
      { scopes: { kind: 'own', covers: [{ effect: 'allow', actions: [], types: [], when: { $is: 1 } }] } },
    ],
    ['another version', { snapshot: 2 }],
  ])('%s', (_, part) => {
    expect(() => loadSnapshot({ ...whole, ...part })).toThrow(HfAuthError)
  })
})

describe('examples', () => {
  const policy = policyOf({
    roles: {
      reader: reader.reader,
      guest: {
        allow: [{ actions: ['read'], on: ['model:open/*'], when: { 'context.ip': { $cidr: '10.0.0.0/8' } } }],
      },
    },
    bindings: [
      { roles: ['reader'], to: { issuer: 'huggingface' } },
      { roles: ['guest'], to: { anonymous: true } },
    ],
    tests: [
      {
        name: 'nobody',
        principal: 'anonymous',
        environment: 'production',
        context: { ip: '10.0.0.1' },
        expect: { 'read model:open/x': 'allow', 'read model:acme/x': 'deny' },
      },
      {
        name: 'a token',
        principal: {
          issuer: 'huggingface',
          credential: 'access_token',
          claims: { sub: 'x', scope: 'openid' },
        },
        environment: 'production',
        resources: { 'model:acme/x': { private: false, gated: false } },
        expect: { 'read model:acme/x': 'allow', 'read model:acme/y': 'deny' },
      },
    ],
  })

  test('are asked with their context, their resources and their kind of token', () => {
    expect(runExamples(policy, { now }).map(({ passed }) => passed)).toEqual([true, true, true, true])
  })
})

test('a route of one’s own takes HEAD as GET, and nothing that is longer, shorter, empty or other', () => {
  const router = createAppRouter(
    policyOf({
      routes: [{ match: 'GET /v1/:owner/:name', action: 'read', resource: 'model:x-:no/:owner/:name' }],
    } as never as Partial<PolicyDocument>),
  )
  expect(router('HEAD', '/v1/acme/x')?.action).toBe('read')
  for (const path of ['/v1/acme', '/v1/acme/x/y', '/v1//x', '/v2/acme/x', '', 'v1/acme/x'])
    expect(router('GET', path)).toBeUndefined()
  expect(router('POST', '/v1/acme/x')).toBeUndefined()
})

test('warnings tell of claims that an attacker can choose', () => {
  const { warnings } = policyOf({
    roles: { r: {} },
    bindings: [
      { roles: ['r'], to: { email: 'ana@acme.dev' } },
      { roles: ['r'], to: { claims: { sub: { $glob: 'repo:*/x' } } } },
      { roles: ['r'], to: { claims: { event_name: 'pull_request_target' } } },
      { roles: ['r'], to: { claims: { email: 'ana@acme.dev' } } },
    ],
  })
  expect(warnings.map(({ path }) => path)).toEqual([
    'bindings[0].to.email',
    'bindings[1].to.claims.sub',
    'bindings[2].to.claims.event_name',
    'bindings[3].to.claims.email',
  ])
})

test('JSON text tells line and column of its faults', () => {
  const text = '{\n  "version": 1,\n  "name": 2\n}'
  expect(() => parsePolicy(text, { file: 'x.json' })).toThrow(/x\.json:3:3/)
})

test.each<[Json, boolean]>([
  ['2026-05-31T12:00:00Z', true],
  ['2026-05-25T12:00:00Z', false],
  [now - 1000, true],
  ['long ago', false],
])('a time in a claim, %j, counts from now whether it is a text or a number', (joined, recent) => {
  const when = { 'principal.claims.joined': { $after: '-7d' } }
  const access = accessOf(
    { roles: { r: { allow: [{ actions: ['read'], on: ['model:**'], when }] } } },
    principalOf('oidc', { joined }),
  )
  expect(access.can('read', 'model:acme/x')).toBe(recent)
  expect(loadSnapshot(access.snapshot(), { now: () => now }).can('read', 'model:acme/x')).toBe(recent)
  expect(loadSnapshot(access.snapshot(), { now: () => now + 604_800_000 }).can('read', 'model:acme/x')).toBe(
    false,
  )
})

describe('text that is no JSON', () => {
  const faultOf = (text: string, options?: { file: string }) => {
    try {
      parsePolicy(text, options)
    } catch (error) {
      if (error instanceof PolicyError)
        return error.faults.map(({ code, line, column, file }) => ({ code, line, column, file }))
      throw error
    }
    return []
  }

  test('is a fault where it breaks off, in the file when one is named', () => {
    expect(faultOf('{\n  "version": ')).toEqual([{ code: 'syntax', line: 2, column: 14, file: undefined }])
    expect(faultOf('{\n  "version": ', { file: 'x.json' })).toEqual([
      { code: 'syntax', line: 2, column: 14, file: 'x.json' },
    ])
  })

  test('or says a thing twice, is a fault where it says so again', () => {
    expect(faultOf('{\n  "version": 1,\n  "version": 1\n}')).toEqual([
      { code: 'duplicate_key', line: 3, column: 3, file: undefined },
    ])
  })
})

describe('names that nothing has are faults, wherever they stand', () => {
  test.each<[string, Partial<PolicyDocument>, string[]]>([
    [
      'a fact of principals',
      { deny: [{ actions: ['read'], on: ['model:**'], when: { 'principal.nam': 'x' } as never }] },
      ['unknown_attribute deny[0].when.principal.nam'],
    ],
    [
      'a fact of any resource',
      { deny: [{ actions: ['read'], on: ['**'], when: { 'resource.gatd': true } as never }] },
      ['unknown_attribute deny[0].when.resource.gatd'],
    ],
    [
      'a role that is extended',
      { roles: { a: { extends: ['b'], allow: [] } } },
      ['unknown_role roles.a.extends[0]'],
    ],
    [
      'an action in an invariant, which may be about everybody and everything',
      {
        invariants: [
          { name: 'nobody deletes', never: { actions: ['*'], on: ['**'] } },
          { name: 'nobody reads', never: { actions: ['raed'], on: ['**'] } },
        ],
      },
      ['unknown_action invariants[1].never.actions[0]'],
    ],
  ])('%s', (_, parts, faults) => {
    expect(faultsOf(parts)).toEqual(faults)
  })
})

test('a policy without examples passes none', () => {
  expect(runExamples(policyOf({ roles: reader }), { now })).toEqual([])
})
