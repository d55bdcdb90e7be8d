import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createEngine,
  hubActions,
  hubScopes,
  hubTypes,
  impliedScopes,
  type Json,
  type Likelihood,
  loadSnapshot,
  smallestScopes,
  sufficientScopes,
} from '../src/index.ts'
import { accessOf, now, policyOf, principalOf, reader } from './support.ts'

describe('scopes of Hugging Face', () => {
  test('imply what they contain', () => {
    expect(impliedScopes(['manage-repos'])).toEqual([
      'contribute-repos',
      'manage-repos',
      'read-repos',
      'write-repos',
    ])
    expect(impliedScopes(['write-endpoints'])).toEqual(['read-endpoints', 'write-endpoints'])
  })

  test.each([
    [
      'reading what is known to be public needs none',
      'read',
      'model',
      { private: false, gated: false },
      [[]],
    ],
    [
      'reading what is public behind a gate',
      'read',
      'model',
      { private: false, gated: true },
      [['gated-repos'], ['read-repos']],
    ],
    ['reading what is not known to be public', 'read', 'model', {}, [['read-repos']]],
    ['inference', 'infer', 'model', {}, [['inference-api']]],
    ['a pull request on what is private', 'discuss', 'model', {}, [['write-discussions', 'read-repos']]],
    ['a pull request on what is public', 'discuss', 'model', { private: false }, [['write-discussions']]],
    ['managing an organisation cannot be had by any scope', 'manage', 'org', {}, []],
  ])('%s', (_, action, type, attributes, expected) => {
    expect(sufficientScopes(action, type, attributes)).toEqual(expected)
  })

  test('the smallest set is as small as any that covers the needs', () => {
    const catalogue = [
      'read-repos',
      'write-repos',
      'contribute-repos',
      'manage-repos',
      'inference-api',
      'write-discussions',
      'gated-repos',
    ]
    const covers = (scopes: readonly string[], needs: readonly (readonly (readonly string[])[])[]) => {
      const have = new Set(impliedScopes(scopes))
      return needs.every((alternatives) => alternatives.some((set) => set.every((scope) => have.has(scope))))
    }
    const need = fc
      .tuple(
        fc.constantFrom(...hubActions),
        fc.constantFrom('model', 'dataset', 'space'),
        fc.constantFrom({}, { private: false }, { private: false, gated: true }),
      )
      .map(([action, type, attributes]) => sufficientScopes(action, type, attributes) ?? [])
      .filter((alternatives) => alternatives.length > 0)
    fc.assert(
      fc.property(fc.array(need, { maxLength: 6 }), (needs) => {
        const found = smallestScopes(needs)
        if (found === undefined) throw new Error('every need here can be met')
        expect(covers(found, needs)).toBe(true)
        const rights = impliedScopes(found).length
        for (let mask = 0; mask < 1 << catalogue.length; mask++) {
          const candidate = catalogue.filter((_, i) => mask & (1 << i))
          if (covers(candidate, needs)) expect(impliedScopes(candidate).length).toBeGreaterThanOrEqual(rights)
        }
      }),
      { numRuns: 200 },
    )
  })

  test('every action on every type has an entry', () => {
    for (const type of hubTypes)
      for (const action of hubActions) expect(sufficientScopes(action, type)).toBeDefined()
    expect(sufficientScopes('read', 'prompt')).toBeUndefined()
  })
})

describe('the catalogue of scopes', () => {
  test('has the eighteen that Hugging Face documents, and says where every implication comes from', () => {
    expect(hubScopes.filter(({ source }) => source === 'documented')).toHaveLength(18)
    for (const { implies, implicationSource } of hubScopes) {
      expect(implicationSource === undefined).toBe(implies.length === 0)
    }
  })

  test('has every scope that an action needs, and no implication of what is not there', () => {
    const names = new Set(hubScopes.map(({ name }) => name))
    const needed = hubTypes.flatMap((type) =>
      hubActions.flatMap((action) => [
        ...(sufficientScopes(action, type) ?? []),
        ...(sufficientScopes(action, type, { private: false, gated: true }) ?? []),
      ]),
    )
    expect(needed.flat().filter((scope) => !names.has(scope))).toEqual([])
    expect(hubScopes.flatMap(({ implies }) => implies).filter((scope) => !names.has(scope))).toEqual([])
  })
})

