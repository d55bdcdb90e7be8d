/**
 * What a policy has to say of its issuers, and what it is warned of when it binds on their claims.
 */
import { describe, expect, test } from 'vitest'
import {
  createEngine,
  type Issuer,
  type PolicyDocument,
  PolicyError,
  parsePolicy,
  presets,
  principalFromClaims,
} from '../src/index.ts'

const tenant = '11111111-2222-3333-4444-555555555555'
const otherTenant = '66666666-2222-3333-4444-555555555555'
const own = 'https://hfauth.acme.example'
const jwk = { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'k' }

function documentOf(issuers: Record<string, object>, to?: object): PolicyDocument {
  return {
    version: 1,
    name: 'x',
    issuers: issuers as never,
    environments: { production: {} },
    roles: { r: { allow: [{ actions: ['read'], on: ['model:a/b'] }] } },
    bindings: [{ roles: ['r'], to: to ?? { kind: 'user' } }],
  }
}

function issuerOf(issuer: object): Issuer {
  return parsePolicy(documentOf({ idp: issuer })).issuers.get('idp') as Issuer
}

function faultsOf(issuers: Record<string, object>) {
  try {
    parsePolicy(documentOf(issuers))
  } catch (error) {
    if (error instanceof PolicyError) return error.faults
    throw error
  }
  return []
}

function warningsOf(issuer: object, to: object) {
  return parsePolicy(documentOf({ idp: issuer }, { issuer: 'idp', ...to })).warnings
}

describe('the addresses of an issuer', () => {
  test('are every text of `iss` that is taken, and each says where its keys are', () => {
    expect(issuerOf({ preset: 'google', audience: 'a' }).addresses).toEqual([
      { iss: 'https://accounts.google.com', url: 'https://accounts.google.com' },
      { iss: 'accounts.google.com', url: 'https://accounts.google.com' },
    ])
  })

  test('are filled in with each tenant where each has its own', () => {
    const address = (id: string) => `https://login.microsoftonline.com/${id}/v2.0`
    const issuer = issuerOf({ preset: 'entra', audience: 'a', tenants: [tenant, otherTenant] })
    expect(issuer.addresses).toEqual(
      [tenant, otherTenant].map((id) => ({ iss: address(id), url: address(id), tenant: id })),
    )
    expect(issuer.url).toBe(address(tenant))
  })

  test('may be several, in the policy’s own words', () => {
    const addresses = ['https://acme.okta.com/oauth2/x', 'https://id.acme.example/oauth2/x']
    const issuer = issuerOf({ preset: 'okta', audience: 'a', issuer: addresses })
    expect(issuer.addresses.map(({ iss }) => iss)).toEqual(addresses)
  })

  test('do not take over the spellings of an address that the policy replaces', () => {
    const issuer = issuerOf({ preset: 'google', audience: 'a', issuer: 'http://127.0.0.1:1234' })
    expect(issuer.addresses.map(({ iss }) => iss)).toEqual(['http://127.0.0.1:1234'])
  })

  test.each([
    ['okta', 'https://acme.okta.com'],
    ['okta-org', 'https://acme.okta.com/oauth2/default'],
    ['entra', 'https://login.microsoftonline.com/common/v2.0'],
    ['entra', `https://login.microsoftonline.com/${tenant}/v2.0`],
    ['auth0', 'https://acme.eu.auth0.com'],
    ['keycloak', 'https://id.acme.example'],
    ['github', 'https://github.com/acme'],
    ['github-actions', 'https://evil.example'],
    ['circleci', `https://oidc.circleci.com/org/${tenant}`],
    ['aws', 'https://sts.amazonaws.com'],
    ['aws-eks', 'https://oidc.eks.evil.example/id/ABC'],
  ])('of `%s` cannot be %s', (preset, issuer) => {
    const tenants = presets.get(preset)?.tenant?.required ? { tenants: [tenant] } : {}
    expect(faultsOf({ idp: { preset, issuer, audience: own, ...tenants } }).map(({ code }) => code)).toEqual([
      'malformed_issuer',
    ])
  })
})

