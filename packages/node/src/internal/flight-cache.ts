/**
 * Flight cache: remembers successful answers for a while, and lets parallel askers share one question.
 *
 * Failures are shared with those who wait for the same answer and then forgotten. Bounded: the oldest
 * entry goes first. Keys are digests, so that no credential is kept as one.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { ExpiringMap } from './expiring-map.ts'

export interface Remembered<T> {
  readonly value: T
  /** Epoch milliseconds from which the value must be asked for anew. */
  readonly untilMs: number
  /** Asked each time before the value is given again; false ends it early. */
  readonly holds?: () => boolean
}

export interface FlightCacheOptions {
  readonly maxEntries: number
  readonly now: () => number
}

interface Flight<T> {
  answer?: Promise<T>
}

export class FlightCache<T> {
  private readonly entries: ExpiringMap<Remembered<T>>
  private readonly flights = new Map<string, Flight<T>>()
  private readonly now: () => number

  constructor(options: FlightCacheOptions) {
    this.entries = new ExpiringMap(options)
    this.now = options.now
  }

  /** The remembered value for `key`, if it still counts. */
  peek(key: string): T | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    if (entry.holds === undefined || entry.holds()) return entry.value
    this.entries.delete(key)
    return undefined
  }

  /**
   * The remembered value for `key`, or the answer of `load`, asked once however many wait for it. What `load`
   * answers at once is given at once, and what it throws is thrown.
   *
   * @param load - Told the time, in epoch milliseconds.
   */
  get(key: string, load: (sinceMs: number) => Remembered<T> | Promise<Remembered<T>>): T | Promise<T> {
    const value = this.peek(key)
    if (value !== undefined) return value
    const under = this.flights.get(key)?.answer
    if (under !== undefined) return under
    const sinceMs = this.now()
    const answer = load(sinceMs)
    if (!(answer instanceof Promise)) {
      this.entries.set(key, answer, answer.untilMs, sinceMs)
      return answer.value
    }
    const flight: Flight<T> = {}
    this.flights.set(key, flight)
    flight.answer = this.fly(key, flight, answer, sinceMs)
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

  private async fly(
    key: string,
    flight: Flight<T>,
    answer: Promise<Remembered<T>>,
    sinceMs: number,
  ): Promise<T> {
    try {
      const remembered = await answer
      // A clock set back meanwhile would stretch what was reckoned from before.
      if (this.flights.get(key) === flight && this.now() >= sinceMs) {
        this.entries.set(key, remembered, remembered.untilMs)
      }
      return remembered.value
    } finally {
      if (this.flights.get(key) === flight) this.flights.delete(key)
    }
  }
}

/** SHA-256 of all parts in hex; their borders count, so that `ab, c` and `a, bc` differ. */
export function cacheKey(...parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex')
}
