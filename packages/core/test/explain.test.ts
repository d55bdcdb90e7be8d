import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEngine, explainRules, loadSnapshot, type PolicyDocument } from '../src/index.ts'
import { anyAction, resource, somebody, world } from './small-worlds.ts'
import { accessOf, now, principalOf, reader } from './support.ts'

const administrator = { audience: 'administrator' } as const
const allowIf = (when: NonNullable<PolicyDocument['deny']>[number]['when']) => ({
  r: { allow: [{ actions: ['read'], on: ['model:acme/*'], ...(when === undefined ? {} : { when }) }] },
})
const ana = principalOf('oidc', { preferred_username: 'ana', groups: ['ml'], amr: ['pwd'] })

describe('an explanation', () => {
  test('shows each test of a condition as it was written, with what it met', () => {
    const roles = allowIf({
      'principal.mfa': true,
      'resource.owner': { $ref: 'principal.username' },
      'resource.gated': false,
      $not: { 'context.ip': { $cidr: '10.0.0.0/8' } },
    })
    const access = accessOf({ roles }, ana)
    const [entry] = access.explain(
      { action: 'read', resource: 'model:acme/x', context: { ip: '10.1.2.3' } },
      administrator,
    ).considered
    expect(entry).toMatchObject({
      effect: 'allow',
      pattern: 'acme/*',
      matchesId: true,
      outcome: 'does not hold',
    })
    expect(entry?.atoms).toEqual([
      {
        fact: 'principal.mfa',
        operator: '$eq',
        operand: true,
        value: false,
        outcome: 'does not hold',
        negated: false,
      },
      {
        fact: 'resource.owner',
        operator: '$eq',
        operand: 'ana',
        reference: 'principal.username',
        value: 'acme',
        outcome: 'does not hold',
        negated: false,
      },
      { fact: 'resource.gated', operator: '$eq', operand: false, outcome: 'unknown', negated: false },
      {
        fact: 'context.ip',
        operator: '$cidr',
        operand: '10.0.0.0/8',
        value: '10.1.2.3',
        outcome: 'holds',
        negated: true,
      },
    ])
  })

  test('marks statements on the action and type whose pattern leaves the id out, for an administrator', () => {
    const roles = { r: { allow: [{ actions: ['read'], on: ['model:acme/*', 'dataset:acme/*'] }] } }
    const question = { action: 'read', resource: 'model:other/x' }
    expect(accessOf({ roles }).explain(question, administrator).considered).toMatchObject([
      { pattern: 'acme/*', matchesId: false, outcome: 'does not hold', atoms: [] },
    ])
    expect(accessOf({ roles }).explain(question).considered).toEqual([])
  })

  test('tells the principal their own values, and not what they are held against', () => {
    const roles = allowIf({ 'principal.groups': { $contains: 'secret-group' }, 'resource.gated': false })
    const explanation = accessOf({ roles }, ana).explain({ action: 'read', resource: 'model:acme/x' })
    expect(explanation.considered[0]?.atoms).toEqual([
      { fact: 'principal.groups', value: ['ml'], outcome: 'does not hold', negated: false },
      { fact: 'resource.gated', operator: '$eq', operand: false, outcome: 'unknown', negated: false },
    ])
    expect(explanation.considered[0]).not.toHaveProperty('location')
  })

  test('leaves denials that do not concern the principal to the administrator', () => {
    const deny = [{ actions: ['read'], on: ['**'], unless: { 'principal.groups': { $contains: 'ml' } } }]
    const access = accessOf({ roles: reader, deny }, ana)
    const effects = (options?: typeof administrator) =>
      access
        .explain({ action: 'read', resource: 'model:acme/x' }, options)
        .considered.map(({ effect }) => effect)
    expect(effects()).toEqual(['allow'])
    expect(effects(administrator)).toEqual(['deny', 'allow'])
  })

  test('from a snapshot tells what the snapshot knows, and no remedies', () => {
    const roles = allowIf({ 'principal.mfa': false, 'resource.gated': false })
    const loaded = loadSnapshot(accessOf({ roles }, ana).snapshot(), { now: () => now })
    const explanation = explainRules(loaded, { action: 'read', resource: 'model:acme/x' })
    expect(explanation.considered.map(({ atoms }) => atoms)).toEqual([
      [{ fact: 'resource.gated', operator: '$eq', operand: false, outcome: 'unknown', negated: false }],
    ])
    expect(explanation).not.toHaveProperty('remedies')
    const elsewhere = { action: 'read', resource: 'model:acme/x', environment: 'development' }
    expect(explainRules(loaded, elsewhere)).toMatchObject({
      decision: { reason: 'unknown_environment' },
      considered: [],
    })
    expect(explainRules(loaded, { action: 'read', resource: 'model:../x' }).decision.reason).toBe(
      'invalid_resource',
    )
  })

  test('of a question about another environment is made there', () => {
    const environments = { production: { actions: ['infer'] }, development: {} }
    const access = accessOf({ roles: reader, environments })
    const question = { action: 'read', resource: 'model:acme/x', environment: 'development' }
    expect(access.explain(question).decision).toMatchObject({ allowed: true, environment: 'development' })
  })

  test('holds no claim that no condition asks for', () => {
    const holder = principalOf('oidc', { preferred_username: 'ana', token: 'of-ana' })
    const { considered, remedies } = accessOf({ roles: allowIf({ 'principal.mfa': true }) }, holder).explain(
      { action: 'read', resource: 'model:acme/x' },
      administrator,
    )
    expect(JSON.stringify({ considered, remedies })).not.toContain('of-ana')
  })

  test('agrees with the decision it explains', () => {
    const deciding = { allow: 0, deny: 0 }
    fc.assert(
      fc.property(world, somebody, anyAction, resource, (policy, principal, action, about) => {
        const access = createEngine(policy, { environment: 'production', now: () => now }).for(principal)
        const question = { action, resource: about }
        const { decision, considered } = access.explain(question, administrator)
        expect(decision).toEqual(access.decide(question))
        const matching = considered.filter(({ matchesId }) => matchesId)
        const denials = matching.filter(
          ({ effect, outcome }) => effect === 'deny' && outcome !== 'does not hold',
        )
        const allows = matching.filter(({ effect, outcome }) => effect === 'allow' && outcome === 'holds')
        if (decision.reason === 'explicit_deny') {
          deciding.deny += 1
          expect([...new Set(denials.map(({ statement }) => statement))]).toEqual(
            decision.statements.map(({ id }) => id),
          )
        } else if (decision.allowed) {
          deciding.allow += 1
          expect(denials).toEqual([])
          expect([...new Set(allows.map(({ statement }) => statement))]).toEqual(
            decision.statements.map(({ id }) => id),
          )
        } else if (decision.reason === 'no_matching_rule') expect([...denials, ...allows]).toEqual([])
        if (decision.reason === 'condition_unknown') {
          // Partial evaluation stops at the first side of a comparison that is missing; here both are told.
          const missing = matching
            .filter(({ outcome }) => outcome === 'unknown')
            .flatMap((entry) => entry.missing)
          expect(missing).toEqual(expect.arrayContaining([...decision.missingAttributes]))
        }
      }),
      { numRuns: 3000 },
    )
    expect(Math.min(deciding.allow, deciding.deny)).toBeGreaterThan(50)
  })
})
