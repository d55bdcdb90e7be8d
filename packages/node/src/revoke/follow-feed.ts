/**
 * Follow feed: reads what other replicas revoke, and tells them what this one does.
 *
 * feed → **follow feed** → revocations. Reads on from the last place it knows, so a lost connection loses
 * nothing. A feed that no longer knows that place has lost its own memory: it is told again all that is
 * known here.
 *
 * @module
 */
import type { RevocationFeed, RevocationRecord } from './types.ts'

export interface FollowOptions {
  readonly now: () => number
  readonly everyMs: number
  /** All that is in force here. */
  known(): readonly RevocationRecord[]
  onRecords(records: readonly RevocationRecord[]): void
  /** Called after every attempt to read, well or not. */
  onAttempt(): void
}

export interface Follower {
  /** Resolves after the first complete reading. */
  readonly ready: Promise<void>
  /** Epoch milliseconds at which the last complete reading began. */
  readAt(): number | undefined
  unshared(): number
  /** @throws What the feed threw; the record is kept and appended later. */
  append(record: RevocationRecord): Promise<void>
  close(): void
}

export function followFeed(feed: RevocationFeed, options: FollowOptions): Follower {
  const { now, everyMs, known, onRecords, onAttempt } = options
  let setReady = () => {}
  const ready = new Promise<void>((resolve) => {
    setReady = resolve
  })
  const waiting = new Set<RevocationRecord>()
  let position: string | undefined
  let readAt: number | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  async function catchUp(): Promise<void> {
    const since = now()
    let again: boolean
    do {
      const page = await feed.read(position)
      if (page.restarted) for (const record of known()) waiting.add(record)
      onRecords(page.records)
      position = page.position
      again = page.more && !closed
    } while (again)
    readAt = since
    setReady()
    for (const record of waiting) await share(record)
  }

  async function share(record: RevocationRecord): Promise<void> {
    await feed.append(record)
    waiting.delete(record)
  }

  async function turn(): Promise<void> {
    try {
      await catchUp()
    } catch {
      // The next turn tries again; how long it has been so is told by `readAt`.
    }
    onAttempt()
    if (closed) return
    timer = setTimeout(turn, everyMs)
    timer.unref()
  }
  void turn()

  return {
    ready,
    readAt: () => readAt,
    unshared: () => waiting.size,
    async append(record) {
      waiting.add(record)
      await share(record)
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}
