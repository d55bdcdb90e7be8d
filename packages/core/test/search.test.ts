import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readResidual } from '../src/compile/compiled-rule.ts'
import { compileCondition } from '../src/compile/conditions.ts'
import { requestReader } from '../src/compile/facts.ts'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
import {
  anonymous,
  createEngine,
  hubActions,
  hubTypes,
  impliedScopes,
  type Policy,
  type PolicyDocument,
  type Resource,
  sufficientScopes,
} from '../src/index.ts'
import { matchGlob, parseGlob } from '../src/internal/glob.ts'
import { inFull, lawRuns } from './runs.ts'
import { anyAction, resource, somebody, world } from './small-worlds.ts'
import { accessOf, now, policyOf, principalOf, reader } from './support.ts'

const engineOf = (policy: Policy) => createEngine(policy, { environment: 'production', now: () => now })
const runs = { numRuns: lawRuns(1000) }

describe('for every policy, principal and resource', () => {
  test('searches for actions and resources find what `can` and `decide` allow, and no more', () => {
    fc.assert(
      fc.property(world, somebody, fc.array(resource, { maxLength: 6 }), (policy, principal, resources) => {
        const access = engineOf(policy).for(principal)
        for (const about of resources) {
          const allowed = [...policy.actions].filter((action) => access.can(action, about)).sort()
          expect(access.searchActions(about)).toEqual(allowed)
        }
        for (const action of ['read', 'infer', 'raed']) {
          const allowed = resources.filter((about) => access.decide({ action, resource: about }).allowed)
          expect(access.searchResources(action, resources)).toEqual(allowed)
          expect(access.filter(action, resources)).toEqual(allowed)
        }
      }),
      runs,
    )
  })

  test('a search for principals finds those who are allowed', () => {
    fc.assert(
      fc.property(
        world,
        fc.array(somebody, { maxLength: 6 }),
        anyAction,
        resource,
        (policy, all, action, about) => {
          const engine = engineOf(policy)
          const found = engine.searchPrincipals({ action, resource: about }, all)
          expect(found).toEqual(all.filter((principal) => engine.for(principal).can(action, about)))
        },
      ),
      runs,
    )
  })

  test('the patterns say exactly when an action is allowed', () => {
    let allowed = 0
    fc.assert(
      fc.property(world, somebody, anyAction, resource, (policy, principal, action, about) => {
        const access = engineOf(policy).for(principal)
        const { allow, deny } = access.patternsFor(action, about.type)
        const facts = readFacts(emptyFacts(), about, undefined, now)
        const holds = (grant: (typeof allow)[number], possibly: boolean) =>
          facts !== undefined &&
          grant.ids.every((id) => matchGlob(parseGlob(id), facts.id)) &&
          grant.when.every((when) => {
            const truth = compileCondition(readResidual(when), requestReader)(facts)
            return possibly ? truth !== false : truth === true
          })
        const expected =
          allow.some((grant) => holds(grant, false)) && !deny.some((grant) => holds(grant, true))
        expect(access.can(action, about)).toBe(expected)
        allowed += expected ? 1 : 0
      }),
      runs,
    )
    if (inFull) expect(allowed).toBeGreaterThan(15)
  })

  test('nobody is allowed who is under no binding that `whoCan` names, and everybody whom it calls certain', () => {
    let certain = 0
    fc.assert(
      fc.property(
        world,
        fc.oneof(somebody, fc.constant(anonymous)),
        anyAction,
        resource,
        (policy, principal, action, about) => {
          const engine = engineOf(policy)
          const question = { action, resource: about }
          const holders = engine.whoCan(question)
          const decision = engine.for(principal).decide(question)
          const mine = new Set(decision.bindings.map(({ id }) => id))
          const ways = holders.filter(({ binding }) => mine.has(binding.id))
          if (decision.allowed) expect(ways.length).toBeGreaterThan(0)
          if (ways.some(({ certainty }) => certainty === 'certain')) {
            certain += 1
            expect(['allowed', 'insufficient_scope', 'token_too_old']).toContain(decision.reason)
          }
        },
      ),
      { numRuns: lawRuns(3000) },
    )
    if (inFull) expect(certain).toBeGreaterThan(50)
  })
})

