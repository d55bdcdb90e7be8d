/**
 * Bag: what is under way, in no order; each of it comes and goes soon.
 *
 * In place of a `Set`, which makes a new table every few dozen changes. The table before it points to it and still holds
 * what was in it then, so with one of them among V8's old objects they all stay, and with them nearly every request,
 * until a full collection. Here nothing holds what was taken out.
 *
 * @module
 */

export interface Placed {
  /** The bag's own; -1 for what is in none. */
  place: number
}

export class Bag<T extends Placed> {
  private readonly items: T[] = []

  get size(): number {
    return this.items.length
  }

  has(item: T): boolean {
    return this.items[item.place] === item
  }

  add(item: T): void {
    item.place = this.items.push(item) - 1
  }

  /** Says whether it was in. */
  delete(item: T): boolean {
    const { place } = item
    if (!this.has(item)) return false
    // The last one takes its place.
    const last = this.items.pop() as T
    if (last !== item) {
      this.items[place] = last
      last.place = place
    }
    item.place = -1
    return true
  }

  /** What is in now, but for what is taken out before its turn. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const item of [...this.items]) if (this.has(item)) yield item
  }
}
