/**
 * Routes of repositories: models, datasets, Spaces and kernels, over the API, as files and by Git. Data.
 *
 * Traps that methods hide: `GET …/xet-write-token` hands out the right to write, `POST …/paths-info` only
 * reads, and Git says in its query or its body which of the two it is about to do.
 *
 * @see git-scm.com/docs/http-protocol; github.com/git-lfs/git-lfs, docs/api/batch.md and locking.md
 * @module
 */
import { type HubRoute, rowsOf } from './route.ts'

const hub = /* @__PURE__ */ rowsOf('hub')
const api = '/api/{kind}/{ns}/{name}'
const space = '/api/spaces/{ns}/{name}'
const discussion = '/api/{kind}/{ns}/{name}/discussions/{x}'
const describing = { describes: true } as const
const service = (value: string) => ({ query: { name: 'service', value } })

const rows = (): readonly HubRoute[] => [
  // Lists.
  hub('GET /api/models', 'read', { in: 'list', type: 'model' }, describing),
  hub('GET /api/datasets', 'read', { in: 'list', type: 'dataset' }, describing),
  hub('GET /api/spaces', 'read', { in: 'list', type: 'space' }, describing),
  hub('GET /api/spaces/featured', 'read', { in: 'list', type: 'space' }, describing),
  hub('GET /api/spaces/semantic-search', 'read', { in: 'list', type: 'space' }, describing),

  // What is in them.
  hub(`GET HEAD ${api}`, 'read', undefined, describing),
  hub(`GET HEAD ${api}/revision/{rev}`, 'read', undefined, describing),
  hub(`GET HEAD ${api}/tree/{rev}/{path?}`, 'read', undefined, describing),
  hub(`GET ${api}/treesize/{rev}/{path?}`, 'read', undefined, describing),
  hub(`POST ${api}/paths-info/{rev}`, 'read', undefined, describing),
  hub(`GET HEAD ${api}/refs`, 'read', undefined, describing),
  hub(`GET HEAD ${api}/commits/{rev}`, 'read', undefined, describing),
  hub(`GET ${api}/compare/{rev}`, 'read'),
  hub(`GET ${api}/scan`, 'read', undefined, describing),
  hub(`GET ${api}/likers`, 'read', undefined, describing),
  hub(`GET ${api}/auth-check`, 'read', undefined, describing),
  hub(`GET ${api}/auth-check/write`, 'write'),
  hub(`GET ${api}/jwt`, 'read'),
  hub('GET HEAD /{repo}/resolve/{rev}/{path*}', 'read'),
  hub('GET HEAD /{repo}/raw/{rev}/{path*}', 'read'),
  hub('GET HEAD /api/resolve-cache/{kind}/{ns}/{name}/{rev}/{path*}', 'read'),
  hub(`GET ${api}/xet-read-token/{rev}`, 'read'),

  // Changing it.
  hub(`GET ${api}/xet-write-token/{rev}`, 'write'),
  hub(`POST ${api}/preupload/{rev}`, 'write', undefined, { pullRequests: true }),
  hub(`POST ${api}/commit/{rev}`, 'write', undefined, { pullRequests: true }),
  hub(`POST DELETE ${api}/branch/{rev}`, 'write'),
  hub(`POST DELETE ${api}/tag/{rev}`, 'write'),
  hub(`POST ${api}/super-squash/{rev}`, 'write'),
  hub(`GET ${api}/lfs-files`, 'read'),
  hub(`POST DELETE ${api}/lfs-files`, 'write'),
  hub(`POST ${api}/lfs-files/batch`, 'write'),
  hub(`POST ${api}/lfs-files/duplicate`, 'write'),
  hub(`DELETE ${api}/lfs-files/{x}`, 'write'),

  // Git.
  hub('GET /{repo}.git/info/refs', 'read', undefined, service('git-upload-pack')),
  hub('GET /{repo}/info/refs', 'read', undefined, service('git-upload-pack')),
  hub('GET /{repo}.git/info/refs', 'write', undefined, { ...service('git-receive-pack'), discovery: true }),
  hub('GET /{repo}/info/refs', 'write', undefined, { ...service('git-receive-pack'), discovery: true }),
  hub('POST /{repo}.git/git-upload-pack', 'read'),
  hub('POST /{repo}/git-upload-pack', 'read'),
  hub('POST /{repo}.git/git-receive-pack', 'write', { in: 'path', reads: 'git-commands' }),
  hub('POST /{repo}/git-receive-pack', 'write', { in: 'path', reads: 'git-commands' }),
  hub('POST /{repo}.git/info/lfs/objects/batch', 'write', { in: 'path', reads: 'lfs-operation' }),
  hub('POST /{repo}/info/lfs/objects/batch', 'write', { in: 'path', reads: 'lfs-operation' }),
  // Not the Hub's: what a proxy puts in the place of signed addresses when it streams files through.
  hub('GET /{repo}.git/info/lfs/objects/{x}', 'read'),
  hub('GET /{repo}/info/lfs/objects/{x}', 'read'),

  hub('GET /{repo}.git/info/lfs/locks', 'read', undefined, describing),
  hub('GET /{repo}/info/lfs/locks', 'read', undefined, describing),
  hub('POST /{repo}.git/info/lfs/locks', 'write', { in: 'path', reads: 'lfs-lock' }),
  hub('POST /{repo}/info/lfs/locks', 'write', { in: 'path', reads: 'lfs-lock' }),
  hub('POST /{repo}.git/info/lfs/locks/verify', 'write', undefined, { discovery: true }),
  hub('POST /{repo}/info/lfs/locks/verify', 'write', undefined, { discovery: true }),
  hub('POST /{repo}.git/info/lfs/locks/{x}/unlock', 'write', { in: 'path', reads: 'lfs-lock' }),
  hub('POST /{repo}/info/lfs/locks/{x}/unlock', 'write', { in: 'path', reads: 'lfs-lock' }),

  // Talking about it.
  hub(`GET HEAD ${api}/discussions`, 'read'),
  hub(`POST ${api}/discussions`, 'discuss'),
  hub(`GET ${discussion}`, 'read'),
  hub(`DELETE ${discussion}`, 'write'),
  hub(`POST ${discussion}/comment`, 'discuss'),
  hub(`POST ${discussion}/status`, 'discuss'),
  hub(`POST ${discussion}/title`, 'discuss'),
  hub(`POST ${discussion}/pin`, 'discuss'),
  hub(`POST ${discussion}/ignore`, 'discuss'),
  hub(`POST ${discussion}/merge`, 'write'),
  hub(`DELETE ${discussion}/ref`, 'write'),
  hub(`POST ${discussion}/comment/{x}/edit`, 'discuss'),
  hub(`POST ${discussion}/comment/{x}/hide`, 'discuss'),
  hub(`POST ${discussion}/comment/{x}/reaction`, 'discuss'),
  hub(`POST DELETE ${api}/like`, 'discuss'),
  hub('POST /{repo}/ask-access', 'discuss'),

  // The repository itself.
  hub('POST /api/repos/create', 'create', { in: 'body', reads: 'repository' }),
  hub('DELETE /api/repos/delete', 'delete', { in: 'body', reads: 'repository' }),
  hub('POST /api/repos/move', 'manage', { in: 'body', reads: 'move' }),
  hub(`POST ${api}/duplicate`, 'read', { in: 'path', reads: 'duplicate' }),
  hub(`GET ${api}/duplicate/status`, 'read'),
  hub(`PUT ${api}/settings`, 'manage'),
  hub(`GET ${api}/resource-group`, 'read'),
  hub(`POST ${api}/resource-group`, 'manage'),
  hub(`GET ${api}/user-access-request/{x}`, 'manage'),
  hub(`POST ${api}/user-access-request/{x}`, 'manage'),
  hub('GET /{repo}/user-access-report', 'manage'),

  // Spaces, as programs that run.
  hub(`GET ${space}/runtime`, 'read', { in: 'path', type: 'space' }),
  hub(`GET ${space}/events`, 'read', { in: 'path', type: 'space' }),
  hub(`GET ${space}/metrics`, 'read', { in: 'path', type: 'space' }),
  hub(`GET ${space}/logs/{x}`, 'read', { in: 'path', type: 'space' }),
  hub(`POST ${space}/restart`, 'run', { in: 'path', type: 'space' }),
  hub(`POST ${space}/pause`, 'run', { in: 'path', type: 'space' }),
  hub(`POST ${space}/sleeptime`, 'run', { in: 'path', type: 'space' }),
  hub(`POST ${space}/hardware`, 'manage', { in: 'path', type: 'space' }),
  hub(`POST ${space}/dev-mode`, 'manage', { in: 'path', type: 'space' }),
  hub(`POST ${space}/custom-domain`, 'manage', { in: 'path', type: 'space' }),
  hub(`POST DELETE ${space}/storage`, 'manage', { in: 'path', type: 'space' }),
  hub(`PUT DELETE ${space}/volumes`, 'manage', { in: 'path', type: 'space' }),
  hub(`GET POST DELETE ${space}/secrets`, 'manage', { in: 'path', type: 'space' }),
  hub(`GET POST DELETE ${space}/variables`, 'manage', { in: 'path', type: 'space' }),
]

/** Marked, as calls at the start of a module would stay in every page that imports anything of this package. */
export const repositoryRoutes: readonly HubRoute[] = /* @__PURE__ */ rows()
