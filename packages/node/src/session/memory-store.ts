/**
 * Memory store: sessions of one process, for development and for services that run once.
 *
 * @module
 */
import { numberOption } from '../internal/number-option.ts'
import type { SessionStore } from './types.ts'

export interface MemorySessionStoreOptions {
  /** Most sessions kept; the oldest goes first. Default 100,000. */
  readonly maxEntries?: number
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `maxEntries` is out of its range. */
export function memorySessionStore(options: MemorySessionStoreOptions = {}): SessionStore {
  const { now = Date.now } = options
  const maxEntries = numberOption('maxEntries', options.maxEntries ?? 100_000, { min: 1 })
  const entries = new Map<string, { value: string; untilMs: number; readonly indexes: readonly string[] }>()
  const indexed = new Map<string, Set<string>>()

  function live(key: string) {
    const entry = entries.get(key)
    if (entry === undefined || now() < entry.untilMs) return entry
    remove(key)
    return undefined
  }

  function remove(key: string): boolean {
    for (const index of entries.get(key)?.indexes ?? []) {
      const keys = indexed.get(index)
      keys?.delete(key)
      if (keys?.size === 0) indexed.delete(index)
    }
    return entries.delete(key)
  }

  /** What is over goes first, then what is oldest. */
  function makeRoom(): void {
    if (entries.size < maxEntries) return
    for (const [key, { untilMs }] of entries) if (untilMs <= now()) remove(key)
    for (const key of entries.keys()) {
      if (entries.size < maxEntries) return
      remove(key)
    }
  }

  return {
    get: async (key) => live(key)?.value,
    async create(key, value, { untilMs, indexes }) {
      if (live(key) !== undefined) return false
      makeRoom()
      entries.set(key, { value, untilMs, indexes })
      for (const index of indexes) indexed.set(index, (indexed.get(index) ?? new Set()).add(key))
      return true
    },
    async replace(key, previous, next, untilMs) {
      const entry = live(key)
      if (entry?.value !== previous) return false
      Object.assign(entry, { value: next, untilMs })
      return true
    },
    delete: async (key) => live(key) !== undefined && remove(key),
    async deleteIndexed(index) {
      const keys = [...(indexed.get(index) ?? [])]
      return keys.filter((key) => live(key) !== undefined && remove(key)).length
    },
  }
}