describe('who can', () => {
  const question = { action: 'read', resource: 'model:acme/x' }
  const whoCan = (parts: Partial<PolicyDocument>) =>
    engineOf(
      policyOf({
        roles: reader,
        bindings: [{ roles: ['reader'], to: { issuer: 'oidc', group: 'ml' } }],
        ...parts,
      }),
    )
      .whoCan(question)
      .map(({ to, roles, certainty }) => ({ to, roles, certainty }))
  const ml = { to: { issuer: 'oidc', group: 'ml' }, roles: ['reader'] }

  test.each<[string, Partial<PolicyDocument>, unknown[]]>([
    ['a role that simply allows', {}, [{ ...ml, certainty: 'certain' }]],
    [
      'a role that allows some',
      { roles: { reader: { allow: [{ actions: ['read'], on: ['**'], when: { 'principal.mfa': true } }] } } },
      [{ ...ml, certainty: 'conditional' }],
    ],
    [
      'a pattern with a placeholder',
      { roles: { reader: { allow: [{ actions: ['read'], on: ['model:${principal.username}/*'] }] } } },
      [{ ...ml, certainty: 'conditional' }],
    ],
    ['a denial of everything', { deny: [{ actions: ['*'], on: ['model:**'] }] }, []],
    [
      'a denial with exceptions',
      { deny: [{ actions: ['*'], on: ['model:**'], unless: { 'principal.mfa': true } }] },
      [{ ...ml, certainty: 'conditional' }],
    ],
    ['a ceiling', { environments: { production: { actions: ['infer'] }, development: {} } }, []],
    [
      'a requirement',
      { environments: { production: { require: { 'principal.mfa': true } }, development: {} } },
      [{ ...ml, certainty: 'conditional' }],
    ],
    [
      'a binding that is over',
      { bindings: [{ roles: ['reader'], to: { issuer: 'oidc' }, until: '2026-01-01T00:00:00Z' }] },
      [],
    ],
    [
      'a binding that is still to begin',
      { bindings: [{ roles: ['reader'], to: { issuer: 'oidc' }, from: '2026-12-01T00:00:00Z' }] },
      [],
    ],
    [
      'a binding that begins at this moment',
      { bindings: [{ roles: ['reader'], to: { issuer: 'oidc' }, from: '2026-06-01T12:00:00Z' }] },
      [{ to: { issuer: 'oidc' }, roles: ['reader'], certainty: 'certain' }],
    ],
    [
      'a binding that ends at this moment',
      { bindings: [{ roles: ['reader'], to: { issuer: 'oidc' }, until: '2026-06-01T12:00:00Z' }] },
      [],
    ],
    [
      'a requirement that does not ask its issuer',
      {
        environments: {
          production: { require: { 'principal.mfa': true }, exempt: ['oidc'] },
          development: {},
        },
      } as never,
      [{ ...ml, certainty: 'certain' }],
    ],
    [
      'the roles that allow, of all that it gives',
      {
        roles: { ...reader, z: reader.reader, other: { allow: [{ actions: ['infer'], on: ['model:**'] }] } },
        bindings: [{ roles: ['z', 'other', 'reader'], to: ml.to }],
      },
      [{ ...ml, roles: ['reader', 'z'], certainty: 'certain' }],
    ],
    [
      'a denial in a role that another binding gives',
      {
        roles: { ...reader, blocked: { deny: [{ actions: ['read'], on: ['model:acme/x'] }] } },
        bindings: [
          { roles: ['reader'], to: ml.to },
          { roles: ['blocked'], to: { issuer: 'oidc', group: 'blocked' } },
        ],
      },
      [{ ...ml, certainty: 'conditional' }],
    ],
    [
      'a denial in a role that it gives itself',
      {
        roles: { ...reader, blocked: { deny: [{ actions: ['read'], on: ['model:acme/x'] }] } },
        bindings: [{ roles: ['reader', 'blocked'], to: ml.to }],
      },
      [],
    ],
    [
      'a pattern with a placeholder beside one without',
      {
        roles: {
          reader: { allow: [{ actions: ['read'], on: ['model:${principal.username}/*', 'model:acme/*'] }] },
        },
      },
      [{ ...ml, certainty: 'certain' }],
    ],
    [
      'a condition that the request does not meet',
      {
        roles: {
          reader: { allow: [{ actions: ['read'], on: ['**'], when: { 'resource.owner': 'other' } }] },
        },
      },
      [],
    ],
    [
      'a pattern on all types',
      { roles: { reader: { allow: [{ actions: ['*'], on: ['**:acme/*'] }] } } },
      [{ ...ml, certainty: 'certain' }],
    ],
    [
      'a pattern whose placeholder may be an owner and a name',
      { roles: { reader: { allow: [{ actions: ['read'], on: ['model:${principal.claims.repository}'] }] } } },
      [{ ...ml, certainty: 'conditional' }],
    ],
    [
      'a pattern on another type',
      { roles: { reader: { allow: [{ actions: ['read'], on: ['space:**'] }] } } },
      [],
    ],
  ])('through %s', (_, parts, expected) => {
    expect(whoCan(parts)).toEqual(expected)
  })

  test('holders come sorted by the binding, and are those of the environment that is asked about', () => {
    const engine = engineOf(
      policyOf({
        environments: { production: { actions: ['infer'] }, development: {} },
        roles: reader,
        bindings: ['c', 'a', 'b'].map((group) => ({ roles: ['reader'], to: { issuer: 'oidc', group } })),
      }),
    )
    const found = engine.whoCan({ ...question, environment: 'development' }).map(({ binding }) => binding.id)
    expect(found).toHaveLength(3)
    expect(found).toEqual([...found].sort())
    expect(engine.whoCan(question)).toEqual([])
    expect(engine.whoCan({ ...question, environment: 'nowhere' })).toEqual([])
    expect(engine.whoCan({ action: 'read', resource: 'model:../x', environment: 'development' })).toEqual([])
    for (const unknown of [{ action: 'raed' }, { resource: 'modle:acme/x' }])
      expect(engine.whoCan({ ...question, environment: 'development', ...unknown })).toEqual([])
  })
})

