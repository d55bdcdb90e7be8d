/**
 * Candidates: exactly the changes that are looked at, before anybody asks which of them help. What is left out
 * here would never be found, and what is too much here takes the place of something else.
 */
import { describe, expect, test } from 'vitest'
import { candidateChanges } from '../src/explain/candidates.ts'
import type { Change } from '../src/explain/counterfactual.ts'
import { anonymous, type Json, type PolicyDocument, type Principal } from '../src/index.ts'
import { type SituationQuestion, situationOf } from './situations.ts'
import { policyOf, principalOf } from './support.ts'

type Kind = Change['kind']

const ana = principalOf('oidc', {})
const read: SituationQuestion = { action: 'read', resource: 'model:acme/x' }

function candidates(
  parts: Partial<PolicyDocument>,
  { who = ana, question = read }: { who?: Principal; question?: SituationQuestion } = {},
) {
  const situation = situationOf(policyOf(parts), who, question)
  if (situation === undefined) throw new Error('a situation')
  const { changes, complete } = candidateChanges(situation)
  return { complete, changes, of: (kind: Kind) => changes.filter((change) => change.kind === kind) }
}

const allow = (on: string, when?: { readonly [fact: string]: Json }, actions = ['read']) => ({
  allow: [{ actions, on: [on], ...(when === undefined ? {} : { when }) }],
})
const bound = (...roles: string[]) => [{ roles, to: { issuer: 'oidc' } }]

describe('roles', () => {
  const names = (parts: Partial<PolicyDocument>, question = read) =>
    candidates(parts, { question }).changes.flatMap((change) => (change.kind === 'role' ? [change.role] : []))

  test('are those with an allow on the action and the resource, in any environment', () => {
    const roles = {
      exact: allow('model:acme/x'),
      owner: allow('model:acme/*'),
      type: allow('model:**'),
      everything: allow('**', undefined, ['*']),
      elsewhere: { allow: [{ actions: ['read'], on: ['model:**'], environments: ['development'] }] },
      conditional: allow('model:**', { 'resource.gated': false }),
      'other-action': allow('model:**', undefined, ['write']),
      'other-type': allow('dataset:**'),
      'other-owner': allow('model:other/*'),
      'other-id': allow('model:acme/y'),
      denial: { deny: [{ actions: ['read'], on: ['model:**'] }] },
      nothing: {},
    }
    expect(names({ roles })).toEqual(['conditional', 'elsewhere', 'everything', 'exact', 'owner', 'type'])
  })

  test('with a placeholder are those that some principal fills in so, since a sign-in can change who it is', () => {
    const roles = {
      own: allow('model:${principal.username}/*'),
      other: allow('dataset:${principal.username}/*'),
      one: allow('model:${principal.username}'),
    }
    for (const preferred_username of ['ben', 'acme/x'])
      expect(candidates({ roles }, { who: principalOf('oidc', { preferred_username }) }).of('role')).toEqual([
        { kind: 'role', role: 'one' },
        { kind: 'role', role: 'own' },
      ])
  })

  test('are offered with what they extend, and not when they are held', () => {
    const roles = {
      reader: allow('model:**'),
      writer: { extends: ['reader'] },
      admin: { extends: ['writer'] },
    }
    expect(names({ roles })).toEqual(['admin', 'reader', 'writer'])
    expect(names({ roles, bindings: bound('writer') })).toEqual(['admin'])
    expect(names({ roles, bindings: bound('admin') })).toEqual([])
  })

  test('are twelve at most, and then the list is not complete', () => {
    const many = (count: number) => ({
      roles: Object.fromEntries(
        Array.from({ length: count }, (_, i) => [`r${String(i).padStart(2, '0')}`, allow('model:**')]),
      ),
    })
    expect(candidates(many(12))).toMatchObject({ complete: true })
    const thirteen = candidates(many(13))
    expect(thirteen.complete).toBe(false)
    expect(thirteen.of('role')).toHaveLength(12)
    expect(thirteen.of('role')).not.toContainEqual({ kind: 'role', role: 'r12' })
  })
})

