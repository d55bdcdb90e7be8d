/**
 * Expiring map: a bounded memory in which every entry has an end.
 *
 * The oldest entry goes first. A clock that was set back ends an entry too: it would otherwise live longer
 * than it was meant to.
 *
 * @module
 */

interface Entry<T> {
  readonly value: T
  readonly sinceMs: number
  readonly untilMs: number
}

export class ExpiringMap<T> {
  private readonly entries = new Map<string, Entry<T>>()
  private readonly maxEntries: number
  private readonly now: () => number

  constructor({ maxEntries, now }: { readonly maxEntries: number; readonly now: () => number }) {
    this.maxEntries = maxEntries
    this.now = now
  }

  get(key: string): T | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    const now = this.now()
    if (now < entry.untilMs && now >= entry.sinceMs) return entry.value
    this.entries.delete(key)
    return undefined
  }

  /**
   * @param untilMs - Epoch milliseconds from which the value is gone; nothing is kept when that is past.
   * @param sinceMs - The time now, where it has just been asked for.
   */
  set(key: string, value: T, untilMs: number, sinceMs = this.now()): void {
    this.entries.delete(key)
    if (untilMs <= sinceMs) return
    this.entries.set(key, { value, sinceMs, untilMs })
    if (this.entries.size <= this.maxEntries) return
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest)
      return
    }
  }

  delete(key: string): void {
    this.entries.delete(key)
  }

  /** Everything, also what is over and has not been asked for since. */
  *[Symbol.iterator](): Iterator<readonly [string, T]> {
    for (const [key, { value }] of this.entries) yield [key, value]
  }

  clear(): void {
    this.entries.clear()
  }
}
