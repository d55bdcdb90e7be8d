/**
 * Preset cases: tokens as each provider writes them, and what is not taken of them. Identifiers are made up.
 *
 * @module
 */
import { createClock } from './loopback-issuer.ts'

export interface Refused {
  readonly when: string
  readonly claims?: object
  readonly header?: object
  /** Default `HFAUTH_TOKEN_INVALID`. */
  readonly code?: string
  /** Words of the reason. */
  readonly says?: string
}

export interface Taken {
  readonly when: string
  readonly claims?: object
  readonly header?: object
  readonly kind?: 'id_token' | 'access_token'
  readonly principal?: object
  /** Members that must stay unknown. */
  readonly unknown?: readonly string[]
}

export interface PresetCase {
  readonly preset: string
  /** What the policy says besides the preset. */
  readonly options: object
  /** The provider's address, where metadata and keys are. */
  readonly issuer: string
  /** A token of the ordinary kind; `iat` and `exp` are added. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly taken: readonly Taken[]
  readonly refused: readonly Refused[]
}

const tenant = '11111111-2222-3333-4444-555555555555'
const otherTenant = '99999999-2222-3333-4444-555555555555'
const person = '0f0f0f0f-2222-3333-4444-555555555555'
const orgUuid = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'
const foreign = 'HFAUTH_TOKEN_AUDIENCE'
const unknownIssuer = 'HFAUTH_TOKEN_UNSUPPORTED'
const aws = 'https://sts.amazonaws.com/'

export const presetCases: readonly PresetCase[] = [
  {
    preset: 'huggingface',
    options: { audience: 'hf-app' },
    issuer: 'https://huggingface.co',
    claims: {
      iss: 'https://huggingface.co',
      aud: 'hf-app',
      sub: '64a1b2c3',
      name: 'Dana D.',
      preferred_username: 'dana',
      email: 'dana@acme.dev',
      email_verified: true,
      nonce: 'n',
      orgs: [{ sub: 'o1', preferred_username: 'acme', roleInOrg: 'write' }],
    },
    taken: [
      {
        when: 'it is an ID token',
        principal: {
          kind: 'user',
          subject: '64a1b2c3',
          username: 'dana',
          huggingface: true,
          orgs: [{ id: 'o1', handle: 'acme', role: 'write' }],
        },
      },
      { when: 'it does not tell organisations', claims: { orgs: undefined }, unknown: ['orgs', 'groups'] },
    ],
    refused: [
      { when: 'it was made for another app', claims: { aud: 'other-app' }, code: foreign },
      { when: 'it is typed as an access token', header: { typ: 'at+jwt' }, says: 'not taken' },
      {
        when: 'it is what an access token says of itself',
        claims: { aud: 'https://huggingface.co', client_id: 'hf-app' },
        code: foreign,
      },
    ],
  },
  {
    preset: 'okta',
    options: {
      audience: ['api://hf-gateway', '0oaCLIENT'],
      issuer: ['https://acme.okta.com/oauth2/aus1hf', 'https://id.acme.example/oauth2/aus1hf'],
    },
    issuer: 'https://acme.okta.com/oauth2/aus1hf',
    claims: {
      ver: 1,
      jti: 'AT.x7',
      iss: 'https://acme.okta.com/oauth2/aus1hf',
      aud: 'api://hf-gateway',
      auth_time: 1788263900,
      cid: '0oaCLIENT',
      uid: '00uUSER',
      sub: 'dana@acme.example',
      scp: ['openid', 'hf.models.read'],
      groups: ['ml-research', 'Everyone'],
    },
    taken: [
      {
        when: 'it is a person’s access token, typed or not',
        header: { typ: undefined },
        kind: 'access_token',
        principal: {
          subject: '00uUSER',
          scopes: ['openid', 'hf.models.read'],
          groups: ['ml-research', 'Everyone'],
          authTime: 1788263900,
        },
      },
      {
        when: 'it is an ID token, whose `sub` is the id',
        claims: {
          aud: '0oaCLIENT',
          sub: '00uUSER',
          uid: undefined,
          cid: undefined,
          scp: undefined,
          amr: ['mfa'],
        },
        kind: 'id_token',
        principal: { subject: '00uUSER', mfa: true },
      },
      {
        when: 'groups were not asked for',
        claims: { groups: undefined },
        kind: 'access_token',
        unknown: ['groups'],
      },
    ],
    refused: [
      { when: 'it is a machine’s', claims: { uid: undefined, sub: '0oaCLIENT' }, says: 'machine' },
      { when: 'it was made for another API', claims: { aud: 'api://default' }, code: foreign },
      {
        when: 'another server of the same customer made it',
        claims: { iss: 'https://acme.okta.com/oauth2/default' },
        code: unknownIssuer,
      },
      { when: 'the org server made it', claims: { iss: 'https://acme.okta.com' }, code: unknownIssuer },
      { when: 'it is bound to a key', claims: { cnf: { jkt: 'x' } }, says: '`cnf`' },
      {
        when: 'it is Okta’s own access token',
        header: { typ: 'application/okta-internal-at+jwt' },
        says: '`typ`',
      },
      {
        when: 'an ID token names two people',
        claims: { aud: '0oaCLIENT', sub: '00uUSER', uid: '00uOTHER', scp: undefined },
        says: 'two people',
      },
      {
        when: 'it is a command to log someone out',
        header: { typ: 'global-token-revocation+jwt' },
        says: '`typ`',
      },
    ],
  },
  {
    preset: 'okta-org',
    options: { audience: '0oaCLIENT', issuer: 'https://acme.okta.com' },
    issuer: 'https://acme.okta.com',
    claims: {
      ver: 1,
      jti: 'ID.x7',
      iss: 'https://acme.okta.com',
      aud: '0oaCLIENT',
      sub: '00uUSER',
      amr: ['pwd', 'mfa'],
      email: 'dana@acme.example',
      email_verified: true,
    },
    taken: [{ when: 'it is an ID token', principal: { subject: '00uUSER', mfa: true, emailVerified: true } }],
    refused: [
      {
        when: 'it is an access token and nobody can be asked',
        header: { typ: 'application/okta-internal-at+jwt' },
        says: '`clients`',
      },
      { when: 'it is an access token by its scopes', claims: { scp: ['openid'] }, says: '`clients`' },
      {
        when: 'a custom server made it',
        claims: { iss: 'https://acme.okta.com/oauth2/default' },
        code: unknownIssuer,
      },
    ],
  },
  {
    preset: 'google',
    options: { audience: 'web.apps.googleusercontent.com' },
    issuer: 'https://accounts.google.com',
    claims: {
      iss: 'https://accounts.google.com',
      azp: 'web.apps.googleusercontent.com',
      aud: 'web.apps.googleusercontent.com',
      sub: '110169484474386276334',
      email: 'dana@gmail.com',
      email_verified: true,
      name: 'Dana D.',
    },
    taken: [
      {
        when: 'it is a person’s',
        principal: { subject: '110169484474386276334', emailVerified: true },
        unknown: ['groups'],
      },
      {
        when: 'its issuer is spelt without a scheme',
        claims: { iss: 'accounts.google.com' },
        principal: { emailVerified: true },
      },
      {
        when: '`email_verified` is a text',
        claims: { email_verified: 'true' },
        principal: { emailVerified: true },
      },
      {
        when: 'Google is not in charge of the address, which then counts as unverified',
        claims: { email: 'dana@acme.dev' },
        principal: { emailVerified: false },
      },
    ],
    refused: [
      {
        when: 'it is a service account’s, made for our app by whoever has a cloud project',
        claims: { email: 'bot@evil.iam.gserviceaccount.com', azp: undefined },
        says: 'service account',
      },
      {
        when: 'it has no address to tell a service account by',
        claims: { email: undefined },
        says: '`email`',
      },
      { when: 'another app got it', claims: { azp: 'other.apps.googleusercontent.com' }, code: foreign },
      {
        when: 'it was made for another app',
        claims: { aud: 'other.apps.googleusercontent.com' },
        code: foreign,
      },
      {
        when: 'its issuer has a slash, as events have',
        claims: { iss: 'https://accounts.google.com/' },
        code: unknownIssuer,
      },
      {
        when: 'it would live for two days',
        claims: { exp: createClock().seconds + 2 * 86_400 },
        says: 'live longer',
      },
    ],
  },
  {
    preset: 'google-workspace',
    options: { audience: 'web.apps.googleusercontent.com', tenants: ['acme.com'] },
    issuer: 'https://accounts.google.com',
    claims: {
      iss: 'https://accounts.google.com',
      azp: 'web.apps.googleusercontent.com',
      aud: 'web.apps.googleusercontent.com',
      sub: '110169484474386276335',
      hd: 'acme.com',
      email: 'dana@acme.com',
      email_verified: true,
    },
    taken: [
      {
        when: 'it is of our domain',
        principal: { emailVerified: true, email: 'dana@acme.com' },
        unknown: ['groups'],
      },
    ],
    refused: [
      { when: 'it is of another domain', claims: { hd: 'evil.example' }, says: '`hd`' },
      { when: 'it is a consumer’s', claims: { hd: undefined, email: 'dana@gmail.com' }, says: '`hd`' },
      { when: 'only its address is of our domain', claims: { hd: undefined }, says: '`hd`' },
      {
        when: 'it is a service account’s that claims our domain',
        claims: { email: 'bot@acme.iam.gserviceaccount.com' },
        says: 'service account',
      },
    ],
  },
  {
    preset: 'google-service-account',
    options: { audience: 'https://hfauth.acme.example' },
    issuer: 'https://accounts.google.com',
    claims: {
      iss: 'https://accounts.google.com',
      azp: '104029292853099978293',
      aud: 'https://hfauth.acme.example',
      sub: '104029292853099978293',
      email: 'trainer@acme.iam.gserviceaccount.com',
      email_verified: true,
    },
    taken: [
      {
        when: 'it is a service account’s, which names itself in `azp`',
        principal: {
          kind: 'workload',
          subject: '104029292853099978293',
          name: 'trainer@acme.iam.gserviceaccount.com',
        },
      },
    ],
    refused: [
      {
        when: 'it is a person’s',
        claims: { email: 'dana@acme.com', hd: 'acme.com' },
        says: 'not a service account',
      },
      { when: 'it has no address', claims: { email: undefined }, says: 'not a service account' },
    ],
  },
  {
    preset: 'entra',
    options: { audience: person, tenants: [tenant] },
    issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
    claims: {
      ver: '2.0',
      iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
      aud: person,
      sub: 'pairwise-1',
      tid: tenant,
      oid: person,
      uti: 'u1',
      name: 'Dana D.',
      preferred_username: 'dana@acme.example',
      email: 'dana@acme.example',
      groups: ['7a7a7a7a-2222-3333-4444-555555555555'],
    },
    taken: [
      {
        when: 'it is an ID token: directory and object name the person, and its address proves nothing',
        principal: {
          subject: `${tenant}:${person}`,
          groups: ['7a7a7a7a-2222-3333-4444-555555555555'],
        },
        unknown: ['emailVerified'],
      },
      {
        when: 'it is a person’s access token, whose scopes are a text',
        claims: { scp: 'models.read models.write', azp: 'some-app', azpacr: '0' },
        kind: 'access_token',
        principal: { scopes: ['models.read', 'models.write'] },
      },
      {
        when: 'the owner of the domain vouches for the address',
        claims: { xms_edov: 'true' },
        principal: { emailVerified: true },
      },
      {
        when: 'there are too many groups to tell, which are then unknown',
        claims: {
          groups: undefined,
          _claim_names: { groups: 'src1' },
          _claim_sources: { src1: { endpoint: 'https://graph.windows.net/x' } },
        },
        unknown: ['groups'],
      },
      {
        when: 'some groups are told beside the pointer to all',
        claims: { _claim_names: { groups: 'src1' } },
        unknown: ['groups'],
      },
      {
        when: 'groups are only said to be',
        claims: { groups: undefined, hasgroups: true },
        unknown: ['groups'],
      },
    ],
    refused: [
      {
        when: 'another directory made it',
        claims: { iss: `https://login.microsoftonline.com/${otherTenant}/v2.0`, tid: otherTenant },
        code: unknownIssuer,
      },
      { when: '`iss` is ours and `tid` is not', claims: { tid: otherTenant }, says: '`tid`' },
      {
        when: '`iss` is the template itself',
        claims: { iss: 'https://login.microsoftonline.com/{tenantid}/v2.0' },
        code: unknownIssuer,
      },
      {
        when: '`iss` is that of version 1',
        claims: { iss: `https://sts.windows.net/${tenant}/` },
        code: unknownIssuer,
      },
      { when: 'it is an application’s', claims: { idtyp: 'app', roles: ['x'] }, says: 'application' },
      {
        when: 'it is an application’s by its client',
        claims: { appid: 'x', appidacr: '1', roles: ['x'] },
        says: 'application',
      },
      {
        when: 'it may be an application’s that says so by nothing, and another client asked for it',
        claims: { azp: 'some-app', roles: ['x'] },
        code: foreign,
      },
      { when: 'it does not name the person', claims: { oid: undefined }, says: '`oid`' },
      {
        when: 'it was made for Microsoft Graph',
        claims: { aud: '00000003-0000-0000-c000-000000000000' },
        code: foreign,
      },
    ],
  },
  {
    preset: 'auth0',
    options: {
      audience: ['https://api.acme.example', 'spa-1'],
      issuer: 'https://acme.eu.auth0.com/',
      tenants: ['org_acme'],
    },
    issuer: 'https://acme.eu.auth0.com/',
    claims: {
      iss: 'https://acme.eu.auth0.com/',
      aud: ['https://api.acme.example', 'https://acme.eu.auth0.com/userinfo'],
      sub: 'auth0|64a1',
      azp: 'other-spa',
      org_id: 'org_acme',
      scope: 'openid models:read',
      permissions: ['models:read'],
    },
    taken: [
      {
        when: 'it is an access token for our API and for its issuer’s own userinfo',
        kind: 'access_token',
        principal: { subject: 'auth0|64a1', scopes: ['openid', 'models:read'] },
      },
      {
        when: 'it is of the profile of RFC 9068',
        header: { typ: 'at+jwt' },
        claims: { client_id: 'spa-1', azp: undefined },
        kind: 'access_token',
      },
      {
        when: 'it is an ID token',
        claims: { aud: 'spa-1', azp: undefined, scope: undefined, permissions: undefined },
        kind: 'id_token',
      },
    ],
    refused: [
      {
        when: 'it is a machine’s',
        claims: { sub: 'client1@clients', gty: 'client-credentials' },
        says: 'machine',
      },
      ...[
        { sub: 'client1@clients' },
        { gty: 'client-credentials' },
        { gty: ['client-credentials'] },
        { sub: 'client1@somewhere', azp: 'client1' },
        { sub: 'spa-1', client_id: 'spa-1', azp: undefined },
      ].map((claims) => ({
        when: `it is a machine’s, and only ${JSON.stringify(claims)} tells`,
        claims,
        says: 'machine',
      })),
      { when: 'it is of another organisation', claims: { org_id: 'org_evil' }, says: '`org_id`' },
      { when: 'it is of none', claims: { org_id: undefined }, says: '`org_id`' },
      {
        when: 'it is for a third party as well',
        claims: { aud: ['https://api.acme.example', 'https://other.example'] },
        code: foreign,
      },
      {
        when: 'its issuer lacks the slash',
        claims: { iss: 'https://acme.eu.auth0.com' },
        code: unknownIssuer,
      },
    ],
  },
  {
    preset: 'keycloak',
    options: { audience: ['models', 'web'], issuer: 'https://id.acme.example/realms/acme' },
    issuer: 'https://id.acme.example/realms/acme',
    claims: {
      iss: 'https://id.acme.example/realms/acme',
      aud: ['models', 'account'],
      sub: 'f:1:dana',
      typ: 'Bearer',
      azp: 'some-frontend',
      sid: 's1',
      scope: 'openid profile',
      preferred_username: 'dana',
      email: 'dana@acme.example',
      email_verified: true,
      groups: ['/ml/research'],
      realm_access: { roles: ['offline_access', 'ml'] },
      resource_access: { account: { roles: ['view-profile'] } },
    },
    taken: [
      {
        when: 'it is an access token for us and for the account page of the realm',
        kind: 'access_token',
        principal: { groups: ['/ml/research'], scopes: ['openid', 'profile'] },
      },
      {
        when: 'it is an ID token',
        claims: { aud: 'web', azp: 'web', typ: 'ID', scope: undefined },
        kind: 'id_token',
      },
      {
        when: 'no mapper tells groups',
        claims: { groups: undefined },
        kind: 'access_token',
        unknown: ['groups'],
      },
      {
        when: 'a mapper adds `client_id` to a person’s',
        claims: { client_id: 'some-frontend' },
        kind: 'access_token',
      },
    ],
    refused: [
      { when: 'it names us only in `azp`', claims: { aud: undefined, azp: 'web' }, code: foreign },
      { when: 'it is for the account page alone', claims: { aud: 'account' }, code: foreign },
      { when: 'it is a refresh token', claims: { typ: 'Refresh', azp: 'web' }, says: '`typ` in the payload' },
      {
        when: 'it does not say what it is',
        claims: { typ: undefined, azp: 'web' },
        says: '`typ` in the payload',
      },
      {
        when: 'it is a service account’s',
        claims: { preferred_username: 'service-account-batch' },
        says: 'service account',
      },
      ...['clientId', 'clientHost', 'clientAddress'].map((name) => ({
        when: `it is a service account’s without the scope \`profile\`, and only \`${name}\` tells`,
        claims: { preferred_username: undefined, [name]: 'batch' },
        says: 'service account',
      })),
      {
        when: 'it is a service account’s without the scope `profile`, and only `client_id` tells',
        claims: { preferred_username: undefined, sid: undefined, client_id: 'batch' },
        says: 'service account',
      },
      { when: 'it is a logout token', claims: { typ: 'Logout', events: {} }, says: 'logout' },
      {
        when: 'another realm made it',
        claims: { iss: 'https://id.acme.example/realms/master' },
        code: unknownIssuer,
      },
    ],
  },
  {
    preset: 'slack',
    options: { audience: '1234.5678', tenants: ['T0ACME'] },
    issuer: 'https://slack.com',
    claims: {
      iss: 'https://slack.com',
      aud: '1234.5678',
      sub: 'U0DANA',
      'https://slack.com/user_id': 'U0DANA',
      'https://slack.com/team_id': 'T0ACME',
      email: 'dana@acme.example',
      email_verified: true,
      date_email_verified: 1622128723,
      name: 'Dana D.',
    },
    taken: [
      {
        when: 'it is of our workspace',
        principal: { subject: 'T0ACME:U0DANA', emailVerified: true },
        unknown: ['groups'],
      },
    ],
    refused: [
      {
        when: 'it is of another workspace',
        claims: { 'https://slack.com/team_id': 'T0EVIL' },
        says: 'team_id',
      },
      { when: 'it is of none', claims: { 'https://slack.com/team_id': undefined }, says: 'team_id' },
      { when: 'it was made for another app', claims: { aud: '9.9' }, code: foreign },
    ],
  },
  {
    preset: 'oidc',
    options: { audience: 'app', issuer: 'https://gitlab.acme.example' },
    issuer: 'https://gitlab.acme.example',
    claims: {
      iss: 'https://gitlab.acme.example',
      aud: 'app',
      sub: '42',
      email: 'dana@acme.example',
      email_verified: false,
    },
    taken: [
      {
        when: 'it is an ID token; an unverified address is told as such',
        principal: { subject: '42', emailVerified: false },
        unknown: ['groups'],
      },
    ],
    refused: [
      {
        when: 'it is a CI job’s, whose audience its author chose to be our app',
        claims: { sub: 'project_path:evil/x:ref_type:branch:ref:main' },
        says: 'CI job',
      },
      {
        when: 'it is a CI job’s, with another `sub`',
        claims: { sub: 'acme/x', project_id: '1', pipeline_id: '2', job_id: '3' },
        says: 'CI job',
      },
      { when: 'it is a JWT access token', header: { typ: 'at+jwt' }, says: 'not taken' },
    ],
  },
  {
    preset: 'github-actions',
    options: { audience: 'https://hfauth.acme.example', tenants: ['1001'] },
    issuer: 'https://token.actions.githubusercontent.com',
    claims: {
      iss: 'https://token.actions.githubusercontent.com',
      aud: 'https://hfauth.acme.example',
      sub: 'repo:acme/trainer:environment:prod',
      jti: '9f',
      repository: 'acme/trainer',
      repository_id: '20002',
      repository_owner: 'acme',
      repository_owner_id: '1001',
      repository_visibility: 'private',
      ref: 'refs/heads/main',
      ref_type: 'branch',
      event_name: 'push',
      environment: 'prod',
      actor: 'dana',
      actor_id: '77',
      run_id: '5',
      job_workflow_ref: 'acme/ci/.github/workflows/hf.yml@refs/tags/v3',
      runner_environment: 'github-hosted',
    },
    taken: [
      {
        when: '`sub` is of the old shape',
        principal: { kind: 'workload', subject: '20002', name: 'acme/trainer' },
        unknown: ['groups', 'email', 'username', 'scopes'],
      },
      {
        when: '`sub` has ids after the names',
        claims: { sub: 'repo:acme@1001/trainer@20002:environment:prod' },
        principal: { subject: '20002' },
      },
      {
        when: '`sub` follows a template',
        claims: { sub: 'job_workflow_ref:acme/ci/x' },
        principal: { subject: '20002' },
      },
      {
        when: 'it comes from a pull request',
        claims: { event_name: 'pull_request', sub: 'repo:acme/trainer:pull_request' },
      },
    ],
    refused: [
      {
        when: 'it is of another owner',
        claims: { repository_owner_id: '666' },
        says: '`repository_owner_id`',
      },
      {
        when: 'the name of the owner was registered again by someone else',
        claims: { repository_owner: 'acme', repository_owner_id: '667', repository_id: '1' },
        says: '`repository_owner_id`',
      },
      { when: 'it has the default audience', claims: { aud: 'https://github.com/acme' }, code: foreign },
      {
        when: 'a stranger’s pull request set it off',
        claims: { event_name: 'pull_request_target' },
        says: 'asks for them',
      },
      { when: 'a comment set it off', claims: { event_name: 'issue_comment' }, says: 'asks for them' },
      { when: 'another run set it off', claims: { event_name: 'workflow_run' }, says: 'asks for them' },
      { when: 'it does not tell the event', claims: { event_name: undefined }, says: '`event_name`' },
      { when: 'it has no ids', claims: { repository_id: undefined }, says: '`repository_id`' },
      {
        when: 'an enterprise’s own issuer made it',
        claims: { iss: 'https://token.actions.githubusercontent.com/acme-inc' },
        code: unknownIssuer,
      },
    ],
  },
  {
    preset: 'gitlab-ci',
    options: { audience: 'https://hfauth.acme.example', tenants: ['72'] },
    issuer: 'https://gitlab.com',
    claims: {
      iss: 'https://gitlab.com',
      aud: 'https://hfauth.acme.example',
      sub: 'project_path:acme/trainer:ref_type:branch:ref:main',
      jti: 'j1',
      namespace_id: '72',
      namespace_path: 'acme',
      project_id: '20',
      project_path: 'acme/trainer',
      job_project_id: '20',
      job_namespace_id: '72',
      user_id: '1',
      user_login: 'dana',
      user_email: 'dana@acme.example',
      pipeline_id: '574',
      pipeline_source: 'push',
      job_id: '302',
      ref: 'main',
      ref_type: 'branch',
      ref_protected: 'true',
      environment_protected: 'false',
      runner_id: 1,
      runner_environment: 'gitlab-hosted',
    },
    taken: [
      {
        when: 'the job ran where its code is; texts of truth become truths, numbers of ids texts',
        principal: {
          kind: 'workload',
          subject: '20',
          claims: { ref_protected: true, environment_protected: false, runner_id: '1' },
        },
        unknown: ['email', 'username', 'groups'],
      },
      {
        when: 'an older server does not say where it ran',
        claims: { job_project_id: undefined, job_namespace_id: undefined },
      },
      {
        when: 'ids are numbers',
        claims: { project_id: 20, job_project_id: 20, namespace_id: 72, job_namespace_id: 72 },
        principal: { subject: '20' },
      },
    ],
    refused: [
      {
        when: 'a merge request of a fork ran in our project',
        claims: { project_id: '666', project_path: 'evil/trainer', pipeline_source: 'merge_request_event' },
        says: 'fork',
      },
      { when: 'its namespaces differ', claims: { job_namespace_id: '73' }, says: 'fork' },
      {
        when: 'it is of another namespace',
        claims: { namespace_id: '9', job_namespace_id: '9' },
        says: '`namespace_id`',
      },
      {
        when: 'it is of a person who signed in with GitLab',
        claims: {
          sub: '42',
          project_id: undefined,
          job_id: undefined,
          pipeline_source: undefined,
          job_project_id: undefined,
        },
        says: '`project_id`',
      },
      {
        when: 'another instance made it',
        claims: { iss: 'https://gitlab.acme.example' },
        code: unknownIssuer,
      },
    ],
  },
  {
    preset: 'circleci',
    options: { audience: 'https://hfauth.acme.example', tenants: [orgUuid] },
    issuer: `https://oidc.circleci.com/org/${orgUuid}`,
    claims: {
      iss: `https://oidc.circleci.com/org/${orgUuid}`,
      aud: 'https://hfauth.acme.example',
      sub: `org/${orgUuid}/project/p1/user/u1`,
      'oidc.circleci.com/org-id': orgUuid,
      'oidc.circleci.com/project-id': 'p1',
      'oidc.circleci.com/vcs-origin': 'github.com/acme/trainer',
      'oidc.circleci.com/vcs-ref': 'refs/heads/main',
      'oidc.circleci.com/ssh-rerun': false,
    },
    taken: [{ when: 'it is of our organisation', principal: { kind: 'workload', subject: 'p1' } }],
    refused: [
      { when: 'someone types in the job', claims: { 'oidc.circleci.com/ssh-rerun': true }, says: 'SSH' },
      {
        when: 'someone types in the job, said as a text',
        claims: { 'oidc.circleci.com/ssh-rerun': 'true' },
        says: 'SSH',
      },
      ...[1, 'yes', null, {}].map((value) => ({
        when: `\`ssh-rerun\` is ${JSON.stringify(value)}, and no plain no`,
        claims: { 'oidc.circleci.com/ssh-rerun': value },
        says: 'SSH',
      })),
      {
        when: 'it is of another organisation',
        claims: { iss: `https://oidc.circleci.com/org/${tenant}`, 'oidc.circleci.com/org-id': tenant },
        code: unknownIssuer,
      },
      {
        when: 'its address and its organisation differ',
        claims: { 'oidc.circleci.com/org-id': tenant },
        says: 'org-id',
      },
      { when: 'it has the default audience', claims: { aud: orgUuid }, code: foreign },
      {
        when: 'it does not name its project',
        claims: { 'oidc.circleci.com/project-id': undefined },
        says: 'project-id',
      },
    ],
  },
  {
    preset: 'buildkite',
    options: { audience: 'https://hfauth.acme.example', tenants: [orgUuid] },
    issuer: 'https://agent.buildkite.com',
    claims: {
      iss: 'https://agent.buildkite.com',
      aud: 'https://hfauth.acme.example',
      sub: 'organization:acme:pipeline:trainer:ref:refs/heads/main:commit:abc:step:train',
      organization_slug: 'acme',
      pipeline_slug: 'trainer',
      organization_id: orgUuid,
      pipeline_id: tenant,
      build_number: 1,
      build_branch: 'main',
      job_id: 'j1',
    },
    taken: [
      {
        when: 'it is of our organisation',
        principal: { kind: 'workload', subject: tenant, claims: { build_number: '1' } },
      },
    ],
    refused: [
      {
        when: 'it is of another organisation',
        claims: { organization_id: otherTenant },
        says: '`organization_id`',
      },
      {
        when: 'it names its organisation by slug alone',
        claims: { organization_id: undefined },
        says: '`organization_id`',
      },
      {
        when: 'it does not name its pipeline by id',
        claims: { pipeline_id: undefined },
        says: '`pipeline_id`',
      },
    ],
  },
  {
    preset: 'aws',
    options: {
      audience: 'https://hfauth.acme.example',
      issuer: `https://${tenant}.tokens.sts.global.api.aws`,
      tenants: ['123456789012'],
    },
    issuer: `https://${tenant}.tokens.sts.global.api.aws`,
    claims: {
      iss: `https://${tenant}.tokens.sts.global.api.aws`,
      aud: 'https://hfauth.acme.example',
      sub: 'arn:aws:iam::123456789012:role/trainer',
      jti: 'j1',
      [aws]: {
        aws_account: '123456789012',
        source_region: 'eu-west-1',
        org_id: 'o-acme',
        principal_tags: { team: 'ml' },
        request_tags: { team: 'admin' },
      },
    },
    taken: [
      {
        when: 'it is of our account, whose details get names of their own',
        principal: {
          kind: 'workload',
          subject: 'arn:aws:iam::123456789012:role/trainer',
          claims: { [`${aws}aws_account`]: '123456789012', [`${aws}org_id`]: 'o-acme' },
        },
      },
    ],
    refused: [
      {
        when: 'it is of another account',
        claims: { [aws]: { aws_account: '666666666666' } },
        says: 'aws_account',
      },
      {
        when: 'a claim beside the details pretends to be one of them',
        claims: { [aws]: {}, [`${aws}aws_account`]: '123456789012' },
        says: 'aws_account',
      },
      { when: 'its issuer is STS itself', claims: { iss: 'https://sts.amazonaws.com' }, code: unknownIssuer },
    ],
  },
  {
    preset: 'aws-eks',
    options: {
      audience: 'https://hfauth.acme.example',
      issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF0123456789',
      tenants: ['ml'],
    },
    issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF0123456789',
    claims: serviceAccountToken('https://oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF0123456789'),
    taken: [
      {
        when: 'it is of our namespace',
        principal: {
          kind: 'workload',
          subject: 'system:serviceaccount:ml:trainer',
          name: 'trainer',
          claims: { 'kubernetes.io/namespace': 'ml', 'kubernetes.io/serviceaccount/uid': 'uid-1' },
        },
      },
    ],
    refused: [
      { when: 'it was made for AWS', claims: { aud: ['sts.amazonaws.com'] }, code: foreign },
      {
        when: 'it is for AWS as well',
        claims: { aud: ['https://hfauth.acme.example', 'sts.amazonaws.com'] },
        code: foreign,
      },
      {
        when: 'it is of another namespace',
        claims: {
          sub: 'system:serviceaccount:evil:trainer',
          'kubernetes.io': { namespace: 'evil', serviceaccount: { name: 'trainer', uid: 'u' } },
        },
        says: 'namespace',
      },
      {
        when: '`sub` and namespace differ',
        claims: { sub: 'system:serviceaccount:evil:trainer' },
        says: '`sub`',
      },
      {
        when: 'it is not a service account’s',
        claims: { sub: 'ada', 'kubernetes.io': undefined },
        says: '`sub`',
      },
      {
        when: 'another cluster made it',
        claims: { iss: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0000000000000000' },
        code: unknownIssuer,
      },
    ],
  },
]

export function serviceAccountToken(iss: string) {
  return {
    iss,
    aud: ['https://hfauth.acme.example'],
    sub: 'system:serviceaccount:ml:trainer',
    jti: 'c1',
    'kubernetes.io': {
      namespace: 'ml',
      serviceaccount: { name: 'trainer', uid: 'uid-1' },
      pod: { name: 'trainer-0', uid: 'uid-2' },
      node: { name: 'n1', uid: 'uid-3' },
      warnafter: 1788267607,
    },
  }
}
