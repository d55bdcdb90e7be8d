/**
 * Scratch: a list that is filled, copied at its exact length, and used again.
 *
 * Pushing onto a fresh array reserves room for seventeen, which is most of what a principal asked about once
 * would keep. Not to be held across anything that might fill it again.
 *
 * @module
 */

export class Scratch<T> {
  private readonly items: T[] = []
  private count = 0

  get size(): number {
    return this.count
  }

  /** @param index - Below {@link size}. */
  at(index: number): T {
    return this.items[index] as T
  }

  /** Forgets what an interrupted use may have left. */
  clear(): void {
    this.count = 0
  }

  add(item: T): void {
    this.items[this.count++] = item
  }

  has(item: T): boolean {
    for (let i = 0; i < this.count; i++) if (this.items[i] === item) return true
    return false
  }

  /** What was added since it was cleared. */
  copy(): T[] {
    return this.items.slice(0, this.count)
  }
}
