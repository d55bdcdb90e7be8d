/**
 * Fake page: location, history and tab storage of one tab, as plain objects.
 *
 * @module
 */
import type { AttemptStorage, Page, PageDocument } from '../../src/index.ts'

export interface FakePage extends Page {
  readonly location: { href: string; assign(url: string): void }
  /** Where the page was told to go. */
  readonly visited: string[]
  /** Addresses put in place of the current one. */
  readonly replaced: string[]
  readonly navigator: { onLine: boolean }
  readonly document: PageDocument & { visibilityState: DocumentVisibilityState }
  /** Plays an event of the window or the document. */
  fire(type: string, members?: object): void
}

export function createFakePage(href: string): FakePage {
  const visited: string[] = []
  const replaced: string[] = []
  const location = { href, assign: (url: string) => void visited.push(url) }
  const listeners: [type: string, listener: (event: Event) => void][] = []
  const addEventListener = (type: string, listener: (event: Event) => void) =>
    void listeners.push([type, listener])
  const removeEventListener = (type: string, listener: (event: Event) => void) => {
    const index = listeners.findIndex(([wanted, entry]) => wanted === type && entry === listener)
    if (index >= 0) listeners.splice(index, 1)
  }
  return {
    navigator: { onLine: true },
    document: {
      get baseURI() {
        return location.href
      },
      visibilityState: 'visible',
      addEventListener,
      removeEventListener,
    },
    addEventListener,
    removeEventListener,
    fire(type, members = {}) {
      const event = Object.assign(new Event(type), members)
      for (const [wanted, listener] of listeners) if (wanted === type) listener(event)
    },
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
