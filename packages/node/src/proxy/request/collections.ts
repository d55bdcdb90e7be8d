/**
 * Collections: what they hold, cut down to what their reader may read.
 *
 * forward → **collections** → client. A collection names repositories of every kind; who may see it may not see
 * all of them. Items of a kind that the policy has no rules for, such as papers, are left out, too.
 *
 * @module
 */
import type { RouteMatch } from '@hfauth/core'
import { type FilterOptions, filterItems } from '../bodies/lists.ts'
import { withCut } from '../bodies/whole-answer.ts'
import type { UpstreamCredential } from '../upstream/credentials.ts'
import { isObject } from '../upstream/repo-attributes.ts'
import type { Reply } from '../wire/reply.ts'
import type { Known, Parts } from './known.ts'

/** Whether what a route answers is a collection, or tells of one. */
export function isCollectionRoute({ route }: RouteMatch): boolean {
  return route.path === '/api/collections' || route.path.startsWith('/api/collections/')
}

export interface ReadableItemsOptions {
  /** What the request does with the collection. */
  readonly action: string
  readonly known: Known
  readonly parts: Parts
  /** With what the collection was asked for. */
  readonly credential: UpstreamCredential | undefined
}

/**
 * The answer of a collection route, without what may not be read. Of a change it may be no JSON, and then it
 * names nothing.
 *
 * @throws ProxyRefusal as {@link withCut}.
 */
export async function withReadableItems(
  reply: Reply,
  { action, known: { caller }, parts: { facts, settings }, credential }: ReadableItemsOptions,
): Promise<Reply> {
  const { status, headers, body } = reply
  if (status < 200 || status > 299 || body === null) return reply
  const isJson = /^application\/json\b/i.test(headers.get('content-type') ?? '')
  if (!isJson && action !== 'read') return reply
  const { access, context } = caller
  const factsOf: FilterOptions['factsOf'] = (item) => facts(item, credential)
  const cut = (value: unknown) => cutCollections(value, { access, action: 'read', context, factsOf })
  return withCut(reply, cut, { timeoutMs: settings.upstreamTimeoutMs })
}

/** Takes from one collection, also as the `data` of an answer, or from a list of them what may not be read. */
export async function cutCollections(value: unknown, options: FilterOptions): Promise<unknown> {
  // All at once: there is a bound to how many the Hub is asked about.
  const shown = new Set(await filterItems(itemsOf(value), { ...options, typeOf: kindOf }))
  return withItems(value, (item) => shown.has(item))
}

function kindOf(item: unknown): string | undefined {
  return isObject(item) && typeof item.type === 'string' ? item.type : undefined
}

function itemsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(itemsOf)
  if (!isObject(value)) return []
  return [...(Array.isArray(value.items) ? value.items : []), ...itemsOf(value.data)]
}

function withItems(value: unknown, isShown: (item: unknown) => boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => withItems(one, isShown))
  if (!isObject(value)) return value
  return {
    ...value,
    ...(Array.isArray(value.items) ? { items: value.items.filter(isShown) } : {}),
    ...('data' in value ? { data: withItems(value.data, isShown) } : {}),
  }
}
