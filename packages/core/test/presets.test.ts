/**
 * How presets read claims: one kind for each, what is not told stays unknown, and nothing is believed twice.
 */
import { describe, expect, test } from 'vitest'
import {
  type Claims,
  normalClaims,
  type Preset,
  presets,
  principalFromClaims,
  refusalOfClaims,
} from '../src/index.ts'
import type { ClaimedMembers } from '../src/principal/preset.ts'

function preset(name: string): Preset {
  const found = presets.get(name)
  if (found === undefined) throw new Error(name)
  return found
}

const principalOf = (name: string, claims: Claims) =>
  principalFromClaims({ issuer: 'idp', preset: preset(name), credential: 'id_token', claims })

describe('a principal', () => {
  const read: ClaimedMembers = {
    username: 'dana',
    name: 'Dana',
    email: 'dana@acme.example',
    emailVerified: false,
    mfa: false,
    authTime: 0,
    issuedAt: 1,
    expiresAt: 2,
    orgs: [],
    groups: [],
    scopes: [],
  }
  const issued = (members: ClaimedMembers) =>
    principalFromClaims({
      issuer: 'idp',
      preset: { ...preset('oidc'), read: () => members },
      credential: 'id_token',
      claims: { sub: 'u1' },
    })

  test('has every member that its preset reads, and what is unknown is not there at all', () => {
    expect(issued(read)).toMatchObject(read)
    for (const name of Object.keys(read) as (keyof ClaimedMembers)[]) {
      const { [name]: left, ...others } = read
      expect(Object.keys(issued({ ...read, [name]: undefined }))).not.toContain(name)
      expect(issued({ ...read, [name]: undefined })).toMatchObject(others)
    }
  })
})

describe('claims are made uniform', () => {
  test.each([
    ['a text that is true', { ref_protected: 'true' }, { ref_protected: true }],
    ['a text that is false', { ref_protected: 'false' }, { ref_protected: false }],
    ['a truth', { ref_protected: true }, { ref_protected: true }],
    ['a number for an id', { project_id: 20 }, { project_id: '20' }],
    ['a text for an id', { project_id: '20' }, { project_id: '20' }],
    ['an odd truth, which is unknown', { ref_protected: 'yes' }, {}],
    ['a number for a truth, which is unknown', { ref_protected: 1 }, {}],
    ['half a number for an id, which is unknown', { project_id: 1.5 }, {}],
    ['a list for an id, which is unknown', { project_id: ['20'] }, {}],
    ['a claim that has no rule', { ref: 'main', x: 'true' }, { ref: 'main', x: 'true' }],
  ])('%s', (_, claims, expected) => {
    const normal = normalClaims(preset('gitlab-ci'), claims as Claims)
    expect(normal).toEqual(expected)
    expect(normalClaims(preset('gitlab-ci'), normal)).toEqual(expected)
  })

  test.each<[string, object, object]>([
    ['a plain no', { 'oidc.circleci.com/ssh-rerun': 'false' }, { 'oidc.circleci.com/ssh-rerun': false }],
    [
      'an odd answer, which is a yes',
      { 'oidc.circleci.com/ssh-rerun': 0 },
      { 'oidc.circleci.com/ssh-rerun': true },
    ],
    ['no answer, which stays none', {}, {}],
  ])('a warning: %s', (_, claims, expected) => {
    const normal = normalClaims(preset('circleci'), claims as Claims)
    expect(normal).toEqual(expected)
    expect(normalClaims(preset('circleci'), normal)).toEqual(expected)
  })

  test('and stay the same object when there is nothing to do', () => {
    const claims = { project_id: '20', ref_protected: true }
    expect(normalClaims(preset('gitlab-ci'), claims)).toBe(claims)
  })

  test('nested members get a name of their own, which no claim can take', () => {
    const claims = { 'kubernetes.io': { namespace: 'ml' }, 'kubernetes.io/namespace': 'admin' }
    expect(normalClaims(preset('kubernetes'), claims)).toMatchObject({ 'kubernetes.io/namespace': 'ml' })
    expect(normalClaims(preset('kubernetes'), { 'kubernetes.io/namespace': 'admin' })).toEqual({})
    expect(
      normalClaims(preset('kubernetes'), { 'kubernetes.io': 'x', 'kubernetes.io/namespace': 'admin' }),
    ).toEqual({
      'kubernetes.io': 'x',
    })
  })

  test('names of prototypes are claims like any other', () => {
    const claims: Claims = JSON.parse('{ "__proto__": { "x": 1 }, "project_id": 20 }')
    const normal = normalClaims(preset('gitlab-ci'), claims)
    expect(Object.keys(normal).sort()).toEqual(['__proto__', 'project_id'])
    expect(Object.getPrototypeOf(normal)).toBe(Object.prototype)
  })
})

