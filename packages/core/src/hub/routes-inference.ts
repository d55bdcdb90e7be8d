/**
 * Routes of inference: the router, Inference Endpoints and their management, the dataset viewer, and what has
 * an address of its own. Data.
 *
 * A provider's own paths behind the router are left out, and so refused: they name the provider's model, and
 * which of the Hub's that is, the path does not say.
 *
 * @see huggingface.co/docs/inference-providers; huggingface.co/docs/inference-endpoints
 * @module
 */
import { type HubRoute, rowsOf } from './route.ts'

const router = /* @__PURE__ */ rowsOf('router')
const endpoints = /* @__PURE__ */ rowsOf('endpoints')
const viewer = /* @__PURE__ */ rowsOf('viewer')
const endpoint = { in: 'path', type: 'endpoint' } as const
const model = { in: 'path', type: 'model' } as const
const asked = { in: 'body', reads: 'inference-model' } as const
const hosted = '/hf-inference/models/{ns}/{name}'
const own = { provider: 'hf-inference' }

const viewerPaths = [
  'is-valid',
  'splits',
  'first-rows',
  'rows',
  'search',
  'filter',
  'parquet',
  'info',
  'size',
  'statistics',
  'opt-in-out-urls',
  'presidio-entities',
]

const rows = (): readonly HubRoute[] => [
  router('GET /v1/models', 'infer', { in: 'list', type: 'model' }),
  router('GET /v1/models/{ns}/{name}', 'infer', model),
  router('POST /v1/chat/completions', 'infer', asked),
  router('POST /v1/responses', 'infer', asked),
  router('POST /v1/messages', 'infer', asked),
  router(`POST ${hosted}/v1/chat/completions`, 'infer', { ...model, reads: 'same-model' }, own),
  router(`POST ${hosted}`, 'infer', model, own),
  router(`POST ${hosted}/pipeline/{x}`, 'infer', model, own),

  endpoints('GET /v2/endpoint/{ns}', 'read', { in: 'list', type: 'endpoint' }),
  endpoints('POST /v2/endpoint/{ns}', 'create', { in: 'body', reads: 'endpoint' }),
  endpoints('GET /v2/endpoint/{ns}/{name}', 'read', endpoint),
  endpoints('PUT /v2/endpoint/{ns}/{name}', 'write', { ...endpoint, reads: 'endpoint-model' }),
  endpoints('DELETE /v2/endpoint/{ns}/{name}', 'delete', endpoint),
  endpoints('POST /v2/endpoint/{ns}/{name}/pause', 'run', endpoint),
  endpoints('POST /v2/endpoint/{ns}/{name}/resume', 'run', endpoint),
  endpoints('POST /v2/endpoint/{ns}/{name}/scale-to-zero', 'run', endpoint),
  endpoints('GET /v2/endpoint/{ns}/{name}/open-metrics', 'read', endpoint),
  endpoints('GET /v2/endpoint/{ns}/{name}/logs', 'read', endpoint),
  endpoints('GET /v2/endpoint/{ns}/{name}/metrics', 'read', endpoint),
  endpoints('GET /v2/provider/{ns}', 'read', endpoint),

  ...viewerPaths.map((path) =>
    viewer(`GET HEAD /${path}`, 'read', { in: 'query', name: 'dataset', type: 'dataset' }),
  ),

  rowsOf('endpoint')('GET HEAD POST PUT PATCH DELETE /{path?}', 'infer', { in: 'host', type: 'endpoint' }),
  rowsOf('space')('GET HEAD POST PUT PATCH DELETE /{path?}', 'infer', { in: 'host', type: 'space' }),
]

/** Marked, as calls at the start of a module would stay in every page that imports anything of this package. */
export const inferenceRoutes: readonly HubRoute[] = /* @__PURE__ */ rows()
