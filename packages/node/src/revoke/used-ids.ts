/**
 * Used ids: which notices have been dealt with, so that one sent twice counts once.
 *
 * In this process, and with a store on all replicas that share it.
 *
 * @module
 */
import { hash } from 'node:crypto'

/** Small marks with an end, shared by replicas. Every session store is one: `redisSessionStore(client)`. */
export interface MarkStore {
  /** The value, or `undefined` when there is none or its time is over. */
  get(key: string): Promise<string | undefined>
  /** Keeps a new value. False when the key is taken. */
  create(
    key: string,
    value: string,
    entry: { readonly untilMs: number; readonly indexes: readonly string[]; readonly indexUntilMs: number },
  ): Promise<boolean>
  /** Removes a value. False when there was none. */
  delete(key: string): Promise<boolean>
}

export interface UsedIds {
  /** Whether it is known to have been used. A store that cannot be asked knows of nothing. */
  isKnown(id: string): Promise<boolean>
  /** @throws HfAuthError `HFAUTH_STORE_UNAVAILABLE` (retryable) when it cannot be shared. */
  add(id: string): Promise<void>
  /** As `add`, in one step with the question: false when it was used before, on whatever replica. */
  claim(id: string): Promise<boolean>
  /** Takes a claim back, so that what failed may come again. */
  release(id: string): Promise<void>
}

/** How long and how many ids are kept. */
const lifeMs = 24 * 3_600_000
const maxIds = 100_000

/** @param scope - What the ids are of: a door, and the issuer that gave them. */
export function createUsedIds(
  scope: string,
  { store, now }: { readonly store?: MarkStore | undefined; readonly now: () => number },
): UsedIds {
  const marks = store ?? memoryMarks(now)
  const keyOf = (id: string) => hash('sha256', JSON.stringify(['notice', scope, id]), 'hex')
  const claim = (id: string) => mark(marks, keyOf(id), 'used', now() + lifeMs)
  return {
    isKnown: (id) =>
      marks.get(keyOf(id)).then(
        (value) => value !== undefined,
        () => false,
      ),
    add: async (id) => void (await claim(id)),
    claim,
    release: async (id) => void (await marks.delete(keyOf(id))),
  }
}

/** Keeps a mark that nobody has to find by another name. False when it is there. */
export function mark(store: MarkStore, key: string, value: string, untilMs: number): Promise<boolean> {
  return store.create(key, value, { untilMs, indexes: [], indexUntilMs: untilMs })
}

/** Marks of this process; the oldest goes first. */
export function memoryMarks(now: () => number): MarkStore {
  const entries = new Map<string, { readonly value: string; readonly untilMs: number }>()
  const find = (key: string) => {
    const entry = entries.get(key)
    return entry !== undefined && now() < entry.untilMs ? entry.value : undefined
  }
  return {
    get: async (key) => find(key),
    async create(key, value, { untilMs }) {
      if (find(key) !== undefined) return false
      entries.delete(key)
      entries.set(key, { value, untilMs })
      const [oldest] = entries.keys()
      if (entries.size > maxIds && oldest !== undefined) entries.delete(oldest)
      return true
    },
    delete: async (key) => entries.delete(key),
  }
}
