/**
 * What the golden vectors ask, section by section of the specification. The reasons are written by hand, from the
 * specification; `vectors-write.ts` has the reference evaluator fill in the rest and refuses to write when the two differ.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { Claims, DecisionReason, Json, PolicyDocument, Question } from '../src/index.ts'
import { parsePolicy as parseYaml } from '../src/yaml.ts'
import { Dice, rollClaims, rollQuestion, world, worldDocument } from './generators.ts'
import { now, nowSeconds, policyOf } from './support.ts'
import type { VectorPrincipal } from './vectors-run.ts'

/** Who asks, what, on what; and the reason, where it was written by hand. */
export type Asked = readonly [who: string, question: Question, reason?: DecisionReason]

export interface SourceCase {
  readonly name: string
  readonly policy: PolicyDocument
  readonly now?: number
  readonly principals: Readonly<Record<string, VectorPrincipal | 'anonymous'>>
  readonly asked: readonly Asked[]
}

export interface SourceFile {
  readonly file: string
  readonly section: string
  readonly cases: readonly SourceCase[]
}

function who(preset: string, claims: Claims = {}, credential = 'id_token', issuer = preset): VectorPrincipal {
  return {
    issuer,
    preset,
    credential,
    claims: { sub: 'ana', iat: nowSeconds, exp: nowSeconds + 3600, ...claims },
  }
}

function document(parts: Partial<PolicyDocument>): PolicyDocument {
  return policyOf(parts).document
}

function ask(
  principal: string,
  action: string,
  resource: string,
  reason: DecisionReason,
  attributes?: { [name: string]: Json },
  context?: { [name: string]: Json },
): Asked {
  const colon = resource.indexOf(':')
  const named =
    attributes === undefined
      ? resource
      : { type: resource.slice(0, colon), id: resource.slice(colon + 1), attributes }
  return [principal, { action, resource: named, ...(context === undefined ? {} : { context }) }, reason]
}

const everybody = [{ roles: ['r'], to: { issuer: ['oidc', 'okta', 'huggingface', 'github-actions'] } }]

function reading(...on: string[]): Partial<PolicyDocument> {
  return {
    resources: { prompt: { actions: ['read'] } },
    roles: { r: { allow: [{ actions: ['read'], on }] } },
    bindings: everybody,
  }
}

/** One statement under a condition, asked about with these attributes. */
function conditionCase(
  when: { [key: string]: Json },
  ...told: readonly [
    attributes: { [name: string]: Json },
    allow: DecisionReason,
    deny: DecisionReason,
    context?: { [name: string]: Json },
  ][]
): SourceCase[] {
  const statement = { actions: ['read'], on: ['model:acme/*'], when }
  const principals = {
    ana: who('oidc', {
      preferred_username: 'ana',
      groups: ['ml'],
      amr: ['mfa'],
      auth_time: nowSeconds - 300,
    }),
  }
  const name = JSON.stringify(when)
  return [
    {
      name: `allow when ${name}`,
      policy: document({ roles: { r: { allow: [statement] } }, bindings: everybody }),
      principals,
      asked: told.map(([attributes, reason, , context]) =>
        ask('ana', 'read', 'model:acme/x', reason, attributes, context),
      ),
    },
    {
      name: `deny when ${name}`,
      policy: document({ ...reading('model:**'), deny: [statement] }),
      principals,
      asked: told.map(([attributes, , reason, context]) =>
        ask('ana', 'read', 'model:acme/x', reason, attributes, context),
      ),
    },
  ]
}

const holds = ['allowed', 'explicit_deny'] as const
const fails = ['no_matching_rule', 'allowed'] as const
const unknown = ['condition_unknown', 'explicit_deny'] as const

function exampleDocument(): PolicyDocument {
  const text = readFileSync(new URL('./example.policy.yaml', import.meta.url), 'utf8')
  return parseYaml(text, { variables: { HF_CLIENT_ID: 'app' } }).document
}

const org = (handle: string, role: string, more: { [name: string]: Json } = {}) => ({
  sub: `id-of-${handle}`,
  preferred_username: handle,
  roleInOrg: role,
  ...more,
})

