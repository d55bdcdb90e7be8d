/**
 * Somebody acts for somebody else, and may do only what both may (RFC 8693 §4.1).
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  abilityOf,
  auditActor,
  auditDecision,
  type Claims,
  createEngine,
  issuerAtAddress,
  type Principal,
  presets,
  principalFromClaims,
  prismaRulesOf,
  type Resource,
  runExamples,
} from '../src/index.ts'
import { Dice, rollClaims, rollQuestion, world, worldPolicy } from './generators.ts'
import { inFull, lawRuns } from './runs.ts'
import { now, nowSeconds, policyOf } from './support.ts'

const policy = policyOf({
  roles: {
    engineer: { allow: [{ actions: ['read', 'write'], on: ['model:acme/*'] }] },
    assistant: {
      allow: [
        { actions: ['read'], on: ['model:*/vision-*'] },
        { actions: ['infer'], on: ['model:acme/*'] },
      ],
      deny: [{ actions: ['read'], on: ['model:acme/vision-secret'] }],
    },
    courier: { allow: [{ actions: ['read'], on: ['model:acme/*'], when: { 'resource.gated': false } }] },
  },
  bindings: [
    { roles: ['engineer'], to: { issuer: 'oidc', claims: { sub: 'ana' } } },
    { roles: ['assistant'], to: { issuer: 'oidc', claims: { sub: 'bot' } } },
    { roles: ['courier'], to: { issuer: 'okta', claims: { sub: 'courier' } } },
  ],
})
const engine = createEngine(policy, { environment: 'production', now: () => now })
const issuerAt = issuerAtAddress(policy.issuers.values())

function principalWith(claims: Claims, credential: 'id_token' | 'access_token' = 'id_token'): Principal {
  const preset = presets.get('oidc')
  if (preset === undefined) throw new Error('no preset')
  const times = { iat: nowSeconds, exp: nowSeconds + 3600 }
  return principalFromClaims({
    issuer: 'oidc',
    preset,
    credential,
    issuerAt,
    claims: { iss: 'https://id.acme.dev', sub: 'ana', ...times, ...claims },
  })
}

const model = (id: string, gated = false) => ({ type: 'model', id, attributes: { gated, private: true } })
const viaBot = engine.for(principalWith({ act: { sub: 'bot' } }))
const viaCourier = engine.for(
  principalWith({
    act: { sub: 'bot', act: { iss: 'https://acme.okta.com/oauth2/default', sub: 'courier' } },
  }),
)

