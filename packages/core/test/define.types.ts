/**
 * What `definePolicy` lets through and what it refuses. Checked by `tsc`: a line under `@ts-expect-error`
 * that compiles is an error, and so is any other that does not.
 */
import { type DefinedPolicy, definePolicy, type PolicyDocument, parsePolicy } from '../src/index.ts'

const shared = ['read', 'infer'] as const

const whole = definePolicy({
  version: 1,
  name: 'acme-models',
  issuers: {
    hf: { preset: 'huggingface', audience: '${env.HF_CLIENT_ID}' },
    okta: { preset: 'okta', issuer: 'https://acme.okta.com/oauth2/default', audience: ['api://models'] },
    ci: { preset: '${env.CI_PRESET}', audience: 'https://models.acme.dev' },
  },
  environments: {
    development: {},
    staging: { actions: ['*'] },
    production: {
      actions: [...shared, 'edit'],
      maxTokenAge: '15m',
      require: {
        'principal.mfa': true,
        $or: [{ 'principal.claims.acr': 'high' }, { 'principal.kind': 'user' }],
      },
      exempt: ['ci'],
    },
  },
  resources: {
    prompt: { actions: ['read', 'edit'], attributes: { draft: 'boolean', team: 'string' } },
  },
  projects: { vision: ['model:acme/vision-*', 'prompt:vision/**'], private: ['**:${principal.username}/**'] },
  scopes: { 'vision:read': { actions: ['read'], on: ['project:vision'] } },
  roles: {
    viewer: { allow: [{ actions: shared, on: ['model:acme/*', 'dataset:acme/*'] }] },
    engineer: {
      extends: ['viewer'],
      allow: [
        {
          actions: ['edit', 'write'],
          on: ['project:vision', 'prompt:*'],
          when: {
            'resource.draft': true,
            'resource.gated': { $not: { $eq: true } },
            'resource.owner': { $ref: 'principal.username' },
            'resource.tags': { $contains: 'beta', $size: 3, $elemMatch: { name: 'x', $not: { kind: 'y' } } },
            'context.ip': { $cidr: ['192.0.2.0/24'] },
            'context.time': { $before: '7d', $after: { $ref: 'context.opened' } },
            $and: [
              { 'principal.groups': { $in: ['a', 1, true, null] } },
              { $not: { 'principal.mfa': false } },
            ],
          },
          environments: ['development', 'staging'],
          reason: 'x',
        },
      ],
      deny: [{ actions: ['*'], on: ['**'], unless: { 'principal.mfa': true } }],
    },
    idle: {},
  },
  bindings: [
    { roles: ['viewer'], to: { issuer: ['hf', 'okta'], org: 'acme', orgRole: ['read', 'write'] } },
    {
      roles: ['engineer', 'viewer'],
      to: { issuer: 'ci', claims: { ref: { $glob: 'refs/tags/*' }, $or: [{ event: 'push' }, { n: [1] }] } },
      from: '2027-01-31T00:00:00Z',
    },
    { roles: ['viewer'], to: { anonymous: true } },
  ],
  deny: [{ actions: ['read'], on: ['model:*/**'] }],
  routes: [{ match: 'POST /v1/predict/:name', action: 'infer', resource: 'model:acme/:name' }],
  invariants: [{ name: 'x', never: { actions: ['write', '*'], on: ['**'] }, for: { issuer: 'ci' } }],
  tests: [
    {
      name: 'x',
      principal: { issuer: 'okta', claims: { sub: 'ana', groups: ['a'] }, credential: 'access_token' },
      environment: 'production',
      resources: { 'model:acme/x': { tags: ['a'] } },
      context: { ip: '192.0.2.1' },
      expect: { 'edit prompt:vision/x': 'allow', 'write model:acme/x': 'deny' },
    },
    { name: 'y', principal: 'anonymous', environment: 'staging', expect: {} },
  ],
})

export const parsed = () => parsePolicy(whole)

// The result keeps its names, without `as const`, and is a document.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
export const kept: [
  Same<keyof typeof whole.roles, 'viewer' | 'engineer' | 'idle'>,
  Same<keyof typeof whole.issuers, 'hf' | 'okta' | 'ci'>,
  Same<keyof typeof whole.environments, 'development' | 'staging' | 'production'>,
  Same<keyof NonNullable<typeof whole.projects>, 'vision' | 'private'>,
  Same<keyof NonNullable<typeof whole.resources>, 'prompt'>,
] = [true, true, true, true, true]
export const asDocument: PolicyDocument = whole
export const asAny: DefinedPolicy = whole

// A document whose names are not literal is taken as it is.
declare const read: PolicyDocument
export const loose: PolicyDocument = definePolicy(read)
export const mixed: PolicyDocument = definePolicy({ ...read, name: 'other' })

const base = {
  version: 1,
  name: 'base',
  issuers: { hf: { preset: 'huggingface', audience: 'app' } },
  environments: { production: {} },
  roles: { viewer: {} },
  bindings: [{ roles: ['viewer'], to: { issuer: 'hf' } }],
} as const

definePolicy(base)

// A type that declares no attributes may have any.
definePolicy({
  ...base,
  resources: { note: { actions: ['read'] } },
  deny: [{ actions: ['read'], on: ['note:x'], when: { 'resource.anything': 1 } }],
})

// A role by any of the places where one is mentioned.
// @ts-expect-error `viewr`
definePolicy({ ...base, roles: { viewer: {}, engineer: { extends: ['viewr'] } } })
// @ts-expect-error `viewr`
definePolicy({ ...base, bindings: [{ roles: ['viewr'], to: { issuer: 'hf' } }] })