export function sourceFiles(): SourceFile[] {
  return [
    {
      file: '1-example',
      section: '1. The whole of it, by example',
      cases: [
        {
          name: 'acme-models in production',
          policy: exampleDocument(),
          principals: {
            engineer: who('okta', { sub: 'ana', groups: ['ml-vision'], amr: ['mfa'] }),
            weak: who('okta', { groups: ['ml-vision'], amr: ['pwd'] }),
            old: who('okta', { groups: ['ml-vision'], amr: ['mfa'], iat: nowSeconds - 900 }),
            member: who(
              'huggingface',
              { preferred_username: 'ben', amr: ['mfa'], orgs: [org('acme', 'read')] },
              'id_token',
              'hf',
            ),
            release: who(
              'github-actions',
              { sub: 'repo:acme/vision', repository: 'acme/vision', ref: 'refs/heads/main' },
              'id_token',
              'ci',
            ),
            nobody: 'anonymous',
          },
          asked: [
            ask('engineer', 'infer', 'model:acme/vision-large', 'explicit_deny'),
            ask('engineer', 'infer', 'model:acme/vision-large', 'allowed', { tags: [] }),
            ask('engineer', 'write', 'model:acme/vision-large', 'no_matching_rule', { gated: false }),
            ask('engineer', 'delete', 'model:acme/vision-large', 'environment_ceiling'),
            ask('engineer', 'read', 'dataset:acme/vision-set', 'allowed'),
            ask('engineer', 'infer', 'model:acme/vision-large', 'explicit_deny', {
              tags: ['not-for-all-audiences'],
            }),
            ask('weak', 'read', 'dataset:acme/vision-set', 'step_up_required'),
            ask('old', 'read', 'dataset:acme/vision-set', 'token_too_old'),
            ask('member', 'read', 'dataset:acme/any', 'allowed'),
            ask('member', 'write', 'model:ben/own', 'allowed'),
            ask('member', 'write', 'model:acme/own', 'no_matching_rule'),
            ask('release', 'write', 'model:acme/vision-large', 'allowed', { revision: 'v2' }),
            ask('release', 'write', 'model:acme/vision-large', 'no_matching_rule', { revision: 'main' }),
            ask('release', 'write', 'model:acme/vision-large', 'condition_unknown'),
            ask('nobody', 'read', 'model:acme/vision-large', 'authentication_required'),
          ],
        },
      ],
    },
    {
      file: '2-words',
      section: '2. Words',
      cases: [
        {
          name: 'bindings',
          policy: document({
            roles: Object.fromEntries(
              [
                'org',
                'role',
                'group',
                'mail',
                'name',
                'claims',
                'workload',
                'nobody',
                'later',
                'ended',
                'rg',
              ].map((name) => [name, { allow: [{ actions: ['read'], on: [`model:${name}/*`] }] }]),
            ),
            bindings: [
              { roles: ['org'], to: { issuer: 'huggingface', org: 'ACME' } },
              { roles: ['role'], to: { org: 'id-of-acme', orgRole: ['write', 'admin'] } },
              { roles: ['rg'], to: { org: 'acme', resourceGroup: 'vision' } },
              { roles: ['group'], to: { issuer: ['oidc', 'okta'], group: ['ml', 'ops'] } },
              { roles: ['mail'], to: { issuer: 'oidc', email: 'Ana@Acme.dev' } },
              { roles: ['name'], to: { issuer: 'oidc', username: 'ANA' } },
              {
                roles: ['claims'],
                to: { issuer: 'oidc', claims: { 'team.name': 'vision', level: { $gte: 2 } } },
              },
              { roles: ['workload'], to: { kind: 'workload' } },
              { roles: ['nobody'], to: { anonymous: true } },
              { roles: ['later'], to: { issuer: 'oidc' }, from: '2026-06-01T12:00:00.001Z' },
              { roles: ['ended'], to: { issuer: 'oidc' }, until: '2026-06-01T12:00:00Z' },
            ],
          }),
          principals: {
            ana: who('oidc', {
              preferred_username: 'ana',
              groups: ['ml'],
              email: 'ana@acme.dev',
              email_verified: true,
              team: { name: 'vision' },
              level: 2,
            }),
            unverified: who('oidc', {
              email: 'ana@acme.dev',
              groups: 'ml',
              team: { name: 'vision' },
              level: '2',
            }),
            admin: who('huggingface', {
              orgs: [org('acme', 'admin', { resourceGroups: [{ sub: 'rg', name: 'vision', role: 'read' }] })],
            }),
            split: who('huggingface', {
              orgs: [
                org('acme', 'read'),
                org('other', 'admin', { resourceGroups: [{ sub: 'rg', name: 'vision', role: 'read' }] }),
              ],
            }),
            closed: who('huggingface', { orgs: [org('acme', 'admin', { securityRestrictions: ['mfa'] })] }),
            untold: who('huggingface'),
            ci: who('github-actions', { groups: ['ml'] }),
            nobody: 'anonymous',
          },
          asked: [
            ...(['group', 'mail', 'name', 'claims'] as const).map((role) =>
              ask('ana', 'read', `model:${role}/x`, 'allowed'),
            ),
            ...(['group', 'mail', 'name', 'claims', 'later', 'ended'] as const).map((role) =>
              ask('unverified', 'read', `model:${role}/x`, 'no_matching_rule'),
            ),
            ask('ana', 'read', 'model:later/x', 'no_matching_rule'),
            ask('ana', 'read', 'model:ended/x', 'no_matching_rule'),
            ...(['org', 'role', 'rg'] as const).map((role) =>
              ask('admin', 'read', `model:${role}/x`, 'allowed'),
            ),
            ask('split', 'read', 'model:org/x', 'allowed'),
            ask('split', 'read', 'model:role/x', 'no_matching_rule'),
            ask('split', 'read', 'model:rg/x', 'no_matching_rule'),
            ask('closed', 'read', 'model:org/x', 'no_matching_rule'),
            ask('untold', 'read', 'model:org/x', 'no_matching_rule'),
            ask('ci', 'read', 'model:workload/x', 'allowed'),
            ask('ci', 'read', 'model:group/x', 'no_matching_rule'),
            ask('ana', 'read', 'model:nobody/x', 'no_matching_rule'),
            ask('nobody', 'read', 'model:nobody/x', 'allowed'),
            ask('nobody', 'read', 'model:org/x', 'no_matching_rule'),
          ],
        },
      ],
    },
    {
      file: '3-patterns',
      section: '3. Patterns',
      cases: [
        patternCase(['model:acme/*'], {
          'model:acme/x': true,
          'model:ACME/X': true,
          'model:acme/a/b': false,
          'model:acme': false,
          'model:acme2/x': false,
          'dataset:acme/x': false,
          'model:acme%2Fx': true,
          'model:%61cme/x': true,
        }),
        patternCase(['model:acme/**'], {
          'model:acme/x': true,
          'model:acme/a/b': true,
          'model:acme': false,
          'model:other/acme/x': false,
        }),
        patternCase(['model:acme/vision-*'], {
          'model:acme/vision-': true,
          'model:acme/Vision-L': true,
          'model:acme/visio': false,
          'model:acme/vision-a/b': false,
        }),
        patternCase(['model:*/x', 'model:**z'], {
          'model:a/x': true,
          'model:/x': 'invalid_resource',
          'model:a/b/x': false,
          'model:a/b/z': true,
        }),
        patternCase(['**:acme/x'], {
          'model:acme/X': true,
          'space:acme/x': true,
          'prompt:acme/x': true,
          'prompt:acme/X': false,
        }),
        patternCase(['**'], {
          'model:acme/x': true,
          'prompt:X': true,
          'modle:acme/x': 'unknown_resource_type',
          'model:a/../b': 'invalid_resource',
          'model:a/%2e%2e/b': 'invalid_resource',
          'model:a%00': 'invalid_resource',
          'model:a//b': 'invalid_resource',
          'model:a/*': 'invalid_resource',
          'model:a%252Fb': 'invalid_resource',
          'no type': 'invalid_resource',
        }),
        patternCase(['prompt:Team/*'], { 'prompt:Team/x': true, 'prompt:team/x': false }),
        patternCase(['model:${principal.username}/*'], {
          'model:ana/x': true,
          'model:Ana/x': true,
          'model:ben/x': false,
        }),
        patternCase(['model:acme/${principal.id}'], {
          'model:acme/oidc|ana': true,
          'model:acme/oidc|ben': false,
        }),
        patternCase(['model:${principal.claims.team}/*'], { 'model:vision/x': true, 'model:x/x': false }),
        patternCase(
          [
            'model:${principal.claims.star}/*',
            'model:${principal.claims.dots}/x',
            'model:${principal.claims.nothing}/x',
          ],
          { 'model:any/x': false, 'model:../x': 'invalid_resource' },
        ),
        patternCase(['model:e\u0301va/*'], {
          'model:\u00e9va/x': true,
          'model:e\u0301va/x': true,
          'model:eva/x': false,
        }),
      ],
    },
    {
      file: '4-conditions',
      section: '4. Conditions',
      cases: [
        ...conditionCase(
          { 'resource.private': true },
          [{ private: true }, ...holds],
          [{ private: false }, ...fails],
          [{}, ...unknown],
          [{ private: 'true' }, ...fails],
        ),
        ...conditionCase(
          { 'resource.tags': 'a' },
          [{ tags: ['a', 'b'] }, ...holds],
          [{ tags: [] }, ...fails],
          [{ tags: 'a' }, ...holds],
        ),
        ...conditionCase(
          { 'resource.license': { $ne: 'mit' } },
          [{ license: 'x' }, ...holds],
          [{ license: 'mit' }, ...fails],
          [{}, ...unknown],
        ),
        ...conditionCase(
          { 'resource.license': { $in: ['mit', 'x'] } },
          [{ license: 'x' }, ...holds],
          [{ license: 'y' }, ...fails],
        ),
        ...conditionCase(
          { 'resource.license': { $nin: ['mit', 'x'] } },
          [{ license: 'y' }, ...holds],
          [{ license: 'x' }, ...fails],
          [{}, ...unknown],
        ),
        ...conditionCase(
          { 'context.level': { $gt: 1, $lte: 3 } },
          [{}, ...holds, { level: 3 }],
          [{}, ...fails, { level: 1 }],
          [{}, ...unknown, { level: '2' }],
        ),
        ...conditionCase(
          { 'resource.license': { $exists: false } },
          [{}, ...holds],
          [{ license: 'x' }, ...fails],
          [{ license: null }, ...holds],
        ),
        ...conditionCase(
          { 'resource.tags': { $all: ['a', 'b'] } },
          [{ tags: ['b', 'c', 'a'] }, ...holds],
          [{ tags: ['a'] }, ...fails],
          [{ tags: 'a' }, ...unknown],
        ),
        ...conditionCase(
          { 'resource.tags': { $size: 2 } },
          [{ tags: ['a', 'b'] }, ...holds],
          [{ tags: [] }, ...fails],
        ),
        ...conditionCase(
          { 'resource.tags': { $contains: 'a' } },
          [{ tags: ['a'] }, ...holds],
          [{ tags: ['b'] }, ...fails],
          [{ tags: 'a' }, ...unknown],
        ),
        ...conditionCase(
          { 'context.files': { $elemMatch: { kind: 'code', size: { $lt: 3 } } } },
          [{}, ...holds, { files: [{ kind: 'x' }, { kind: 'code', size: 1 }] }],
          [{}, ...fails, { files: [{ kind: 'code', size: 3 }] }],
          [{}, ...unknown, { files: [{ kind: 'code' }] }],
          [{}, ...unknown],
        ),
        ...conditionCase(
          { 'resource.revision': { $glob: 'refs/*/v**' } },
          [{ revision: 'refs/tags/v1/x' }, ...holds],
          [{ revision: 'refs/a/b/v1' }, ...fails],
        ),
        ...conditionCase(
          { 'context.ip': { $cidr: ['10.0.0.0/8', '2001:db8::/32'] } },
          [{}, ...holds, { ip: '10.255.0.1' }],
          [{}, ...holds, { ip: '2001:db8::1' }],
          [{}, ...holds, { ip: '::ffff:10.0.0.1' }],
          [{}, ...fails, { ip: '11.0.0.1' }],
          [{}, ...unknown, { ip: '010.0.0.1' }],
        ),
        ...conditionCase(
          { 'context.time': { $before: '2026-06-01T14:00:01+02:00' } },
          [{}, ...holds],
          [{}, ...fails, { time: now + 1000 }],
        ),
        ...conditionCase(
          { 'principal.authTime': { $after: '-10m' } },
          [{}, ...holds],
          [{}, ...fails, { time: now + 300_000 }],
        ),
        ...conditionCase(
          { $or: [{ 'resource.private': true }, { 'resource.gated': true }] },
          [{ gated: true }, ...holds],
          [{ private: false }, ...unknown],
          [{ private: false, gated: false }, ...fails],
        ),
        ...conditionCase(
          { $and: [{ 'resource.private': true }, { 'resource.gated': true }] },
          [{ gated: false }, ...fails],
          [{ private: true }, ...unknown],
          [{ private: true, gated: true }, ...holds],
        ),
        ...conditionCase(
          { $not: { 'resource.private': true } },
          [{ private: false }, ...holds],
          [{ private: true }, ...fails],
          [{}, ...unknown],
        ),
        ...conditionCase({ 'resource.owner': { $ref: 'principal.username' } }, [{}, ...fails]),
        ...conditionCase(
          { 'principal.groups': { $contains: { $ref: 'resource.license' } } },
          [{ license: 'ml' }, ...holds],
          [{ license: 'x' }, ...fails],
          [{}, ...unknown],
        ),
        ...conditionCase({ 'principal.email': { $exists: true } }, [{}, ...fails]),
        ...conditionCase({ 'principal.email': 'ana@acme.dev' }, [{}, ...unknown]),
      ],
    },
    {
      file: '5-decision',
      section: '5. The decision',
      cases: [
        orderCase(),
        scopesCase(),
        ownScopesCase(),
        {
          name: 'roles extend roles, and a denial of a role wins over everything',
          policy: document({
            roles: {
              base: {
                allow: [{ actions: ['*'], on: ['**'] }],
                deny: [{ actions: ['delete'], on: ['model:**'] }],
              },
              middle: { extends: ['base'] },
              top: { extends: ['middle'], allow: [{ actions: ['delete'], on: ['model:**'] }] },
            },
            bindings: [{ roles: ['top'], to: { issuer: 'oidc' } }],
          }),
          principals: { ana: who('oidc') },
          asked: [
            ask('ana', 'delete', 'model:acme/x', 'explicit_deny'),
            ask('ana', 'delete', 'dataset:acme/x', 'allowed'),
            ask('ana', 'manage', 'org:acme', 'allowed'),
          ],
        },
      ],
    },
    { file: 'generated', section: 'All sections: generated policies', cases: generatedCases() },
  ]
}

