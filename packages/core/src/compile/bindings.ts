/**
 * Bindings against a principal: which roles its verified claims give, and until when.
 *
 * Each binding is filed under its issuers and its most telling value (a claim, a name, a group, an
 * organisation), so that a principal meets those that can match and not all of them.
 *
 * @module
 */
import { foldCase } from '../internal/fold.ts'
import { getOrAdd } from '../internal/maps.ts'
import { Scratch } from '../internal/scratch.ts'
import type { Binding } from '../policy/policy.ts'
import type { SubjectDocument } from '../policy/schema.ts'
import type { Json, OrgMembership, PrincipalShape } from '../types.ts'
import { compileCondition } from './conditions.ts'
import { principalReader, walk } from './facts.ts'
import type { RolePart } from './role-part.ts'

/** A binding with what its roles are in an environment, worked out when somebody is first found to have them. */
export interface HeldBinding extends Binding {
  parts?: readonly RolePart[]
}

export interface BoundRoles {
  readonly bindings: readonly HeldBinding[]
  /** Epoch milliseconds at which a binding begins or ends and the roles have to be worked out again. */
  readonly validUntil: number | undefined
}

export type BindingIndex = (principal: PrincipalShape, now: number) => BoundRoles

type Check = (principal: PrincipalShape) => boolean

interface CompiledBinding extends HeldBinding {
  /** What still has to hold of a principal that was found under the binding's issuer and value. */
  readonly checks: readonly Check[]
}

/** The bindings of one issuer, or of all of them. */
interface IssuerFile {
  /** For each kind of value (`group`, `org`, `claim repository`) the bindings by the value. */
  readonly byKind: { readonly kind: string; readonly lists: Map<string, CompiledBinding[]> }[]
  /** Those without any value that could be looked up. */
  readonly others: CompiledBinding[]
}

const anyIssuer = '*'
const noBindings: readonly CompiledBinding[] = []

export function indexBindings(bindings: readonly Binding[]): BindingIndex {
  const files = new Map<string, IssuerFile>()
  for (const binding of bindings) {
    const { issuer = anyIssuer } = binding.to
    for (const alias of [issuer].flat()) file(getOrAdd(files, alias, emptyFile), binding)
  }
  const common = files.get(anyIssuer)
  return (principal, now) => {
    const search = new Search(principal, now)
    const own = files.get(principal.issuer)
    if (own !== undefined) search.through(own)
    if (common !== undefined) search.through(common)
    return { bindings: found.copy(), validUntil: search.validUntil }
  }
}

/** Bindings of the search under way; a search never waits and never starts another. */
const found = /* @__PURE__ */ new Scratch<CompiledBinding>()

/** One principal's way through the files. */
class Search {
  validUntil: number | undefined
  private readonly principal: PrincipalShape
  private readonly now: number

  constructor(principal: PrincipalShape, now: number) {
    this.principal = principal
    this.now = now
    found.clear()
  }

  through({ byKind, others }: IssuerFile): void {
    for (const { kind, lists } of byKind) {
      for (const value of valuesOf(this.principal, kind)) this.consider(lists.get(value) ?? noBindings)
    }
    this.consider(others)
  }

  private consider(candidates: readonly CompiledBinding[]): void {
    for (let i = 0; i < candidates.length; i++) {
      const binding = candidates[i] as CompiledBinding
      if (found.has(binding)) continue
      const { checks } = binding
      let holds = true
      for (let j = 0; j < checks.length && holds; j++) holds = (checks[j] as Check)(this.principal)
      if (holds) this.take(binding)
    }
  }

  private take(binding: CompiledBinding): void {
    const { from, until } = binding
    const { now } = this
    if ((from === undefined || from <= now) && (until === undefined || now < until)) found.add(binding)
    if (from !== undefined && from > now) this.validUntil = Math.min(this.validUntil ?? from, from)
    if (until !== undefined && until > now) this.validUntil = Math.min(this.validUntil ?? until, until)
  }
}

function emptyFile(): IssuerFile {
  return { byKind: [], others: [] }
}

function file(into: IssuerFile, binding: Binding): void {
  const { byKind, others } = into
  const anchor = anchorOf(binding.to)
  const compiled: CompiledBinding = { ...binding, checks: checksOf(binding, anchor) }
  if (anchor === undefined) {
    others.push(compiled)
    return
  }
  const { lists } = byKind.find(({ kind }) => kind === anchor.kind) ?? added(into, anchor.kind)
  for (const value of new Set(anchor.values)) getOrAdd(lists, value, () => []).push(compiled)
}

function added({ byKind }: IssuerFile, kind: string): IssuerFile['byKind'][number] {
  const own = { kind, lists: new Map<string, CompiledBinding[]>() }
  byKind.push(own)
  return own
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
        values: [values].flat().map((value) => (kind === 'group' ? value : foldCase(value))),
      }
  }
  return undefined
}

/** A principal's values of a kind, spelt as they are filed. */
function valuesOf(principal: PrincipalShape, kind: string): readonly string[] {
  switch (kind) {
    case 'username':
      return principal.username === undefined ? [] : [foldCase(principal.username)]
    case 'email':
      return principal.email === undefined ? [] : [foldCase(principal.email)]
    case 'group':
      return principal.groups ?? []
    case 'org':
      return (principal.orgs ?? []).flatMap(({ id, handle }) => [foldCase(id), foldCase(handle)])
    default:
      return claimTexts(walk(principal.claims, kind.slice('claim '.length)))
  }
}

/** As conditions compare: a list has each of its values. */
function claimTexts(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

/** All parts of `to` must hold; what a principal does not tell does not hold. What the filing has shown is left out. */
function checksOf({ to, claims }: Binding, anchor: Anchor | undefined): Check[] {
  const forAnonymous = to.anonymous === true || to.kind === 'anonymous'
  const checks: Check[] = []
  // Whoever has a value to be filed under is not anonymous.
  if (forAnonymous || anchor === undefined) checks.push(({ kind }) => (kind === 'anonymous') === forAnonymous)
  if (to.kind !== undefined) checks.push(({ kind }) => holds(to.kind, (wanted) => wanted === kind))
  if (to.username !== undefined && anchor?.kind !== 'username') {
    checks.push(({ username }) => holds(to.username, (name) => sameName(name, username)))
  }
  if (to.email !== undefined) {
    checks.push(
      ({ email, emailVerified }) =>
        emailVerified === true && holds(to.email, (wanted) => sameName(wanted, email)),
    )
  }
  if (to.group !== undefined && anchor?.kind !== 'group') {
    checks.push(({ groups }) => holds(to.group, (group) => groups?.includes(group) === true))
  }
  if (to.org !== undefined || to.orgRole !== undefined || to.resourceGroup !== undefined) {
    checks.push((principal) => memberOf(to, principal))
  }
  if (claims !== undefined) {
    const judge = compileCondition(claims, principalReader)
    checks.push((principal) => judge(principal) === true)
  }
  return checks
}

/** `org`, `orgRole` and `resourceGroup` have to hold of one and the same membership. */
function memberOf(to: SubjectDocument, principal: PrincipalShape): boolean {
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
  return b !== undefined && foldCase(a) === foldCase(b)
}
