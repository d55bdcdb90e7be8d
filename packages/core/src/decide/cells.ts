/**
 * Cells: what one principal's questions about an action and a type look into.
 *
 * Found when such a question first comes, which costs a look into the table of each role held. When it
 * keeps coming, the buckets are exchanged for one that everybody with the same roles shares.
 *
 * @module
 */
import { type Bucket, bucketsIn, type RuleTable } from '../compile/rule-table.ts'

/** After this many questions one merged bucket is worth its price. */
const usesBeforeMerging = 16

export interface Cell {
  readonly action: string
  readonly type: string
  /** False when the environment's ceiling leaves the action out. */
  readonly isOpen: boolean
  buckets: readonly Bucket[]
  uses: number
}

/** Whose cells they are. */
export interface CellsOwner {
  readonly actions: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  readonly ceiling: ReadonlySet<string> | undefined
  readonly tables: readonly RuleTable[]
  /** Rules of the principal alone; never merged with what others share. */
  personalTable(): RuleTable | undefined
  /** The tables' buckets as one. */
  mergedBucket(action: string, type: string): Bucket
}

/** Few and asked for by turns, so a list is faster than a map. */
export class Cells {
  private readonly owner: CellsOwner
  private readonly list: Cell[] = []

  constructor(owner: CellsOwner) {
    this.owner = owner
  }

  /** `undefined` for an action or a type that the policy does not know. */
  find(action: string, type: string): Cell | undefined {
    const { list } = this
    for (let i = 0; i < list.length; i++) {
      const cell = list[i] as Cell
      if (cell.action === action && cell.type === type) {
        if (cell.uses < usesBeforeMerging && ++cell.uses === usesBeforeMerging) this.merge(cell)
        return cell
      }
    }
    return this.add(action, type)
  }

  private add(action: string, type: string): Cell | undefined {
    const { actions, types, ceiling, tables } = this.owner
    if (!actions.has(action) || !types.has(type)) return undefined
    const buckets = bucketsIn(tables, action, type)
    this.owner.personalTable()?.collect(action, type, buckets)
    const cell = { action, type, isOpen: ceiling === undefined || ceiling.has(action), buckets, uses: 0 }
    this.list.push(cell)
    return cell
  }

  private merge(cell: Cell): void {
    const personal: Bucket[] = []
    this.owner.personalTable()?.collect(cell.action, cell.type, personal)
    if (cell.buckets.length - personal.length < 2) return
    cell.buckets = [this.owner.mergedBucket(cell.action, cell.type), ...personal]
  }
}
