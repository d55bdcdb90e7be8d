/**
 * The index in front of CASL: by type and action, then by exact id, then by owner, so that a question
 * meets only rules that can match it, however many there are.
 *
 * @module
 */
import type { CompiledRule, RuleLookup } from './casl.ts'

export interface RuleIndex {
  /** Rules that can match, in no particular order of effect. */
  candidates(action: string, type: string, id: string): Iterable<CompiledRule>
}

interface Bucket {
  readonly exact: ReadonlyMap<string, readonly CompiledRule[]>
  /** By the literal text up to the first `/`. */
  readonly byOwner: ReadonlyMap<string, readonly CompiledRule[]>
  readonly rest: readonly CompiledRule[]
}

export function indexRules(lookUp: RuleLookup): RuleIndex {
  const buckets = new Map<string, Bucket>()
  return {
    *candidates(action, type, id) {
      const key = `${type} ${action}`
      let bucket = buckets.get(key)
      if (bucket === undefined) {
        bucket = fill(lookUp(action, type))
        buckets.set(key, bucket)
      }
      yield* bucket.rest
      yield* bucket.exact.get(id) ?? []
      yield* bucket.byOwner.get(ownerOf(id)) ?? []
    },
  }
}

function fill(rules: readonly CompiledRule[]): Bucket {
  const exact = new Map<string, CompiledRule[]>()
  const byOwner = new Map<string, CompiledRule[]>()
  const rest: CompiledRule[] = []
  for (const compiled of rules) {
    const id = compiled.rule.id
    if (id === undefined || id.startsWith('*')) rest.push(compiled)
    else if (!id.includes('*')) append(exact, id, compiled)
    else if (ownerOf(id).length < id.indexOf('*')) append(byOwner, ownerOf(id), compiled)
    else rest.push(compiled)
  }
  return { exact, byOwner, rest }
}

function append(lists: Map<string, CompiledRule[]>, key: string, rule: CompiledRule): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [rule])
  else list.push(rule)
}

function ownerOf(id: string): string {
  const slash = id.indexOf('/')
  return slash < 0 ? id : id.slice(0, slash)
}
