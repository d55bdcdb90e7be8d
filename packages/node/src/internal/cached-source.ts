/**
 * Cached source: a document on another server, kept while it is fresh and while that server fails.
 *
 * One request at a time, however many wait. Only a good answer replaces a good answer. After an attempt
 * nothing is asked again for the cooldown, so that neither unknown keys nor an outage become a storm.
 *
 * @module
 */

export interface Loaded<T> {
  readonly value: T
  /** What the server's Cache-Control allows, in milliseconds; absent when it does not say. */
  readonly maxAgeMs?: number
}

export interface CachedSourceOptions<T> {
  readonly load: () => Promise<Loaded<T>>
  readonly now: () => number
  /** Least time between two attempts while there is a value. */
  readonly cooldownMs: number
  /** How long a value stays in use beyond its age while the server fails. */
  readonly maxStaleMs: number
}

/** Bounds on what a server may say about the age of its answer: 5 minutes to 24 hours, 10 minutes if silent. */
const leastAgeMs = 5 * 60_000
const mostAgeMs = 24 * 3_600_000
const defaultAgeMs = 10 * 60_000
/** Between two attempts while there is nothing to fall back on. */
const emptyPauseMs = 1000

export class CachedSource<T> {
  private readonly options: CachedSourceOptions<T>
  private current: { readonly value: T; readonly loadedMs: number; readonly ageMs: number } | undefined
  private attempt: { readonly atMs: number; readonly error?: unknown } | undefined
  private flight: Promise<T> | undefined

  constructor(options: CachedSourceOptions<T>) {
    this.options = options
  }

  /**
   * The document, fresh when possible and otherwise not older than the options allow.
   *
   * @throws What `load` threw, when there is nothing to fall back on.
   */
  async get(): Promise<T> {
    const { current } = this
    if (current !== undefined && this.isWithin(current.loadedMs, current.ageMs)) return current.value
    try {
      return await this.renew(current === undefined ? emptyPauseMs : this.options.cooldownMs)
    } catch (error) {
      if (current !== undefined && this.isWithin(current.loadedMs, current.ageMs + this.options.maxStaleMs)) {
        return current.value
      }
      throw error
    }
  }

  /**
   * Asks again, though what there is may be fresh. Within the cooldown of the last attempt, gives its
   * outcome instead.
   *
   * @throws What `load` threw, now or at the last attempt.
   */
  async renew(cooldownMs = this.options.cooldownMs): Promise<T> {
    if (this.flight !== undefined) return this.flight
    const { attempt, current } = this
    if (attempt !== undefined && this.isWithin(attempt.atMs, cooldownMs)) {
      if (attempt.error !== undefined) throw attempt.error
      if (current !== undefined) return current.value
    }
    this.flight = this.load()
    return this.flight
  }

  /** Makes the next `get` ask again; the value stays as something to fall back on. */
  expire(): void {
    if (this.current !== undefined) this.current = { ...this.current, ageMs: 0 }
  }

  private async load(): Promise<T> {
    try {
      const { value, maxAgeMs = defaultAgeMs } = await this.options.load()
      const loadedMs = this.options.now()
      this.current = { value, loadedMs, ageMs: Math.min(Math.max(maxAgeMs, leastAgeMs), mostAgeMs) }
      this.attempt = { atMs: loadedMs }
      return value
    } catch (error) {
      this.attempt = { atMs: this.options.now(), error }
      throw error
    } finally {
      this.flight = undefined
    }
  }

  /** A clock that was set back counts as time gone by, never as time to come. */
  private isWithin(sinceMs: number, spanMs: number): boolean {
    const elapsed = this.options.now() - sinceMs
    return elapsed >= 0 && elapsed < spanMs
  }
}

/** `max-age` of a response in milliseconds; 0 when it must not be kept (RFC 9111 §5.2.2). */
export function maxAgeOf(headers: Headers): number | undefined {
  const value = headers.get('cache-control')?.toLowerCase()
  if (value === undefined) return undefined
  if (/\bno-(?:store|cache)\b/.test(value)) return 0
  const seconds = /(?:^|[\s,])max-age=(\d{1,10})(?:$|[\s,])/.exec(value)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