// An issuer.
// @ts-expect-error `fh`
definePolicy({ ...base, bindings: [{ roles: ['viewer'], to: { issuer: 'fh' } }] })
// @ts-expect-error `fh`
definePolicy({ ...base, bindings: [{ roles: ['viewer'], to: { issuer: ['hf', 'fh'] } }] })
// @ts-expect-error `fh`
definePolicy({ ...base, environments: { production: { exempt: ['fh'] } } })
definePolicy({
  ...base,
  // @ts-expect-error `fh`
  invariants: [{ name: 'x', never: { actions: ['*'], on: ['**'] }, for: { issuer: 'fh' } }],
})
definePolicy({
  ...base,
  // @ts-expect-error `fh`
  tests: [{ name: 'x', principal: { issuer: 'fh', claims: {} }, environment: 'production', expect: {} }],
})
// @ts-expect-error `hugingface`
definePolicy({ ...base, issuers: { hf: { preset: 'hugingface', audience: 'app' } } })

// An environment.
// @ts-expect-error `prodution`
definePolicy({ ...base, deny: [{ actions: ['*'], on: ['**'], environments: ['prodution'] }] })
definePolicy({
  ...base,
  // @ts-expect-error `prodution`
  tests: [{ name: 'x', principal: 'anonymous', environment: 'prodution', expect: {} }],
})

// A project.
definePolicy({
  ...base,
  projects: { vision: ['model:a/b'] },
  // @ts-expect-error `visoin`
  deny: [{ actions: ['*'], on: ['project:visoin'] }],
})
// @ts-expect-error there are no projects
definePolicy({ ...base, scopes: { s: { actions: ['read'], on: ['project:vision'] } } })
// @ts-expect-error a project holds patterns, not projects
definePolicy({ ...base, projects: { vision: ['model:a/b'], both: ['project:vision'] } })

// An action.
// @ts-expect-error `raed`
definePolicy({ ...base, roles: { viewer: { allow: [{ actions: ['raed'], on: ['**'] }] } } })
// @ts-expect-error `raed`
definePolicy({ ...base, environments: { production: { actions: ['raed'] } } })
// @ts-expect-error `raed`
definePolicy({ ...base, scopes: { s: { actions: ['raed'], on: ['**'] } } })
// @ts-expect-error `raed`
definePolicy({ ...base, routes: [{ match: 'GET /x', action: 'raed', resource: 'model:a/b' }] })
definePolicy({
  ...base,
  resources: { prompt: { actions: ['edit'] } },
  // @ts-expect-error `edti`
  deny: [{ actions: ['edti'], on: ['**'] }],
})
definePolicy({
  ...base,
  tests: [
    // @ts-expect-error `raed`
    { name: 'x', principal: 'anonymous', environment: 'production', expect: { 'raed model:a/b': 'deny' } },
  ],
})

// A resource type, in every kind of pattern.
// @ts-expect-error `modle`
definePolicy({ ...base, deny: [{ actions: ['*'], on: ['modle:acme/*'] }] })
// @ts-expect-error no type at all
definePolicy({ ...base, deny: [{ actions: ['*'], on: ['acme/*'] }] })
// @ts-expect-error `modle`
definePolicy({ ...base, projects: { vision: ['modle:acme/*'] } })
// @ts-expect-error `modle`
definePolicy({ ...base, routes: [{ match: 'GET /x', action: 'read', resource: 'modle:acme/x' }] })
definePolicy({
  ...base,
  tests: [
    // @ts-expect-error `modle`
    { name: 'x', principal: 'anonymous', environment: 'production', expect: { 'read modle:a/b': 'deny' } },
  ],
})

// A fact or an operator of a condition.
// @ts-expect-error `gatd`
definePolicy({ ...base, deny: [{ actions: ['*'], on: ['model:**'], when: { 'resource.gatd': true } }] })
definePolicy({
  ...base,
  resources: { prompt: { actions: ['edit'], attributes: { draft: 'boolean' } } },
  // @ts-expect-error `drft`
  deny: [{ actions: ['*'], on: ['prompt:**'], when: { 'resource.drft': true } }],
})
// @ts-expect-error `usernmae`
definePolicy({ ...base, deny: [{ actions: ['*'], on: ['**'], unless: { 'principal.usernmae': 'x' } }] })
// @ts-expect-error `request`
definePolicy({ ...base, deny: [{ actions: ['*'], on: ['**'], when: { 'request.ip': 'x' } }] })
definePolicy({
  ...base,
  // @ts-expect-error `$contain`
  deny: [{ actions: ['*'], on: ['**'], when: { 'resource.tags': { $contain: 'x' } } }],
})
// @ts-expect-error `require` is about the principal
definePolicy({ ...base, environments: { production: { require: { 'resource.gated': false } } } })

// A key, or a value of another kind.
// @ts-expect-error `denny`
definePolicy({ ...base, denny: [] })
// @ts-expect-error `extend`
definePolicy({ ...base, roles: { viewer: {}, engineer: { extend: ['viewer'] } } })
// @ts-expect-error `atributes`
definePolicy({ ...base, resources: { prompt: { actions: ['edit'], atributes: { draft: 'boolean' } } } })
// @ts-expect-error `bool`
definePolicy({ ...base, resources: { prompt: { actions: ['edit'], attributes: { draft: 'bool' } } } })
// @ts-expect-error version 2
definePolicy({ ...base, version: 2 })
// @ts-expect-error `bindings` is missing
definePolicy({ version: 1, name: 'x', issuers: {}, environments: {}, roles: {} })
