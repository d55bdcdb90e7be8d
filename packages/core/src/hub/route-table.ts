/**
 * Which request is which action on what: the routes of the Hub and of the inference router. Data.
 *
 * Two traps that methods hide: `GET …/xet-write-token` hands out the right to write, and
 * `POST …/paths-info` only reads.
 *
 * @see the Hub's OpenAPI description; `@huggingface/hub`; huggingface.co/docs/inference-providers
 * @module
 */
import type { HubAction, HubType } from './actions.ts'

/** What the request is about, and where that is said. */
export type RouteTarget =
  /** The repository in the path. */
  | { readonly in: 'path' }
  /** Everything of a type: the answer is a list, cut down to what the caller may read. */
  | { readonly in: 'list'; readonly type: HubType }
  /** The caller itself. */
  | { readonly in: 'caller' }
  /** A JSON body: the model of an inference call, or the repository to create or delete. */
  | { readonly in: 'body'; readonly reads: 'inference-model' | 'repository' }
  /** The repository in the path, and the action in the body's `operation` (Git LFS batch API). */
  | { readonly in: 'path'; readonly reads: 'lfs-operation' }

export interface HubRoute {
  readonly methods: readonly string[]
  /**
   * `{kind}` is `models`, `datasets`, `spaces` or `kernels`; `{repo}` stands for `{ns}/{name}` behind the
   * prefix that pages have for that kind; `{rev}` is one segment and may hold an encoded `/`;
   * `{path*}` is the rest, at least one segment, and `{path?}` may be none.
   */
  readonly path: string
  readonly host: 'hub' | 'router'
  readonly action: HubAction
  readonly target: RouteTarget
  /** With `create_pr` it proposes instead of writing: then the action is `discuss`. */
  readonly pullRequests?: true
}

const read = ['GET', 'HEAD']
const inPath = { in: 'path' } as const

export const hubRoutes: readonly HubRoute[] = [
  { methods: ['GET'], path: '/api/whoami-v2', host: 'hub', action: 'read', target: { in: 'caller' } },
  {
    methods: ['GET'],
    path: '/api/models',
    host: 'hub',
    action: 'read',
    target: { in: 'list', type: 'model' },
  },
  {
    methods: ['GET'],
    path: '/api/datasets',
    host: 'hub',
    action: 'read',
    target: { in: 'list', type: 'dataset' },
  },
  {
    methods: ['GET'],
    path: '/api/spaces',
    host: 'hub',
    action: 'read',
    target: { in: 'list', type: 'space' },
  },

  { methods: read, path: '/api/{kind}/{ns}/{name}', host: 'hub', action: 'read', target: inPath },
  {
    methods: read,
    path: '/api/{kind}/{ns}/{name}/revision/{rev}',
    host: 'hub',
    action: 'read',
    target: inPath,
  },
  {
    methods: read,
    path: '/api/{kind}/{ns}/{name}/tree/{rev}/{path?}',
    host: 'hub',
    action: 'read',
    target: inPath,
  },
  {
    methods: ['POST'],
    path: '/api/{kind}/{ns}/{name}/paths-info/{rev}',
    host: 'hub',
    action: 'read',
    target: inPath,
  },
  { methods: read, path: '/api/{kind}/{ns}/{name}/refs', host: 'hub', action: 'read', target: inPath },
  {
    methods: read,
    path: '/api/{kind}/{ns}/{name}/commits/{rev}',
    host: 'hub',
    action: 'read',
    target: inPath,
  },
  { methods: read, path: '/api/{kind}/{ns}/{name}/discussions', host: 'hub', action: 'read', target: inPath },
  { methods: read, path: '/{repo}/resolve/{rev}/{path*}', host: 'hub', action: 'read', target: inPath },
  { methods: read, path: '/{repo}/raw/{rev}/{path*}', host: 'hub', action: 'read', target: inPath },
  {
    methods: read,
    path: '/api/resolve-cache/{kind}/{ns}/{name}/{rev}/{path*}',
    host: 'hub',
    action: 'read',
    target: inPath,
  },
  {
    methods: ['GET'],
    path: '/api/{kind}/{ns}/{name}/xet-read-token/{rev}',
    host: 'hub',
    action: 'read',
    target: inPath,
  },

  {
    methods: ['GET'],
    path: '/api/{kind}/{ns}/{name}/xet-write-token/{rev}',
    host: 'hub',
    action: 'write',
    target: inPath,
  },
  {
    methods: ['POST'],
    path: '/api/{kind}/{ns}/{name}/preupload/{rev}',
    host: 'hub',
    action: 'write',
    target: inPath,
    pullRequests: true,
  },
  {
    methods: ['POST'],
    path: '/api/{kind}/{ns}/{name}/commit/{rev}',
    host: 'hub',
    action: 'write',
    target: inPath,
    pullRequests: true,
  },
  {
    methods: ['POST', 'DELETE'],
    path: '/api/{kind}/{ns}/{name}/branch/{rev}',
    host: 'hub',
    action: 'write',
    target: inPath,
  },
  {
    methods: ['POST', 'DELETE'],
    path: '/api/{kind}/{ns}/{name}/tag/{rev}',
    host: 'hub',
    action: 'write',
    target: inPath,
  },
  {
    methods: ['POST'],
    path: '/{repo}.git/info/lfs/objects/batch',
    host: 'hub',
    action: 'write',
    target: { in: 'path', reads: 'lfs-operation' },
  },
  {
    methods: ['POST'],
    path: '/api/{kind}/{ns}/{name}/discussions',
    host: 'hub',
    action: 'discuss',
    target: inPath,
  },
  {
    methods: ['PUT'],
    path: '/api/{kind}/{ns}/{name}/settings',
    host: 'hub',
    action: 'manage',
    target: inPath,
  },
  {
    methods: ['POST'],
    path: '/api/repos/create',
    host: 'hub',
    action: 'create',
    target: { in: 'body', reads: 'repository' },
  },
  {
    methods: ['DELETE'],
    path: '/api/repos/delete',
    host: 'hub',
    action: 'delete',
    target: { in: 'body', reads: 'repository' },
  },

  {
    methods: ['GET'],
    path: '/v1/models',
    host: 'router',
    action: 'infer',
    target: { in: 'list', type: 'model' },
  },
  {
    methods: ['POST'],
    path: '/v1/chat/completions',
    host: 'router',
    action: 'infer',
    target: { in: 'body', reads: 'inference-model' },
  },
]

/** Resource type of each `{kind}`, and the prefix its pages have. */
export const repositoryKinds: ReadonlyMap<string, { readonly type: HubType; readonly prefix: string }> =
  new Map([
    ['models', { type: 'model', prefix: '' }],
    ['datasets', { type: 'dataset', prefix: '/datasets' }],
    ['spaces', { type: 'space', prefix: '/spaces' }],
    ['kernels', { type: 'kernel', prefix: '/kernels' }],
  ])

/** First path segments that are the Hub's own words and never an owner. */
export const reservedOwners: ReadonlySet<string> = new Set([
  'api',
  'datasets',
  'spaces',
  'kernels',
  'models',
  'buckets',
  'collections',
  'docs',
  'login',
  'logout',
  'oauth',
  'organizations',
  'papers',
  'resolve',
  'settings',
  'v1',
])
