/**
 * Rule tables: the index in front of CASL. By type and action, then by exact id, then by owner, so that
 * a question meets only rules that can match it, however many there are.
 *
 * @module
 */
import { getOrAdd } from '../internal/maps.ts'
import { Scratch } from '../internal/scratch.ts'
import type { CompiledRule } from './casl.ts'
import type { RequestFacts } from './facts.ts'

const none: readonly CompiledRule[] = []

/** Rules of one effect on one action and type. */
export class Bucket {
  private exact: Map<string, CompiledRule[]> | undefined
  /** By the literal text up to the first `/`. */
  private byOwner: Map<string, CompiledRule[]> | undefined
  /** Those whose pattern begins with a wildcard: they may match anything. */
  private readonly anywhere: CompiledRule[] = []

  add(compiled: CompiledRule): void {
    const id = compiled.rule.id
    if (id === undefined || id.startsWith('*')) this.anywhere.push(compiled)
    else if (!id.includes('*')) this.exact = fileUnder(this.exact, id, [compiled])
    else if (ownerOf(id).length < id.indexOf('*'))
      this.byOwner = fileUnder(this.byOwner, ownerOf(id), [compiled])
    else this.anywhere.push(compiled)
  }

  addAll({ exact, byOwner, anywhere }: Bucket): void {
    if (exact !== undefined) for (const [id, rules] of exact) this.exact = fileUnder(this.exact, id, rules)
    if (byOwner !== undefined)
      for (const [owner, rules] of byOwner) this.byOwner = fileUnder(this.byOwner, owner, rules)
    this.anywhere.push(...anywhere)
  }

  /** Whether one of the rules matches: the hot path, which allocates nothing. */
  matches(facts: RequestFacts): boolean {
    return (
      oneMatches(this.byOwner?.get(facts.owner), facts) ||
      oneMatches(this.exact?.get(facts.id), facts) ||
      oneMatches(this.anywhere, facts)
    )
  }

  /** The rules that may match, each once: those that name the id, those under its owner, those on anything. */
  candidates(id: string, owner: string): readonly CompiledRule[] {
    return [...(this.exact?.get(id) ?? none), ...(this.byOwner?.get(owner) ?? none), ...this.anywhere]
  }
}

function fileUnder(
  map: Map<string, CompiledRule[]> | undefined,
  key: string,
  rules: readonly CompiledRule[],
): Map<string, CompiledRule[]> {
  const into = map ?? new Map<string, CompiledRule[]>()
  getOrAdd(into, key, () => []).push(...rules)
  return into
}

function oneMatches(rules: readonly CompiledRule[] | undefined, facts: RequestFacts): boolean {
  if (rules === undefined) return false
  for (let i = 0; i < rules.length; i++) if ((rules[i] as CompiledRule).matches(facts)) return true
  return false
}

/** Where the rules on an action and a type stand: those that allow, and those that deny. */
export interface Buckets {
  readonly allows: readonly Bucket[]
  readonly denies: readonly Bucket[]
}

/** A way through tables for the rules on one action and type. */
export class BucketSearch {
  readonly action: string
  readonly type: string

  constructor(action: string, type: string) {
    this.action = action
    this.type = type
    allowing.clear()
    denying.clear()
  }

  end(): Buckets {
    return { allows: allowing.copy(), denies: denying.copy() }
  }
}

/** Buckets of the search under way; a search never waits and never starts another. */
const allowing = /* @__PURE__ */ new Scratch<Bucket>()
const denying = /* @__PURE__ */ new Scratch<Bucket>()

/** The rules on one action and type. */
interface Shelf {
  allow?: Bucket
  deny?: Bucket
}

/** All rules of one role, of everybody, or of one principal alone. */
export class RuleTable {
  private readonly byType = new Map<string, Map<string, Shelf>>()
  private readonly hasWildcards: boolean

  constructor(rules: Iterable<CompiledRule>) {
    let wild = false
    for (const compiled of rules) {
      for (const type of compiled.rule.types) {
        for (const action of compiled.rule.actions) {
          const byAction = getOrAdd(this.byType, type, () => new Map<string, Shelf>())
          const shelf = getOrAdd(byAction, action, (): Shelf => ({}))
          shelf[compiled.rule.effect] ??= new Bucket()
          shelf[compiled.rule.effect]?.add(compiled)
          wild ||= type === '**' || action === '*'
        }
      }
    }
    this.hasWildcards = wild
  }

  /** Shows a search the buckets in which rules on its action and type can stand. */
  show(search: BucketSearch): void {
    this.showType(search.type, search, this.hasWildcards)
    if (this.hasWildcards) this.showType('**', search, true)
  }

  private showType(type: string, search: BucketSearch, wildToo: boolean): void {
    const byAction = this.byType.get(type)
    if (byAction === undefined) return
    take(byAction.get(search.action))
    if (wildToo) take(byAction.get('*'))
  }
}

function take(shelf: Shelf | undefined): void {
  if (shelf === undefined) return
  if (shelf.allow !== undefined) allowing.add(shelf.allow)
  if (shelf.deny !== undefined) denying.add(shelf.deny)
}

/** The buckets of several tables on one action and type. */
export function bucketsIn(tables: readonly RuleTable[], action: string, type: string): Buckets {
  const search = new BucketSearch(action, type)
  for (const table of tables) table.show(search)
  return search.end()
}

/** The same rules in at most one bucket of each kind. */
export function mergeBuckets({ allows, denies }: Buckets): Buckets {
  return { allows: mergeList(allows), denies: mergeList(denies) }
}

function mergeList(list: readonly Bucket[]): readonly Bucket[] {
  if (list.length < 2) return list
  const merged = new Bucket()
  for (const bucket of list) merged.addAll(bucket)
  return [merged]
}

/** The part of an id, or of a glob, before the first `/`. */
export function ownerOf(id: string): string {
  const slash = id.indexOf('/')
  return slash < 0 ? id : id.slice(0, slash)
}
