/** The same question with something changed: each change alone, and together in any order. */
import { describe, expect, test } from 'vitest'
import { type Change, createCounterfactual } from '../src/explain/counterfactual.ts'
import { anonymous, type PolicyDocument, type Principal, type ResourceInput } from '../src/index.ts'
import { situationOf } from './situations.ts'
import { nowSeconds, policyOf, principalOf } from './support.ts'

type Condition = NonNullable<NonNullable<PolicyDocument['deny']>[number]['when']>

const reads = (when?: Condition) => ({
  allow: [{ actions: ['read'], on: ['model:acme/*'], ...(when === undefined ? {} : { when }) }],
})

function counterfactual(
  parts: Partial<PolicyDocument>,
  principal: Principal = principalOf('oidc', {}),
  resource: ResourceInput = 'model:acme/x',
) {
  const policy = policyOf({
    bindings: [{ roles: Object.keys(parts.roles ?? {}), to: { issuer: 'oidc' } }],
    ...parts,
  })
  const situation = situationOf(policy, principal, { action: 'read', resource })
  if (situation === undefined) throw new Error('a situation')
  const ask = createCounterfactual(situation)
  return (...changes: Change[]) => {
    const answer = ask(changes)
    // The order in which changes are named says nothing, and asking again says the same.
    expect(ask([...changes].reverse())).toBe(answer)
    return answer
  }
}

