/**
 * Facts: what a condition may ask about a principal, a resource and a request.
 *
 * @module
 */
import type { FactPath } from '../policy/condition.ts'
import { own } from '../principal/claims.ts'
import type { Json, PrincipalShape, RequestContext } from '../types.ts'

/** Looks a fact up; `undefined` when it is not known. */
export type FactSource = (path: FactPath) => Json | undefined

/** A resource whose id is canonical. */
export interface CanonicalResource {
  readonly type: string
  readonly id: string
  readonly attributes: { readonly [name: string]: Json | undefined }
}

export interface RequestFacts {
  readonly resource: CanonicalResource
  readonly context: RequestContext
}

export function requestFact(facts: RequestFacts, path: FactPath): Json | undefined {
  if (path.root === 'resource') return resourceFact(facts.resource, path.name)
  if (path.root === 'context') return walk(facts.context as { [name: string]: Json }, path.name)
  return undefined
}

function resourceFact(resource: CanonicalResource, name: string): Json | undefined {
  switch (name) {
    case 'id':
      return resource.id
    case 'type':
      return resource.type
    case 'owner':
      return resource.id.slice(0, Math.max(0, resource.id.indexOf('/')))
    case 'name':
      return resource.id.slice(resource.id.indexOf('/') + 1)
    default:
      return walk(resource.attributes, name)
  }
}

/** Times are epoch milliseconds here, as `context.time` is; an unverified e-mail address is unknown. */
export function principalFact(principal: PrincipalShape, name: string): Json | undefined {
  switch (name) {
    case 'email':
      return principal.emailVerified === true ? principal.email : undefined
    case 'authTime':
    case 'issuedAt':
    case 'expiresAt': {
      const seconds = principal[name]
      return seconds === undefined ? undefined : seconds * 1000
    }
    case 'kind':
    case 'issuer':
    case 'id':
    case 'username':
    case 'name':
    case 'emailVerified':
    case 'mfa':
    case 'groups':
    case 'scopes':
      return principal[name]
    case 'orgs':
      return principal.orgs as Json | undefined
    default:
      return name.startsWith('claims.') ? walk(principal.claims, name.slice('claims.'.length)) : undefined
  }
}

/** An own member of that name, dots and all; failing that, step by step. `null` says nothing and is unknown. */
export function walk(node: { readonly [name: string]: Json | undefined }, name: string): Json | undefined {
  const whole = own(node as { [name: string]: Json }, name)
  if (whole !== undefined) return whole ?? undefined
  const dot = name.indexOf('.')
  if (dot < 0) return undefined
  const next = own(node as { [name: string]: Json }, name.slice(0, dot))
  if (typeof next !== 'object' || next === null || Array.isArray(next)) return undefined
  return walk(next as { [name: string]: Json }, name.slice(dot + 1))
}