describe('the token', () => {
  test('whoever showed none can sign in with any issuer, and has no token to be fresher', () => {
    const { of } = candidates({}, { who: anonymous })
    expect(of('sign_in')).toEqual(
      ['github-actions', 'huggingface', 'oidc', 'okta'].map((issuer) => ({ kind: 'sign_in', issuer })),
    )
    expect(of('fresher_token')).toEqual([])
    expect(candidates({}).of('sign_in')).toEqual([])
  })

  test('a fresher one is as fresh as the environment asks', () => {
    expect(candidates({}).of('fresher_token')).toEqual([{ kind: 'fresher_token' }])
    expect(candidates({ environments: { production: { maxTokenAge: '15m' } } }).of('fresher_token')).toEqual([
      { kind: 'fresher_token', maxAgeSeconds: 900 },
    ])
  })

  test('a sign-in can bring what statements and environments ask of it, and nothing else', () => {
    const stepUps = (when: { readonly [fact: string]: Json } | undefined, environment = {}) =>
      candidates({
        environments: { production: {}, development: environment },
        roles: { reader: allow('model:**', when) },
      }).of('step_up')
    const [mfa, authTime] = ['principal.mfa', 'principal.authTime'].map(
      (fact): Change => ({ kind: 'step_up', missing: [fact] }),
    )
    expect(stepUps({ 'principal.mfa': true })).toEqual([mfa])
    expect(stepUps({ $not: { 'principal.mfa': false } })).toEqual([mfa])
    expect(
      stepUps({ $or: [{ 'principal.mfa': true }, { 'principal.authTime': { $after: '-1h' } }] }),
    ).toEqual([authTime, mfa])
    expect(stepUps({ 'principal.emailVerified': true })).toEqual([])
    expect(stepUps(undefined, { require: { 'principal.mfa': true } })).toEqual([mfa])
  })

  test('of an own issuer any scope of the policy is tried that it lacks', () => {
    const parts: Partial<PolicyDocument> = {
      scopes: {
        'acme:read': { actions: ['read'], on: ['model:**'] },
        'acme:write': { actions: ['write'], on: ['model:**'] },
      },
    }
    const offered = (scope?: string) =>
      candidates(parts, { who: principalOf('oidc', scope === undefined ? {} : { scope }) }).of('scope')
    expect(offered()).toEqual([
      { kind: 'scope', scopes: ['acme:read'] },
      { kind: 'scope', scopes: ['acme:write'] },
    ])
    expect(offered('acme:read')).toEqual([{ kind: 'scope', scopes: ['acme:write'] }])
    expect(offered('acme:read acme:write')).toEqual([])
  })

  test('of Hugging Face takes the scopes that suffice, for the resource as it may turn out to be', () => {
    const who = principalOf('huggingface', { scope: 'openid' }, { credential: 'access_token' })
    const idToken = principalOf('huggingface', {})
    expect(candidates({}, { who }).of('scope')).toEqual([
      { kind: 'scope', scopes: ['gated-repos'] },
      { kind: 'scope', scopes: ['read-repos'] },
    ])
    const holder = principalOf('huggingface', { scope: 'read-repos' }, { credential: 'access_token' })
    expect(candidates({}, { who: holder }).of('scope')).toEqual([{ kind: 'scope', scopes: ['gated-repos'] }])
    expect(candidates({}, { who: idToken }).of('scope')).toEqual([])
  })
})

describe('environments', () => {
  test('are all others', () => {
    const environments = { production: {}, development: {}, staging: {} }
    expect(candidates({ environments }).of('environment')).toEqual([
      { kind: 'environment', environment: 'development' },
      { kind: 'environment', environment: 'staging' },
    ])
  })
})

