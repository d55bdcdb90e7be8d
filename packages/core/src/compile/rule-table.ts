/**
 * Rule tables: the index in front of CASL. By type and action, then by exact id, then by owner, so that
 * a question meets only rules that can match it, however many there are.
 *
 * @module
 */
import { getOrAdd } from '../internal/maps.ts'
import type { CompiledRule } from './casl.ts'

const none: readonly CompiledRule[] = []

/** Rules on one action and type. */
export class Bucket {
  private readonly exact = new Map<string, CompiledRule[]>()
  /** By the literal text up to the first `/`. */
  private readonly byOwner = new Map<string, CompiledRule[]>()
  /** Those whose pattern begins with a wildcard: they may match anything. */
  readonly anywhere: CompiledRule[] = []
  /** Whether any rule here allows, and whether any denies. */
  allows = false
  denies = false

  add(compiled: CompiledRule): void {
    if (compiled.isDenial) this.denies = true
    else this.allows = true
    const id = compiled.rule.id
    if (id === undefined || id.startsWith('*')) this.anywhere.push(compiled)
    else if (!id.includes('*')) getOrAdd(this.exact, id, () => []).push(compiled)
    else if (ownerOf(id).length < id.indexOf('*'))
      getOrAdd(this.byOwner, ownerOf(id), () => []).push(compiled)
    else this.anywhere.push(compiled)
  }

  addAll({ exact, byOwner, anywhere, allows, denies }: Bucket): void {
    this.allows ||= allows
    this.denies ||= denies
    for (const [id, rules] of exact) getOrAdd(this.exact, id, () => []).push(...rules)
    for (const [owner, rules] of byOwner) getOrAdd(this.byOwner, owner, () => []).push(...rules)
    this.anywhere.push(...anywhere)
  }

  /** Rules that name this very id. */
  on(id: string): readonly CompiledRule[] {
    return this.exact.size === 0 ? none : (this.exact.get(id) ?? none)
  }

  /** Rules whose pattern begins with the owner of an id. */
  under(owner: string): readonly CompiledRule[] {
    return this.byOwner.size === 0 ? none : (this.byOwner.get(owner) ?? none)
  }
}

/** All rules of one role, of everybody, or of one principal alone. */
export class RuleTable {
  private readonly byType = new Map<string, Map<string, Bucket>>()
  private readonly hasWildcards: boolean

  constructor(rules: Iterable<CompiledRule>) {
    let wild = false
    for (const compiled of rules) {
      for (const type of compiled.rule.types) {
        for (const action of compiled.rule.actions) {
          const byAction = getOrAdd(this.byType, type, () => new Map<string, Bucket>())
          getOrAdd(byAction, action, () => new Bucket()).add(compiled)
          wild ||= type === '**' || action === '*'
        }
      }
    }
    this.hasWildcards = wild
  }

  /** Adds to `found` the up to four buckets in which rules on this action and type can stand. */
  collect(action: string, type: string, found: Bucket[]): void {
    collectFrom(this.byType.get(type), action, this.hasWildcards, found)
    if (this.hasWildcards) collectFrom(this.byType.get('**'), action, true, found)
  }
}

function collectFrom(
  byAction: ReadonlyMap<string, Bucket> | undefined,
  action: string,
  wildToo: boolean,
  found: Bucket[],
): void {
  if (byAction === undefined) return
  const own = byAction.get(action)
  if (own !== undefined) found.push(own)
  const any = wildToo ? byAction.get('*') : undefined
  if (any !== undefined) found.push(any)
}

/** The buckets of several tables on one action and type. */
export function bucketsIn(tables: readonly RuleTable[], action: string, type: string): Bucket[] {
  const found: Bucket[] = []
  for (const table of tables) table.collect(action, type, found)
  return found
}

export function mergeBuckets(buckets: readonly Bucket[]): Bucket {
  const merged = new Bucket()
  for (const bucket of buckets) merged.addAll(bucket)
  return merged
}

/** The part of an id, or of a glob, before the first `/`. */
export function ownerOf(id: string): string {
  const slash = id.indexOf('/')
  return slash < 0 ? id : id.slice(0, slash)
}
