/**
 * Attempts: sign-ins that have left for the provider and not come back.
 *
 * sign-in address → **attempts** → callback. One record under its own key for each `state`, so that tabs and
 * repeated clicks do not disturb each other. Holds what the answer is compared with, never a token.
 *
 * @module
 */
import type { Settings } from '../options.ts'
import type { AttemptStorage } from '../page.ts'
import { attemptLifetimeMs } from '../provider/lifetime.ts'

export interface Attempt {
  readonly issuer: string
  readonly clientId: string
  readonly redirectUri: string
  readonly nonce: string
  readonly verifier: string
  readonly scope: string
  readonly returnTo: string
  readonly maxAgeSeconds?: number
  /** Set when the answer must have one of these as its `acr`. */
  readonly acrValues?: readonly string[]
  /** Epoch milliseconds. */
  readonly createdAt: number
}

export interface Attempts {
  /** @returns False when the browser does not keep it. */
  save(state: string, attempt: Attempt): boolean
  /** The attempt, when it is whole and recent. Another client's may be among them. */
  find(state: string): Attempt | undefined
  /** @returns False when it may still be there. */
  remove(state: string): boolean
  /** Forgets every attempt of this client. */
  clear(): void
}

const maximumAttempts = 10
/** The version is part of the key: records of another version are nobody's business here. */
const prefix = 'hfauth.attempt.1.'

export function createAttempts({ storage, now, issuer, clientId }: Settings): Attempts {
  /** What storage answers, or `fallback` when it is blocked, full or gone. */
  function tryStorage<T>(fallback: T, use: (storage: AttemptStorage) => T): T {
    try {
      const found = storage()
      return found === undefined ? fallback : use(found)
    } catch {
      return fallback
    }
  }

  const read = (found: AttemptStorage, key: string) => parseAttempt(found.getItem(key), now())

  /** Drops what is old or broken, and the oldest beyond `limit`. */
  function sweep(found: AttemptStorage, limit: number): void {
    const kept: { key: string; createdAt: number }[] = []
    for (const key of keysOf(found)) {
      const attempt = read(found, key)
      if (attempt === undefined) found.removeItem(key)
      else kept.push({ key, createdAt: attempt.createdAt })
    }
    kept.sort((a, b) => b.createdAt - a.createdAt)
    for (const { key } of kept.slice(limit)) found.removeItem(key)
  }

  return {
    save: (state, attempt) =>
      tryStorage(false, (found) => {
        sweep(found, maximumAttempts - 1)
        found.setItem(prefix + state, JSON.stringify(attempt))
        return found.getItem(prefix + state) !== null
      }),
    find: (state) => tryStorage(undefined, (found) => read(found, prefix + state)),
    remove: (state) =>
      tryStorage(false, (found) => {
        found.removeItem(prefix + state)
        return found.getItem(prefix + state) === null
      }),
    clear: () =>
      tryStorage(undefined, (found) => {
        for (const key of keysOf(found)) {
          const attempt = read(found, key)
          if (attempt?.issuer === issuer && attempt.clientId === clientId) found.removeItem(key)
        }
      }),
  }
}

function keysOf(storage: AttemptStorage): string[] {
  const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '')
  return keys.filter((key) => key.startsWith(prefix))
}

function parseAttempt(text: string | null, now: number): Attempt | undefined {
  let value: Record<string, unknown> | null
  try {
    value = JSON.parse(text ?? 'null')
  } catch {
    return undefined
  }
  const texts = ['issuer', 'clientId', 'redirectUri', 'nonce', 'verifier', 'scope', 'returnTo']
  if (typeof value !== 'object' || value === null) return undefined
  const { createdAt, maxAgeSeconds, acrValues } = value
  const whole =
    texts.every((name) => typeof value[name] === 'string') &&
    (maxAgeSeconds === undefined || typeof maxAgeSeconds === 'number') &&
    (acrValues === undefined ||
      (Array.isArray(acrValues) && acrValues.every((each) => typeof each === 'string')))
  // A record from the future was written by a clock that has since been put right.
  const recent = typeof createdAt === 'number' && Math.abs(now - createdAt) < attemptLifetimeMs
  return whole && recent ? (value as unknown as Attempt) : undefined
}