function patternCase(on: string[], expected: Readonly<Record<string, boolean | DecisionReason>>): SourceCase {
  return {
    name: on.join(', '),
    policy: document(reading(...on)),
    principals: {
      ana: who('oidc', { preferred_username: 'ana', team: 'vision', star: '*', dots: '..' }),
    },
    asked: Object.entries(expected).map(([resource, reason]) =>
      ask(
        'ana',
        'read',
        resource,
        reason === true ? 'allowed' : reason === false ? 'no_matching_rule' : reason,
      ),
    ),
  }
}

function orderCase(): SourceCase {
  const elsewhere = (action: string, environment: string, reason: DecisionReason): Asked => [
    'ana',
    { action, resource: 'model:acme/x', environment },
    reason,
  ]
  return {
    name: 'the order of reasons',
    policy: document({
      environments: {
        production: {
          actions: ['read', 'infer'],
          maxTokenAge: '15m',
          require: { 'principal.mfa': true, 'principal.kind': 'user' },
          exempt: ['github-actions'],
        },
        development: {},
      },
      roles: {
        r: {
          allow: [
            { actions: ['read', 'write'], on: ['model:acme/*'] },
            { actions: ['delete'], on: ['model:acme/*'], environments: ['development'] },
          ],
        },
      },
      bindings: everybody,
      deny: [{ actions: ['read', 'write'], on: ['model:acme/secret'], reason: 'It is secret.' }],
    }),
    principals: {
      ana: who('oidc', { amr: ['mfa'] }),
      weak: who('oidc', { amr: ['pwd'] }),
      untold: who('oidc'),
      fresh: who('oidc', { amr: ['mfa'], iat: nowSeconds - 899 }),
      old: who('oidc', { amr: ['pwd'], iat: nowSeconds - 900 }),
      expired: who('oidc', { amr: ['mfa'], exp: nowSeconds }),
      timeless: who('oidc', { amr: ['mfa'], iat: 'yesterday' }),
      ci: who('github-actions'),
      nobody: 'anonymous',
    },
    asked: [
      ask('ana', 'raed', 'modle:acme/secret', 'unknown_action'),
      ask('ana', 'read', 'modle:acme/secret', 'unknown_resource_type'),
      ask('nobody', 'raed', 'model:acme/x', 'unknown_action'),
      ask('nobody', 'read', 'model:acme/secret', 'authentication_required'),
      ask('old', 'read', 'model:acme/secret', 'token_too_old'),
      ask('expired', 'read', 'model:acme/secret', 'token_too_old'),
      ask('timeless', 'read', 'model:acme/x', 'token_too_old'),
      ask('weak', 'read', 'model:acme/secret', 'step_up_required'),
      ask('untold', 'read', 'model:acme/secret', 'step_up_required'),
      ask('ci', 'read', 'model:acme/x', 'allowed'),
      ask('fresh', 'read', 'model:acme/secret', 'explicit_deny'),
      ask('ana', 'write', 'model:acme/secret', 'explicit_deny'),
      ask('ana', 'write', 'model:acme/x', 'environment_ceiling'),
      ask('ana', 'delete', 'model:other/x', 'environment_ceiling'),
      ask('ana', 'infer', 'model:acme/x', 'no_matching_rule'),
      ask('ana', 'read', 'model:acme/x', 'allowed'),
      elsewhere('delete', 'development', 'allowed'),
      elsewhere('infer', 'development', 'no_matching_rule'),
      elsewhere('read', 'prod', 'unknown_environment'),
    ],
  }
}

