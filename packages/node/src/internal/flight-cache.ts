/**
 * Flight cache: remembers successful answers for a while, and lets parallel askers share one question.
 *
 * Failures are shared with those who wait for the same answer and then forgotten. Bounded: the oldest
 * entry goes first. Keys are digests, so that no credential is kept as one.
 *
 * @module
 */
import { hash } from 'node:crypto'

export interface Remembered<T> {
  readonly value: T
  /** Epoch milliseconds from which the value must be asked for anew. */
  readonly untilMs: number
}

export interface FlightCacheOptions {
  readonly maxEntries: number
  readonly now: () => number
}

interface Flight<T> {
  answer?: Promise<T>
}

export class FlightCache<T> {
  private readonly entries = new Map<string, Remembered<T> & { readonly sinceMs: number }>()
  private readonly flights = new Map<string, Flight<T>>()
  private readonly maxEntries: number
  private readonly now: () => number

  constructor({ maxEntries, now }: FlightCacheOptions) {
    this.maxEntries = maxEntries
    this.now = now
  }

  /** The remembered value for `key`, or the answer of `load`, asked once however many wait for it. */
  get(key: string, load: () => Promise<Remembered<T>>): Promise<T> {
    const entry = this.entries.get(key)
    if (entry !== undefined) {
      const now = this.now()
      // A clock that was set back would otherwise stretch every entry's life.
      if (now < entry.untilMs && now >= entry.sinceMs) return Promise.resolve(entry.value)
      this.entries.delete(key)
    }
    const under = this.flights.get(key)?.answer
    if (under !== undefined) return under
    const flight: Flight<T> = {}
    this.flights.set(key, flight)
    flight.answer = this.fly(key, flight, load)
    return flight.answer
  }

  /** Drops what `matches`; an answer under way has no value yet, is still given, and not remembered. */
  forget(matches: (key: string, value: T | undefined) => boolean): void {
    for (const [key, { value }] of this.entries) if (matches(key, value)) this.entries.delete(key)
    for (const key of this.flights.keys()) if (matches(key, undefined)) this.flights.delete(key)
  }

  clear(): void {
    this.entries.clear()
    this.flights.clear()
  }

  private async fly(key: string, flight: Flight<T>, load: () => Promise<Remembered<T>>): Promise<T> {
    const sinceMs = this.now()
    try {
      const { value, untilMs } = await load()
      if (this.flights.get(key) === flight && untilMs > this.now()) {
        this.entries.set(key, { value, untilMs, sinceMs })
        if (this.entries.size > this.maxEntries) this.dropOldest()
      }
      return value
    } finally {
      if (this.flights.get(key) === flight) this.flights.delete(key)
    }
  }

  private dropOldest(): void {
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest)
      return
    }
  }
}

/** SHA-256 of all parts in hex; their borders count, so that `ab, c` and `a, bc` differ. */
export function cacheKey(...parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex')
}
