/** What is left of somebody's rules under the ceiling, the sign-in and the scopes of their token. */
import { describe, expect, test } from 'vitest'
import { standingOf } from '../src/decide/access.ts'
import { anonymous, createEngine, type PolicyDocument, type Principal } from '../src/index.ts'
import { type Reach, reachOf } from '../src/reach/reach.ts'
import { accessOf, now, nowSeconds, policyOf, principalOf, reader } from './support.ts'

function reached(parts: Partial<PolicyDocument>, principal?: Principal, at = now) {
  const { standing } = standingOf(accessOf(parts, principal))
  return reachOf(standing, at)
}
const brief = (reaches: readonly Reach[]) =>
  reaches.map(({ effect, actions, types, ids, when }) => ({ effect, actions, types, ids, when }))
const allow = (actions: string[], on: string[]) => ({ r: { allow: [{ actions, on }] } })

const unlessPrivate = { 'resource.private': { $eq: false } }
const unlessGated = { 'resource.gated': { $eq: false } }
const holding = (scope: string) =>
  principalOf('huggingface', { scope, orgs: [] }, { credential: 'access_token' })

describe('a reach', () => {
  test('has allows before denials, and names for wildcards', () => {
    const resources = { prompt: { actions: ['read'] } }
    const deny = [{ actions: ['*'], on: ['**:acme/x'] }]
    const [first, second, ...others] = reached({ resources, roles: allow(['*'], ['prompt:**']), deny })
    const known = policyOf({ resources })
    expect(others.map(({ effect }) => effect)).toEqual(others.map(() => 'deny'))
    expect(first).toMatchObject({ effect: 'allow', types: ['prompt'], ids: [], when: [] })
    expect(first?.actions).toEqual([...known.actions].sort())
    expect(second).toMatchObject({ effect: 'deny', ids: ['acme/x'] })
    expect([second, ...others].flatMap((reach) => reach?.types ?? []).sort()).toEqual(
      [...known.types.keys()].sort(),
    )
  })

  test('keeps to the ceiling in what it allows, and denies beyond it', () => {
    const environments = { production: { actions: ['read'] }, development: {} }
    const deny = [{ actions: ['read', 'write'], on: ['model:acme/x'] }]
    expect(brief(reached({ environments, roles: allow(['read', 'write'], ['model:acme/*']), deny }))).toEqual(
      [
        { effect: 'allow', actions: ['read'], types: ['model'], ids: ['acme/*'], when: [] },
        { effect: 'deny', actions: ['read', 'write'], types: ['model'], ids: ['acme/x'], when: [] },
      ],
    )
    expect(reached({ environments, roles: allow(['write'], ['model:acme/*']) })).toEqual([])
  })

  test('ends with the token, at the moment at which `can` ends', () => {
    const environments = { production: { maxTokenAge: '15m' } }
    const parts = { roles: reader, environments }
    expect(reached(parts, undefined, now + 15 * 60_000 - 1)).toHaveLength(1)
    expect(reached(parts, undefined, now + 15 * 60_000)).toEqual([])
    expect(reached({ roles: reader }, principalOf('oidc', { exp: nowSeconds + 60 }), now + 60_000)).toEqual(
      [],
    )
  })

  test('is none for the anonymous, and none where the sign-in is too weak', () => {
    const policy = policyOf({ roles: reader, bindings: [{ roles: ['reader'], to: { issuer: 'oidc' } }] })
    const access = createEngine(policy, { environment: 'production', now: () => now }).for(anonymous)
    expect(reachOf(standingOf(access).standing, now)).toEqual([])
    const environments = { production: { require: { 'principal.mfa': true } } }
    expect(reached({ roles: reader, environments })).toEqual([])
  })
})

