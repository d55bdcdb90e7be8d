/**
 * Resource facts: what the Hub says of a repository, for rules that ask.
 *
 * Asked only when the answer could turn on it, and remembered for half a minute under the credential that
 * saw it. Whatever goes wrong leaves the facts unknown, and unknown never opens a door.
 *
 * @module
 */
import { cacheKey, FlightCache } from '../internal/flight-cache.ts'
import type { UpstreamCredential } from './credentials.ts'
import { Fields } from './fields.ts'
import { readBounded } from './json-body.ts'
import { type Attributes, repoAttributes } from './repo-attributes.ts'
import { Stop } from './stop.ts'
import type { Send } from './upstream-client.ts'

export interface ResourceFactsOptions {
  /** Origin of the Hub. */
  readonly hub: string
  readonly send: Send
  readonly now: () => number
  /** Longest wait for one description, in milliseconds. Default 5000. */
  readonly timeoutMs?: number
}

export type ResourceFacts = (
  resource: { readonly type: string; readonly id: string },
  credential: UpstreamCredential | undefined,
) => Promise<Attributes>

const factsLiveMs = 30_000
const maxEntries = 1_000
const maxBytes = 2 * 1024 * 1024

const apiPath: Readonly<Record<string, string>> = {
  model: '/api/models/',
  dataset: '/api/datasets/',
  space: '/api/spaces/',
  kernel: '/api/kernels/',
}

export function createResourceFacts({
  hub,
  send,
  now,
  timeoutMs = 5000,
}: ResourceFactsOptions): ResourceFacts {
  const cache = new FlightCache<Attributes>({ maxEntries, now })
  return async ({ type, id }, credential) => {
    const path = apiPath[type]
    if (path === undefined) return {}
    const key = cacheKey(type, id.toLowerCase(), credential?.token ?? '')
    try {
      return await cache.get(key, async () => {
        const value = await ask(`${path}${id}`, credential?.token)
        return { value, untilMs: now() + factsLiveMs }
      })
    } catch {
      return {}
    }
  }

  async function ask(path: string, token: string | undefined): Promise<Attributes> {
    const headers = new Fields(Object.entries({ accept: 'application/json', 'accept-encoding': 'identity' }))
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    const stop = new Stop()
    const timer = setTimeout(() => stop.stop('late'), timeoutMs)
    try {
      const { status, body } = await send({ method: 'GET', origin: hub, path, headers, stop })
      const bytes = await readBounded(body, { maxBytes, timeoutMs })
      if (status !== 200 || typeof bytes === 'string') throw new Error('no description')
      return repoAttributes(JSON.parse(new TextDecoder().decode(bytes)))
    } finally {
      clearTimeout(timer)
    }
  }
}
