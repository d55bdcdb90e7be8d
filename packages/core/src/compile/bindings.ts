/**
 * Bindings against a principal: which roles its verified claims give, and until when.
 *
 * Bindings are indexed by issuer and by their most telling value, so that a principal meets those
 * that can match and not all of them.
 *
 * @module
 */
import type { Binding } from '../policy/policy.ts'
import type { SubjectDocument } from '../policy/schema.ts'
import type { Json, OrgMembership, PrincipalShape } from '../types.ts'
import { judge } from './conditions.ts'
import { principalFact, walk } from './facts.ts'

export interface BoundRoles {
  readonly bindings: readonly Binding[]
  /** Epoch milliseconds at which a binding begins or ends and the roles have to be worked out again. */
  readonly validUntil?: number
}

export type BindingIndex = (principal: PrincipalShape, now: number) => BoundRoles

export function indexBindings(bindings: readonly Binding[]): BindingIndex {
  const byKey = new Map<string, Binding[]>()
  for (const binding of bindings) {
    for (const key of keysOf(binding)) {
      const list = byKey.get(key)
      if (list === undefined) byKey.set(key, [binding])
      else list.push(binding)
    }
  }
  return (principal, now) => {
    const matching = new Set<Binding>()
    let validUntil: number | undefined
    for (const key of keysOfPrincipal(principal)) {
      for (const binding of byKey.get(key) ?? []) {
        if (!matches(binding, principal)) continue
        const { from, until } = binding
        if ((from === undefined || from <= now) && (until === undefined || now < until)) matching.add(binding)
        for (const change of [from, until]) {
          if (change !== undefined && change > now) validUntil = Math.min(validUntil ?? change, change)
        }
      }
    }
    return { bindings: [...matching], ...(validUntil === undefined ? {} : { validUntil }) }
  }
}

/** A text that every principal the binding matches also has. One for each issuer and value it names. */
function keysOf(binding: Binding): string[] {
  const { to } = binding
  const issuers = to.issuer === undefined ? ['*'] : [to.issuer].flat()
  return issuers.flatMap((issuer) => anchors(to).map((anchor) => key(issuer, anchor)))
}

function anchors(to: SubjectDocument): string[] {
  const claim = Object.entries(to.claims ?? {}).find(
    ([name, value]) => !name.startsWith('$') && typeof value === 'string',
  )
  if (claim !== undefined) return [`claim ${claim[0]} ${claim[1]}`]
  if (to.username !== undefined) return [to.username].flat().map((name) => `username ${name.toLowerCase()}`)
  if (to.email !== undefined) return [to.email].flat().map((email) => `email ${email.toLowerCase()}`)
  if (to.group !== undefined) return [to.group].flat().map((group) => `group ${group}`)
  if (to.org !== undefined) return [to.org].flat().map((org) => `org ${org.toLowerCase()}`)
  return ['any']
}

function* keysOfPrincipal(principal: PrincipalShape): Iterable<string> {
  const values = new Set<string>(['any'])
  if (principal.username !== undefined) values.add(`username ${principal.username.toLowerCase()}`)
  if (principal.email !== undefined) values.add(`email ${principal.email.toLowerCase()}`)
  for (const group of principal.groups ?? []) values.add(`group ${group}`)
  for (const org of principal.orgs ?? []) {
    values.add(`org ${org.id.toLowerCase()}`)
    values.add(`org ${org.handle.toLowerCase()}`)
  }
  for (const path of claimTexts(principal.claims, '')) values.add(`claim ${path}`)
  for (const value of values) {
    yield key(principal.issuer, value)
    yield key('*', value)
  }
}

/** Every text in the claims with the path a condition would use for it; an element of a list counts as the list. */
function* claimTexts(claims: { readonly [name: string]: Json }, prefix: string): Iterable<string> {
  for (const [name, value] of Object.entries(claims)) {
    for (const item of Array.isArray(value) ? (value as readonly Json[]) : [value]) {
      if (typeof item === 'string') yield `${prefix}${name} ${item}`
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      yield* claimTexts(value as { readonly [name: string]: Json }, `${prefix}${name}.`)
    }
  }
}

function key(issuer: string, anchor: string): string {
  return `${issuer} ${anchor}`
}

/** All parts of `to` must hold; what a principal does not tell does not hold. */
function matches(binding: Binding, principal: PrincipalShape): boolean {
  const { to } = binding
  if ((to.anonymous === true || to.kind === 'anonymous') !== (principal.kind === 'anonymous')) return false
  return (
    holds(to.issuer, (issuer) => issuer === principal.issuer) &&
    holds(to.kind, (kind) => kind === principal.kind) &&
    holds(to.username, (name) => sameName(name, principal.username)) &&
    holds(to.email, (email) => principal.emailVerified === true && sameName(email, principal.email)) &&
    holds(to.group, (group) => principal.groups?.includes(group) === true) &&
    memberOf(to, principal) &&
    (binding.claims === undefined ||
      judge(binding.claims, (path) =>
        path.root === 'principal' ? principalFact(principal, path.name) : walk(principal.claims, path.name),
      ) === true)
  )
}

/** `org`, `orgRole` and `resourceGroup` have to hold of one and the same membership. */
function memberOf(to: SubjectDocument, principal: PrincipalShape): boolean {
  if (to.org === undefined && to.orgRole === undefined && to.resourceGroup === undefined) return true
  return (principal.orgs ?? []).some(
    (membership) =>
      isUsable(membership) &&
      holds(to.org, (org) => org === membership.id || sameName(org, membership.handle)) &&
      holds(to.orgRole, (role) => role === membership.role) &&
      holds(to.resourceGroup, (group) =>
        (membership.resourceGroups ?? []).some(({ id, name }) => group === id || group === name),
      ),
  )
}

/** Hugging Face says of a membership when its own rules (SSO, MFA, IP, token policy) close it just now. */
function isUsable(membership: OrgMembership): boolean {
  return (membership.restrictions ?? []).length === 0
}

/** Whether one of the values in a `to` holds; a key that is not there asks nothing. */
function holds<T extends string>(
  wanted: T | readonly T[] | undefined,
  check: (value: T) => boolean,
): boolean {
  return wanted === undefined || ([wanted].flat() as T[]).some(check)
}

function sameName(a: string, b: string | undefined): boolean {
  return b !== undefined && a.toLowerCase() === b.toLowerCase()
}
