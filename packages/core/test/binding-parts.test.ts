/** Every part of a `to` must hold, whatever stands beside it and whichever of them a binding is filed under. */
import { describe, expect, test } from 'vitest'
import { createEngine, HfAuthError, type Json, loadSnapshot, type PolicyDocument } from '../src/index.ts'
import { accessOf, now, nowSeconds, policyOf, principalOf, reader } from './support.ts'

type Subject = PolicyDocument['bindings'][number]['to']

const parts: Readonly<
  Record<string, { to: Subject; has: { [name: string]: Json }; lacks: { [name: string]: Json } }>
> = {
  issuer: { to: { issuer: 'huggingface' }, has: {}, lacks: { issuer: 'other' } },
  kind: { to: { kind: 'user' }, has: {}, lacks: { issuer: 'github-actions' } },
  username: {
    to: { username: 'Ana' },
    has: { preferred_username: 'ana' },
    lacks: { preferred_username: 'ben' },
  },
  group: { to: { group: ['ml', 'ops'] }, has: { groups: ['ops'] }, lacks: { groups: ['x'] } },
  email: {
    to: { email: 'Ana@acme.dev' },
    has: { email: 'ana@acme.dev', email_verified: true },
    lacks: { email: 'ana@acme.dev', email_verified: false },
  },
  org: {
    to: { org: 'ACME', orgRole: 'admin' },
    has: { orgs: [{ sub: 'id', preferred_username: 'acme', roleInOrg: 'admin' }] },
    lacks: { orgs: [{ sub: 'id', preferred_username: 'acme', roleInOrg: 'read' }] },
  },
  claims: { to: { claims: { ref: 'main' } }, has: { ref: 'main' }, lacks: { ref: ['other', 1] } },
  list: { to: { claims: { aud: 'app' } }, has: { aud: ['x', 'app', 1] }, lacks: { aud: 7 } },
}

function rolesOf(
  to: Subject,
  { issuer = 'huggingface', ...claims }: { [name: string]: Json },
): readonly string[] {
  const policy = policyOf({ roles: { r: {} }, bindings: [{ roles: ['r'], to }] })
  const preset = issuer === 'other' ? 'huggingface' : String(issuer)
  const principal = principalOf(issuer === 'other' ? 'oidc' : String(issuer), claims as never, { preset })
  return createEngine(policy, { environment: 'production', now: () => now })
    .for(principal)
    .roles()
}

const names = Object.keys(parts)
const pairs = names.flatMap((first) =>
  names.filter((second) => second !== first).map((second) => [first, second] as const),
)

describe('two parts of a binding', () => {
  test.each(pairs)('%s and %s must both hold', (first, second) => {
    const [one, other] = [parts[first], parts[second]]
    if (one === undefined || other === undefined) throw new Error('no such part')
    const claims = { ...one.to.claims, ...other.to.claims }
    const to: Subject = { ...one.to, ...other.to, ...(Object.keys(claims).length === 0 ? {} : { claims }) }
    expect(rolesOf(to, { ...one.has, ...other.has })).toEqual(['r'])
    expect(rolesOf(to, { ...one.has, ...other.lacks })).toEqual([])
    expect(rolesOf(to, { ...other.has, ...one.lacks })).toEqual([])
    expect(rolesOf(to, { ...one.has })).toEqual(Object.keys(other.has).length === 0 ? ['r'] : [])
  })
})

test('a token that never expires ages all the same', () => {
  const environments = { production: { maxTokenAge: '15m' } }
  const access = (iat: number) =>
    accessOf({ roles: reader, environments }, principalOf('oidc', { iat, exp: 'never' as never }))
  expect(access(nowSeconds - 899).can('read', 'model:acme/x')).toBe(true)
  expect(access(nowSeconds - 900).can('read', 'model:acme/x')).toBe(false)
})

test('a snapshot ages by the clock of the machine when no other is given', () => {
  const { freshUntil: _, ...snapshot } = accessOf({ roles: reader }).snapshot()
  expect(loadSnapshot(snapshot).can('read', 'model:acme/x')).toBe(true)
  expect(loadSnapshot({ ...snapshot, freshUntil: 1 }).can('read', 'model:acme/x')).toBe(false)
})

test('an id without an owner has a name and an empty owner', () => {
  const when = {
    'resource.owner': '',
    'resource.name': 'acme',
    'resource.type': 'org',
    'resource.id': 'acme',
  }
  const access = accessOf({ roles: { r: { allow: [{ actions: ['read'], on: ['org:**'], when }] } } })
  expect(access.can('read', 'org:ACME')).toBe(true)
  expect(access.can('read', 'org:acme/x')).toBe(false)
})

test('a fact is looked up through mappings, and never through lists or texts', () => {
  const when = { 'context.a.b': { $exists: true } }
  const access = accessOf({ roles: { r: { allow: [{ actions: ['read'], on: ['model:**'], when }] } } })
  const can = (context: { [name: string]: Json }) => access.can('read', 'model:acme/x', context)
  expect([{ a: { b: 1 } }, { 'a.b': 1 }].map(can)).toEqual([true, true])
  expect([{ a: [1] }, { a: 'b' }, { a: null }, {}, { a: { b: null } }].map(can)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ])
})

test('an error keeps a cause only when it was given one', () => {
  expect(new HfAuthError('HFAUTH_CONFIG_INVALID', 'x', { cause: 1 }).cause).toBe(1)
  expect('cause' in new HfAuthError('HFAUTH_CONFIG_INVALID', 'x')).toBe(false)
})
