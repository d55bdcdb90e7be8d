import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { candidateChanges } from '../src/explain/candidates.ts'
import { createCounterfactual } from '../src/explain/counterfactual.ts'
import {
  anonymous,
  type Change,
  createEngine,
  type Explanation,
  type Policy,
  type PolicyDocument,
  type Principal,
  type Question,
} from '../src/index.ts'
import { inFull, lawRuns } from './runs.ts'
import { situationOf } from './situations.ts'
import { anyAction, resource, somebody, world } from './small-worlds.ts'
import { accessOf, now, nowSeconds, policyOf, principalOf, reader } from './support.ts'

const administrator = { audience: 'administrator' } as const
const engineOf = (policy: Policy) => createEngine(policy, { environment: 'production', now: () => now })
const read = { action: 'read', resource: 'model:acme/x' }

function setsOf(parts: Partial<PolicyDocument>, principal?: Principal, question: Question = read) {
  return accessOf(parts, principal).explain(question, administrator).remedies?.sets
}

describe('a denial can be turned by', () => {
  const conditional = (when: NonNullable<PolicyDocument['deny']>[number]['when']) => ({
    r: { allow: [{ actions: ['read'], on: ['model:acme/*'], ...(when === undefined ? {} : { when }) }] },
  })

  test('a role, each that would do', () => {
    const roles = { ...reader, editor: { extends: ['reader'] }, other: { allow: [] } }
    expect(setsOf({ roles, bindings: [] })).toEqual([
      [{ kind: 'role', role: 'editor' }],
      [{ kind: 'role', role: 'reader' }],
    ])
  })

  test('a scope', () => {
    const token = principalOf('huggingface', { scope: 'openid', orgs: [] }, { credential: 'access_token' })
    const told = { type: 'model', id: 'acme/x', attributes: { private: true, gated: false } }
    expect(setsOf({ roles: reader }, token, { action: 'read', resource: told })).toEqual([
      [{ kind: 'scope', scopes: ['read-repos'] }],
    ])
  })

  test('another environment', () => {
    const environments = { production: { actions: ['infer'] }, development: {} }
    expect(setsOf({ roles: reader, environments })).toEqual([
      [{ kind: 'environment', environment: 'development' }],
    ])
  })

  test('a fresher token and a second factor, together', () => {
    const environments = { production: { maxTokenAge: '15m', require: { 'principal.mfa': true } } }
    const old = principalOf('oidc', { iat: nowSeconds - 3600 })
    expect(setsOf({ roles: reader, environments }, old)).toEqual([
      [
        { kind: 'fresher_token', maxAgeSeconds: 900 },
        { kind: 'step_up', missing: ['principal.mfa'] },
      ],
    ])
  })

  test('a second factor that a statement asks for', () => {
    const when = { 'principal.mfa': true }
    expect(setsOf({ roles: conditional(when) })).toEqual([[{ kind: 'step_up', missing: ['principal.mfa'] }]])
  })

  test('an attribute: told, of a value, or of another', () => {
    expect(setsOf({ roles: conditional({ 'resource.gated': false }) })).toEqual([
      [{ kind: 'attribute', fact: 'resource.gated', told: false, is: false }],
    ])
    const deny = [{ actions: ['read'], on: ['**'], when: { 'resource.license': 'mit' } }]
    const mit = { type: 'model', id: 'acme/x', attributes: { license: 'mit' } }
    expect(setsOf({ roles: reader, deny }, undefined, { action: 'read', resource: mit })).toEqual([
      [{ kind: 'attribute', fact: 'resource.license', told: true, is: 'other than mit', not: 'mit' }],
    ])
  })

  test('signing in, where a binding asks for no more', () => {
    const policy = policyOf({ roles: reader, bindings: [{ roles: ['reader'], to: { issuer: 'oidc' } }] })
    const sets = engineOf(policy).for(anonymous).explain(read).remedies?.sets
    expect(sets?.[0]).toEqual([{ kind: 'sign_in', issuer: 'oidc' }])
    expect(sets).toContainEqual([{ kind: 'role' }, { kind: 'sign_in', issuer: 'okta' }])
    expect(sets).not.toContainEqual([{ kind: 'role' }])
  })

  test('nothing at all when a denial has no condition', () => {
    const deny = [{ actions: ['read'], on: ['model:**'] }]
    expect(setsOf({ roles: reader, deny })).toEqual([])
    expect(setsOf({ roles: reader }, undefined, { action: 'raed', resource: 'model:acme/x' })).toEqual([])
  })

  test('what a held role asks for, however many other roles there are', () => {
    const resources = { app: { actions: ['read'] } }
    const roles = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [
        `r${i}`,
        { allow: [{ actions: ['read'], on: ['app:**'], when: { [`resource.a${i}`]: i } }] },
      ]),
    )
    const bindings = [{ roles: ['r77'], to: { issuer: 'oidc' } }]
    const question = { action: 'read', resource: 'app:x' }
    const remedies = accessOf({ resources, roles, bindings }).explain(question, administrator).remedies
    expect(remedies?.sets[0]).toEqual([{ kind: 'attribute', fact: 'resource.a77', told: false, is: 77 }])
    expect(remedies?.complete).toBe(false)
  })

  test('an allow has no remedies', () => {
    expect(accessOf({ roles: reader }).explain(read)).not.toHaveProperty('remedies')
  })
})

