import { describe, expect, test } from 'vitest'
import { anonymous, createEngine, type DecisionReason, type PolicyDocument } from '../src/index.ts'
import { accessOf, now, nowSeconds, policyOf, principalOf, reader } from './support.ts'

const read = { action: 'read', resource: 'model:acme/x' }

describe('the order of reasons', () => {
  const deny = [{ actions: ['read'], on: ['model:acme/*'], reason: 'Not now.' }]
  const strict = {
    production: { actions: ['infer'], maxTokenAge: '15m', require: { 'principal.mfa': true } },
    development: {},
  }
  const strong = { amr: ['mfa'] }

  test.each<
    [
      string,
      DecisionReason,
      Partial<PolicyDocument>,
      { action?: string; resource?: string; claims?: object; credential?: 'access_token' },
    ]
  >([
    [
      'an action that the policy does not know',
      'unknown_action',
      { roles: reader, environments: strict },
      { action: 'raed' },
    ],
    [
      'a resource type that the policy does not know',
      'unknown_resource_type',
      { roles: reader, environments: strict },
      { resource: 'modle:acme/x' },
    ],
    [
      'an old token, before a deny',
      'token_too_old',
      { roles: reader, environments: strict, deny },
      { claims: { ...strong, iat: nowSeconds - 901 } },
    ],
    ['an expired token', 'token_too_old', { roles: reader }, { claims: { exp: nowSeconds } }],
    [
      'a sign-in that is too weak, before a deny',
      'step_up_required',
      { roles: reader, environments: strict, deny },
      {},
    ],
    [
      'a deny, before the ceiling',
      'explicit_deny',
      { roles: reader, environments: strict, deny },
      { claims: strong },
    ],
    [
      'the ceiling, before a missing rule',
      'environment_ceiling',
      { roles: {}, bindings: [], environments: strict },
      { claims: strong },
    ],
    ['no rule', 'no_matching_rule', { roles: reader }, { resource: 'model:other/x' }],
    [
      'a token without the scope',
      'insufficient_scope',
      { roles: reader },
      { claims: { scope: 'openid profile' }, credential: 'access_token' },
    ],
    ['nothing in the way', 'allowed', { roles: reader }, {}],
  ])('%s → %s', (_, reason, policy, asked) => {
    const issuer = asked.credential === undefined ? 'oidc' : 'huggingface'
    const principal = principalOf(
      issuer,
      { ...asked.claims },
      asked.credential && { credential: asked.credential },
    )
    const access = accessOf(policy, principal)
    const question = { action: asked.action ?? read.action, resource: asked.resource ?? read.resource }
    const decision = access.decide(question)
    expect(decision).toMatchObject({ reason, allowed: reason === 'allowed' })
    expect(access.can(question.action, question.resource)).toBe(decision.allowed)
  })

  test('an environment that the policy does not know → unknown_environment', () => {
    expect(accessOf({ roles: reader }).decide({ ...read, environment: 'prod' })).toMatchObject({
      allowed: false,
      reason: 'unknown_environment',
      environment: 'prod',
    })
  })

  test('another environment of the policy is answered under its own rules', () => {
    const access = accessOf({
      roles: reader,
      environments: { production: { actions: ['infer'] }, development: {} },
    })
    expect(access.decide(read).reason).toBe('environment_ceiling')
    expect(access.decide({ ...read, environment: 'development' })).toMatchObject({
      reason: 'allowed',
      environment: 'development',
    })
  })

  test('someone without a credential → authentication_required, unless a binding names the anonymous', () => {
    const policy = (anonymousToo: boolean) =>
      policyOf({
        roles: reader,
        bindings: [{ roles: ['reader'], to: anonymousToo ? { anonymous: true } : { issuer: 'oidc' } }],
      })
    const access = (anonymousToo: boolean) =>
      createEngine(policy(anonymousToo), { environment: 'production', now: () => now }).for(anonymous)
    expect(access(false).decide(read).reason).toBe('authentication_required')
    expect(access(true).decide(read).reason).toBe('allowed')
  })

  test('a token that does not say when it was made is too old wherever age matters', () => {
    const environments = { production: { maxTokenAge: '15m' } }
    const access = accessOf({ roles: reader, environments }, principalOf('oidc', { iat: 'yesterday' }))
    expect(access.decide(read)).toMatchObject({ reason: 'token_too_old', stepUp: { maxAgeSeconds: 900 } })
  })

  test('a token ages while its access is kept', () => {
    let clock = now
    const policy = policyOf({
      roles: reader,
      bindings: [{ roles: ['reader'], to: { issuer: 'oidc' } }],
      environments: { production: { maxTokenAge: '15m' } },
    })
    const access = createEngine(policy, { environment: 'production', now: () => clock }).for(
      principalOf('oidc', {}),
    )
    expect(access.can('read', 'model:acme/x')).toBe(true)
    clock += 15 * 60_000
    expect(access.can('read', 'model:acme/x')).toBe(false)
  })

  test('a step-up says what is missing and how to ask for it; an exempt issuer needs none', () => {
    const environments = {
      production: {
        require: { 'principal.mfa': true, 'principal.kind': 'user' },
        exempt: ['github-actions'],
      },
    }
    expect(accessOf({ roles: reader, environments }).decide(read).stepUp).toEqual({
      missing: ['principal.mfa'],
      acrValues: ['http://schemas.openid.net/pape/policies/2007/06/multi-factor'],
    })
    expect(
      accessOf({ roles: reader, environments }, principalOf('github-actions', {})).decide(read).reason,
    ).toBe('allowed')
  })
})

