/**
 * Resource facts: what the Hub says of a repository, for rules that ask.
 *
 * Asked only when the answer could turn on it, and remembered for half a minute under the credential that
 * saw it. Whatever goes wrong leaves the facts unknown, and unknown never opens a door.
 *
 * @module
 */
import { cacheKey, FlightCache } from '../../internal/flight-cache.ts'
import { askHub, type HubAddress } from './ask-hub.ts'
import type { UpstreamCredential } from './credentials.ts'
import { type Attributes, repoAttributes } from './repo-attributes.ts'

export interface ResourceFactsOptions extends HubAddress {
  readonly now: () => number
}

export type ResourceFacts = (
  resource: { readonly type: string; readonly id: string },
  credential: UpstreamCredential | undefined,
) => Promise<Attributes>

const factsLiveMs = 30_000
const maxEntries = 1_000

const apiPath: Readonly<Record<string, string>> = {
  model: '/api/models/',
  dataset: '/api/datasets/',
  space: '/api/spaces/',
  kernel: '/api/kernels/',
}

export function createResourceFacts({ now, ...address }: ResourceFactsOptions): ResourceFacts {
  const cache = new FlightCache<Attributes>({ maxEntries, now })
  return async ({ type, id }, credential) => {
    const path = apiPath[type]
    if (path === undefined) return {}
    const key = cacheKey(type, id.toLowerCase(), credential?.token ?? '')
    try {
      return await cache.get(key, async () => {
        const value = repoAttributes(await askHub(address, `${path}${id}`, credential?.token))
        return { value, untilMs: now() + factsLiveMs }
      })
    } catch {
      return {}
    }
  }
}