describe('facts', () => {
  const facts = (when: { readonly [fact: string]: Json }, question: SituationQuestion = read) =>
    candidates({ roles: { reader: allow('model:**', when) } }, { question }).of('attribute')
  const change = (fact: string, is: Json, more = {}) => ({
    kind: 'attribute',
    fact,
    told: false,
    is,
    ...more,
  })

  test('turn where a test of a statement turns', () => {
    expect(facts({ 'resource.license': 'mit' })).toEqual([
      change('resource.license', 'mit'),
      change('resource.license', 'other than mit', { not: 'mit' }),
    ])
    expect(facts({ 'context.level': { $gt: 2 } })).toEqual([
      change('context.level', 1),
      change('context.level', 2),
      change('context.level', 3),
    ])
  })

  test('are not changed to what they are', () => {
    const question: SituationQuestion = {
      action: 'read',
      resource: { type: 'model', id: 'acme/x', attributes: { license: 'mit' } },
    }
    expect(facts({ 'resource.license': 'mit' }, question)).toEqual([
      change('resource.license', 'other than mit', { not: 'mit', told: true }),
    ])
  })

  test('of a person are not changed, nor what an id says, nor the time', () => {
    expect(facts({ 'principal.username': 'ana' })).toEqual([])
    expect(facts({ 'resource.owner': 'acme' })).toEqual([])
    expect(facts({ 'resource.id': 'acme/x' })).toEqual([])
    expect(facts({ 'resource.type': 'model' })).toEqual([])
    expect(facts({ 'resource.name': 'x' })).toEqual([])
    expect(facts({ 'context.time': { $after: '2027-01-01T00:00:00Z' } })).toEqual([])
  })

  test('are changed on either side of a comparison', () => {
    const question: SituationQuestion = {
      action: 'read',
      resource: { type: 'model', id: 'acme/x', attributes: { license: 'mit' } },
      context: { tier: 'gold' },
    }
    expect(facts({ 'resource.license': { $eq: { $ref: 'context.tier' } } }, question)).toEqual([
      change('context.tier', 'mit', { told: true }),
      change('resource.license', 'gold', { told: true }),
      change('resource.license', 'other than gold', { told: true, not: 'gold' }),
    ])
    expect(facts({ 'principal.username': { $eq: { $ref: 'context.tier' } } }, question)).toEqual([])
    expect(facts({ 'context.tier': { $eq: { $ref: 'principal.id' } } }, question)).toEqual([
      change('context.tier', 'oidc|ana', { told: true }),
      change('context.tier', 'other than oidc|ana', { told: true, not: 'oidc|ana' }),
    ])
  })

  test('come once each, those that the principal’s own statements ask for before all others', () => {
    const parts: Partial<PolicyDocument> = {
      roles: {
        held: allow('model:**', { $or: [{ 'resource.license': 'mit' }, { 'resource.license': 'mit' }] }),
        lacking: allow('model:**', { 'context.ask': 'a', 'resource.license': 'mit' }),
        other: allow('dataset:**', { 'context.other': 'b' }),
      },
      bindings: bound('held'),
    }
    expect(candidates(parts).of('attribute')).toEqual([
      change('resource.license', 'mit'),
      change('resource.license', 'other than mit', { not: 'mit' }),
      change('context.ask', 'a'),
      change('context.ask', 'other than a', { not: 'a' }),
    ])
  })

  test('those that a denial for everybody asks for are the principal’s own', () => {
    const parts: Partial<PolicyDocument> = {
      roles: { lacking: allow('model:**', { 'context.ask': 'a' }) },
      deny: [{ actions: ['read'], on: ['model:**'], when: { 'resource.license': 'mit' } }],
    }
    expect(candidates(parts).of('attribute')).toMatchObject([
      { fact: 'resource.license' },
      { fact: 'resource.license' },
      { fact: 'context.ask' },
      { fact: 'context.ask' },
    ])
  })

  test('a held access token of Hugging Face asks whether the resource is public, unless that was told', () => {
    const who = principalOf('huggingface', { scope: 'openid' }, { credential: 'access_token' })
    const isPublic = (attributes: { readonly [name: string]: Json }, action = 'read') =>
      candidates({}, { who, question: { action, resource: { type: 'model', id: 'acme/x', attributes } } }).of(
        'attribute',
      )
    expect(isPublic({})).toEqual([change('resource.gated', false), change('resource.private', false)])
    expect(isPublic({ private: true })).toEqual([change('resource.gated', false)])
    expect(isPublic({ private: true, gated: false })).toEqual([])
    expect(candidates({}, { who: principalOf('huggingface', {}) }).of('attribute')).toEqual([])
  })

  test('are twenty-four at most, and then the list is not complete', () => {
    const any = (count: number) =>
      candidates({
        roles: {
          reader: allow('model:**', {
            'context.ask': { $in: Array.from({ length: count }, (_, i) => `a${i}`) },
          }),
        },
      })
    expect(any(23)).toMatchObject({ complete: true })
    expect(any(23).of('attribute')).toHaveLength(24)
    expect(any(24).complete).toBe(false)
    expect(any(24).of('attribute')).toHaveLength(24)
  })
})