describe('a decision carries', () => {
  const policy = policyOf({
    roles: {
      reader: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] },
      engineer: { extends: ['reader'], allow: [{ actions: ['infer'], on: ['model:acme/*'] }] },
      other: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] },
    },
    bindings: [
      { roles: ['engineer'], to: { issuer: 'oidc', group: 'ml' } },
      { roles: ['other'], to: { issuer: 'oidc', group: 'other' } },
    ],
    deny: [{ actions: ['read'], on: ['model:acme/secret'], reason: 'Ask legal first.' }],
  })
  const access = createEngine(policy, { environment: 'production', now: () => now }).for(
    principalOf('oidc', { groups: ['ml'] }),
  )

  test('roles with what they extend, the binding they came through, the statements, scopes and policy', () => {
    expect(access.decide(read)).toEqual({
      allowed: true,
      reason: 'allowed',
      principal: 'oidc|ana',
      environment: 'production',
      action: 'read',
      resource: 'model:acme/x',
      statements: [{ id: expect.stringMatching(/^roles\.reader\.allow#[0-9a-f]{8}$/), effect: 'allow' }],
      roles: ['engineer', 'reader'],
      bindings: [{ id: expect.stringMatching(/^bindings#[0-9a-f]{8}$/), roles: ['engineer'] }],
      scopes: ['read-repos'],
      missingAttributes: [],
      policy: policy.reference,
    })
  })

  test('on a denial, the statement with its reason for people', () => {
    expect(access.decide({ action: 'read', resource: 'model:acme/secret' }).statements).toEqual([
      { id: expect.stringMatching(/^deny#/), effect: 'deny', reason: 'Ask legal first.' },
    ])
  })

  test('in an explanation, every statement about this resource and how it came out', () => {
    const explanation = access.explain({ action: 'read', resource: 'model:acme/secret' })
    expect(explanation.considered.map(({ effect, pattern, outcome }) => [effect, pattern, outcome])).toEqual([
      ['deny', 'acme/secret', 'holds'],
      ['allow', 'acme/*', 'holds'],
    ])
  })
})

describe('bindings', () => {
  const bound = (to: PolicyDocument['bindings'][number]['to'], claims: object, issuer = 'oidc') => {
    const policy = policyOf({ roles: reader, bindings: [{ roles: ['reader'], to }] })
    const engine = createEngine(policy, { environment: 'production', now: () => now })
    return engine.for(principalOf(issuer, claims as never)).can('read', 'model:acme/x')
  }
  const acme = {
    sub: 'a1',
    preferred_username: 'Acme',
    roleInOrg: 'write',
    resourceGroups: [{ sub: 'g1', name: 'vision', role: 'read' }],
  }
  const other = { sub: 'b2', preferred_username: 'other', roleInOrg: 'admin' }

  test.each<[string, PolicyDocument['bindings'][number]['to'], object, string, boolean]>([
    ['issuer', { issuer: 'oidc' }, {}, 'oidc', true],
    ['issuer', { issuer: 'okta' }, {}, 'oidc', false],
    ['one of several issuers', { issuer: ['okta', 'oidc'] }, {}, 'oidc', true],
    ['kind', { kind: 'workload' }, {}, 'github-actions', true],
    ['kind', { kind: 'workload' }, {}, 'oidc', false],
    ['group', { group: 'ml' }, { groups: ['x', 'ml'] }, 'oidc', true],
    ['group', { group: 'ml' }, { groups: 'ml' }, 'oidc', false],
    ['username, without case', { username: 'Ana' }, { preferred_username: 'ana' }, 'oidc', true],
    [
      'a verified e-mail address',
      { issuer: 'oidc', email: 'Ana@acme.dev' },
      { email: 'ana@acme.dev', email_verified: true },
      'oidc',
      true,
    ],
    [
      'an unverified e-mail address',
      { issuer: 'oidc', email: 'ana@acme.dev' },
      { email: 'ana@acme.dev' },
      'oidc',
      false,
    ],
    [
      'an e-mail address that says it is verified in words',
      { issuer: 'oidc', email: 'ana@acme.dev' },
      { email: 'ana@acme.dev', email_verified: 'true' },
      'oidc',
      false,
    ],
    ['org by handle, without case', { org: 'acme' }, { orgs: [acme] }, 'huggingface', true],
    ['org by id', { org: 'a1' }, { orgs: [acme] }, 'huggingface', true],
    [
      'org and role of the same membership',
      { org: 'acme', orgRole: ['write', 'admin'] },
      { orgs: [acme] },
      'huggingface',
      true,
    ],
    [
      'org and role of different memberships',
      { org: 'acme', orgRole: 'admin' },
      { orgs: [acme, other] },
      'huggingface',
      false,
    ],
    [
      'a role that was not told',
      { org: 'acme', orgRole: 'write' },
      { orgs: [{ ...acme, roleInOrg: undefined }] },
      'huggingface',
      false,
    ],
    ['resource group', { org: 'acme', resourceGroup: 'vision' }, { orgs: [acme] }, 'huggingface', true],
    [
      'resource group of another org',
      { org: 'other', resourceGroup: 'vision' },
      { orgs: [acme, other] },
      'huggingface',
      false,
    ],
    [
      'a membership that its org has closed',
      { org: 'acme' },
      { orgs: [{ ...acme, securityRestrictions: ['sso'] }] },
      'huggingface',
      false,
    ],
    [
      'claims',
      { issuer: 'github-actions', claims: { repository: 'acme/x', ref: 'refs/heads/main' } },
      { repository: 'acme/x', ref: 'refs/heads/main' },
      'github-actions',
      true,
    ],
    [
      'claims, of which one differs',
      { issuer: 'github-actions', claims: { repository: 'acme/x', ref: 'refs/heads/main' } },
      { repository: 'acme/x', ref: 'refs/heads/dev' },
      'github-actions',
      false,
    ],
    [
      'claims, of which one is missing and should not be something',
      { issuer: 'github-actions', claims: { event_name: { $ne: 'pull_request' } } },
      {},
      'github-actions',
      false,
    ],
    [
      'a claim inside another',
      { issuer: 'oidc', claims: { 'realm_access.roles': { $contains: 'ml' } } },
      { realm_access: { roles: ['ml'] } },
      'oidc',
      true,
    ],
    [
      'a claim whose name has dots',
      { issuer: 'oidc', claims: { 'https://acme.dev/team': 'ml' } },
      { 'https://acme.dev/team': 'ml' },
      'oidc',
      true,
    ],
  ])('by %s: %j with %j from %s is %s', (_, to, claims, issuer, expected) => {
    expect(bound(to, claims, issuer)).toBe(expected)
  })

  test('begin and end on time, also for a principal that is kept', () => {
    let clock = now
    const policy = policyOf({
      roles: reader,
      bindings: [
        {
          roles: ['reader'],
          to: { issuer: 'oidc' },
          from: '2026-06-01T12:10:00Z',
          until: '2026-06-01T12:20:00Z',
        },
      ],
    })
    const access = createEngine(policy, { environment: 'production', now: () => clock }).for(
      principalOf('oidc', {}),
    )
    const at = (minutes: number) => {
      clock = now + minutes * 60_000
      return access.can('read', 'model:acme/x')
    }
    expect([0, 9, 10, 19, 20, 30].map(at)).toEqual([false, false, true, true, false, false])
  })

  test('take only principals that come from verified claims', () => {
    const engine = createEngine(policyOf({}), { environment: 'production' })
    const forged = { ...principalOf('oidc', {}) }
    expect(() => engine.for(forged as never)).toThrow(
      expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
    )
  })

  test('claims without a subject make no principal', () => {
    expect(() => principalOf('oidc', { sub: '' })).toThrow(
      expect.objectContaining({ code: 'HFAUTH_CLAIMS_INVALID' }),
    )
  })
})

describe('statements', () => {
  test('apply only in the environments they name', () => {
    const roles = { r: { allow: [{ actions: ['write'], on: ['model:*/*'], environments: ['development'] }] } }
    const access = accessOf({ roles })
    expect(access.decide({ action: 'write', resource: 'model:a/b' }).allowed).toBe(false)
    expect(
      access.decide({ action: 'write', resource: 'model:a/b', environment: 'development' }).allowed,
    ).toBe(true)
  })

  test('`*` is every action and `**` every resource, `manage` and `all` are just names', () => {
    const all = accessOf({ roles: { r: { allow: [{ actions: ['*'], on: ['**'] }] } } })
    expect(all.can('delete', 'dataset:a/b')).toBe(true)
    const manage = accessOf({ roles: { r: { allow: [{ actions: ['manage'], on: ['model:a/b'] }] } } })
    expect(manage.can('manage', 'model:a/b')).toBe(true)
    expect(manage.can('read', 'model:a/b')).toBe(false)
  })

  test('a deny wins over an allow wherever either stands', () => {
    const access = accessOf({
      roles: {
        a: { deny: [{ actions: ['read'], on: ['model:a/b'] }] },
        b: { allow: [{ actions: ['*'], on: ['**'] }] },
      },
    })
    expect(access.can('read', 'model:a/b')).toBe(false)
    expect(access.can('read', 'model:a/c')).toBe(true)
  })

  test('an application’s own types have their own actions and compare with case', () => {
    const access = accessOf({
      resources: { prompt: { actions: ['read', 'edit'], attributes: { draft: 'boolean' } } },
      roles: {
        r: { allow: [{ actions: ['edit'], on: ['prompt:Team/*'], when: { 'resource.draft': true } }] },
      },
    })
    const draft = (id: string) => ({ type: 'prompt', id, attributes: { draft: true } })
    expect(access.can('edit', draft('Team/hello'))).toBe(true)
    expect(access.can('edit', draft('team/hello'))).toBe(false)
  })

  test('filter keeps what can says, in order', () => {
    const access = accessOf({ roles: reader })
    const models = ['acme/a', 'other/b', 'acme/c'].map((id) => ({ type: 'model', id }))
    expect(access.filter('read', models).map(({ id }) => id)).toEqual(['acme/a', 'acme/c'])
  })
})

describe('a denial for everybody', () => {
  const deny = [{ actions: ['read'], on: ['model:**'], environments: ['development'] }]
  const decideIn = (environment: string) =>
    createEngine(
      policyOf({ roles: reader, bindings: [{ roles: ['reader'], to: { issuer: 'oidc' } }], deny }),
      {
        environment,
        now: () => now,
      },
    )
      .for(principalOf('oidc', {}))
      .decide({ action: 'read', resource: 'model:acme/x' }).reason

  test('holds in its environments and in no other', () => {
    expect(decideIn('development')).toBe('explicit_deny')
    expect(decideIn('production')).toBe('allowed')
  })
})
