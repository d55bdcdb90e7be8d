/**
 * Cells: what one principal's questions about an action and a type look into.
 *
 * The first question is answered from the tables of the roles held, since most people are asked about once. From the
 * second on, the buckets on an action and a type are remembered; when questions keep coming, they are exchanged for
 * one that everybody with the same roles shares.
 *
 * @module
 */
import type { CompiledRule } from '../compile/compiled-rule.ts'
import type { RequestFacts } from '../compile/facts.ts'
import { type Bucket, type Buckets, bucketsIn, type RuleTable, tablesAllow } from '../compile/rule-table.ts'
import type { Topic, Topics } from '../compile/topics.ts'
import type { Scratch } from '../internal/scratch.ts'
import type { RuleIndex } from './standing.ts'

/** After this many questions one merged bucket is worth its price. */
const usesBeforeMerging = 16

interface Cell {
  readonly topic: Topic
  buckets: Buckets
  uses: number
  /** Found before this one. */
  readonly next: Cell | undefined
}

/** Whose cells they are. */
export interface CellsOwner {
  readonly topics: Topics
  /** Everything held; to be looked at before anybody else is asked for theirs. */
  tables(): Scratch<RuleTable>
  /** The same in as few buckets as there can be, of which others use the shared ones too. */
  merged(topic: Topic): Buckets
}

export class Cells implements RuleIndex {
  private readonly owner: CellsOwner
  /** Few and asked for by turns, so a chain is faster than a map. */
  private last: Cell | undefined
  private isNew = true

  constructor(owner: CellsOwner) {
    this.owner = owner
  }

  /** The hot path: whether an allow matches, and no denial does. From the second question on it allocates nothing. */
  allow(action: string, facts: RequestFacts): boolean {
    if (this.isNew) {
      this.isNew = false
      const topic = this.owner.topics.find(action, facts.type)
      return topic?.isOpen === true && tablesAllow(this.owner.tables(), topic, facts)
    }
    const cell = this.find(action, facts.type)
    if (cell === undefined || !cell.topic.isOpen) return false
    const { allows, denies } = cell.buckets
    return someMatches(allows, facts) && !someMatches(denies, facts)
  }

  candidates(action: string, { type, id, owner }: RequestFacts): readonly CompiledRule[] {
    const buckets = this.buckets(action, type)
    if (buckets === undefined) return []
    const { allows, denies } = buckets
    return [...new Set([...allows, ...denies].flatMap((bucket) => bucket.candidates(id, owner)))]
  }

  /** `undefined` for an action or a type that the policy does not know. */
  buckets(action: string, type: string): Buckets | undefined {
    return this.find(action, type)?.buckets
  }

  private find(action: string, type: string): Cell | undefined {
    for (let cell = this.last; cell !== undefined; cell = cell.next) {
      const { topic } = cell
      if (topic.action === action && topic.type === type) {
        if (cell.uses < usesBeforeMerging && ++cell.uses === usesBeforeMerging)
          cell.buckets = this.owner.merged(topic)
        return cell
      }
    }
    const topic = this.owner.topics.find(action, type)
    if (topic === undefined) return undefined
    this.last = { topic, buckets: bucketsIn(this.owner.tables(), topic), uses: 0, next: this.last }
    return this.last
  }
}

function someMatches(buckets: readonly Bucket[], facts: RequestFacts): boolean {
  for (let i = 0; i < buckets.length; i++) if ((buckets[i] as Bucket).matches(facts)) return true
  return false
}
