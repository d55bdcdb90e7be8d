/**
 * Session state: what the page shows of the sign-in, and who is told when it changes.
 *
 * vault → **session state** → renewal, guarded fetch, permissions, the page. Time is checked on every use; the
 * timer only makes a page notice without being asked.
 *
 * @module
 */
import type { Holding } from '../vault/grant.ts'
import type { ChangedBy, VaultChange } from '../vault/holder.ts'
import type { AuthEvent, AuthListener } from './events.ts'
import { buildSession, type Session } from './session.ts'

/** A frozen picture of the moment; the same object until something changes. */
export interface AuthState {
  /** `unknown` until the address has been looked at: server and first client render agree on it. */
  readonly status: 'unknown' | 'signed-out' | 'signed-in'
  readonly session: Session | undefined
}

export interface SessionState {
  snapshot(): AuthState
  readonly holding: Holding | undefined
  /** Takes over what the vault says. */
  apply(change: VaultChange): void
  /** Shows nothing until the next change or `settle`: for a page that comes back from the cache. */
  suspend(): void
  /** Says that nothing more is to be waited for. */
  settle(): void
  emit(event: AuthEvent): void
  subscribe(listener: AuthListener): () => void
}

export interface SessionStateParts {
  readonly now: () => number
  /** Whether something can renew this, so that the end of the access token is not the end. */
  readonly renewable: (holding: Holding) => boolean
  /** The session has ended by time alone. */
  readonly onEnd: () => void
}

const unknown: AuthState = Object.freeze({ status: 'unknown', session: undefined })
const signedOut: AuthState = Object.freeze({ status: 'signed-out', session: undefined })
/** Longer waits overflow and fire at once. */
export const longestTimerMs = 2 ** 31 - 1

export function createSessionState({ now, renewable, onEnd }: SessionStateParts): SessionState {
  const listeners = new Set<AuthListener>()
  let state = unknown
  let holding: Holding | undefined
  let expired = false
  let timer: ReturnType<typeof setTimeout> | undefined

  const emit = (event: AuthEvent) => {
    for (const listener of [...listeners]) listener(event)
  }

  function become(next: AuthState, held: Holding | undefined): void {
    clearTimeout(timer)
    state = next
    holding = held
    expired = false
    watch()
  }

  function watch(): void {
    clearTimeout(timer)
    if (holding === undefined || expired) return
    const left = Math.max(holding.expiresAt - now(), 0)
    timer = setTimeout(() => void (snapshot().session && watch()), Math.min(left, longestTimerMs))
  }

  function end(by: ChangedBy): void {
    const before = state
    become(signedOut, undefined)
    if (before !== signedOut) emit({ type: 'signed-out', by })
  }

  function snapshot(): AuthState {
    if (holding === undefined || now() < holding.expiresAt) return state
    if (renewable(holding)) {
      if (!expired) queueMicrotask(() => emit({ type: 'expired' }))
      expired = true
    } else {
      become(signedOut, undefined)
      onEnd()
      // Later: this may be asked in the middle of a render.
      queueMicrotask(() => emit({ type: 'signed-out', by: 'time' }))
    }
    return state
  }

  return {
    snapshot,
    get holding() {
      return holding
    },
    apply({ type, by, holding: held }) {
      if (held === undefined) return end(by)
      const next = signedIn(held)
      const { session } = next
      become(next, held)
      if (type === 'signed-in' || type === 'renewed') emit({ type, by, session })
      else emit({ type: 'renewal-lost' })
    },
    suspend() {
      if (state.session === undefined) return
      state = unknown
      emit({ type: 'ready' })
    },
    settle() {
      if (state !== unknown) return
      state = holding ? signedIn(holding) : signedOut
      emit({ type: 'ready' })
    },
    emit,
    subscribe(listener) {
      // A function of its own, so that one listener given twice is two subscriptions.
      const entry: AuthListener = (event) => listener(event)
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
  }
}

function signedIn(holding: Holding) {
  return Object.freeze({ status: 'signed-in', session: buildSession(holding) } as const)
}
