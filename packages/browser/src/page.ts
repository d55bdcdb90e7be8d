/**
 * Page: the few things of a window that signing in needs.
 *
 * Asked for when they are needed and never at import, so that the package loads anywhere:
 * outside a window there is simply no page. A worker has the second part of it.
 *
 * @module
 */

/** What the tabs of one origin, and the workers among them, share. A missing member is a browser without it. */
export interface Surroundings {
  readonly navigator?: {
    readonly onLine?: boolean
    readonly locks?: LockManager
  }
  readonly BroadcastChannel?: new (name: string) => BroadcastChannel
  readonly indexedDB?: IDBFactory
}

export interface Page extends Surroundings {
  readonly location: { readonly href: string; assign(url: string): void }
  readonly history: {
    readonly state: unknown
    replaceState(state: unknown, unused: string, url: string): void
  }
  /** Addresses given to `fetch` are resolved against its base, as the browser does. */
  readonly document?: PageDocument
  /** For `online`, `focus`, `pageshow`, `pagehide`, `click` and `keydown`. */
  readonly addEventListener?: (type: string, listener: (event: Event) => void, capture?: boolean) => void
  readonly removeEventListener?: (type: string, listener: (event: Event) => void) => void
  /** The outermost window: the page itself unless it is in a frame. */
  readonly top?: unknown
  /** Of the frame that this page may be. */
  readonly name?: string
  readonly parent?: { postMessage(message: unknown, targetOrigin: string): void }
}

export interface PageDocument {
  readonly baseURI: string
  readonly body?: { append(node: Node): void } | null
  readonly createElement?: (name: 'iframe') => HTMLIFrameElement
  readonly visibilityState?: DocumentVisibilityState
  readonly addEventListener?: (type: string, listener: (event: Event) => void) => void
  readonly removeEventListener?: (type: string, listener: (event: Event) => void) => void
}

/** What is needed of `sessionStorage`. */
export type AttemptStorage = Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>

/** The window around us; `undefined` on a server and in a worker. */
export function currentPage(): Page | undefined {
  return typeof window === 'undefined' ? undefined : window
}

/** True in a frame whose outermost page is of another origin. */
export function isFramed(page: Page): boolean {
  const { top } = page
  if (top === undefined || top === null || top === page) return false
  try {
    const { origin } = new URL((top as Page).location.href)
    return origin !== new URL(page.location.href).origin
  } catch {
    // Nobody may read where a page of another origin is.
    return true
  }
}

/** The tab's own storage; `undefined` where there is none or the browser blocks it. */
export function tabStorage(): AttemptStorage | undefined {
  try {
    return typeof window === 'undefined' ? undefined : window.sessionStorage
  } catch {
    return undefined
  }
}
