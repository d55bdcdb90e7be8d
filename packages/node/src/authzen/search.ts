/**
 * Search: the subjects, resources or actions for which an AuthZEN question would be answered with yes.
 *
 * entities → **search** → `{ results }`. Asks the same engine about everything that the application lists, so
 * that a search and an evaluation cannot disagree. Results come in one page, in the order of their ids.
 *
 * @see OpenID AuthZEN Authorization API 1.0 §8
 * @module
 */
import type { Json } from '@hfauth/core'
import { memberOf, type Properties, readAction, readContext, readEntity, readKind } from './entities.ts'
import { asSent, contextOf } from './evaluate.ts'
import type { AuthzenOptions } from './types.ts'

export interface SearchResult {
  readonly page?: { readonly next_token: '' }
  readonly results: readonly { readonly [name: string]: Json }[]
}

export type Search = (body: Properties, options: AuthzenOptions) => Promise<SearchResult>

export const searchSubjects: Search = async (
  body,
  { engine, principalOf, resourceOf = asSent, subjectsOf },
) => {
  const type = readKind(body, 'subject')
  const action = readAction(body)
  const context = contextOf(action, readContext(body))
  const resource = await resourceOf(readEntity(body, 'resource'))
  const ids = (await subjectsOf?.(type)) ?? []
  const found: string[] = []
  for (const id of ids) {
    const principal = await principalOf({ type, id, properties: {} })
    if (principal !== undefined && engine.for(principal).can(action.name, resource, context)) found.push(id)
  }
  return resultOf(body, entities(type, found))
}

export const searchResources: Search = async (
  body,
  { engine, principalOf, resourceOf = asSent, resourcesOf },
) => {
  const subject = readEntity(body, 'subject')
  const action = readAction(body)
  const context = contextOf(action, readContext(body))
  const type = readKind(body, 'resource')
  const principal = await principalOf(subject)
  if (principal === undefined) return resultOf(body, [])
  const access = engine.for(principal)
  const found: string[] = []
  for (const id of (await resourcesOf?.(type)) ?? []) {
    const resource = await resourceOf({ type, id, properties: {} })
    if (access.can(action.name, resource, context)) found.push(id)
  }
  return resultOf(body, entities(type, found))
}

export const searchActions: Search = async (body, { engine, principalOf, resourceOf = asSent }) => {
  const subject = readEntity(body, 'subject')
  const context = readContext(body)
  const resource = await resourceOf(readEntity(body, 'resource'))
  const principal = await principalOf(subject)
  const names = principal === undefined ? [] : engine.for(principal).searchActions(resource, context)
  return resultOf(
    body,
    names.map((name) => ({ name })),
  )
}

function entities(type: string, ids: readonly string[]) {
  return [...new Set(ids)].sort().map((id) => ({ type, id }))
}

/** Whoever asks for a page gets everything, and is told that nothing follows. */
function resultOf(body: Properties, results: SearchResult['results']): SearchResult {
  if (!Object.hasOwn(body, 'page')) return { results }
  memberOf(body, 'page')
  return { page: { next_token: '' }, results }
}
