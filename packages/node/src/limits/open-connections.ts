/**
 * Open connections: how many each address holds at a time.
 *
 * socket → **open connections** → request. A connection costs memory before it has said a word, so it is counted
 * before anything of it is read. Only open ones are remembered.
 *
 * @module
 */
import { addressKey } from './address-key.ts'

export interface OpenConnections {
  /** Counts one more of an address; `false` when it holds as many as it may. */
  open(address: string | undefined): boolean
  /** For one that {@link OpenConnections.open} has let in. */
  closed(address: string | undefined): void
}

export function createOpenConnections(perAddress: number): OpenConnections {
  const counts = new Map<string, number>()
  return {
    open(address) {
      const key = addressKey(address)
      const count = counts.get(key) ?? 0
      if (count >= perAddress) return false
      counts.set(key, count + 1)
      return true
    },
    closed(address) {
      const key = addressKey(address)
      const count = counts.get(key) ?? 0
      if (count > 1) counts.set(key, count - 1)
      else counts.delete(key)
    },
  }
}