describe('who acts for a person', () => {
  test('may do what both may', () => {
    expect(viaBot.can('read', model('acme/vision-large'))).toBe(true)
    expect(viaBot.decide({ action: 'read', resource: model('acme/vision-large') })).toMatchObject({
      allowed: true,
      principal: 'oidc|ana',
      roles: [],
      delegation: { chain: ['oidc|ana', 'oidc|bot'] },
    })
  })

  test.each([
    ['what only the person may', 'write', model('acme/vision-large'), 'no_matching_rule', 'oidc|bot'],
    ['what only the actor may', 'infer', model('acme/vision-large'), 'no_matching_rule', 'oidc|ana'],
    ['what the actor is denied', 'read', model('acme/vision-secret'), 'explicit_deny', 'oidc|bot'],
    ['what neither may', 'delete', model('acme/vision-large'), 'no_matching_rule', 'oidc|ana'],
  ])('may not do %s, and the reason names who was refused', (_, action, resource, reason, refused) => {
    expect(viaBot.can(action, resource)).toBe(false)
    expect(viaBot.decide({ action, resource })).toMatchObject({
      allowed: false,
      reason,
      principal: 'oidc|ana',
      delegation: { chain: ['oidc|ana', 'oidc|bot'], refused },
    })
  })

  test('is held to every actor of a chain, also of other issuers', () => {
    const question = { action: 'read', resource: model('acme/vision-large') }
    expect(viaCourier.decide(question)).toMatchObject({
      allowed: true,
      delegation: { chain: ['oidc|ana', 'oidc|bot', 'okta|courier'] },
    })
    expect(viaCourier.decide({ ...question, resource: model('acme/vision-large', true) })).toMatchObject({
      allowed: false,
      delegation: { refused: 'okta|courier' },
    })
  })

  test('has the statements of both on an allow, and none that helps one against the other', () => {
    const { decision, considered, remedies } = viaBot.explain({
      action: 'write',
      resource: model('acme/vision-large'),
    })
    expect(decision.delegation?.refused).toBe('oidc|bot')
    expect(considered).toEqual([])
    expect(remedies).toBeUndefined()
    const allowed = viaBot.decide({ action: 'read', resource: model('acme/vision-large') })
    expect(allowed.statements.map(({ id }) => id.replace(/#.*/, ''))).toEqual([
      'roles.assistant.allow',
      'roles.engineer.allow',
    ])
  })

  test('finds in lists and searches what both may', () => {
    const models = [model('acme/vision-large'), model('acme/text'), model('acme/vision-secret')]
    expect(viaBot.filter('read', models)).toEqual([models[0]])
    expect(viaBot.searchResources('read', models)).toEqual([models[0]])
    expect(viaBot.searchActions(model('acme/vision-large'))).toEqual(['read'])
    expect(viaBot.patternsFor('read', 'model')).toMatchObject({
      allow: [{ ids: ['*/vision-*', 'acme/*'] }],
      deny: [{ ids: ['acme/vision-secret'] }],
    })
    expect(viaBot.patternsFor('write', 'model')).toEqual({ allow: [], deny: [] })
    expect(viaCourier.patternsFor('read', 'model').allow).toMatchObject([
      { when: [{ 'resource.gated': { $eq: false } }] },
    ])
  })

  test('gets scopes for what both may, and no more', () => {
    expect(engine.for(principalWith({})).scopes()).toEqual(['write-repos'])
    expect(viaBot.scopes()).toEqual(['read-repos'])
    expect(viaCourier.scopes()).toEqual(['read-repos'])
  })

  test('may less for certain than either: the least certain answer counts', () => {
    const unknown = { type: 'model', id: 'acme/vision-large' }
    expect(viaBot.likelihood('read', unknown)).toBe('allow')
    expect(viaCourier.likelihood('read', unknown)).toBe('maybe')
    expect(viaCourier.likelihood('write', unknown)).toBe('deny')
  })

  test.each(['snapshot', 'ability'] as const)('has no %s, rather than one that says too much', (what) => {
    expect(() => viaBot[what]()).toThrow(expect.objectContaining({ code: 'HFAUTH_DELEGATION_UNSUPPORTED' }))
  })

  test('is asked about as the person, in the person’s environment, with the roles that both hold', () => {
    expect(viaBot.principal).toBe('oidc|ana')
    expect(viaBot.environment).toBe('production')
    expect(viaBot.roles()).toEqual([])
    expect(engine.for(principalWith({ act: { sub: 'ana' } })).roles()).toEqual(['engineer'])
    expect(viaBot.searchResources('read', [model('acme/vision-large'), model('acme/text')])).toEqual([
      model('acme/vision-large'),
    ])
  })

  test('has no list of rules for what is built from one', () => {
    for (const build of [() => abilityOf(viaBot), () => prismaRulesOf(viaBot, { models: {} })]) {
      expect(build).toThrow(expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }))
    }
  })

  test('is judged in another environment in the same way', () => {
    const question = { action: 'write', resource: model('acme/vision-large'), environment: 'development' }
    expect(viaBot.decide(question)).toMatchObject({
      environment: 'development',
      delegation: { refused: 'oidc|bot' },
    })
  })

  test('is on record beside the person, with who was refused', () => {
    const principal = principalWith({ act: { sub: 'bot', act: { sub: 'dan' } } })
    const decision = engine.for(principal).decide({ action: 'write', resource: 'model:acme/x' })
    expect(auditActor(principal, [])).toMatchObject({ id: 'oidc|ana', actedBy: ['oidc|bot', 'oidc|dan'] })
    expect(auditDecision(decision)).toMatchObject({ effect: 'deny', refused: 'oidc|bot' })
  })

  test('has the age of the token', () => {
    const strict = createEngine(
      policyOf({
        environments: { production: { maxTokenAge: '1h' } },
        roles: { reader: { allow: [{ actions: ['read'], on: ['model:*'] }] } },
        bindings: [{ roles: ['reader'], to: { issuer: 'oidc' } }],
      }),
      { environment: 'production', now: () => now },
    )
    expect(strict.for(principalWith({ act: { sub: 'bot' } })).can('read', 'model:x')).toBe(true)
    const old = principalWith({ iat: nowSeconds - 3601, act: { sub: 'bot', iat: nowSeconds } })
    expect(strict.for(old).can('read', 'model:x')).toBe(false)
  })

  test('is named in the examples of a policy', () => {
    const tested = policyOf({
      ...policy.document,
      tests: [
        {
          name: 'the assistant writes nothing',
          principal: { issuer: 'oidc', claims: { sub: 'ana', act: { sub: 'bot' } } },
          environment: 'production',
          expect: { 'write model:acme/x': 'deny', 'read model:acme/vision-x': 'allow' },
        },
      ],
    })
    expect(runExamples(tested, { now }).every(({ passed }) => passed)).toBe(true)
  })
})