describe('remedies', () => {
  const twelve = (name: string) => Array.from({ length: 11 }, (_, i) => `${name}${i}`)
  const everyone = [{ roles: ['r'], to: { issuer: 'oidc' } }]

  test('come smallest first, then by what they are, each once', () => {
    const allow = [
      {
        actions: ['read'],
        on: ['model:acme/*'],
        when: { 'resource.license': 'mit', 'resource.gated': false },
      },
      { actions: ['read'], on: ['model:acme/*'], when: { 'resource.path': 'b' } },
      { actions: ['read'], on: ['model:acme/x'], when: { 'resource.path': 'a' } },
    ]
    const told = (fact: string, is: unknown) => ({ kind: 'attribute', fact, told: false, is })
    expect(setsOf({ roles: { r: { allow }, ...reader }, bindings: everyone })).toEqual([
      [told('resource.path', 'a')],
      [told('resource.path', 'b')],
      [{ kind: 'role', role: 'reader' }],
      [told('resource.gated', false), told('resource.license', 'mit')],
    ])
  })

  test('of three changes are found, and of four none, which is said to be all there is within the bounds', () => {
    const needing = (...names: string[]) =>
      accessOf({
        roles: {
          r: {
            allow: [
              {
                actions: ['read'],
                on: ['app:**'],
                when: Object.fromEntries(names.map((name) => [`resource.${name}`, true])) as never,
              },
            ],
          },
        },
        resources: { app: { actions: ['read'] } },
      }).explain({ action: 'read', resource: 'app:x' }, administrator).remedies
    expect(needing('a', 'b', 'c')).toMatchObject({ sets: [{ length: 3 }], complete: true })
    expect(needing('a', 'b', 'c', 'd')).toEqual({ sets: [], complete: true })
  })

  test('try no two environments, and no two values of a fact, at once: many of both are searched whole', () => {
    const roles = {
      r: {
        allow: [
          {
            actions: ['read'],
            on: ['model:acme/*'],
            when: { 'resource.license': { $in: twelve('l') }, 'resource.revision': { $in: twelve('r') } },
          },
        ],
        deny: [{ actions: ['read'], on: ['model:acme/x'] }],
      },
    }
    const environments = Object.fromEntries(['production', ...twelve('e'), 'other'].map((name) => [name, {}]))
    expect(accessOf({ roles, environments }).explain(read, administrator).remedies).toEqual({
      sets: [],
      complete: true,
    })
  })

  test('are looked for up to a bound, and say when it was met', () => {
    const when = Object.fromEntries(
      Array.from({ length: 24 }, (_, i) => [`resource.a${i}`, { $exists: true }]),
    )
    const roles = { r: { allow: [{ actions: ['read'], on: ['app:**'], when: when as never }] } }
    const environments = Object.fromEntries(['production', ...twelve('e'), 'other'].map((name) => [name, {}]))
    const resources = { app: { actions: ['read'] } }
    const { remedies } = accessOf({ roles, environments, resources }).explain(
      { action: 'read', resource: 'app:x' },
      administrator,
    )
    expect(remedies).toEqual({ sets: [], complete: false })
  })

  test('are 24 at most, and say so when there are more', () => {
    const withValues = (count: number) => {
      const values = Array.from({ length: count }, (_, i) => `v${i}`)
      const roles = {
        r: {
          allow: [{ actions: ['read'], on: ['model:acme/*'], when: { 'resource.license': { $in: values } } }],
        },
        ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`role${i}`, reader.reader])),
      }
      return accessOf({ roles, bindings: everyone }).explain(read, administrator).remedies
    }
    expect(withValues(12)).toMatchObject({ sets: { length: 24 }, complete: true })
    expect(withValues(13)).toMatchObject({ sets: { length: 24 }, complete: false })
  })
})

