/**
 * The route table: all routes, in the order in which they are looked for.
 *
 * The rows stand in three files: repositories, what else the Hub has, and inference with its deployments.
 * What no row fits is no route, and a proxy refuses it.
 *
 * @see the Hub's OpenAPI description; `@huggingface/hub`; huggingface.co/docs/inference-providers
 * @module
 */
import type { HubType } from './actions.ts'
import type { HubRoute } from './route.ts'
import { accountRoutes } from './routes-account.ts'
import { inferenceRoutes } from './routes-inference.ts'
import { repositoryRoutes } from './routes-repositories.ts'

export const hubRoutes: readonly HubRoute[] = /* @__PURE__ */ [
  accountRoutes,
  repositoryRoutes,
  inferenceRoutes,
].flat()

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
  'hf-inference',
  'login',
  'logout',
  'oauth',
  'organizations',
  'papers',
  'resolve',
  'settings',
  'v1',
  'v2',
  'zero-gpu',
])
