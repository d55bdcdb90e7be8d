/**
 * Cells: what one principal's questions about an action and a type look into.
 *
 * Found when such a question first comes, which costs a look into the table of each role held. When it
 * keeps coming, the buckets are exchanged for one that everybody with the same roles shares.
 *
 * @module
 */
import { BucketSearch, type Buckets } from '../compile/rule-table.ts'

/** After this many questions one merged bucket is worth its price. */
const usesBeforeMerging = 16

export interface Cell {
  readonly action: string
  readonly type: string
  /** False when the environment's ceiling leaves the action out. */
  readonly isOpen: boolean
  buckets: Buckets
  uses: number
  /** Found before this one. */
  readonly next: Cell | undefined
}

/** Whose cells they are. */
export interface CellsOwner {
  readonly actions: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  readonly ceiling: ReadonlySet<string> | undefined
  /** Shows a search everything held. */
  show(search: BucketSearch): void
  /** The same in as few buckets as there can be, of which others use the shared ones too. */
  merged(action: string, type: string): Buckets
}

/** Few and asked for by turns, so a chain is faster than a map; most people are asked about once, so it is short. */
export class Cells {
  private readonly owner: CellsOwner
  private last: Cell | undefined

  constructor(owner: CellsOwner) {
    this.owner = owner
  }

  /** `undefined` for an action or a type that the policy does not know. */
  find(action: string, type: string): Cell | undefined {
    for (let cell = this.last; cell !== undefined; cell = cell.next) {
      if (cell.action === action && cell.type === type) {
        if (cell.uses < usesBeforeMerging && ++cell.uses === usesBeforeMerging)
          cell.buckets = this.owner.merged(action, type)
        return cell
      }
    }
    return this.add(action, type)
  }

  private add(action: string, type: string): Cell | undefined {
    const { actions, types, ceiling } = this.owner
    if (!actions.has(action) || !types.has(type)) return undefined
    const search = new BucketSearch(action, type)
    this.owner.show(search)
    const isOpen = ceiling === undefined || ceiling.has(action)
    this.last = { action, type, isOpen, buckets: search.end(), uses: 0, next: this.last }
    return this.last
  }
}
