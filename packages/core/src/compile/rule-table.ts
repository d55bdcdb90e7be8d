/**
 * Rule tables: the index in front of the rules. By type and action, then by exact id, then by owner, so that
 * a question meets only rules that can match it, however many there are.
 *
 * @module
 */
import { getOrAdd } from '../internal/maps.ts'
import type { Scratch } from '../internal/scratch.ts'
import type { CaslRule } from './casl.ts'
import type { RequestFacts } from './facts.ts'
import type { Topic, Topics } from './topics.ts'

const none: readonly CaslRule[] = []

/** Rules of one effect on one action and type. */
export class Bucket {
  private exact: Map<string, CaslRule[]> | undefined
  /** By the literal text up to the first `/`. */
  private byOwner: Map<string, CaslRule[]> | undefined
  /** Those whose pattern begins with a wildcard: they may match anything. */
  private readonly anywhere: CaslRule[] = []

  add(compiled: CaslRule): void {
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
  candidates(id: string, owner: string): readonly CaslRule[] {
    return [...(this.exact?.get(id) ?? none), ...(this.byOwner?.get(owner) ?? none), ...this.anywhere]
  }
}

function fileUnder(
  map: Map<string, CaslRule[]> | undefined,
  key: string,
  rules: readonly CaslRule[],
): Map<string, CaslRule[]> {
  const into = map ?? new Map<string, CaslRule[]>()
  getOrAdd(into, key, () => []).push(...rules)
  return into
}

function oneMatches(rules: readonly CaslRule[] | undefined, facts: RequestFacts): boolean {
  if (rules === undefined) return false
  for (let i = 0; i < rules.length; i++) if ((rules[i] as CaslRule).matches(facts)) return true
  return false
}

/** Where the rules on an action and a type stand: those that allow, and those that deny. */
export interface Buckets {
  readonly allows: readonly Bucket[]
  readonly denies: readonly Bucket[]
}

/** The rules on one topic. */
interface Shelf {
  allow?: Bucket
  deny?: Bucket
}

type Effect = keyof Shelf

/** All rules of one role, of everybody, or of one principal alone. */
export class RuleTable {
  private readonly shelves = new Map<number, Shelf>()
  private readonly hasWildcards: boolean

  constructor(rules: Iterable<CaslRule>, topics: Topics) {
    let wild = false
    for (const compiled of rules) {
      const { types, actions, effect } = compiled.rule
      for (const type of types) {
        for (const action of actions) {
          const shelf = getOrAdd(this.shelves, topics.number(action, type), (): Shelf => ({}))
          shelf[effect] ??= new Bucket()
          shelf[effect]?.add(compiled)
          wild ||= type === '**' || action === '*'
        }
      }
    }
    this.hasWildcards = wild
  }

  /** Whether one of the rules of this effect on the topic matches. */
  matches(effect: Effect, topic: Topic, facts: RequestFacts): boolean {
    if (this.shelves.get(topic.number)?.[effect]?.matches(facts)) return true
    return (
      this.hasWildcards && topic.wild.some((number) => this.shelves.get(number)?.[effect]?.matches(facts))
    )
  }

  /** The buckets in which rules of this effect on the topic stand. */
  buckets(effect: Effect, { number, wild }: Topic): readonly Bucket[] {
    const numbers = this.hasWildcards ? [number, ...wild] : [number]
    return numbers.flatMap((each) => this.shelves.get(each)?.[effect] ?? [])
  }
}

/** The buckets of several tables on one topic. */
export function bucketsIn(tables: Scratch<RuleTable>, topic: Topic): Buckets {
  const buckets = (effect: Effect) => tables.copy().flatMap((table) => table.buckets(effect, topic))
  return { allows: buckets('allow'), denies: buckets('deny') }
}

/** Whether a rule in these tables allows and none denies: what {@link bucketsIn} would say, for a question that comes once. */
export function tablesAllow(tables: Scratch<RuleTable>, topic: Topic, facts: RequestFacts): boolean {
  return someTableMatches(tables, 'allow', topic, facts) && !someTableMatches(tables, 'deny', topic, facts)
}

function someTableMatches(
  tables: Scratch<RuleTable>,
  effect: Effect,
  topic: Topic,
  facts: RequestFacts,
): boolean {
  for (let i = 0; i < tables.size; i++) if (tables.at(i).matches(effect, topic, facts)) return true
  return false
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