describe('an `act` claim that cannot be read is refused', () => {
  const nested = (depth: number): Claims =>
    depth === 1 ? { sub: 'bot' } : { sub: 'bot', act: nested(depth - 1) }

  test.each<[string, Claims]>([
    ['a text', { act: 'bot' }],
    ['null', { act: null }],
    ['a list', { act: [{ sub: 'bot' }] }],
    ['without a subject', { act: { client_id: 'bot' } }],
    ['with a subject that is no text', { act: { sub: 7 } }],
    ['of an issuer that the policy does not have', { act: { sub: 'bot', iss: 'https://evil.test' } }],
    ['of an issuer that is no text', { act: { sub: 'bot', iss: ['https://id.acme.dev'] } }],
    ['with an actor before it that cannot be read', { act: { sub: 'bot', act: { sub: '' } } }],
    ['with five actors', { act: nested(5) }],
  ])('%s', (_, claims) => {
    expect(() => principalWith(claims)).toThrow(expect.objectContaining({ code: 'HFAUTH_CLAIMS_INVALID' }))
  })

  test('four actors are read', () => {
    expect(
      engine.for(principalWith({ act: nested(4) })).decide({ action: 'read', resource: 'model:x' }),
    ).toMatchObject({ delegation: { chain: { length: 5 } } })
  })

  test('an address that two aliases share names neither', () => {
    const find = issuerAtAddress([
      { alias: 'a', addresses: [{ iss: 'https://id.example' }], preset: presets.get('oidc') as never },
      { alias: 'b', addresses: [{ iss: 'https://id.example' }], preset: presets.get('oidc') as never },
    ])
    expect(find('https://id.example')).toBeUndefined()
  })

  test('each address of an issuer names it, and none that only begins like one', () => {
    const find = issuerAtAddress([
      {
        alias: 'google',
        addresses: [{ iss: 'https://accounts.google.com' }, { iss: 'accounts.google.com' }],
        preset: presets.get('google') as never,
      },
    ])
    expect(find('https://accounts.google.com')?.alias).toBe('google')
    expect(find('accounts.google.com')?.alias).toBe('google')
    expect(find('accounts.google.com/')).toBeUndefined()
  })
})

test('a chain is allowed exactly what everybody in it is allowed', () => {
  const seen = { both: 0, one: 0, neither: 0 }
  const issuers = ['oidc', 'okta', 'huggingface']
  fc.assert(
    fc.property(world, fc.nat(), (document, seed) => {
      const tested = worldPolicy(document)
      const judge = createEngine(tested, { environment: 'production', now: () => now })
      const dice = new Dice(seed)
      const addresses = new Map([...tested.issuers.values()].map(({ alias, url }) => [alias, url]))
      const make = (issuer: string, claims: Claims) =>
        principalFromClaims({
          issuer,
          preset: presets.get(issuer) as NonNullable<ReturnType<typeof presets.get>>,
          credential: 'id_token',
          claims,
          issuerAt: issuerAtAddress(tested.issuers.values()),
        })
      for (let i = 0; i < 4; i++) {
        const [first, second] = [rollClaims(dice), rollClaims(dice)]
        const [subjectIssuer, actorIssuer] = [dice.of(issuers), dice.of(issuers)]
        const { iat: _, exp: __, ...actorClaims } = second
        const times = Object.fromEntries(
          Object.entries(first).filter(([name]) => ['iat', 'exp'].includes(name)),
        )
        const alone = [
          judge.for(make(subjectIssuer, first)),
          judge.for(make(actorIssuer, { ...actorClaims, ...times })),
        ]
        const iss = addresses.get(actorIssuer) ?? ''
        const chain = judge.for(make(subjectIssuer, { ...first, act: { ...actorClaims, iss } }))
        const resources: Resource[] = []
        for (let j = 0; j < 10; j++) {
          const question = rollQuestion(dice)
          const allowed = alone.map((access) => access.decide(question).allowed)
          const decision = chain.decide(question)
          expect(decision.allowed, JSON.stringify(question)).toBe(allowed.every(Boolean))
          expect(decision.delegation?.refused === undefined).toBe(decision.allowed)
          seen[allowed.every(Boolean) ? 'both' : allowed.some(Boolean) ? 'one' : 'neither'] += 1
          const { action, resource, context, environment } = question
          if (environment !== undefined) continue
          expect(chain.can(action, resource, context)).toBe(decision.allowed)
          const likely = chain.likelihood(action, resource, context)
          if (decision.allowed) expect(likely).not.toBe('deny')
          if (likely === 'allow') expect(decision.allowed).toBe(true)
          if (typeof resource !== 'string') resources.push(resource)
          for (const name of decision.roles)
            for (const access of alone) expect(access.roles()).toContain(name)
        }
        const inBoth = alone.reduce((list, access) => access.filter('read', list), resources)
        expect(chain.filter('read', resources)).toEqual(inBoth)
      }
    }),
    { numRuns: lawRuns(150) },
  )
  if (inFull) for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0)
})