function scopesCase(): SourceCase {
  return {
    name: 'the scopes of a Hugging Face access token',
    policy: document({
      roles: { r: { allow: [{ actions: ['*'], on: ['**'] }] } },
      bindings: everybody,
      resources: { prompt: { actions: ['read'] } },
    }),
    principals: {
      none: who('huggingface', {}, 'access_token'),
      reader: who('huggingface', { scope: 'openid read-repos' }, 'access_token'),
      manager: who('huggingface', { scope: ['manage-repos', 'inference-api'] }, 'access_token'),
      person: who('huggingface', { scope: 'openid' }),
      okta: who('okta', { scp: ['read-repos'] }, 'access_token'),
    },
    asked: [
      ask('none', 'read', 'model:acme/x', 'insufficient_scope'),
      ask('none', 'read', 'model:acme/x', 'insufficient_scope', { private: false }),
      ask('none', 'read', 'model:acme/x', 'allowed', { private: false, gated: false }),
      ask('none', 'read', 'prompt:x', 'allowed'),
      ask('reader', 'read', 'model:acme/x', 'allowed'),
      ask('reader', 'write', 'model:acme/x', 'insufficient_scope'),
      ask('reader', 'discuss', 'model:acme/x', 'insufficient_scope'),
      ask('reader', 'infer', 'space:acme/x', 'allowed'),
      ask('reader', 'manage', 'org:acme', 'insufficient_scope'),
      ask('manager', 'write', 'dataset:acme/x', 'allowed'),
      ask('manager', 'infer', 'model:acme/x', 'allowed'),
      ask('manager', 'run', 'job:acme/x', 'insufficient_scope'),
      ask('person', 'manage', 'model:acme/x', 'allowed'),
      ask('okta', 'manage', 'model:acme/x', 'allowed'),
    ],
  }
}

