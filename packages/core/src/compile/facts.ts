/**
 * Facts: what a condition may ask about a principal, a resource and a request.
 *
 * @module
 */
import type { FactPath } from '../policy/condition.ts'
import { own } from '../principal/claims.ts'
import type { Json, PrincipalShape, RequestContext } from '../types.ts'

export interface Attributes {
  readonly [name: string]: Json | undefined
}

/** One question's resource, under its canonical id, and request. */
export interface RequestFacts {
  type: string
  id: string
  /** What stands before the first `/` of the id, or all of it. */
  owner: string
  attributes: Attributes
  context: RequestContext
  /**
   * Holds the time in epoch milliseconds; a `time` in the context is told in its place. An array of one, since
   * a member that is a fraction or this large would be allocated anew for each question.
   */
  readonly clock: Float64Array
}

/** The time of a question, in epoch milliseconds. */
export function timeOf({ clock }: RequestFacts): number {
  return clock[0] ?? 0
}

/** How a fact of a request is looked up. Requests know nothing of principals: what is left of them stays unknown. */
export function requestReader({ root, name }: FactPath): (facts: RequestFacts) => Json | undefined {
  if (root === 'resource') return resourceReader(name)
  if (root !== 'context') return () => undefined
  return name === 'time'
    ? (facts) => told(facts.context.time) ?? told(facts.clock[0])
    : (facts) => walk(facts.context, name)
}

function resourceReader(name: string): (facts: RequestFacts) => Json | undefined {
  switch (name) {
    case 'id':
      return (facts) => facts.id
    case 'type':
      return (facts) => facts.type
    case 'owner':
      return ({ id }) => id.slice(0, Math.max(0, id.indexOf('/')))
    case 'name':
      return ({ id }) => id.slice(id.indexOf('/') + 1)
    default:
      return (facts) => walk(facts.attributes, name)
  }
}

/** How a fact of a principal is looked up, for conditions on it alone. */
export function principalReader(path: FactPath): (principal: PrincipalShape) => Json | undefined {
  if (path.root === 'claims') return (principal) => walk(principal.claims, path.name)
  return path.root === 'principal' ? (principal) => principalFact(principal, path.name) : () => undefined
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

/** `null` says nothing and is unknown. So is what is no number: it would be neither less nor more, and other than all. */
function told(value: Json | undefined): Json | undefined {
  return value === null || Number.isNaN(value) ? undefined : value
}

/** An own member of that name, dots and all; failing that, step by step. */
export function walk(node: Attributes, name: string): Json | undefined {
  const whole = own(node as { [name: string]: Json }, name)
  if (whole !== undefined) return told(whole)
  const dot = name.indexOf('.')
  if (dot < 0) return undefined
  const next = own(node as { [name: string]: Json }, name.slice(0, dot))
  if (typeof next !== 'object' || next === null || Array.isArray(next)) return undefined
  return walk(next as { [name: string]: Json }, name.slice(dot + 1))
}
