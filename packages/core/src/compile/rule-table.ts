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

  add(compiled: CompiledRule): void {
    const id = compiled.rule.id
    if (id === undefined || id.startsWith('*')) this.anywhere.push(compiled)
    else if (!id.includes('*')) getOrAdd(this.exact, id, () => []).push(compiled)
    else if (ownerOf(id).length < id.indexOf('*'))
      getOrAdd(this.byOwner, ownerOf(id), () => []).push(compiled)
    else this.anywhere.push(compiled)
  }

  addAll({ exact, byOwner, anywhere }: Bucket): void {
    for (const [id, rules] of exact) for (const rule of rules) getOrAdd(this.exact, id, () => []).push(rule)
    for (const [owner, rules] of byOwner)
      for (const rule of rules) getOrAdd(this.byOwner, owner, () => []).push(rule)
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

/** All rules of one role, or of everybody. */
export class RuleTable {
  private readonly byType = new Map<string, Map<string, Bucket>>()

  constructor(rules: Iterable<CompiledRule>) {
    for (const compiled of rules) {
      for (const type of compiled.rule.types) {
        for (const action of compiled.rule.actions) this.bucket(type, action).add(compiled)
      }
    }
  }

  /** The up to four buckets that rules on this action and type can stand in, wildcards included. */
  bucketsFor(action: string, type: string): Bucket[] {
    const found: Bucket[] = []
    for (const name of [type, '**']) {
      const byAction = this.byType.get(name)
      if (byAction === undefined) continue
      for (const bucket of [byAction.get(action), byAction.get('*')])
        if (bucket !== undefined) found.push(bucket)
    }
    return found
  }

  private bucket(type: string, action: string): Bucket {
    const byAction = getOrAdd(this.byType, type, () => new Map<string, Bucket>())
    return getOrAdd(byAction, action, () => new Bucket())
  }
}

/** After this many questions the buckets of several roles are worth merging into one. */
const usesBeforeMerging = 16

/** The rules of several tables on one action and type. */
export class Candidates {
  private buckets: readonly Bucket[]
  private uses = 0

  constructor(buckets: readonly Bucket[]) {
    this.buckets = buckets
  }

  /** Where to look; one bucket once it has been asked for often enough. */
  list(): readonly Bucket[] {
    if (this.buckets.length > 1 && ++this.uses === usesBeforeMerging) {
      const merged = new Bucket()
      for (const bucket of this.buckets) merged.addAll(bucket)
      this.buckets = [merged]
    }
    return this.buckets
  }
}

/** Several tables as one, with the candidates of each action and type kept. */
export class TableUnion {
  private readonly tables: readonly RuleTable[]
  private readonly known = new Map<string, Map<string, Candidates>>()

  constructor(tables: readonly RuleTable[]) {
    this.tables = tables
  }

  candidates(action: string, type: string): Candidates {
    const byAction = getOrAdd(this.known, type, () => new Map<string, Candidates>())
    return getOrAdd(
      byAction,
      action,
      () => new Candidates(this.tables.flatMap((table) => table.bucketsFor(action, type))),
    )
  }
}

/** The part of an id, or of a glob, before the first `/`. */
export function ownerOf(id: string): string {
  const slash = id.indexOf('/')
  return slash < 0 ? id : id.slice(0, slash)
}