function ownScopesCase(): SourceCase {
  return {
    name: 'the scopes of an own issuer',
    policy: document({
      roles: { r: { allow: [{ actions: ['*'], on: ['**'] }] } },
      bindings: everybody,
      projects: { vision: ['model:acme/vision-*'] },
      scopes: {
        'vision:read': { actions: ['read'], on: ['project:vision'] },
        all: { actions: ['*'], on: ['model:**'] },
      },
    }),
    principals: {
      scoped: who('okta', { scp: ['openid', 'vision:read'] }, 'access_token'),
      unscoped: who('okta', { scp: ['openid'] }, 'access_token'),
      both: who('oidc', { scope: 'all vision:read' }),
    },
    asked: [
      ask('scoped', 'read', 'model:acme/vision-1', 'allowed'),
      ask('scoped', 'write', 'model:acme/vision-1', 'insufficient_scope'),
      ask('scoped', 'read', 'model:acme/x', 'insufficient_scope'),
      ask('scoped', 'read', 'dataset:acme/x', 'insufficient_scope'),
      ask('unscoped', 'read', 'dataset:acme/x', 'allowed'),
      ask('both', 'write', 'model:any/x', 'allowed'),
      ask('both', 'write', 'dataset:any/x', 'insufficient_scope'),
    ],
  }
}

/** Policies that nobody wrote, from fixed seeds. */
function generatedCases(): SourceCase[] {
  return fc.sample(world, { seed: 2026, numRuns: 40 }).map((parts, i) => {
    const dice = new Dice(i)
    const presets = ['huggingface', 'okta', 'github-actions', 'oidc'] as const
    const principals = Object.fromEntries(
      ['first', 'second', 'third'].map((name): [string, VectorPrincipal] => {
        const issuer = dice.of(presets)
        const credential = dice.chance(0.3) ? 'access_token' : 'id_token'
        return [name, { issuer, preset: issuer, credential, claims: rollClaims(dice) }]
      }),
    )
    return {
      name: `generated ${i}`,
      policy: document(worldDocument(parts)),
      principals,
      asked: Object.keys(principals).flatMap((name) =>
        Array.from({ length: 8 }, (): Asked => [name, rollQuestion(dice)]),
      ),
    }
  })
}
