/**
 * Session state: the one place that holds the access token, in a variable nothing else can reach.
 *
 * session → **session state** → guarded fetch, permissions, the page. Time is checked on every use; the timer
 * only makes a page notice without being asked.
 *
 * @module
 */
import type { Session } from './session.ts'

/** A frozen picture of the moment; the same object until something changes. */
export interface AuthState {
  /** `unknown` until the address has been looked at: server and first client render agree on it. */
  readonly status: 'unknown' | 'signed-out' | 'signed-in'
  readonly session: Session | undefined
}

export interface SessionState {
  /** Changes with each sign-in and sign-out, for work that must not outlive one. */
  readonly turn: number
  snapshot(): AuthState
  /** The access token while it is alive. */
  accessToken(): string | undefined
  begin(session: Session, accessToken: string): void
  end(): void
  /** Says that nobody came back signed in. */
  settle(): void
  subscribe(listener: () => void): () => void
}

const unknown: AuthState = Object.freeze({ status: 'unknown', session: undefined })
const signedOut: AuthState = Object.freeze({ status: 'signed-out', session: undefined })
/** Longer waits overflow and fire at once. */
const longestTimerMs = 2 ** 31 - 1

export function createSessionState(now: () => number): SessionState {
  const listeners = new Set<() => void>()
  let state = unknown
  let token: string | undefined
  let turn = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const notify = () => {
    for (const listener of [...listeners]) listener()
  }

  function become(next: AuthState, accessToken?: string): void {
    clearTimeout(timer)
    state = next
    token = accessToken
    turn += 1
    watch()
  }

  function watch(): void {
    if (state.session === undefined) return
    const left = state.session.expiresAt - now()
    timer = setTimeout(
      () => void (snapshot().session && watch()),
      Math.min(Math.max(left, 0), longestTimerMs),
    )
  }

  function snapshot(): AuthState {
    if (state.session !== undefined && now() >= state.session.expiresAt) {
      become(signedOut)
      // Later: this may be asked in the middle of a render.
      queueMicrotask(notify)
    }
    return state
  }

  return {
    get turn() {
      return turn
    },
    snapshot,
    accessToken: () => (snapshot().session ? token : undefined),
    begin(session, accessToken) {
      become(Object.freeze({ status: 'signed-in', session }), accessToken)
      notify()
    },
    end() {
      become(signedOut)
      notify()
    },
    settle() {
      if (state !== unknown) return
      state = signedOut
      notify()
    },
    subscribe(listener) {
      // A function of its own, so that one listener given twice is two subscriptions.
      const entry = () => listener()
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
  }
}