describe('an issuer is a fault', () => {
  const cases: [string, object, string, RegExp][] = [
    [
      'without tenants where everyone has the same issuer (Entra)',
      { preset: 'entra' },
      'missing_tenants',
      /list directory/,
    ],
    ['without tenants (Workspace)', { preset: 'google-workspace' }, 'missing_tenants', /acme\.com/],
    ['without tenants (Slack)', { preset: 'slack' }, 'missing_tenants', /workspace ids/],
    ['without tenants (Buildkite)', { preset: 'buildkite' }, 'missing_tenants', /--claim/],
    ['without tenants (ALB)', { preset: 'aws-alb', issuer: 'https://id.dev' }, 'missing_tenants', /ARNs/],
    ['with an empty list of tenants', { preset: 'gitlab-ci', tenants: [] }, 'missing_tenants', /everyone/],
    [
      'with tenants where there are none',
      { preset: 'google', tenants: ['acme.com'] },
      'malformed_tenant',
      /google-workspace/,
    ],
    [
      'with a tenant by name instead of id',
      { preset: 'entra', tenants: ['acme.onmicrosoft.com'] },
      'malformed_tenant',
      /ids/,
    ],
    [
      'with a tenant that is an address',
      { preset: 'google-workspace', tenants: ['https://acme.com'] },
      'malformed_tenant',
      /acme/,
    ],
    ['with an owner by name', { preset: 'github-actions', tenants: ['acme'] }, 'malformed_tenant', /numeric/],
    [
      'with a default audience of GitHub',
      { preset: 'github-actions', audience: 'https://github.com/acme' },
      'shared_audience',
      /owner/,
    ],
    [
      'with an audience of AWS',
      { preset: 'kubernetes', issuer: 'https://k8s.acme.dev', audience: 'sts.amazonaws.com' },
      'shared_audience',
      /AWS/,
    ],
    [
      'with Microsoft Graph’s audience',
      { preset: 'entra', tenants: [tenant], audience: 'https://graph.microsoft.com' },
      'shared_audience',
      /Graph/,
    ],
    [
      'that takes service accounts for an app that people sign in to',
      { preset: 'google-service-account', audience: 'x.apps.googleusercontent.com' },
      'shared_audience',
      /people/,
    ],
    [
      'of the address that all clusters have, without keys',
      { preset: 'kubernetes', issuer: 'https://kubernetes.default.svc' },
      'missing_keys',
      /many clusters/,
    ],
    [
      'with no key among its keys',
      { preset: 'kubernetes', issuer: 'https://kubernetes.default.svc', keys: [] },
      'malformed_keys',
      /no key/,
    ],
    [
      'with a private key',
      { preset: 'oidc', issuer: 'https://id.dev', keys: [{ ...jwk, d: 'x' }] },
      'malformed_keys',
      /public/,
    ],
    [
      'with a shared secret for a key',
      { preset: 'oidc', issuer: 'https://id.dev', keys: [{ kty: 'oct', k: 'x' }] },
      'malformed_keys',
      /public/,
    ],
    [
      'of several Hubs at once',
      { preset: 'huggingface', issuer: ['https://huggingface.co', 'https://hub.acme.dev'] },
      'malformed_issuer',
      /alias/,
    ],
    ['with keys where none are used', { preset: 'github', keys: [jwk] }, 'malformed_keys', /takes no keys/],
  ]
  test.each(cases)('%s', (_, issuer, code, words) => {
    const faults = faultsOf({ idp: { audience: own, ...issuer } })
    expect(faults.map((fault) => fault.code)).toEqual([code])
    expect(faults[0]?.message).toMatch(words)
  })

  test('of each preset without an audience', () => {
    for (const preset of presets.keys()) {
      const codes = faultsOf({ idp: { preset } }).map(({ code }) => code)
      expect(codes, preset).toContain('missing_audience')
    }
  })

  test('when two presets could both claim its tokens', () => {
    const shared = { issuer: 'https://gitlab.com', audience: own }
    const people = { preset: 'oidc', ...shared }
    const jobs = { preset: 'gitlab-ci', ...shared }
    expect(faultsOf({ people, jobs }).map(({ code }) => code)).toEqual(['ambiguous_issuer'])
    expect(faultsOf({ people, jobs: { ...jobs, audience: 'jobs' } })).toEqual([])
    const key = { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'a' }
    const east = { ...people, keys: [key] }
    const others = { west: { ...people, keys: [{ ...key, kid: 'b' }] }, asked: people }
    expect(faultsOf({ east, twin: east })).toEqual([])
    for (const other of Object.values(others)) {
      expect(faultsOf({ east, other }).map(({ code }) => code)).toEqual(['ambiguous_issuer'])
      expect(faultsOf({ east, other: { ...other, audience: 'other' } })).toEqual([])
    }
    const balancer =
      'arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188'
    expect(faultsOf({ people, front: { preset: 'aws-alb', ...shared, tenants: [balancer] } })).toEqual([])
  })
})

