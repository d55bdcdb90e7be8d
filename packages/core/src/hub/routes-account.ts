/**
 * What else the Hub has: the caller, collections, buckets, organisations and jobs. Data.
 *
 * Left out on purpose, and so refused: what docs/guide/proxy.md lists under "Refused", with the reasons.
 *
 * @module
 */
import { type HubRoute, type RouteTarget, rowsOf } from './route.ts'

const hub = /* @__PURE__ */ rowsOf('hub')
const collection = { in: 'path', type: 'collection' } as const
const bucket = { in: 'path', type: 'bucket' } as const
const org = { in: 'path', type: 'org' } as const
const job = { in: 'path', type: 'job' } as const
const endpoint = { in: 'path', type: 'endpoint' } as const
const describing = { describes: true } as const
const catalogue: RouteTarget = { in: 'catalogue' }

const rows = (): readonly HubRoute[] => [
  hub('GET /api/whoami-v2', 'read', { in: 'caller' }, describing),
  hub('GET /api/models-tags-by-type', 'read', catalogue, describing),
  hub('GET /api/datasets-tags-by-type', 'read', catalogue, describing),
  hub('GET /api/tasks', 'read', catalogue, describing),
  hub('GET /api/docs', 'read', catalogue, describing),
  hub('GET /api/docs/{path*}', 'read', catalogue, describing),
  hub('GET /api/spaces/hardware', 'read', catalogue, describing),
  hub('GET /api/spaces/templates', 'read', catalogue, describing),
  hub('GET /api/users/{x}/overview', 'read', catalogue, describing),
  hub('GET /api/users/{x}/avatar', 'read', catalogue, describing),
  hub('GET /api/users/{x}/followers', 'read', catalogue, describing),
  hub('GET /api/users/{x}/following', 'read', catalogue, describing),
  hub('GET /api/users/{x}/socials', 'read', catalogue, describing),
  hub('GET /api/organizations/{x}/overview', 'read', catalogue, describing),
  hub('GET /api/organizations/{x}/avatar', 'read', catalogue, describing),
  hub('GET /api/organizations/{x}/followers', 'read', catalogue, describing),
  hub('GET /api/organizations/{x}/socials', 'read', catalogue, describing),

  hub('GET /api/collections', 'read', { in: 'list', type: 'collection' }, describing),
  hub('POST /api/collections', 'create', { in: 'body', reads: 'collection' }),
  hub('GET /api/collections/{ns}/{name}', 'read', collection, describing),
  hub('PATCH /api/collections/{ns}/{name}', 'write', collection),
  hub('DELETE /api/collections/{ns}/{name}', 'delete', collection),
  hub('POST /api/collections/{ns}/{name}/items', 'write', collection),
  hub('POST /api/collections/{ns}/{name}/items/batch', 'write', collection),
  hub('PATCH DELETE /api/collections/{ns}/{name}/items/{x}', 'write', collection),
  hub('GET /api/collections/{ns}/{name}/resource-group', 'read', collection),
  hub('POST /api/collections/{ns}/{name}/resource-group', 'manage', collection),

  hub('GET /api/buckets/{ns}', 'read', { in: 'list', type: 'bucket' }, describing),
  hub('GET /api/buckets/{ns}/{name}', 'read', bucket, describing),
  hub('POST /api/buckets/{ns}/{name}', 'create', bucket),
  hub('DELETE /api/buckets/{ns}/{name}', 'delete', bucket),
  hub('POST /api/buckets/{ns}/{name}/batch', 'write', bucket),
  hub('POST /api/buckets/{ns}/{name}/paths-info', 'read', bucket, describing),
  hub('GET /api/buckets/{ns}/{name}/tree/{path?}', 'read', bucket, describing),
  hub('GET /api/buckets/{ns}/{name}/xet-read-token', 'read', bucket),
  hub('GET /api/buckets/{ns}/{name}/xet-write-token', 'write', bucket),
  hub('PUT /api/buckets/{ns}/{name}/settings', 'manage', bucket),
  hub('GET HEAD /buckets/{ns}/{name}/resolve/{path*}', 'read', bucket),

  hub('GET /api/organizations/{ns}/members', 'read', org),
  hub('PUT /api/organizations/{ns}/members/{x}/role', 'manage', org),
  hub('GET /api/organizations/{ns}/resource-groups', 'read', org),
  hub('POST /api/organizations/{ns}/resource-groups', 'manage', org),
  hub('GET /api/organizations/{ns}/resource-groups/{x}', 'read', org),
  hub('PATCH DELETE /api/organizations/{ns}/resource-groups/{x}', 'manage', org),
  hub('POST /api/organizations/{ns}/resource-groups/{x}/users', 'manage', org),
  hub('POST /api/organizations/{ns}/resource-groups/{x}/settings', 'manage', org),
  hub('PATCH DELETE /api/organizations/{ns}/resource-groups/{x}/users/{x}', 'manage', org),
  hub('GET POST PUT PATCH DELETE /api/organizations/{ns}/settings/{path*}', 'manage', org),
  hub('GET /api/organizations/{ns}/audit-log/export', 'manage', org),
  hub('GET POST /api/organizations/{ns}/service-accounts', 'manage', org),
  hub('GET POST PATCH DELETE /api/organizations/{ns}/service-accounts/{path*}', 'manage', org),
  hub('GET POST PUT PATCH DELETE /api/organizations/{ns}/scim/v2/{path*}', 'manage', org),
  hub('GET POST PUT PATCH DELETE /api/organizations/{ns}/scim-provisioning/v2/{path*}', 'manage', org),
  hub('GET /api/organizations/{ns}/billing/{path*}', 'manage', org),

  // Before the namespaces, of which it is none.
  hub('GET /api/jobs/hardware', 'read', catalogue),
  hub('GET /api/jobs/{ns}', 'read', { in: 'list', type: 'job' }),
  hub('POST /api/jobs/{ns}', 'run', job),
  hub('GET /api/jobs/{ns}/{name}', 'read', job),
  hub('GET /api/jobs/{ns}/{name}/logs', 'read', job),
  hub('GET /api/jobs/{ns}/{name}/metrics', 'read', job),
  hub('GET /api/jobs/{ns}/{name}/events', 'read', job),
  hub('POST /api/jobs/{ns}/{name}/cancel', 'run', job),
  hub('POST /api/jobs/{ns}/{name}/duplicate', 'run', job),
  hub('PUT /api/jobs/{ns}/{name}/labels', 'write', job),
  hub('PUT /api/jobs/{ns}/{name}/expose', 'manage', job),
  hub('GET /api/scheduled-jobs/{ns}', 'read', { in: 'list', type: 'job' }),
  hub('POST /api/scheduled-jobs/{ns}', 'run', job),
  hub('GET /api/scheduled-jobs/{ns}/{name}', 'read', job),
  hub('DELETE /api/scheduled-jobs/{ns}/{name}', 'delete', job),
  hub('POST /api/scheduled-jobs/{ns}/{name}/run', 'run', job),
  hub('POST /api/scheduled-jobs/{ns}/{name}/suspend', 'run', job),
  hub('POST /api/scheduled-jobs/{ns}/{name}/resume', 'run', job),
  hub('PUT /api/scheduled-jobs/{ns}/{name}/schedule', 'write', job),
  hub('PUT /api/scheduled-jobs/{ns}/{name}/labels', 'write', job),

  hub('POST /api/inference-endpoints/{ns}/auth-check/read', 'read', endpoint),
  hub('POST /api/inference-endpoints/{ns}/auth-check/write', 'write', endpoint),
  hub('POST /api/inference-endpoints/{ns}/auth-check/infer', 'infer', endpoint),
  hub('POST /api/inference-endpoints/{ns}/{name}/auth-check/read', 'read', endpoint),
  hub('POST /api/inference-endpoints/{ns}/{name}/auth-check/write', 'write', endpoint),
  hub('POST /api/inference-endpoints/{ns}/{name}/auth-check/infer', 'infer', endpoint),
]

/** Marked, as calls at the start of a module would stay in every page that imports anything of this package. */
export const accountRoutes: readonly HubRoute[] = /* @__PURE__ */ rows()
