/**
 * Fake page: location, history and tab storage of one tab, as plain objects.
 *
 * @module
 */
import type { AttemptStorage, Page } from '../../src/index.ts'

export interface FakePage extends Page {
  readonly location: { href: string; assign(url: string): void }
  /** Where the page was told to go. */
  readonly visited: string[]
  /** Addresses put in place of the current one. */
  readonly replaced: string[]
}

export function createFakePage(href: string): FakePage {
  const visited: string[] = []
  const replaced: string[] = []
  const location = { href, assign: (url: string) => void visited.push(url) }
  return {
    location,
    history: {
      state: { kept: true },
      replaceState(_state, _unused, url) {
        const next = new URL(url, location.href)
        if (next.origin !== new URL(location.href).origin) throw new DOMException('origin', 'SecurityError')
        location.href = next.href
        replaced.push(next.href)
      },
    },
    visited,
    replaced,
  }
}

export interface FakeStorage extends AttemptStorage {
  readonly entries: Map<string, string>
}

export function createFakeStorage(entries = new Map<string, string>()): FakeStorage {
  return {
    entries,
    get length() {
      return entries.size
    },
    key: (index) => [...entries.keys()][index] ?? null,
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
  }
}
