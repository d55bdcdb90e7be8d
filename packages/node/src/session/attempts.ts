/**
 * Attempts: sign-ins that have left for the provider and not come back.
 *
 * login → **attempts** → callback. Each has a sealed cookie of its own, named for its `state`, so that several
 * tabs do not disturb each other and only the browser that began a sign-in can finish it.
 *
 * @see RFC 9700 §2.1.1, §4.7 (bound to the transaction and to the browser)
 * @module
 */
import { hash } from 'node:crypto'
import type { Claims } from '@hfauth/core'
import { buildCookie, readCookies, removalOf } from './cookies.ts'
import { memorySessionStore } from './memory-store.ts'
import type { Settings } from './options.ts'
import { createSealedBox } from './sealed-box.ts'

export interface Attempt {
  readonly alias: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly returnTo: string
  readonly maxAgeSeconds?: number
  /** Epoch milliseconds. */
  readonly createdAt: number
}

export interface Attempts {
  /** The `Set-Cookie` lines that keep one more attempt, and let go of what is old or too much. */
  save(attempt: Attempt, headers: Headers): Promise<string[]>
  /** The attempt of this browser with that state, when it is whole and recent. */
  find(state: string, headers: Headers): Promise<Attempt | undefined>
  /** Uses an attempt up. False when it was used before, on any replica that shares the store. */
  spend(attempt: Attempt): Promise<boolean>
  /** The `Set-Cookie` line that forgets an attempt. */
  forget(state: string): string
}

/** From leaving for the provider to coming back, in milliseconds. */
const lifetimeMs = 600_000
const maximumAttempts = 5

export function createAttempts({ secrets, cookieName, store, now }: Settings): Attempts {
  const box = createSealedBox(secrets, 'sign-in')
  const spent = store ?? memorySessionStore({ now, maxEntries: 10_000 })
  const prefix = `${cookieName}.signin.`
  const nameOf = (state: string) => `${prefix}${hash('sha256', state, 'hex').slice(0, 16)}`

  async function open(name: string, value: string): Promise<Attempt | undefined> {
    const content = await box.open(value, name)
    const attempt = content && readAttempt(content)
    // A record from the future was written by a clock that has since been put right.
    return attempt !== undefined && Math.abs(now() - attempt.createdAt) < lifetimeMs ? attempt : undefined
  }

  return {
    async save(attempt, headers) {
      const there = readCookies(headers, prefix)
      const opened = await Promise.all(
        there.map(async ({ name, value }) => ({
          name,
          createdAt: (await open(name, value))?.createdAt ?? 0,
        })),
      )
      opened.sort((a, b) => b.createdAt - a.createdAt)
      const dropped = opened.filter(({ createdAt }, place) => createdAt === 0 || place >= maximumAttempts - 1)
      const name = nameOf(attempt.state)
      const value = await box.seal(attempt, name)
      return [...dropped.map((old) => removalOf(old.name)), buildCookie({ name, value }, lifetimeMs / 1000)]
    },
    async find(state, headers) {
      const name = nameOf(state)
      const cookie = readCookies(headers, name).find((found) => found.name === name)
      const attempt = cookie && (await open(name, cookie.value))
      return attempt?.state === state ? attempt : undefined
    },
    spend({ state }) {
      const untilMs = now() + 2 * lifetimeMs
      const key = hash('sha256', `sign-in ${state}`, 'hex')
      return spent.create(key, 'spent', { untilMs, indexes: [], indexUntilMs: untilMs })
    },
    forget: (state) => removalOf(nameOf(state)),
  }
}

function readAttempt(content: Claims): Attempt | undefined {
  const { alias, state, nonce, verifier, returnTo, createdAt, maxAgeSeconds } = content
  const whole =
    [alias, state, nonce, verifier, returnTo].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(createdAt) &&
    (maxAgeSeconds === undefined || Number.isSafeInteger(maxAgeSeconds))
  return whole ? (content as unknown as Attempt) : undefined
}
