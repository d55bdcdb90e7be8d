import { describe, expect, test } from 'vitest'
import { createEngine, loadSnapshot, type PolicyDocument } from '../src/index.ts'
import { now, policyOf, principalOf } from './support.ts'

const base: Partial<PolicyDocument> = {
  roles: {
    viewer: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] },
    engineer: {
      extends: ['viewer'],
      allow: [{ actions: ['infer'], on: ['model:acme/vision-*'], when: { 'resource.gated': false } }],
    },
    auditor: { allow: [{ actions: ['read'], on: ['dataset:secret-project/*'] }] },
  },
  bindings: [
    { roles: ['engineer'], to: { issuer: 'oidc', group: 'ml' } },
    { roles: ['auditor'], to: { issuer: 'oidc', group: 'internal-affairs' } },
  ],
  deny: [
    {
      actions: ['read', 'infer'],
      on: ['model:acme/restricted'],
      unless: { 'principal.groups': { $contains: 'trust-and-safety' } },
    },
  ],
}
const ana = principalOf('oidc', {
  groups: ['ml'],
  preferred_username: 'ana',
  email: 'ana@acme.dev',
  secret_claim: 'of-ana',
})

const everything = { effect: 'allow', actions: ['*'], types: ['**'] }

function nested(levels: number): object {
  return levels === 0 ? { 'resource.x': 1 } : { $not: nested(levels - 1) }
}

function accessTo(policy: Partial<PolicyDocument>) {
  return createEngine(policyOf(policy), { environment: 'production', now: () => now }).for(ana)
}

describe('a snapshot', () => {
  const live = accessTo(base)
  const text = JSON.stringify(live.snapshot())
  const loaded = loadSnapshot(text, { now: () => now })

  test('answers as the engine does that made it', () => {
    const gated = (value: boolean) => ({
      type: 'model',
      id: 'acme/vision-large',
      attributes: { gated: value },
    })
    for (const action of ['read', 'infer', 'write', 'nonsense']) {
      for (const resource of [
        'model:acme/x',
        'model:acme/restricted',
        'model:ACME/Vision-Large',
        'dataset:secret-project/x',
        gated(true),
        gated(false),
        'model:../x',
        'nonsense:x',
      ]) {
        expect(loaded.can(action, resource)).toBe(live.can(action, resource))
        expect(loaded.likelihood(action, resource)).toBe(live.likelihood(action, resource))
        const { reason, missingAttributes, scopes } = live.decide({ action, resource })
        expect(loaded.decide({ action, resource })).toMatchObject({ reason, missingAttributes, scopes })
      }
    }
    expect(loaded.scopes()).toEqual(live.scopes())
    expect(loaded.roles()).toEqual(live.roles())
  })

  test('tells nothing of other principals, roles, bindings, claims or places in the file', () => {
    for (const word of [
      'auditor',
      'secret-project',
      'internal-affairs',
      'trust-and-safety',
      'of-ana',
      'ana@acme.dev',
      'binding',
      'line',
      'sha256'.repeat(2),
    ]) {
      expect(text).not.toContain(word)
    }
  })

  test.each<[string, Partial<PolicyDocument>]>([
    [
      'another role',
      { ...base, roles: { ...base.roles, auditor: { allow: [{ actions: ['write'], on: ['**'] }] } } },
    ],
    [
      'another binding',
      {
        ...base,
        bindings: [...(base.bindings ?? []), { roles: ['auditor'], to: { issuer: 'oidc', group: 'new' } }],
      },
    ],
    ['the order of bindings', { ...base, bindings: [...(base.bindings ?? [])].reverse() }],
    [
      'who is exempt from a denial that meets her all the same',
      {
        ...base,
        deny: [
          {
            actions: ['infer', 'read'],
            on: ['model:acme/restricted'],
            unless: { 'principal.groups': { $contains: 'legal' } },
          },
        ],
      },
    ],
    ['its name', { ...base, name: 'renamed' }],
  ])('is the same to the byte under a policy that differs in %s', (_, policy) => {
    expect(JSON.stringify(accessTo(policy).snapshot())).toBe(text)
  })

  test('has another digest when what she may do differs', () => {
    const changed = accessTo({ ...base, deny: [] })
    expect(changed.snapshot().digest).not.toBe(live.snapshot().digest)
  })

  test.each<[string, unknown]>([
    ['text that is not JSON', '{'],
    ['another version', { snapshot: 2 }],
    ['no object', null],
    ['nothing', undefined],
    ['a duplicate key', '{"snapshot":1,"snapshot":1}'],
    ['a key that would change a prototype', '{"snapshot":1,"__proto__":{"rules":[]}}'],
    ['rules that are none', { ...live.snapshot(), rules: [{ effect: 'grant' }] }],
    [
      'a condition with an unknown operator',
      {
        ...live.snapshot(),
        rules: [{ effect: 'deny', actions: ['*'], types: ['**'], when: { 'resource.x': { $regex: '.*' } } }],
      },
    ],
    ['text where a list belongs', { ...live.snapshot(), actions: 'read' }],
    ['a freshness that is no number', { ...live.snapshot(), freshUntil: 'never' }],
    ['something huge', `{"snapshot":1,"rules":[${'1,'.repeat(1_100_000)}1]}`],
    ['something deep', '['.repeat(1_000_000)],
    [
      'a condition deeper than any policy has',
      { ...live.snapshot(), rules: [{ ...everything, when: nested(80) }] },
    ],
  ])('is refused when it is %s', (_, input) => {
    expect(() => loadSnapshot(input)).toThrow(expect.objectContaining({ code: 'HFAUTH_SNAPSHOT_INVALID' }))
  })

  test('is refused when it holds itself', () => {
    const cyclic: Record<string, unknown> = { ...live.snapshot() }
    cyclic.rules = [cyclic]
    expect(() => loadSnapshot(cyclic)).toThrow(expect.objectContaining({ code: 'HFAUTH_SNAPSHOT_INVALID' }))
  })
})