describe('a subject', () => {
  test.each([
    ['entra', { tid: 't', oid: 'o', sub: 'p' }, 't:o'],
    ['slack', { 'https://slack.com/team_id': 'T1', sub: 'U1' }, 'T1:U1'],
    ['github-actions', { repository_id: 20002, sub: 'repo:a/b:ref:refs/heads/main' }, '20002'],
    ['gitlab-ci', { project_id: 20, sub: 'project_path:a/b' }, '20'],
    ['okta', { uid: '00u1', sub: 'dana@acme.dev' }, '00u1'],
  ])('of `%s` is what survives a rename', (name, claims, expected) => {
    expect(principalOf(name, claims as Claims).subject).toBe(expected)
  })

  test.each([
    ['a part is missing', { tid: 't' }],
    ['a part is empty', { tid: 't', oid: '' }],
    ['a part could move the border', { tid: 't:x', oid: 'o' }],
  ])('is missing when %s', (_, claims) => {
    expect(() => principalOf('entra', claims as Claims)).toThrow('no subject')
  })
})

describe('groups are unknown, and not none, when', () => {
  test.each([
    ['Entra has too many to tell', 'entra', { tid: 't', oid: 'o', _claim_names: { groups: 'src1' } }],
    ['Entra tells some beside a pointer', 'entra', { tid: 't', oid: 'o', groups: ['a'], _claim_names: {} }],
    ['Entra says only that there are some', 'entra', { tid: 't', oid: 'o', groups: ['a'], hasgroups: true }],
    ['the claim is malformed', 'okta', { sub: 'a', groups: 'admins' }],
    ['the provider never tells', 'google-workspace', { sub: 'a', groups: ['admins'] }],
    ['they are a job’s author’s', 'gitlab-ci', { project_id: '1', groups_direct: ['admins'] }],
  ])('%s', (_, name, claims) => {
    expect(principalOf(name, claims as Claims)).not.toHaveProperty('groups')
  })

  test('but none are none', () => {
    expect(principalOf('entra', { tid: 't', oid: 'o', groups: [] }).groups).toEqual([])
  })
})

describe('an address is verified', () => {
  test.each([
    ['oidc', { email_verified: true }, true],
    ['oidc', { email_verified: 'true' }, undefined],
    ['google', { email_verified: 'true', hd: 'acme.com' }, true],
    ['google', { email_verified: true, email: 'a@gmail.com' }, true],
    ['google', { email_verified: true }, false],
    ['google', { email_verified: true, email: 'a@gmail.com.evil.example' }, false],
    ['google', { email_verified: false, hd: 'acme.com' }, false],
    ['entra', { email_verified: true }, undefined],
    ['entra', { xms_edov: true }, true],
    ['entra', { xms_edov: 'false' }, false],
    ['slack', { email_verified: true, 'https://slack.com/team_id': 'T' }, true],
  ])('by `%s` with %j: %s', (name, claims, expected) => {
    const principal = principalOf(name, { sub: 'a', tid: 't', oid: 'o', email: 'a@acme.dev', ...claims })
    expect(principal.emailVerified).toBe(expected)
  })
})

describe('scopes and groups are read as they are spelt', () => {
  test.each([
    ['okta', { sub: 'a', scp: ['x', 'y'] }, ['x', 'y']],
    ['entra', { tid: 't', oid: 'o', scp: 'x y' }, ['x', 'y']],
    ['auth0', { sub: 'a', scope: 'x y', permissions: ['z'] }, ['x', 'y']],
    ['keycloak', { sub: 'a', scope: 'x y' }, ['x', 'y']],
  ])('by `%s`', (name, claims, expected) => {
    expect(principalOf(name, claims as Claims).scopes).toEqual(expected)
  })
})

test('a refusal never repeats what the token says, but for the gate that it ran into', () => {
  const issuer = { alias: 'idp', tenants: ['acme.com'], gatesOpened: [] }
  const secret = 'evil-and-secret.example'
  const reason = refusalOfClaims({ ...issuer, preset: preset('google-workspace') }, 'id_token', {
    sub: secret,
    email: `x@${secret}`,
    hd: secret,
  })
  expect(reason).toContain('`hd`')
  expect(reason).not.toContain(secret)
})
