/**
 * Resources as they are asked about: `type:id` or an object, made canonical once.
 *
 * Names repeat, so their canonical forms are remembered, up to a bound.
 *
 * @module
 */
import type { RequestFacts } from '../compile/facts.ts'
import { ownerOf } from '../compile/rule-table.ts'
import { isHubType } from '../hub/actions.ts'
import { canonicalId } from '../hub/ids.ts'
import { Memory } from '../internal/memory.ts'
import type { RequestContext, ResourceInput } from '../types.ts'

interface ParsedId {
  readonly id: string
  readonly owner: string
}

interface ParsedText extends ParsedId {
  readonly type: string
}

/** By `type:id`, and by id: Hub types have other canonical forms than the application's own. */
const bounds = { maxTexts: 10_000, maxLength: 256 }
const texts = new Memory<ParsedText>(bounds)
const hubIds = new Memory<ParsedId>(bounds)
const otherIds = new Memory<ParsedId>(bounds)

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
    facts.owner = parsed.owner
    facts.attributes = noAttributes
  } else {
    const { type, id, attributes } = input
    // A list of one text, as query strings can bring it, passes for that text in some comparisons and not in others.
    if (typeof type !== 'string' || typeof id !== 'string') return undefined
    const parsed = parseId(type, id)
    if (parsed === undefined) return undefined
    facts.type = type
    facts.id = parsed.id
    facts.owner = parsed.owner
    facts.attributes = attributes ?? noAttributes
  }
  facts.context = context ?? noContext
  facts.clock[0] = now
  return facts
}

export function emptyFacts(): RequestFacts {
  return {
    type: '',
    id: '',
    owner: '',
    attributes: noAttributes,
    context: noContext,
    clock: new Float64Array(1),
  }
}

function parseText(text: string): ParsedText | undefined {
  const known = texts.get(text)
  if (known !== undefined) return known
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  const type = text.slice(0, colon)
  const parsed = parse(type, text.slice(colon + 1))
  return parsed && texts.remember(text, { type, ...parsed })
}

function parseId(type: string, text: string): ParsedId | undefined {
  const ids = isHubType(type) ? hubIds : otherIds
  const known = ids.get(text)
  if (known !== undefined) return known
  const parsed = parse(type, text)
  return parsed && ids.remember(text, parsed)
}

function parse(type: string, text: string): ParsedId | undefined {
  const id = canonicalId(type, text)
  return id === undefined ? undefined : { id, owner: ownerOf(id) }
}

export function nameOf(resource: ResourceInput): string {
  return typeof resource === 'string' ? resource : `${resource.type}:${resource.id}`
}