describe('with the scopes of Hugging Face', () => {
  test.each<[string, object[][]]>([
    ['read-repos', [[]]],
    ['gated-repos', [[unlessPrivate]]],
    ['openid', [[unlessPrivate, unlessGated]]],
  ])('%s, reading asks what the scope leaves open', (scope, conditions) => {
    expect(brief(reached({ roles: reader }, holding(scope)))).toEqual(
      conditions.map((when) => ({
        effect: 'allow',
        actions: ['read'],
        types: ['model'],
        ids: ['acme/*'],
        when,
      })),
    )
  })

  test('actions that ask for the same stand together, and those that none covers are left out', () => {
    const roles = allow(['read', 'write', 'delete', 'infer'], ['model:acme/*', 'dataset:acme/*'])
    const found = brief(reached({ roles }, holding('read-repos')))
    expect(found).toContainEqual({
      effect: 'allow',
      actions: ['read'],
      types: ['model'],
      ids: ['acme/*'],
      when: [],
    })
    expect(found).toContainEqual({
      effect: 'allow',
      actions: ['read'],
      types: ['dataset'],
      ids: ['acme/*'],
      when: [],
    })
    expect(found.flatMap(({ actions }) => actions)).not.toContain('write')
    const writing = brief(
      reached({ roles: allow(['read', 'write'], ['model:acme/*']) }, holding('write-repos')),
    )
    expect(writing).toEqual([
      { effect: 'allow', actions: ['read', 'write'], types: ['model'], ids: ['acme/*'], when: [] },
    ])
  })

  test('a type that is not of the Hub asks for none', () => {
    const resources = { prompt: { actions: ['read'] } }
    expect(brief(reached({ resources, roles: allow(['read'], ['prompt:**']) }, holding('openid')))).toEqual([
      { effect: 'allow', actions: ['read'], types: ['prompt'], ids: [], when: [] },
    ])
  })
})

describe('with the scopes of an own issuer', () => {
  const token = principalOf('okta', { scp: ['s'] })
  const covering = (
    actions: string[],
    on: string[],
    roles = allow(['read', 'infer'], ['model:acme/*', 'dataset:**']),
  ) =>
    brief(reached({ scopes: { s: { actions, on } }, roles } as never, token)).map(
      ({ actions: a, types, ids }) => [a, types, ids],
    )

  test('only what the scope covers is left: actions, types and ids', () => {
    expect(covering(['read'], ['model:**'])).toEqual([[['read'], ['model'], ['acme/*']]])
    expect(covering(['*'], ['model:acme/*'])).toEqual([[['infer', 'read'], ['model'], ['acme/*']]])
    expect(covering(['read'], ['model:acme/vision-*'])).toEqual([
      [['read'], ['model'], ['acme/*', 'acme/vision-*']],
    ])
    expect(covering(['read'], ['dataset:acme/*'])).toEqual([[['read'], ['dataset'], ['acme/*']]])
    expect(covering(['infer'], ['**'])).toEqual(
      expect.arrayContaining([
        [['infer'], ['model'], ['acme/*']],
        [['infer'], ['dataset'], []],
      ]),
    )
    expect(covering(['write'], ['**'])).toEqual([])
    expect(covering(['read'], ['space:**'])).toEqual([])
  })

  test('a denial is no narrower for it', () => {
    const deny = [{ actions: ['*'], on: ['model:acme/x'] }]
    const scopes = { s: { actions: ['read'], on: ['model:acme/vision-*'] } }
    const found = brief(reached({ scopes, roles: reader, deny } as never, token))
    expect(found.map(({ effect, ids }) => [effect, ids])).toEqual([
      ['allow', ['acme/*', 'acme/vision-*']],
      ['deny', ['acme/x']],
    ])
  })
})

test('patterns to query by have denials only where something is allowed', () => {
  const deny = [{ actions: ['read', 'write'], on: ['model:acme/x'] }]
  const access = accessOf({ roles: reader, deny })
  expect(access.patternsFor('read', 'model')).toMatchObject({
    allow: [{ ids: ['acme/*'] }],
    deny: [{ ids: ['acme/x'] }],
  })
  expect(access.patternsFor('write', 'model')).toEqual({ allow: [], deny: [] })
})
