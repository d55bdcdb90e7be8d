/**
 * What Hugging Face has and what can be done with it: resource types, actions, attributes. Data, not code.
 *
 * @module
 */

/** Hugging Face's own actions. Applications add theirs under `resources`. */
export const hubActions = ['read', 'infer', 'discuss', 'write', 'create', 'delete', 'manage', 'run'] as const
export type HubAction = (typeof hubActions)[number]

/** Hugging Face's own resource types; their ids are compared without case, as the Hub does. */
export const hubTypes = [
  'model',
  'dataset',
  'space',
  'endpoint',
  'collection',
  'bucket',
  'kernel',
  'job',
  'org',
] as const
export type HubType = (typeof hubTypes)[number]

const hubTypeSet: ReadonlySet<string> = new Set(hubTypes)

export function isHubType(type: string): type is HubType {
  return hubTypeSet.has(type)
}

/** Attributes that the proxy and the SDKs may know of a Hub resource, with their types. */
export const hubAttributes = {
  private: 'boolean',
  /** The Hub says `false`, `auto` or `manual`; here: whether there is a gate at all. */
  gated: 'boolean',
  tags: 'string[]',
  license: 'string',
  revision: 'string',
  path: 'string',
  resourceGroup: 'string',
  provider: 'string',
  pipelineTag: 'string',
  library: 'string',
} as const

/** Attributes every resource has, from its id: `owner` and `name` are what stands before and after the first `/`. */
export const idAttributes = { id: 'string', type: 'string', owner: 'string', name: 'string' } as const
