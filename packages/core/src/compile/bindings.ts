/**
 * Bindings against a principal: which roles its verified claims give, and until when.
 *
 * Each binding is filed under its issuers and its most telling value (a claim, a name, a group, an
 * organisation), so that a principal meets those that can match and not all of them.
 *
 * @module
 */
import { getOrAdd } from '../internal/maps.ts'
import type { Binding } from '../policy/policy.ts'
import type { SubjectDocument } from '../policy/schema.ts'
import type { Json, OrgMembership, PrincipalShape } from '../types.ts'
import { compileCondition, type Judge } from './conditions.ts'
import { principalReader, walk } from './facts.ts'

export interface BoundRoles {
  readonly bindings: readonly Binding[]
  /** Epoch milliseconds at which a binding begins or ends and the roles have to be worked out again. */
  readonly validUntil: number | undefined
}

export type BindingIndex = (principal: PrincipalShape, now: number) => BoundRoles

interface CompiledBinding {
  readonly binding: Binding
  readonly claims: Judge<PrincipalShape> | undefined
}

/** The bindings of one issuer, or of all of them. */
interface IssuerFile {
  /** By the kind of value (`group`, `org`, `claim repository`), then by the value. */
  readonly byValue: Map<string, Map<string, CompiledBinding[]>>
  /** Those without any value that could be looked up. */
  readonly others: CompiledBinding[]
}

const anyIssuer = '*'

export function indexBindings(bindings: readonly Binding[]): BindingIndex {
  const files = new Map<string, IssuerFile>()
  for (const binding of bindings) {
    const claims = binding.claims && compileCondition(binding.claims, principalReader)
    for (const issuer of binding.to.issuer === undefined ? [anyIssuer] : [binding.to.issuer].flat()) {
      file(files, issuer, { binding, claims })
    }
  }
  return (principal, now) => {
    const found: Binding[] = []
    let validUntil: number | undefined
    const consider = ({ binding, claims }: CompiledBinding) => {
      if (found.includes(binding) || !matches(binding.to, claims, principal)) return
      const { from, until } = binding
      if ((from === undefined || from <= now) && (until === undefined || now < until)) found.push(binding)
      for (const change of [from, until]) {
        if (change !== undefined && change > now) validUntil = Math.min(validUntil ?? change, change)
      }
    }
    for (const issuer of [principal.issuer, anyIssuer]) {
      const entries = files.get(issuer)
      if (entries === undefined) continue
      for (const [kind, lists] of entries.byValue) {
        for (const value of valuesOf(principal, kind))
          for (const entry of lists.get(value) ?? []) consider(entry)
      }
      for (const entry of entries.others) consider(entry)
    }
    return { bindings: found, validUntil }
  }
}

function file(files: Map<string, IssuerFile>, issuer: string, entry: CompiledBinding): void {
  const entries = getOrAdd(files, issuer, () => ({ byValue: new Map(), others: [] }))
  const anchor = anchorOf(entry.binding.to)
  if (anchor === undefined) {
    entries.others.push(entry)
    return
  }
  const lists = getOrAdd(entries.byValue, anchor.kind, () => new Map<string, CompiledBinding[]>())
  for (const value of new Set(anchor.values)) getOrAdd(lists, value, () => []).push(entry)
}

interface Anchor {
  readonly kind: string
  readonly values: readonly string[]
}

/** What every principal that the binding matches must have. */
function anchorOf(to: SubjectDocument): Anchor | undefined {
  const claim = Object.entries(to.claims ?? {}).find(
    ([name, value]) => !name.startsWith('$') && typeof value === 'string',
  )
  if (claim !== undefined) return { kind: `claim ${claim[0]}`, values: [claim[1] as string] }
  for (const kind of ['username', 'email', 'group', 'org'] as const) {
    const values = to[kind]
    if (values !== undefined)
      return {
        kind,
        values: [values].flat().map((value) => (kind === 'group' ? value : value.toLowerCase())),
      }
  }
  return undefined
}

/** A principal's values of a kind, spelt as they are filed. */
function valuesOf(principal: PrincipalShape, kind: string): readonly string[] {
  switch (kind) {
    case 'username':
      return principal.username === undefined ? [] : [principal.username.toLowerCase()]
    case 'email':
      return principal.email === undefined ? [] : [principal.email.toLowerCase()]
    case 'group':
      return principal.groups ?? []
    case 'org':
      return (principal.orgs ?? []).flatMap(({ id, handle }) => [id.toLowerCase(), handle.toLowerCase()])
    default:
      return claimTexts(walk(principal.claims, kind.slice('claim '.length)))
  }
}

/** As conditions compare: a list has each of its values. */
function claimTexts(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

/** All parts of `to` must hold; what a principal does not tell does not hold. */
function matches(
  to: SubjectDocument,
  claims: Judge<PrincipalShape> | undefined,
  principal: PrincipalShape,
): boolean {
  if ((to.anonymous === true || to.kind === 'anonymous') !== (principal.kind === 'anonymous')) return false
  return (
    holds(to.issuer, (issuer) => issuer === principal.issuer) &&
    holds(to.kind, (kind) => kind === principal.kind) &&
    holds(to.username, (name) => sameName(name, principal.username)) &&
    holds(to.email, (email) => principal.emailVerified === true && sameName(email, principal.email)) &&
    holds(to.group, (group) => principal.groups?.includes(group) === true) &&
    memberOf(to, principal) &&
    (claims === undefined || claims(principal) === true)
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
  if (wanted === undefined) return true
  return typeof wanted === 'string' ? check(wanted) : wanted.some(check)
}

function sameName(a: string, b: string | undefined): boolean {
  return b !== undefined && a.toLowerCase() === b.toLowerCase()
}