describe('with something changed', () => {
  const signIn: Change = { kind: 'sign_in', issuer: 'oidc' }

  test('a role gives what it gives, and one that the policy does not have gives nothing', () => {
    const ask = counterfactual({ roles: { reader: reads(), other: {} }, bindings: [] })
    expect(ask()).toBe(false)
    expect(ask({ kind: 'role', role: 'reader' })).toBe(true)
    expect(ask({ kind: 'role', role: 'other' })).toBe(false)
    expect(ask({ kind: 'role', role: 'nobody' })).toBe(false)
    expect(ask({ kind: 'role' })).toBe(false)
    expect(ask({ kind: 'role', role: 'other' }, { kind: 'role', role: 'reader' })).toBe(true)
  })

  test('a role is kept beside those that are bound', () => {
    const roles = { reader: reads(), other: {} }
    const ask = counterfactual({ roles, bindings: [{ roles: ['reader'], to: { issuer: 'oidc' } }] })
    expect(ask({ kind: 'role', role: 'other' })).toBe(true)
  })

  test('signing in comes before what it is needed for', () => {
    const ask = counterfactual({ roles: { reader: reads({ 'principal.mfa': true }) } }, anonymous)
    expect(ask(signIn)).toBe(false)
    expect(ask({ kind: 'step_up', missing: ['principal.mfa'] })).toBe(false)
    expect(ask(signIn, { kind: 'step_up', missing: ['principal.mfa'] })).toBe(true)
    expect(ask({ kind: 'sign_in', issuer: 'nobody' }, { kind: 'step_up', missing: ['principal.mfa'] })).toBe(
      false,
    )
  })

  test('a role is for somebody: the anonymous sign in first', () => {
    const ask = counterfactual({ roles: { reader: reads() }, bindings: [] }, anonymous)
    expect(ask({ kind: 'role', role: 'reader' })).toBe(false)
    expect(ask(signIn)).toBe(false)
    expect(ask(signIn, { kind: 'role', role: 'reader' })).toBe(true)
  })

  test('a sign-in is of now, and of nobody in particular', () => {
    const environments = { production: { maxTokenAge: '15m' } }
    expect(counterfactual({ roles: { reader: reads() }, environments }, anonymous)(signIn)).toBe(true)
    for (const when of [
      { 'principal.username': { $exists: true } },
      { 'principal.claims.sub': { $exists: true } },
      { 'principal.id': 'oidc|ana' },
    ] satisfies Condition[])
      expect(counterfactual({ roles: { reader: reads(when) } }, anonymous)(signIn)).toBe(false)
    const person = { 'principal.kind': 'user', 'principal.issuer': 'oidc' }
    expect(counterfactual({ roles: { reader: reads(person) } }, anonymous)(signIn)).toBe(true)
  })

  test('a step-up brings the facts it names and no other', () => {
    const old = principalOf('oidc', { auth_time: nowSeconds - 86_400, amr: ['pwd'] })
    const recent = counterfactual(
      { roles: { reader: reads({ 'principal.authTime': { $after: '-5m' } }) } },
      old,
    )
    expect(recent({ kind: 'step_up', missing: ['principal.authTime'] })).toBe(true)
    expect(recent({ kind: 'step_up', missing: ['principal.mfa'] })).toBe(false)
    const strong = counterfactual({ roles: { reader: reads({ 'principal.mfa': true }) } }, old)
    expect(strong({ kind: 'step_up', missing: ['principal.mfa'] })).toBe(true)
    expect(strong({ kind: 'step_up', missing: ['principal.authTime'] })).toBe(false)
    expect(strong({ kind: 'step_up', missing: [] })).toBe(false)
  })

  test('a fresher token is of now and lives for an hour', () => {
    const old = principalOf('oidc', { iat: nowSeconds - 3600, exp: nowSeconds })
    const environments = { production: { maxTokenAge: '15m' } }
    const ask = counterfactual({ roles: { reader: reads() }, environments }, old)
    expect(ask()).toBe(false)
    expect(ask({ kind: 'fresher_token', maxAgeSeconds: 900 })).toBe(true)
    const lives = counterfactual(
      { roles: { reader: reads({ 'principal.expiresAt': { $after: '59m' } }) } },
      old,
    )
    expect(lives({ kind: 'fresher_token' })).toBe(true)
  })

  test('scopes come to those that are held', () => {
    const token = principalOf('huggingface', { scope: 'openid', orgs: [] }, { credential: 'access_token' })
    const bindings = [{ roles: ['reader'], to: { issuer: 'huggingface' } }]
    const ask = counterfactual({ roles: { reader: reads() }, bindings }, token)
    expect(ask({ kind: 'scope', scopes: ['read-repos'] })).toBe(true)
    expect(ask({ kind: 'scope', scopes: ['inference-api'] })).toBe(false)
    const both = { 'principal.scopes': { $all: ['openid', 'read-repos'] } }
    expect(
      counterfactual(
        { roles: { reader: reads(both) }, bindings },
        token,
      )({ kind: 'scope', scopes: ['read-repos'] }),
    ).toBe(true)
  })

  test('another environment has its own rules, and one that the policy does not have has none', () => {
    const environments = { production: { actions: ['infer'] }, development: {} }
    const ask = counterfactual({ roles: { reader: reads() }, environments })
    expect(ask()).toBe(false)
    expect(ask({ kind: 'environment', environment: 'development' })).toBe(true)
    expect(ask({ kind: 'environment', environment: 'nowhere' })).toBe(false)
    expect(ask({ kind: 'environment', environment: 'nowhere' }, { kind: 'role', role: 'reader' })).toBe(false)
  })

  test('a fact of the resource or of the request is another, nested or not', () => {
    const about = { type: 'model', id: 'acme/x', attributes: { gated: true, private: false } }
    const open = counterfactual(
      { roles: { reader: reads({ 'resource.gated': false, 'resource.private': false }) } },
      undefined,
      about,
    )
    expect(open()).toBe(false)
    expect(open({ kind: 'attribute', fact: 'resource.gated', told: true, is: false })).toBe(true)
    expect(open({ kind: 'attribute', fact: 'context.gated', told: true, is: false })).toBe(false)
    expect(open({ kind: 'attribute', fact: 'resource.gated', told: true })).toBe(false)
    const level = counterfactual({ roles: { reader: reads({ 'context.caller.level': { $gte: 3 } }) } })
    expect(level({ kind: 'attribute', fact: 'context.caller.level', told: false, is: 3 })).toBe(true)
    expect(level({ kind: 'attribute', fact: 'resource.caller.level', told: false, is: 3 })).toBe(false)
  })
})
