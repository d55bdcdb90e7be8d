/**
 * Permissions: what the person signed in may do here, from the snapshot their server made.
 *
 * session state, guarded fetch → **permissions** → the page. For showing and hiding; the server decides again. Stands
 * apart from `createAuth` so that pages without it do not load the policy engine.
 *
 * @module
 */
import {
  type Access,
  HfAuthError,
  loadSnapshot,
  type RequestContext,
  type ResourceInput,
  type Snapshot,
} from '@hfauth/core'
import type { Session } from '../session/session.ts'

/** What is needed of `createAuth`. */
export interface PermissionsAuth {
  readonly session: Session | undefined
  subscribe(listener: () => void): () => void
  readonly fetch: typeof globalThis.fetch
}

export interface PermissionsOptions {
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Longest wait for a snapshot, in milliseconds. Default 10000. */
  readonly timeoutMs?: number
}

export interface Permissions {
  /** Answers questions; `undefined` while nothing is loaded for the person signed in. */
  readonly access: Access | undefined
  /**
   * Loads a snapshot, from an address through `auth.fetch` or as parsed JSON.
   *
   * @throws HfAuthError `HFAUTH_SIGNED_OUT`, `HFAUTH_ORIGIN_REFUSED`, or `HFAUTH_SNAPSHOT_INVALID`: nothing is
   *   allowed then, except that a failure that will pass leaves what was loaded for the same sign-in.
   */
  load(source: string | URL | Snapshot): Promise<Access>
  /** False when nothing is loaded, the session is over, or the rules do not allow it. */
  can(action: string, resource: ResourceInput, context?: RequestContext): boolean
  subscribe(listener: () => void): () => void
  getSnapshot(): Access | undefined
}

export function createPermissions(auth: PermissionsAuth, options: PermissionsOptions = {}): Permissions {
  const { now = Date.now, timeoutMs = 10_000 } = options
  const listeners = new Set<() => void>()
  let loaded: { readonly access: Access; readonly owner: Session } | undefined
  let turn = 0

  // A sign-in is of one person, so rules can never be asked for anybody else; a renewal keeps it, with the scopes it had.
  const isSame = (owner: Session | undefined) =>
    owner !== undefined &&
    auth.session?.id === owner.id &&
    auth.session.scopes.join(' ') === owner.scopes.join(' ')
  const current = () => (loaded && isSame(loaded.owner) ? loaded.access : undefined)

  function hold(next: typeof loaded): void {
    loaded = next
    for (const listener of [...listeners]) listener()
  }

  async function load(source: string | URL | Snapshot): Promise<Access> {
    turn += 1
    const mine = turn
    const owner = auth.session
    try {
      if (owner === undefined) throw new HfAuthError('HFAUTH_SIGNED_OUT', 'nobody is signed in')
      const text = typeof source === 'string' || source instanceof URL ? await download(source) : source
      const access = loadSnapshot(text, { now })
      if (access.principal.slice(access.principal.indexOf('|') + 1) !== owner.sub) {
        throw invalid('it was made for another person')
      }
      if (!isSame(owner)) throw new HfAuthError('HFAUTH_SIGNED_OUT', 'the person signed out meanwhile')
      // The later call wins, whichever answer comes last.
      if (mine === turn) hold({ access, owner })
      return access
    } catch (error) {
      if (mine === turn && !(error instanceof HfAuthError && error.retryable)) hold(undefined)
      throw error
    }
  }

  async function download(address: string | URL): Promise<string> {
    try {
      const signal = AbortSignal.timeout(timeoutMs)
      const headers = { accept: 'application/json' }
      const response = await auth.fetch(address, { headers, signal, cache: 'no-store' })
      const { status } = response
      if (status !== 200) throw invalid(`its address answered ${status}`, status >= 500 || status === 429)
      return await response.text()
    } catch (error) {
      throw error instanceof HfAuthError ? error : invalid('its address cannot be reached', true)
    }
  }

  return {
    get access() {
      return current()
    },
    load,
    can: (action, resource, context) => current()?.can(action, resource, context) ?? false,
    subscribe(listener) {
      const entry = () => listener()
      listeners.add(entry)
      const unsubscribe = auth.subscribe(entry)
      return () => {
        listeners.delete(entry)
        unsubscribe()
      }
    },
    getSnapshot: current,
  }
}

function invalid(why: string, retryable = false): HfAuthError {
  return new HfAuthError('HFAUTH_SNAPSHOT_INVALID', `the snapshot cannot be used: ${why}`, { retryable })
}
