/**
 * Resources as they are asked about: `type:id` or an object, made canonical once.
 *
 * Texts repeat, so their canonical forms are remembered, up to a bound.
 *
 * @module
 */
import type { RequestFacts } from '../compile/facts.ts'
import { canonicalId } from '../hub/ids.ts'
import type { RequestContext, ResourceInput } from '../types.ts'

interface ParsedResource {
  readonly type: string
  readonly id: string
}

const remembered = new Map<string, ParsedResource | undefined>()
const maxRemembered = 10_000
/** Longer texts are not worth the memory. */
const maxLength = 256

const noAttributes = {}
const noContext: RequestContext = {}

/**
 * Puts one question's facts into `facts`, which is used again for the next.
 *
 * @returns `undefined` when the resource has no canonical form; such a question is always denied.
 */
export function readFacts(
  facts: RequestFacts,
  input: ResourceInput,
  context: RequestContext | undefined,
  now: number,
): RequestFacts | undefined {
  if (typeof input === 'string') {
    const parsed = parseText(input)
    if (parsed === undefined) return undefined
    facts.type = parsed.type
    facts.id = parsed.id
    facts.attributes = noAttributes
  } else {
    const id = canonicalId(input.type, input.id)
    if (id === undefined) return undefined
    facts.type = input.type
    facts.id = id
    facts.attributes = input.attributes ?? noAttributes
  }
  facts.context = context ?? noContext
  facts.now = now
  return facts
}

export function emptyFacts(): RequestFacts {
  return { type: '', id: '', attributes: noAttributes, context: noContext, now: 0 }
}

function parseText(text: string): ParsedResource | undefined {
  const known = remembered.get(text)
  if (known !== undefined) return known
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  const type = text.slice(0, colon)
  const id = canonicalId(type, text.slice(colon + 1))
  if (id === undefined) return undefined
  const parsed = { type, id }
  if (text.length <= maxLength) {
    if (remembered.size >= maxRemembered) remembered.clear()
    remembered.set(text, parsed)
  }
  return parsed
}

export function nameOf(resource: ResourceInput): string {
  return typeof resource === 'string' ? resource : `${resource.type}:${resource.id}`
}
