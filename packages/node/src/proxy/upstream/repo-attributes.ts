/**
 * Repo attributes: what the Hub says of a repository → what conditions may ask.
 *
 * Used for a single description and for each item of a list. What the Hub leaves out stays unknown.
 *
 * @module
 */
import type { Json } from '@hfauth/core'

export type Attributes = { readonly [name: string]: Json }

/** @param item - A description from `/api/models` and its like; nothing about it is trusted. */
export function repoAttributes(item: unknown): Attributes {
  if (!isObject(item)) return {}
  const tags = Array.isArray(item.tags) ? item.tags.filter((tag) => typeof tag === 'string') : undefined
  const found: Record<string, Json | undefined> = {
    private: typeof item.private === 'boolean' ? item.private : undefined,
    gated: item.gated === false ? false : item.gated === undefined ? undefined : true,
    tags,
    license: licenseOf(item, tags),
    pipelineTag: textOf(item.pipeline_tag),
    library: textOf(item.library_name),
    resourceGroup: isObject(item.resourceGroup) ? textOf(item.resourceGroup.id) : undefined,
  }
  const known: Record<string, Json> = {}
  for (const [name, value] of Object.entries(found)) if (value !== undefined) known[name] = value
  return known
}

/** From the model card when it came along, otherwise from the tag that the Hub makes of it. */
function licenseOf(item: Record<string, unknown>, tags: readonly string[] | undefined): string | undefined {
  const card = isObject(item.cardData) ? textOf(item.cardData.license) : undefined
  return card ?? tags?.find((tag) => tag.startsWith('license:'))?.slice('license:'.length)
}

export function isPublic(attributes: Attributes): boolean {
  return attributes.private === false && attributes.gated === false
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