describe('what is told to the principal', () => {
  const policy: Partial<PolicyDocument> = {
    environments: { production: { actions: ['read'] }, development: {} },
    roles: {
      plain: { allow: [{ actions: ['read'], on: ['model:acme/*'], when: { 'resource.gated': false } }] },
      'secret-role': {
        allow: [{ actions: ['read'], on: ['model:acme/*'], when: { 'resource.path': 'secret-path' } }],
      },
    },
    deny: [
      {
        actions: ['read'],
        on: ['model:acme/y'],
        unless: { 'principal.groups': { $contains: 'secret-group' } },
      },
    ],
    bindings: [
      { roles: ['plain'], to: { issuer: 'oidc' } },
      { roles: ['secret-role'], to: { group: 'secret-group' } },
    ],
  }
  const ana = principalOf('oidc', { groups: ['ml'] })

  test('is what they can do themselves: facts by name, and that a role is lacking', () => {
    const { remedies } = accessOf(policy, ana).explain(read)
    expect(remedies).toEqual({
      sets: [[{ kind: 'attribute', fact: 'resource.gated', told: false }], [{ kind: 'role' }]],
      complete: true,
    })
  })

  test('has no set that holds another one, once the names of roles are left out', () => {
    const roles = {
      plain: reader.reader,
      strong: {
        allow: [{ actions: ['read'], on: ['model:acme/*'], when: { 'principal.mfa': true } as const }],
      },
    }
    const access = accessOf({ roles, bindings: [] }, ana)
    expect(access.explain(read, administrator).remedies?.sets).toEqual([
      [{ kind: 'role', role: 'plain' }],
      [
        { kind: 'role', role: 'strong' },
        { kind: 'step_up', missing: ['principal.mfa'] },
      ],
    ])
    expect(access.explain(read).remedies?.sets).toEqual([[{ kind: 'role' }]])
  })

  test('names no role, group or attribute of others', () => {
    for (const id of ['acme/x', 'acme/y', 'other/x']) {
      for (const action of ['read', 'infer']) {
        const { considered, remedies } = accessOf(policy, ana).explain({ action, resource: `model:${id}` })
        expect(JSON.stringify({ considered, remedies })).not.toMatch(/secret/)
      }
    }
    expect(JSON.stringify(accessOf(policy, ana).explain(read, administrator))).toMatch(/secret-role/)
  })
})

describe('for every policy, principal and question', () => {
  /** The remedies, carried out by hand on policy, claims and question where that can be done from outside. */
  function carriedOut(policy: Policy, principal: Principal, question: Question, set: readonly Change[]) {
    let { document } = policy
    let environment = 'production'
    let { resource: about } = question
    for (const change of set) {
      if (change.kind === 'role' && change.role !== undefined) {
        const bindings = document.bindings.filter(({ roles }) => roles.join() !== change.role)
        document = {
          ...document,
          bindings: [...bindings, { roles: [change.role], to: { claims: { sub: { $exists: true } } } }],
        }
      } else if (change.kind === 'environment') environment = change.environment
      else if (
        change.kind === 'attribute' &&
        change.fact.startsWith('resource.') &&
        typeof about !== 'string'
      )
        about = {
          ...about,
          attributes: { ...about.attributes, [change.fact.slice('resource.'.length)]: change.is as never },
        }
      else return undefined
    }
    const changed = createEngine(policyOf(document as never), { environment, now: () => now })
    return changed.for(principal).can(question.action, about)
  }

  test('every remedy works, none could be smaller, and none that is as small is missing', () => {
    let seen = 0
    let byHand = 0
    fc.assert(
      fc.property(world, somebody, anyAction, resource, (policy, principal, action, about) => {
        const question = { action, resource: about }
        const explanation: Explanation = engineOf(policy).for(principal).explain(question, administrator)
        const { decision, remedies } = explanation
        if (decision.allowed || remedies === undefined) return
        const situation = situationOf(policy, principal, question)
        if (situation === undefined) return
        const allowed = createCounterfactual(situation)
        for (const set of remedies.sets) {
          seen += 1
          expect(allowed(set)).toBe(true)
          for (let mask = 0; mask < (1 << set.length) - 1; mask++)
            expect(allowed(set.filter((_, i) => mask & (1 << i)))).toBe(false)
          const outside = carriedOut(policy, principal, question, set)
          if (outside !== undefined) {
            byHand += 1
            expect(outside).toBe(true)
          }
        }
        // Brute force over pairs: whatever works holds one of the remedies.
        if (!remedies.complete) return
        const { changes } = candidateChanges(situation)
        const text = (change: Change) => JSON.stringify(change)
        for (const [i, first] of changes.entries()) {
          for (const second of changes.slice(i)) {
            if (first !== second && clash(first, second)) continue
            if (!allowed([first, second])) continue
            const works = [text(first), text(second)]
            expect(remedies.sets.some((set) => set.every((change) => works.includes(text(change))))).toBe(
              true,
            )
          }
        }
      }),
      { numRuns: lawRuns(500) },
    )
    if (!inFull) return
    expect(seen).toBeGreaterThan(100)
    expect(byHand).toBeGreaterThan(50)
  })

  function clash(a: Change, b: Change): boolean {
    if (a.kind === 'attribute' && b.kind === 'attribute') return a.fact === b.fact
    if (a.kind === b.kind) return a.kind === 'environment' || a.kind === 'sign_in'
    return [a.kind, b.kind].includes('sign_in') && [a.kind, b.kind].includes('fresher_token')
  }

  test('to the principal no more is told than to an administrator', () => {
    fc.assert(
      fc.property(world, somebody, anyAction, resource, (policy, principal, action, about) => {
        const access = engineOf(policy).for(principal)
        const own = access.explain({ action, resource: about })
        const all = access.explain({ action, resource: about }, administrator)
        expect(own.decision).toEqual(all.decision)
        expect(own.considered.length).toBeLessThanOrEqual(all.considered.length)
        for (const change of own.remedies?.sets.flat() ?? []) {
          expect(change.kind).not.toBe('environment')
          for (const member of ['is', 'not', 'role']) expect(change).not.toHaveProperty(member)
        }
      }),
      { numRuns: lawRuns(100) },
    )
  })
})
