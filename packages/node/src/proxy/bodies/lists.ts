/**
 * Lists: an upstream list, cut down to what its reader may use.
 *
 * forward → **lists** → client. Each item is judged with what the list says of it, and, where that leaves the
 * answer open, with what the Hub says of it. Whatever stays open is left out.
 *
 * @module
 */
import type { Access, Json, RequestContext, Resource } from '@hfauth/core'
import { type Attributes, isObject, repoAttributes } from '../upstream/repo-attributes.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'

/** Most items of one list that the Hub is asked about one by one, and how many at a time. */
const maxLookups = 100
const parallelLookups = 8

export interface FilterOptions {
  readonly access: Access
  readonly action: string
  readonly context: RequestContext
  /** Asks the Hub about one item. */
  readonly factsOf: (resource: { readonly type: string; readonly id: string }) => Promise<Attributes>
}

export interface FilterListOptions extends FilterOptions {
  readonly type: string
  /** Whose list it is, where the path says so: there an item may be named without its owner. */
  readonly owner?: string | undefined
}

export interface FilterItemsOptions extends FilterOptions {
  /** The type of an item; one without is left out. */
  readonly typeOf: (item: unknown) => string | undefined
  readonly owner?: string | undefined
}

/**
 * Filters an array of descriptions, the models of an OpenAI-style `{ data: [...] }`, or the endpoints of an
 * `{ items: [...] }`.
 *
 * @throws ProxyRefusal 502 `upstream_mismatch` for any other shape.
 */
export async function filterList(value: unknown, options: FilterListOptions): Promise<unknown> {
  const { type, ...rest } = options
  const each = { ...rest, typeOf: () => type }
  if (Array.isArray(value)) return filterItems(value, each)
  const member = type === 'endpoint' ? 'items' : 'data'
  const items = isObject(value) ? value[member] : undefined
  if (!isObject(value) || !Array.isArray(items)) throw new ProxyRefusal('upstream_mismatch')
  return { ...value, [member]: await filterItems(items, each) }
}

/** The items that may be read, in their order. */
export async function filterItems(
  items: readonly unknown[],
  options: FilterItemsOptions,
): Promise<unknown[]> {
  const { access, action, context, factsOf } = options
  const variants = items.map((item) => variantsOf(item, options))
  const open = variants.filter(
    (forms) =>
      !forms.some((form) => access.can(action, form, context)) &&
      forms.some((form) => access.likelihood(action, form, context) === 'maybe'),
  )
  const known = new Map<Resource[], Attributes>()
  const queue = open.slice(0, maxLookups)
  const worker = async () => {
    for (let forms = queue.shift(); forms !== undefined; forms = queue.shift()) {
      const [first] = forms
      if (first !== undefined) known.set(forms, await factsOf(first))
    }
  }
  await Promise.all(Array.from({ length: parallelLookups }, worker))
  return items.filter((_, i) => {
    const forms = variants[i] ?? []
    const facts = known.get(forms)
    const judged = facts === undefined ? forms : forms.map((form) => withFacts(form, facts))
    return access.filter(action, judged, context).length > 0
  })
}

/** One form of the item for each provider it can be had from: it is shown when one of them may be used. */
function variantsOf(item: unknown, { typeOf, owner }: FilterItemsOptions): Resource[] {
  const type = typeOf(item)
  if (type === undefined || !isObject(item)) return []
  const named = type === 'endpoint' ? item.name : (item.id ?? item.slug)
  if (typeof named !== 'string') return []
  const id = owner === undefined || named.includes('/') ? named : `${owner}/${named}`
  const attributes = repoAttributes(item)
  const providers = Array.isArray(item.providers) ? item.providers : []
  const names = providers.flatMap((entry) =>
    isObject(entry) && typeof entry.provider === 'string' ? [entry.provider] : [],
  )
  const forms: Attributes[] = [attributes, ...names.map((provider) => ({ ...attributes, provider }))]
  return forms.map((form) => ({ type, id, attributes: form }))
}

function withFacts(resource: Resource, facts: Attributes): Resource {
  return { ...resource, attributes: { ...facts, ...(resource.attributes as { [name: string]: Json }) } }
}

/** Attributes that rules ask for must be in the answer, when the caller has said which members it wants. */
export function withNeededMembers(query: URLSearchParams): string {
  const key = ['expand', 'expand[]'].find((name) => query.has(name))
  const wider = new URLSearchParams(query)
  if (key !== undefined) {
    for (const member of ['private', 'gated', 'tags']) {
      if (!wider.getAll(key).includes(member)) wider.append(key, member)
    }
  }
  return wider.size === 0 ? '' : `?${wider}`
}
