/**
 * Cached source: a document on another server, kept while it is fresh and while that server fails.
 *
 * One attempt at a time, so that no older answer ever overwrites a newer one, and a pause between the
 * starts of two, so that neither unknown keys nor an outage become a storm: who needs an attempt sooner
 * waits for it, together with all others. Only a good answer replaces a good answer. It is asked for
 * behind the scenes before it is too old, so that hardly anybody waits for it.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Loaded<T> {
  readonly value: T
  /** What the server's Cache-Control allows, in milliseconds; absent when it does not say. */
  readonly maxAgeMs?: number | undefined
}

/** A document from an earlier life of the process. */
export interface Kept<T> {
  readonly value: T
  /** Epoch milliseconds at which it was asked for. */
  readonly loadedMs: number
  /** How long it counts as fresh from then on, in milliseconds. */
  readonly ageMs: number
}

export interface CachedSourceOptions<T> {
  /** Asks the server once. It ends within its own time limit. */
  readonly load: () => Promise<Loaded<T>>
  /** Current time in epoch milliseconds. */
  readonly now: () => number
  /** How long a value is fresh when the server does not say, and at most, in milliseconds. */
  readonly maxAgeMs: number
  /** How long a value stays in use beyond its age while the server fails, in milliseconds. */
  readonly maxStaleMs: number
  /** Least time between the starts of two attempts, in milliseconds. */
  readonly pauseMs: number
  /** Where a first value may come from before the server is asked; what it throws counts as nothing. */
  readonly restore?: () => Promise<Kept<T> | undefined>
  /** Told of every good answer. */
  readonly keep?: (kept: Kept<T>) => void
}

/** A server that forbids keeping its answer at all would be asked for every token. */
const leastAgeMs = 30_000
/** The part of its age after which a value is asked for behind the scenes. */
const refreshFrom = 0.75
/** Between two attempts behind the scenes while the server fails. */
const retryMs = 10_000
/** How long one waits for a server before a value that is too old is used; it is known to fail from then on. */
const patienceMs = 250

interface Flight<T> {
  answer: Promise<T>
  /** False while it waits for its turn: who comes then can join it. */
  asked: boolean
}

export class CachedSource<T> {
  private readonly options: CachedSourceOptions<T>
  private current: Kept<T> | undefined
  private restored: Promise<void> | undefined
  private flight: Flight<T> | undefined
  private next: Promise<T> | undefined
  private attemptMs = Number.NEGATIVE_INFINITY
  private failing = false

  constructor(options: CachedSourceOptions<T>) {
    this.options = options
  }

  /** The document, when it may be used without waiting for anything. */
  peek(): T | undefined {
    const { current } = this
    if (current === undefined) return undefined
    const age = this.elapsedSince(current.loadedMs)
    if (age < current.ageMs) {
      if (age >= current.ageMs * refreshFrom) this.refreshBehind()
      return current.value
    }
    if (!this.failing || !this.isUsable(current)) return undefined
    this.refreshBehind()
    return current.value
  }

  /**
   * The document, fresh when possible and otherwise not older than the options allow.
   *
   * @throws What `load` threw, when there is nothing to fall back on.
   */
  async get(): Promise<T> {
    const ready = this.peek() ?? (await this.restore())
    if (ready !== undefined) return ready
    const { current } = this
    if (current === undefined || !this.isUsable(current)) return this.attempt()
    const patience = new AbortController()
    const late = sleep(patienceMs, undefined, { signal: patience.signal }).then(() => {
      this.failing = true
      return current.value
    })
    try {
      return await Promise.race([this.attempt(), late])
    } catch {
      return current.value
    } finally {
      late.catch(() => {})
      patience.abort()
    }
  }

  /**
   * The answer to an attempt that starts after this call, though what there is may be fresh.
   *
   * @throws What `load` threw.
   */
  renew(): Promise<T> {
    if (this.flight === undefined || !this.flight.asked) return this.attempt()
    this.next ??= this.flight.answer
      .catch(() => {})
      .then(() => {
        this.next = undefined
        return this.attempt()
      })
    return this.next
  }

  /** Makes the next `get` ask again; the value stays as something to fall back on. */
  expire(): void {
    if (this.current !== undefined) this.current = { ...this.current, ageMs: 0 }
  }

  /** The attempt under way, or a new one when its turn has come. */
  private attempt(): Promise<T> {
    if (this.flight !== undefined) return this.flight.answer
    const flight: Flight<T> = { asked: false, answer: Promise.resolve() as Promise<never> }
    this.flight = flight
    flight.answer = this.fly(flight)
    return flight.answer
  }

  private refreshBehind(): void {
    if (this.flight !== undefined || this.elapsedSince(this.attemptMs) < retryMs) return
    this.attempt().catch(() => {})
  }

  private async fly(flight: Flight<T>): Promise<T> {
    const { load, now, pauseMs, maxAgeMs: mostAgeMs, keep } = this.options
    try {
      const elapsed = this.elapsedSince(this.attemptMs)
      if (elapsed < pauseMs) await sleep(pauseMs - elapsed)
      flight.asked = true
      const loadedMs = now()
      this.attemptMs = loadedMs
      const { value, maxAgeMs = mostAgeMs } = await load()
      const ageMs = Math.min(Math.max(maxAgeMs, leastAgeMs), mostAgeMs)
      this.current = { value, loadedMs, ageMs }
      this.failing = false
      keep?.(this.current)
      return value
    } catch (error) {
      this.failing = true
      throw error
    } finally {
      this.flight = undefined
    }
  }

  /** Once: what an earlier life of the process left, if it may still be used without asking first. */
  private async restore(): Promise<T | undefined> {
    const { restore, maxAgeMs } = this.options
    if (restore === undefined || this.current !== undefined) return undefined
    this.restored ??= restore().then(
      (kept) => {
        if (this.current !== undefined || kept === undefined) return
        const bounded = { ...kept, ageMs: Math.min(kept.ageMs, maxAgeMs) }
        if (this.isUsable(bounded)) this.current = bounded
      },
      () => {},
    )
    await Promise.race([this.restored, sleep(patienceMs)])
    return this.peek()
  }

  private isUsable({ loadedMs, ageMs }: Kept<T>): boolean {
    return this.elapsedSince(loadedMs) < ageMs + this.options.maxStaleMs
  }

  /** A clock that was set back counts as time gone by, never as time to come. */
  private elapsedSince(sinceMs: number): number {
    const elapsed = this.options.now() - sinceMs
    return elapsed >= 0 ? elapsed : Number.POSITIVE_INFINITY
  }
}

/**
 * How much longer a response may be kept, in milliseconds: `max-age` less the time it has spent in caches on
 * the way; 0 when it must not be kept (RFC 9111 §4.2, §5.2.2).
 */
export function maxAgeOf(headers: Headers): number | undefined {
  const value = headers.get('cache-control')?.toLowerCase()
  if (value === undefined) return undefined
  if (/\bno-(?:store|cache)\b/.test(value)) return 0
  const seconds = /(?:^|[\s,])max-age=(\d{1,10})(?:$|[\s,])/.exec(value)?.[1]
  if (seconds === undefined) return undefined
  const spent = /^\d{1,10}$/.exec(headers.get('age') ?? '')?.[0] ?? '0'
  return Math.max(0, Number(seconds) - Number(spent)) * 1000
}
