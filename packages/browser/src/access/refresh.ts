/**
 * Refresh: when to look whether rules have changed.
 *
 * permissions → **refresh**. On coming into view, back online, every few minutes while in view, and when another tab
 * has found other rules for the same person; never more often than the bound. Touches no global before `start`.
 *
 * @module
 */

/** The few things of a window that are listened to. */
export interface View extends Pick<EventTarget, 'addEventListener' | 'removeEventListener'> {
  readonly document: Pick<EventTarget, 'addEventListener' | 'removeEventListener'> & {
    readonly visibilityState: string
  }
  readonly BroadcastChannel?: new (name: string) => Channel
}

export interface Channel {
  onmessage: ((event: MessageEvent) => unknown) | null
  postMessage(message: unknown): void
  close(): void
}

export interface RefreshOptions {
  /** `undefined` on a server: nothing is watched there. */
  view(): View | undefined
  readonly now: () => number
  readonly refreshSeconds: number
  readonly minRefreshSeconds: number
  /** `sub` of who is signed in. */
  person(): string | undefined
  /** Of the rules held. */
  digest(): string | undefined
  look(): void
}

export interface Refresh {
  start(): () => void
  /** Says to the other tabs which rules were found. */
  tell(digest: string): void
}

interface Found {
  readonly sub: string
  readonly digest: string
}

/** Tabs of one origin; the version is part of the name. */
const channelName = 'hfauth.permissions.1'
const events = ['focus', 'online', 'pageshow']

export function watchForChanges(options: RefreshOptions): Refresh {
  const { view, now, refreshSeconds, minRefreshSeconds, person, digest, look } = options
  let channel: Channel | undefined
  let last = Number.NEGATIVE_INFINITY
  let told: string | undefined
  let heard: string | undefined

  /** At most once in so many seconds, whatever happens around us. */
  function lookAgain(): void {
    if (now() - last < minRefreshSeconds * 1000) return
    last = now()
    look()
  }

  /** Once for each version that another tab says it found: what it told once is no news. */
  function hear({ data }: MessageEvent<Partial<Found> | null>): void {
    const { sub, digest: found } = data ?? {}
    if (sub === undefined || sub !== person() || found === heard || found === digest()) return
    heard = found
    look()
  }

  return {
    start() {
      const window = view()
      if (window === undefined) return () => {}
      const { document, BroadcastChannel } = window
      const ifSeen = () => {
        if (document.visibilityState !== 'hidden') lookAgain()
      }
      const timer = refreshSeconds > 0 ? setInterval(ifSeen, refreshSeconds * 1000) : undefined
      document.addEventListener('visibilitychange', ifSeen)
      for (const event of events) window.addEventListener(event, ifSeen)
      try {
        channel = BroadcastChannel && new BroadcastChannel(channelName)
      } catch {
        // Where the browser blocks what pages share, each page looks for itself.
      }
      if (channel) channel.onmessage = hear
      return () => {
        clearInterval(timer)
        document.removeEventListener('visibilitychange', ifSeen)
        for (const event of events) window.removeEventListener(event, ifSeen)
        channel?.close()
        channel = undefined
      }
    },
    tell(found) {
      last = now()
      const sub = person()
      if (found === told || sub === undefined) return
      told = found
      channel?.postMessage({ sub, digest: found } satisfies Found)
    },
  }
}