describe('a token’s scopes are a ceiling', () => {
  const token = (scope?: string) =>
    principalOf('huggingface', scope === undefined ? {} : { scope }, { credential: 'access_token' })

  test('always for a Hugging Face access token, and one whose scopes are not known has none', () => {
    expect(accessOf({ roles: reader }, token('read-repos')).can('read', 'model:acme/x')).toBe(true)
    expect(accessOf({ roles: reader }, token('manage-repos')).can('read', 'model:acme/x')).toBe(true)
    expect(
      accessOf({ roles: reader }, token()).decide({ action: 'read', resource: 'model:acme/x' }),
    ).toMatchObject({
      reason: 'insufficient_scope',
      scopes: ['read-repos'],
    })
  })

  test('but reading what is known to be public needs none', () => {
    const open = { type: 'model', id: 'acme/x', attributes: { private: false, gated: false } }
    expect(accessOf({ roles: reader }, token('openid')).can('read', open)).toBe(true)
    expect(accessOf({ roles: reader }, token('openid')).likelihood('read', 'model:acme/x')).toBe('maybe')
  })

  test.each<[string, object, Likelihood]>([
    ['nothing', {}, 'maybe'],
    ['that it is public, and no word of a gate', { private: false }, 'maybe'],
    ['a gate that it says nothing of', { private: false, gated: undefined }, 'maybe'],
    ['members without a value', { private: undefined, gated: null }, 'maybe'],
    ['that it is private', { private: true }, 'deny'],
    ['that it has a gate', { gated: true }, 'deny'],
    ['that it is public and has no gate', { private: false, gated: false }, 'allow'],
  ])('of which a page may know %s', (_, attributes, likelihood) => {
    const resource = { type: 'model', id: 'acme/x', attributes: attributes as { [name: string]: Json } }
    expect(accessOf({ roles: reader }, token('openid')).likelihood('read', resource)).toBe(likelihood)
  })

  test('not for an ID token, which carries none', () => {
    expect(accessOf({ roles: reader }, principalOf('huggingface', {})).can('read', 'model:acme/x')).toBe(true)
  })

  const scopes = { 'vision:read': { actions: ['read'], on: ['model:acme/vision-*'] } }

  test('for any other token as soon as it carries a scope that the policy names', () => {
    const narrowed = accessOf(
      { roles: reader, scopes },
      principalOf('okta', { scp: ['openid', 'vision:read'] }),
    )
    expect(narrowed.can('read', 'model:acme/vision-large')).toBe(true)
    expect(narrowed.decide({ action: 'read', resource: 'model:acme/text' }).reason).toBe('insufficient_scope')
    const free = accessOf({ roles: reader, scopes }, principalOf('okta', { scp: ['openid'] }))
    expect(free.can('read', 'model:acme/text')).toBe(true)
  })

  test('a scope with a placeholder covers what is the principal’s own', () => {
    const own = { mine: { actions: ['read'], on: ['model:${principal.username}/*'] } }
    const roles = { all: { allow: [{ actions: ['read'], on: ['model:**'] }] } }
    const ana = (claims: object, scp = ['mine']) =>
      accessOf(
        { roles, scopes: { ...own, other: { actions: ['read'], on: ['model:x/*'] } } },
        principalOf('okta', { scp, ...claims }),
      )
    const live = ana({ preferred_username: 'Ana' })
    for (const access of [live, loadSnapshot(live.snapshot(), { now: () => now })]) {
      expect(access.can('read', 'model:ana/x')).toBe(true)
      expect(access.can('read', 'model:ben/x')).toBe(false)
    }
    expect(ana({}).can('read', 'model:ana/x')).toBe(false)
    const narrow = ana({ preferred_username: 'ana' }, ['other'])
    const refusal = (resource: string) => narrow.decide({ action: 'read', resource })
    expect(refusal('model:ana/x')).toMatchObject({ reason: 'insufficient_scope', scopes: ['mine'] })
    expect(refusal('model:ben/x')).toMatchObject({ reason: 'insufficient_scope', scopes: [] })
  })

  test('and a refusal names a scope that would do', () => {
    const both = { ...scopes, 'text:read': { actions: ['read'], on: ['model:acme/text'] } }
    const access = accessOf({ roles: reader, scopes: both }, principalOf('okta', { scp: ['vision:read'] }))
    expect(access.decide({ action: 'read', resource: 'model:acme/text' }).scopes).toEqual(['text:read'])
  })
})

describe('scopes to ask for', () => {
  test('are the smallest for what the roles allow under the ceiling', () => {
    const roles = {
      r: {
        allow: [
          { actions: ['read', 'infer', 'write'], on: ['model:acme/*'] },
          { actions: ['read'], on: ['collection:acme/*'] },
        ],
      },
    }
    expect(accessOf({ roles }).scopes()).toEqual(['inference-api', 'read-collections', 'write-repos'])
    const environments = { production: { actions: ['read', 'infer'] } }
    expect(accessOf({ roles, environments }).scopes()).toEqual([
      'inference-api',
      'read-collections',
      'read-repos',
    ])
  })

  test('leave out what no scope gives, what Hugging Face has no part in, and what is denied', () => {
    const access = accessOf({
      resources: { prompt: { actions: ['edit'] } },
      roles: {
        r: {
          allow: [
            { actions: ['read'], on: ['model:acme/*'] },
            { actions: ['manage'], on: ['org:acme'] },
            { actions: ['edit'], on: ['prompt:**'] },
          ],
          deny: [{ actions: ['infer'], on: ['model:acme/*'] }],
        },
      },
    })
    expect(sufficientScopes('manage', 'org')).toEqual([])
    expect(access.scopes()).toEqual(['read-repos'])
  })

  test('leave out what is denied on everything, to whom it is denied', () => {
    const owner = { allow: [{ actions: ['*'], on: ['model:acme/*'] }] }
    const keeps = [{ actions: ['create', 'delete', 'manage'], on: ['**'] }]
    const scopes = ['inference-api', 'write-discussions', 'write-repos']
    expect(accessOf({ roles: { owner }, deny: keeps }).scopes()).toEqual(scopes)
    expect(accessOf({ roles: { owner: { ...owner, deny: keeps } } }).scopes()).toEqual(scopes)
    for (const some of [
      { ...keeps[0], on: ['model:acme/*'] },
      { ...keeps[0], when: { 'resource.gated': true } },
      { ...keeps[0], environments: ['development'] },
    ])
      expect(accessOf({ roles: { owner }, deny: [some as never] }).scopes()).toContain('manage-repos')

    const policy = policyOf({
      roles: { owner, careful: { ...owner, deny: keeps } },
      bindings: [
        { roles: ['owner'], to: { issuer: 'oidc' } },
        { roles: ['careful'], to: { issuer: 'okta' } },
      ],
    })
    const engine = createEngine(policy, { environment: 'production' })
    expect(engine.scopes({ role: 'careful' })).toEqual(scopes)
    // Somebody else's denial takes nothing from those who may.
    expect(engine.scopes()).toContain('manage-repos')
  })

  test('are none for someone who may do nothing', () => {
    expect(accessOf({ roles: {}, bindings: [] }).scopes()).toEqual([])
  })
})
