/** Bindings of the principal's own moment, each found once however many ways lead to it. */
import { describe, expect, test } from 'vitest'
import { indexBindings } from '../src/compile/bindings.ts'
import { anonymous, createEngine, type PolicyDocument } from '../src/index.ts'
import { now, policyOf, principalOf, reader } from './support.ts'

type Binding = PolicyDocument['bindings'][number]

const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString()
const ana = principalOf('oidc', { groups: ['ml'] })

function boundAt(...spans: readonly Pick<Binding, 'from' | 'until'>[]) {
  const { bindings } = policyOf({
    roles: reader,
    bindings: spans.map((span) => ({ roles: ['reader'], to: { issuer: 'oidc' }, ...span })),
  })
  const found = indexBindings(bindings)(ana, now)
  const until = found.validUntil === undefined ? undefined : (found.validUntil - now) / 60_000
  return [found.bindings.length, until]
}

describe('a binding', () => {
  test.each<[string, Pick<Binding, 'from' | 'until'>[], [number, number | undefined]]>([
    ['without times is in force for good', [{}], [1, undefined]],
    ['that begins is in force from that moment on', [{ from: at(0) }], [1, undefined]],
    ['that has begun is in force', [{ from: at(-1) }], [1, undefined]],
    ['that ends is not in force at that moment', [{ until: at(0) }], [0, undefined]],
    ['that is over changes nothing any more', [{ until: at(-1) }], [0, undefined]],
    ['that will begin is looked at again then', [{ from: at(5) }], [0, 5]],
    ['that will end is looked at again then', [{ until: at(5) }], [1, 5]],
    ['that will begin and end is looked at when it begins', [{ from: at(5), until: at(9) }], [0, 5]],
    [
      'beside others waits for the first that begins',
      [{ from: at(7) }, { from: at(5) }, { from: at(6) }],
      [0, 5],
    ],
    [
      'beside others waits for the first that ends',
      [{ until: at(7) }, { until: at(5) }, { until: at(6) }],
      [3, 5],
    ],
    ['beside others waits for whatever comes first', [{ from: at(7) }, { until: at(5) }, {}], [2, 5]],
  ])('%s', (_, spans, expected) => {
    expect(boundAt(...spans)).toEqual(expected)
  })

  test.each<[string, Binding['to'], string, object]>([
    [
      'an organisation by id and by handle',
      { org: ['ID', 'acme'] },
      'huggingface',
      { orgs: [{ sub: 'id', preferred_username: 'Acme' }] },
    ],
    ['two groups', { group: ['ml', 'ops'] }, 'oidc', { groups: ['ops', 'ml'] }],
  ])('on two values that a principal has both of, %s, is found once', (_, to, issuer, claims) => {
    const { bindings } = policyOf({ roles: reader, bindings: [{ roles: ['reader'], to }] })
    const who = principalOf(issuer, claims as never)
    expect(indexBindings(bindings)(who, now).bindings).toHaveLength(1)
  })

  const rolesOf = (to: Binding['to'], who: Parameters<ReturnType<typeof createEngine>['for']>[0]) =>
    createEngine(policyOf({ roles: reader, bindings: [{ roles: ['reader'], to }] }), {
      environment: 'production',
      now: () => now,
    })
      .for(who)
      .roles()

  test('that asks only for what is absent is not for the anonymous, who have nothing at all', () => {
    const to = { claims: { blocked: { $exists: false } } }
    expect(rolesOf(to, ana)).toEqual(['reader'])
    expect(rolesOf(to, anonymous)).toEqual([])
  })

  test('names the anonymous in either way, and nobody else with them', () => {
    for (const to of [{ anonymous: true }, { kind: 'anonymous' }] as Binding['to'][]) {
      expect(rolesOf(to, anonymous)).toEqual(['reader'])
      expect(rolesOf(to, ana)).toEqual([])
    }
  })

  test.each<[string, Binding['to'], string, object]>([
    ['user name', { username: 'kim' }, 'oidc', { preferred_username: '\u212aim' }],
    [
      'verified address',
      { email: 'kim@acme.dev' },
      'oidc',
      { email: '\u212aim@acme.dev', email_verified: true },
    ],
    [
      'handle of an organisation',
      { org: 'kim' },
      'huggingface',
      { orgs: [{ sub: 'id', preferred_username: '\u212aim' }] },
    ],
  ])('knows a %s in any case, and not by letters that only look alike', (_, to, issuer, claims) => {
    const capital = JSON.parse(JSON.stringify(claims).replace('\u212a', 'K'))
    expect(rolesOf(to, principalOf(issuer, capital))).toEqual(['reader'])
    expect(rolesOf(to, principalOf(issuer, claims as never))).toEqual([])
    // Also where it has been found by something else already.
    const found = { ...to, claims: { sub: 'ana' } }
    expect(rolesOf(found, principalOf(issuer, capital))).toEqual(['reader'])
    expect(rolesOf(found, principalOf(issuer, claims as never))).toEqual([])
  })
})
