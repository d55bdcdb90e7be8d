/** Claims that the issuer did sign and that are still not taken: each preset's own rule, and the rules of all. */
import { describe, expect, test } from 'vitest'
import { type Claims, type IssuerLimits, presets, refusalOfClaims } from '../src/index.ts'

type Changes = Readonly<Record<string, unknown>>

/** What a token of each preset has at least, to be taken. */
const sound: Readonly<Record<string, Claims>> = {
  auth0: { sub: 'auth0|1' },
  circleci: { sub: 'job', 'oidc.circleci.com/org-id': 'o', 'oidc.circleci.com/project-id': 'p' },
  entra: { tid: 't', oid: 'o', scp: 'read' },
  'github-actions': { sub: 'r', repository_id: '2', repository_owner_id: '1', event_name: 'push' },
  'gitlab-ci': {
    project_id: '20',
    namespace_id: '2',
    job_id: '9',
    pipeline_source: 'push',
    ref: 'main',
    job_project_id: '20',
    job_namespace_id: '2',
  },
  google: { sub: 'a', email: 'ana@acme.com' },
  'google-service-account': { sub: '1', email: 'x@acme.iam.gserviceaccount.com', email_verified: true },
  'google-workspace': { sub: 'a', email: 'ana@acme.com', hd: 'acme.com' },
  keycloak: { sub: 'a', typ: 'ID', preferred_username: 'ana' },
  kubernetes: {
    sub: 'system:serviceaccount:ml:trainer',
    'kubernetes.io': { namespace: 'ml', serviceaccount: { name: 'trainer', uid: 'u' } },
  },
  oidc: { sub: 'ana' },
  okta: { sub: '00u1', uid: '00u1' },
}

function refusal(
  name: string,
  changes: Changes = {},
  credential: 'id_token' | 'access_token' = 'id_token',
  limits: Partial<IssuerLimits> & { readonly of?: string } = {},
): string | undefined {
  const preset = presets.get(name)
  if (preset === undefined) throw new Error(name)
  const entries = Object.entries({ ...sound[name], ...changes }).filter(([, value]) => value !== undefined)
  const { of, ...rest } = limits
  const issuer = { alias: 'idp', preset, tenants: [], gatesOpened: [], ...rest }
  return refusalOfClaims(issuer, credential, Object.fromEntries(entries) as Claims, of)
}

test.each(Object.keys(sound))('a sound token of `%s` is not refused', (name) => {
  expect(refusal(name)).toBeUndefined()
})

describe('refused is', () => {
  test.each<[string, string, Changes, RegExp]>([
    ['a machine of Auth0, by its subject', 'auth0', { sub: 'x@clients' }, /machine/],
    ['a machine of Auth0, by its grant', 'auth0', { gty: 'client-credentials' }, /machine/],
    [
      'a job of CircleCI that was run again with SSH',
      'circleci',
      { 'oidc.circleci.com/ssh-rerun': true },
      /SSH/,
    ],
    ['the same, told as a text', 'circleci', { 'oidc.circleci.com/ssh-rerun': 'true' }, /SSH/],
    ['an application of Entra that says so', 'entra', { idtyp: 'app' }, /application/],
    ['an application of Entra, by its id', 'entra', { scp: undefined, appid: 'x' }, /application/],
    ['an application of Entra, by how it signed in', 'entra', { scp: undefined, azpacr: '1' }, /application/],
    ['the same in an older token', 'entra', { scp: undefined, appidacr: '1' }, /application/],
    ['a merge request of a fork, by its project', 'gitlab-ci', { job_project_id: '99' }, /./],
    ['a merge request of a fork, by its namespace', 'gitlab-ci', { job_namespace_id: '99' }, /./],
    [
      'a service account on a person’s path',
      'google',
      { email: 'x@p.iam.gserviceaccount.com' },
      /service account/,
    ],
    [
      'a service account of an organisation, too',
      'google-workspace',
      { email: 'x@p.iam.gserviceaccount.com' },
      /service/,
    ],
    [
      'a person on a service account’s path',
      'google-service-account',
      { email: 'ana@acme.com' },
      /not a service/,
    ],
    ['a refresh token of Keycloak', 'keycloak', { typ: 'Refresh' }, /`typ`/],
    ['an access token of Keycloak as an ID token', 'keycloak', { typ: 'Bearer' }, /`typ`/],
    [
      'a service account of Keycloak',
      'keycloak',
      { preferred_username: 'service-account-x' },
      /service account/,
    ],
    [
      'a subject of Kubernetes that is not its account',
      'kubernetes',
      { sub: 'system:serviceaccount:ml:admin' },
      /`sub`/,
    ],
    [
      'a CI job where people are expected',
      'oidc',
      { sub: 'project_path:acme/x:ref_type:branch:ref:main' },
      /CI job/,
    ],
    ['an ID token of Okta that names two people', 'okta', { uid: '00u2' }, /two people/],
  ])('%s', (_, name, changes, reason) => {
    expect(refusal(name, changes)).toMatch(reason)
  })

  test('an access token of a machine of Okta, which names no person', () => {
    expect(refusal('okta', { uid: undefined }, 'access_token')).toMatch(/machine/)
    expect(refusal('okta', { sub: 'dana@acme.dev' }, 'access_token')).toBeUndefined()
  })

  test('an ID token of Keycloak as an access token', () => {
    expect(refusal('keycloak', {}, 'access_token')).toMatch(/`typ`/)
    expect(refusal('keycloak', { typ: 'Bearer' }, 'access_token')).toBeUndefined()
  })

  test.each([undefined, null, ''])('a token that lacks what its preset requires (%j)', (value) => {
    expect(refusal('github-actions', { repository_id: value })).toMatch(
      /no `repository_id`, which a `github-actions` token must have/,
    )
  })

  test('an ID token of Okta without `uid` is not: there `sub` is the person', () => {
    expect(refusal('okta', { uid: undefined })).toBeUndefined()
  })
})

describe('a tenant', () => {
  const asked = (changes: Changes, limits: Parameters<typeof refusal>[3]) =>
    refusal('entra', changes, 'id_token', limits)

  test('that the policy lists is taken, another is not, and none is not', () => {
    expect(asked({}, { tenants: ['s', 't'] })).toBeUndefined()
    expect(asked({}, { tenants: ['s'] })).toMatch(/no tenant that issuer `idp` lists \(`tid`\)/)
    expect(refusal('auth0', {}, 'id_token', { tenants: ['org_a'] })).toMatch(/`org_id`/)
  })

  test('has to be the one whose address the token names', () => {
    expect(asked({}, { tenants: ['s', 't'], of: 't' })).toBeUndefined()
    expect(asked({}, { tenants: ['s', 't'], of: 's' })).toMatch(/`iss` of the token is of another tenant/)
    expect(asked({}, { of: 's' })).toMatch(/`iss` of the token is of another tenant/)
  })

  test('does not matter where the policy restricts none', () => {
    expect(refusal('auth0', { org_id: 'org_b' })).toBeUndefined()
  })
})

describe('a run that strangers can set off', () => {
  test.each(['pull_request_target', 'issue_comment', 'workflow_run'])(
    'by `%s` is refused unless asked for',
    (event_name) => {
      expect(refusal('github-actions', { event_name })).toMatch(`\`event_name\` is \`${event_name}\``)
      expect(
        refusal('github-actions', { event_name }, 'id_token', { gatesOpened: [event_name] }),
      ).toBeUndefined()
      expect(refusal('github-actions', { event_name }, 'id_token', { gatesOpened: ['push'] })).toMatch(
        /refused/,
      )
    },
  )
})
