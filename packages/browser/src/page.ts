/**
 * Page: the few things of a window that signing in needs.
 *
 * Asked for when they are needed and never at import, so that the package loads anywhere:
 * outside a window there is simply no page.
 *
 * @module
 */

export interface Page {
  readonly location: { readonly href: string; assign(url: string): void }
  readonly history: {
    readonly state: unknown
    replaceState(state: unknown, unused: string, url: string): void
  }
  /** Addresses given to `fetch` are resolved against its base, as the browser does. */
  readonly document?: { readonly baseURI: string }
}

/** What is needed of `sessionStorage`. */
export type AttemptStorage = Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>

/** The window around us; `undefined` on a server and in a worker. */
export function currentPage(): Page | undefined {
  return typeof window === 'undefined' ? undefined : window
}

/** The tab's own storage; `undefined` where there is none or the browser blocks it. */
export function tabStorage(): AttemptStorage | undefined {
  try {
    return typeof window === 'undefined' ? undefined : window.sessionStorage
  } catch {
    return undefined
  }
}
