/**
 * Tabs: how the tabs of one origin agree: who renews, what came of it, who is signed out.
 *
 * **tabs** → vault. A Web Lock says who may renew, a channel tells the others. Where the browser lacks one of
 * the two, each tab is on its own and is told so.
 *
 * @module
 */
import type { Surroundings } from '../page.ts'

/** What tabs say to each other. `out` and `ask` carry no secret. */
export type TabMessage =
  | { readonly type: 'ask' }
  | { readonly type: 'grant'; readonly grant: unknown }
  | { readonly type: 'out'; readonly version: number }

export interface Tabs {
  /** Whether there is a lock and a channel. */
  readonly able: boolean
  /** Starts listening; again after `rest`. */
  listen(): void
  /** Lets go of channel and presence, so that the browser may keep the page for the way back. */
  rest(): void
  post(message: TabMessage): void
  /**
   * Runs `work` alone among all tabs. The browser queues those who wait.
   *
   * @throws DOMException `TimeoutError` when the turn does not come within `waitMs`.
   */
  exclusively<T>(account: string, waitMs: number, work: () => Promise<T>): Promise<T>
  /** Tells others, while it is true, that there is something to ask for. */
  setHolding(holding: boolean): void
  /** Whether any other tab would answer. */
  someoneHolds(): Promise<boolean>
}

export function createTabs(
  surroundings: () => Surroundings,
  name: string,
  onMessage: (message: TabMessage) => void,
): Tabs {
  const presence = `${name} holder`
  const locks = () => surroundings().navigator?.locks
  let channel: BroadcastChannel | undefined
  let release: (() => void) | undefined
  let holding = false

  function hold(): void {
    const free = locks()
    if (!free || release || !holding) return
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    free.request(presence, { mode: 'shared' }, () => held).catch(() => {})
  }

  function letGo(): void {
    release?.()
    release = undefined
  }

  return {
    get able() {
      return Boolean(locks() && channel)
    },
    listen() {
      const Channel = surroundings().BroadcastChannel
      if (channel || Channel === undefined) return
      try {
        channel = new Channel(name)
      } catch {
        // Where the browser blocks what pages share, each page is on its own.
        return
      }
      channel.onmessage = ({ data }: MessageEvent) => {
        if (['ask', 'grant', 'out'].includes(data?.type)) onMessage(data)
      }
      hold()
    },
    rest() {
      channel?.close()
      channel = undefined
      letGo()
    },
    post: (message) => channel?.postMessage(message),
    async exclusively(account, waitMs, work) {
      const free = locks()
      if (!free) return work()
      const waiting = new AbortController()
      const timer = setTimeout(() => waiting.abort(new DOMException('no turn', 'TimeoutError')), waitMs)
      let begun = false
      const begin = () => {
        clearTimeout(timer)
        begun = true
        return work()
      }
      try {
        return await free.request(`${name} ${account}`, { signal: waiting.signal }, begin)
      } catch (error) {
        // Where the browser blocks what pages share, there are no others.
        if (begun || (error as DOMException).name !== 'SecurityError') throw error
        return begin()
      }
    },
    setHolding(next) {
      holding = next
      if (holding) hold()
      else letGo()
    },
    async someoneHolds() {
      const { held = [] } = (await locks()?.query()) ?? {}
      return held.some((lock) => lock.name === presence)
    },
  }
}
