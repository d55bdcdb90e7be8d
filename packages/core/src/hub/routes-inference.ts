/**
 * Routes of inference: the router, Inference Endpoints and their management, the dataset viewer, and what has
 * an address of its own. Data.
 *
 * Of a provider's own paths behind the router there are those that name one model in a JSON body and answer at
 * once. It is the provider's name for it: which of the Hub's that is, the Hub's mapping says.
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

const chat = 'v1/chat/completions'
const providerPaths = (): Readonly<Record<string, readonly string[]>> => ({
  baseten: [chat],
  cerebras: [chat],
  cohere: [`compatibility/${chat}`],
  deepinfra: ['v1/openai/chat/completions', 'v1/openai/completions', 'v1/openai/embeddings'],
  'featherless-ai': [chat, 'v1/completions'],
  'fireworks-ai': [`inference/${chat}`],
  groq: [`openai/${chat}`],
  novita: ['v3/openai/chat/completions'],
  nscale: [chat],
  ovhcloud: [chat, 'v1/completions'],
  publicai: [chat],
  scaleway: [chat, 'v1/completions', 'v1/embeddings'],
  together: [chat, 'v1/completions', 'v1/embeddings'],
  'zai-org': ['api/paas/v4/chat/completions'],
})

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
  router('GET /v1/models', 'infer', { in: 'list', type: 'model' }, { describes: true }),
  router('GET /v1/models/{ns}/{name}', 'infer', model, { describes: true }),
  router('POST /v1/chat/completions', 'infer', asked),
  router('POST /v1/responses', 'infer', asked),
  router('POST /v1/messages', 'infer', asked),
  router(`POST ${hosted}/v1/chat/completions`, 'infer', { ...model, reads: 'same-model' }, own),
  router(`POST ${hosted}`, 'infer', model, own),
  router(`POST ${hosted}/pipeline/{x}`, 'infer', model, own),
  ...Object.entries(providerPaths()).flatMap(([provider, paths]) =>
    paths.map((path) =>
      router(`POST /${provider}/${path}`, 'infer', { in: 'body', reads: 'provider-model' }, { provider }),
    ),
  ),

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