describe('patterns to query by', () => {
  test('carry what the token’s scopes leave', () => {
    const token = principalOf(
      'huggingface',
      { scope: 'gated-repos', orgs: [] },
      { credential: 'access_token' },
    )
    const access = accessOf({ roles: reader }, token)
    expect(access.patternsFor('read', 'model').allow).toMatchObject([
      { ids: ['acme/*'], when: [{ 'resource.private': { $eq: false } }] },
    ])
    expect(access.patternsFor('write', 'model')).toEqual({ allow: [], deny: [] })
  })
})

describe('scopes of a role', () => {
  const roles = {
    reader: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] },
    engineer: { extends: ['reader'], allow: [{ actions: ['infer', 'write'], on: ['model:acme/*'] }] },
  }
  const engine = engineOf(policyOf({ roles, bindings: [{ roles: ['reader'], to: { issuer: 'oidc' } }] }))

  test('are the smallest set, bound or not, with those it extends', () => {
    expect(engine.scopes({ role: 'engineer' })).toEqual(['inference-api', 'write-repos'])
    expect(engine.scopes({ role: 'reader' })).toEqual(['read-repos'])
    expect(engine.scopes()).toEqual(['read-repos'])
  })

  test('are asked of a role that exists', () => {
    expect(() => engine.scopes({ role: 'enginer' })).toThrow(/no role `enginer`, did you mean `engineer`/)
  })

  test('are as small as any set that covers what the role allows', () => {
    const catalogue = [
      'read-repos',
      'write-repos',
      'contribute-repos',
      'manage-repos',
      'inference-api',
      'write-discussions',
      'read-collections',
      'write-collections',
      'jobs',
    ]
    const grant = fc.record({
      actions: fc.uniqueArray(fc.constantFrom(...hubActions), { minLength: 1, maxLength: 3 }),
      on: fc.constantFrom('model:acme/*', 'dataset:acme/*', 'collection:acme/*', 'job:acme/*'),
    })
    fc.assert(
      fc.property(
        fc.uniqueArray(grant, {
          maxLength: 4,
          selector: ({ actions, on }) => [[...actions].sort(), on].join(),
        }),
        (grants) => {
          const allow = grants.map(({ actions, on }) => ({ actions, on: [on] }))
          const found = engineOf(policyOf({ roles: { r: { allow } } })).scopes({ role: 'r' })
          const needs = grants
            .flatMap(({ actions, on }) =>
              actions.map((name) => sufficientScopes(name, on.split(':')[0] ?? '') ?? []),
            )
            .filter((alternatives) => alternatives.length > 0)
          const covers = (scopes: readonly string[]) => {
            const have = new Set(impliedScopes(scopes))
            return needs.every((sets) => sets.some((set) => set.every((scope) => have.has(scope))))
          }
          expect(covers(found)).toBe(true)
          const rights = impliedScopes(found).length
          for (let mask = 0; mask < 1 << catalogue.length; mask++) {
            const candidate = catalogue.filter((_, i) => mask & (1 << i))
            if (covers(candidate)) expect(impliedScopes(candidate).length).toBeGreaterThanOrEqual(rights)
          }
        },
      ),
      { numRuns: lawRuns(100) },
    )
    expect(hubTypes).toContain('collection')
  })
})

describe('a list of resources', () => {
  test('comes back in its order', () => {
    const list: Resource[] = ['acme/b', 'other/x', 'acme/a'].map((id) => ({ type: 'model', id }))
    expect(
      accessOf({ roles: reader })
        .searchResources('read', list)
        .map(({ id }) => id),
    ).toEqual(['acme/b', 'acme/a'])
  })
})