test('every preset states how it is verified, who its tenants are and what undoes it', () => {
  for (const preset of presets.values()) {
    const { name, issuer, keys, algorithms, tenant: rule, subjectClaims, sharedAudience } = preset
    expect(algorithms.length > 0, name).toBe(keys !== 'none')
    expect(
      algorithms.filter((algorithm) => /^HS|none/.test(algorithm)),
      name,
    ).toEqual([])
    expect(subjectClaims.flat().length, name).toBeGreaterThan(0)
    expect(preset.clockToleranceSeconds, name).toBeLessThanOrEqual(60)
    if (issuer.known?.includes('{tenant}')) expect(rule?.required, name).toBe(true)
    if (issuer.form && issuer.example) expect(issuer.example, name).toMatch(issuer.form)
    // A global or sticky pattern would answer differently each time.
    for (const form of [issuer.form, issuer.shared, rule?.form, sharedAudience?.form]) {
      expect(form?.flags ?? '', name).not.toMatch(/[gy]/)
    }
  }
})

describe('a policy is warned of', () => {
  const actions = { preset: 'github-actions', audience: own }
  const gitlab = { preset: 'gitlab-ci', audience: own }
  const entra = { preset: 'entra', audience: own, tenants: [tenant] }
  const github = { preset: 'github', audience: own }
  const slack = { preset: 'slack', audience: own, tenants: ['T0ACME'] }
  const workspace = { preset: 'google-workspace', audience: own, tenants: ['acme.com'] }
  const buildkite = { preset: 'buildkite', audience: own, tenants: [tenant] }
  const circleci = { preset: 'circleci', audience: own, tenants: [tenant] }
  const chosen = 'claim_chosen_by_attacker'
  const other = 'claim_of_another_kind'

  const cases: [string, object, object, string, RegExp][] = [
    ['who set off a run', actions, { claims: { actor: 'dana', repository_id: '1' } }, chosen, /record only/],
    [
      'the branch of a pull request',
      actions,
      { claims: { head_ref: 'release' } },
      chosen,
      /others can choose/,
    ],
    [
      'the same in a nested condition',
      actions,
      { claims: { $or: [{ ref: 'x' }, { head_ref: 'y' }] } },
      chosen,
      /head_ref/,
    ],
    [
      'any branch of a repository',
      actions,
      { claims: { sub: { $glob: 'repo:acme/trainer:*' } } },
      chosen,
      /wildcard/,
    ],
    ['any repository', actions, { claims: { sub: { $glob: 'repo:*' } } }, chosen, /before the repository/],
    [
      'runs on what strangers sent',
      actions,
      { claims: { event_name: 'pull_request_target' } },
      chosen,
      /stranger/,
    ],
    ['a project by its path', gitlab, { claims: { project_path: 'acme/x' } }, chosen, /project_id/],
    ['a namespace by its path', gitlab, { claims: { namespace_path: 'acme' } }, chosen, /namespace_id/],
    ['who pushed, in GitLab', gitlab, { claims: { user_login: 'dana' } }, chosen, /record only/],
    [
      'a truth as a text',
      gitlab,
      { claims: { project_id: '1', ref_protected: 'true' } },
      other,
      /without quotes/,
    ],
    [
      'a warning as a text',
      circleci,
      { claims: { 'oidc.circleci.com/project-id': 'p', 'oidc.circleci.com/ssh-rerun': 'false' } },
      other,
      /without quotes/,
    ],
    ['a number for an id', gitlab, { claims: { project_id: 20 } }, other, /in quotes/],
    [
      'an organisation by its slug',
      buildkite,
      { claims: { organization_slug: 'acme' } },
      chosen,
      /organization_id/,
    ],
    [
      'a branch name that a pusher chooses',
      buildkite,
      { claims: { build_branch: 'main' } },
      chosen,
      /others can choose/,
    ],
    [
      'an address that a directory’s administrator sets',
      entra,
      { claims: { email: 'a@b.dev' } },
      chosen,
      /unverified/,
    ],
    ['the same name by another claim', entra, { claims: { upn: 'a@b.dev' } }, chosen, /oid/],
    ['a user name that may change hands (Entra)', entra, { username: 'a@b.dev' }, chosen, /oid/],
    ['a user name that may change hands (GitHub)', github, { username: 'dana' }, chosen, /taken over/],
    ['an address in Slack', slack, { email: 'a@b.dev' }, chosen, /`email`/],
    ['an unverified address in Slack', slack, { claims: { email: 'a@b.dev' } }, chosen, /unverified/],
    ['an unverified address at GitHub', github, { claims: { email: 'a@b.dev' } }, chosen, /unverified/],
    ['groups that Google never tells', workspace, { group: 'ml' }, other, /never tell groups/],
    ['an address that jobs do not have', actions, { email: 'a@b.dev' }, other, /never tell an e-mail/],
  ]
  test.each(cases)('%s', (_, issuer, to, code, words) => {
    const warnings = warningsOf(issuer, to)
    expect(warnings.map((warning) => warning.code)).toEqual([code])
    expect(warnings[0]?.message).toMatch(words)
  })

  test.each([
    ['ids', actions, { claims: { repository_id: '1', ref: 'refs/heads/main', event_name: 'push' } }],
    ['a path beside the id that anchors it', gitlab, { claims: { project_id: '1', project_path: 'acme/x' } }],
    ['a truth', gitlab, { claims: { project_id: '1', ref_protected: true } }],
    ['a group of a directory', entra, { group: tenant }],
    ['a verified address of one’s own domain', workspace, { email: 'dana@acme.com' }],
  ])('nothing in a binding on %s', (_, issuer, to) => {
    expect(warningsOf(issuer, to)).toEqual([])
  })

  test.each([
    ['google', 'https://accounts.google.com'],
    ['entra', `https://login.microsoftonline.com/${tenant}/v2.0`],
    ['github-actions', 'https://token.actions.githubusercontent.com'],
    ['circleci', `https://oidc.circleci.com/org/${tenant}`],
    ['slack', 'https://slack.com'],
    ['buildkite', 'https://agent.buildkite.com'],
    ['kubernetes', 'https://kubernetes.default.svc.cluster.local'],
    ['aws-eks', 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABC'],
  ])('`oidc` where `%s` checks more', (name, issuer) => {
    const warnings = warningsOf({ preset: 'oidc', issuer, audience: own }, { kind: 'user' })
    expect(warnings.map(({ code }) => code)).toEqual(['preset_too_general'])
    expect(warnings[0]?.message).toContain(`\`${name}\``)
  })

  test.each(['https://id.acme.example', 'https://acme.eu.auth0.com/', 'https://acme.okta.com'])(
    'nothing when `oidc` is used at %s',
    (issuer) => {
      expect(warningsOf({ preset: 'oidc', issuer, audience: own }, { kind: 'user' })).toEqual([])
    },
  )
})

describe('a gate', () => {
  const opened = (to: object) =>
    parsePolicy(documentOf({ ci: { preset: 'github-actions', audience: own } }, to)).issuers.get('ci')
      ?.gatesOpened

  test.each([
    ['a plain value', { issuer: 'ci', claims: { event_name: 'workflow_run' } }, ['workflow_run']],
    [
      'one of several',
      { issuer: 'ci', claims: { event_name: { $in: ['push', 'workflow_run'] } } },
      ['workflow_run'],
    ],
    ['a pattern', { issuer: 'ci', claims: { event_name: { $glob: '*' } } }, []],
    ['what it is not', { issuer: 'ci', claims: { event_name: { $ne: 'workflow_run' } } }, []],
    ['nothing', { issuer: 'ci' }, []],
  ])('is opened by a binding that names %s: %j', (_, to, expected) => {
    expect(opened(to)).toEqual(expected)
  })

  test('that one binding opens stays closed to the others of the issuer', () => {
    const document = documentOf({
      ci: { preset: 'github-actions', audience: own },
      id: { preset: 'oidc', issuer: 'https://id.acme.example', audience: own },
    })
    const policy = parsePolicy({
      ...document,
      roles: {
        reader: { allow: [{ actions: ['read'], on: ['model:a/b'] }] },
        writer: { allow: [{ actions: ['write'], on: ['model:a/b'] }] },
      },
      bindings: [
        { roles: ['reader'], to: { issuer: 'ci', claims: { event_name: 'workflow_run' } } },
        { roles: ['writer'], to: { issuer: ['ci', 'id'] } },
      ],
    })
    const engine = createEngine(policy, { environment: 'production' })
    const rights = (issuer: string, event?: string) => {
      const preset = policy.issuers.get(issuer)?.preset
      if (preset === undefined) throw new Error(issuer)
      const claims = { sub: 's', ...(event === undefined ? {} : { event_name: event }) }
      const access = engine.for(principalFromClaims({ issuer, preset, credential: 'id_token', claims }))
      return ['read', 'write'].filter((action) => access.can(action, 'model:a/b'))
    }
    expect(rights('ci', 'workflow_run')).toEqual(['read'])
    expect(rights('ci', 'push')).toEqual(['write'])
    expect(rights('id')).toEqual(['write'])
  })
})

describe('a binding reaches', () => {
  test.each([
    [
      'keycloak',
      { 'realm_access.roles': { $contains: 'ml' } },
      { realm_access: { roles: ['ml'] } },
      { realm_access: { roles: ['x'] } },
    ],
    [
      'kubernetes',
      { 'kubernetes.io/namespace': 'ml' },
      { 'kubernetes.io': { namespace: 'ml' } },
      { 'kubernetes.io/namespace': 'ml' },
    ],
    [
      'gitlab-ci',
      { ref_protected: true },
      { project_id: 1, ref_protected: 'true' },
      { project_id: 1, ref_protected: 'yes' },
    ],
    ['circleci', { 'oidc.circleci.com/vcs-origin': 'x' }, { 'oidc.circleci.com/vcs-origin': 'x' }, {}],
  ])('what `%s` tokens tell under %j, and nothing that only looks like it', (name, claims, told, other) => {
    const preset = presets.get(name)
    if (preset === undefined) throw new Error(name)
    const rule = preset.tenant?.required ? { tenants: [tenant] } : {}
    const known =
      preset.issuer.known === undefined ? { issuer: preset.issuer.example ?? 'https://k8s.acme.dev' } : {}
    const policy = parsePolicy(
      documentOf({ idp: { preset: name, audience: own, ...rule, ...known } }, { issuer: 'idp', claims }),
    )
    const engine = createEngine(policy, { environment: 'production' })
    const anchors = { sub: 's', 'oidc.circleci.com/project-id': 'p' }
    const can = (said: object) =>
      engine
        .for(
          principalFromClaims({
            issuer: 'idp',
            preset,
            credential: 'id_token',
            claims: { ...anchors, ...said },
          }),
        )
        .can('read', 'model:a/b')
    expect([can(told), can(other)]).toEqual([true, false])
  })
})

describe('variables that are left open', () => {
  const issuers = {
    people: { preset: 'entra', audience: '${env.APP}', tenants: ['${env.TENANT}'] },
    okta: { preset: 'okta', issuer: '${env.ISSUER}', audience: '${env.app}' },
    jobs: { preset: 'github-actions', audience: own, tenants: ['${env.OWNER}'] },
  }
  const open = (changes: object = {}) =>
    parsePolicy(documentOf({ ...issuers, ...changes }), { openVariables: true })

  test('stand for themselves, whatever form their values must have', () => {
    const policy = open()
    expect(policy.document.issuers).toEqual(issuers)
    expect(policy.issuers.get('people')?.tenants).toEqual(['${env.TENANT}'])
    const renamed = open({ okta: { ...issuers.okta, audience: '${env.APP}' } })
    expect(renamed.reference.digest).not.toBe(policy.reference.digest)
  })

  test('excuse nothing that is written out', () => {
    expect(() => open({ jobs: { ...issuers.jobs, tenants: ['${env.OWNER}', 'acme'] } })).toThrow(PolicyError)
    expect(() => open({ okta: { ...issuers.okta, issuer: 'http://okta.acme.dev' } })).toThrow(PolicyError)
  })

  test('are no values where a policy is to decide', () => {
    expect(faultsOf(issuers).map(({ code }) => code)).toContain('unknown_variable')
    expect(() => parsePolicy(documentOf({ jobs: { ...issuers.jobs, tenants: ['${env.}'] } }))).toThrow(
      PolicyError,
    )
  })
})
