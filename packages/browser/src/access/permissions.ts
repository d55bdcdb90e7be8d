/**
 * Permissions: what the person signed in may do here, by the rules that their server keeps to.
 *
 * session state, rules source → **permissions** → the page. For showing and hiding; the server decides again. Stands
 * apart from `createAuth` so that pages without it do not load the policy engine.
 *
 * @module
 */
import {
  type Access,
  HfAuthError,
  type Likelihood,
  type RequestContext,
  type ResourceInput,
  type Snapshot,
} from '@hfauth/core'
import type { Session } from '../session/session.ts'
import { type View, watchForChanges } from './refresh.ts'
import type { PermissionsAuth, Rules, RulesSource } from './rules.ts'
import { snapshotAt, snapshotInHand } from './snapshot-source.ts'

export interface PermissionsOptions {
  /**
   * Where rules come from: the address of a snapshot (asked through `auth.fetch`), or a source such as
   * `policyRules`. They are loaded once somebody listens and is signed in, and again for each new session.
   */
  readonly source?: string | URL | RulesSource
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Longest wait for a snapshot, in milliseconds. Default 10000. */
  readonly timeoutMs?: number
  /** How often a visible page looks whether the rules have changed, in seconds. Default 300; 0 for never. */
  readonly refreshSeconds?: number
  /** Shortest time between two such looks, also when the page comes into view, in seconds. Default 30. */
  readonly minRefreshSeconds?: number
  /** Replaces the window whose events are listened to. */
  readonly view?: View
}

/** A frozen picture of the moment; the same object until something changes. */
export interface PermissionsState {
  /** `empty`: nobody is signed in, or nothing was asked for. `ready`: there are rules, however the last look went. */
  readonly status: 'empty' | 'loading' | 'ready' | 'failed'
  readonly access: Access | undefined
  /** Why the last look at the source failed. */
  readonly error: HfAuthError | undefined
}

export interface Permissions {
  /** Answers questions; `undefined` while nothing is loaded for the person signed in. */
  readonly access: Access | undefined
  /**
   * Loads rules, and keeps them up to date unless they are a snapshot in hand.
   *
   * @param source - As {@link PermissionsOptions.source}, or a snapshot as parsed JSON.
   * @throws HfAuthError `HFAUTH_SIGNED_OUT`, `HFAUTH_ORIGIN_REFUSED`, or `HFAUTH_SNAPSHOT_INVALID`: nothing is
   *   allowed then, except that a failure that will pass leaves what was loaded for the same person.
   */
  load(source: string | URL | RulesSource | Snapshot): Promise<Access>
  /**
   * Looks whether the rules have changed; nothing happens when they have not. For instance after an API refused
   * what `can` had allowed.
   *
   * @throws HfAuthError as `load`; `HFAUTH_CONFIG_INVALID` when nothing was ever loaded.
   */
  refresh(): Promise<Access>
  /** False when nothing is loaded, the session is over, or the rules do not allow it. */
  can(action: string, resource: ResourceInput, context?: RequestContext): boolean
  /** As `can`, and `maybe` when attributes that were not given would settle it. */
  likelihood(action: string, resource: ResourceInput, context?: RequestContext): Likelihood
  subscribe(listener: () => void): () => void
  getSnapshot(): PermissionsState
  /** Stops looking, and forgets the rules. */
  close(): void
}

const empty: PermissionsState = Object.freeze({ status: 'empty', access: undefined, error: undefined })

export function createPermissions(auth: PermissionsAuth, options: PermissionsOptions = {}): Permissions {
  const { now = Date.now, timeoutMs = 10_000 } = options
  const listeners = new Set<() => void>()
  let source = options.source === undefined ? undefined : toSource(options.source)
  let state = empty
  /** Whose state it is. */
  let owner: Session | undefined
  let rules: Rules | undefined
  /** The session that was last seen; changes with each sign-in, refresh and sign-out. */
  let seen: Session | undefined
  let turn = 0
  let stop: (() => void) | undefined

  function toSource(given: string | URL | RulesSource): RulesSource {
    return typeof given === 'string' || given instanceof URL
      ? snapshotAt(given, { fetch: auth.fetch, now, timeoutMs })
      : given
  }

  function become(next: PermissionsState, loaded: Rules | undefined, whose: Session | undefined): void {
    state = next === empty ? empty : Object.freeze(next)
    rules = loaded
    owner = whose
    for (const listener of [...listeners]) listener()
  }

  /** Rules of another sign-in, or of somebody who held more scopes, are nobody's: see them gone before all else. */
  function current(): PermissionsState {
    const session = auth.session
    const same =
      session && owner?.id === session.id && owner.scopes.every((scope) => session.scopes.includes(scope))
    if (state !== empty && !same) {
      state = empty
      rules = owner = undefined
    }
    return state
  }

  async function look(from: RulesSource): Promise<Access> {
    turn += 1
    const mine = turn
    const session = auth.session
    seen = session
    try {
      if (session === undefined) throw signedOut('nobody is signed in')
      if (current().status !== 'ready') become({ ...empty, status: 'loading' }, undefined, session)
      const known = from === source ? rules : undefined
      const loaded = (await from.load(session, known)) ?? known
      if (loaded === undefined) throw new HfAuthError('HFAUTH_SNAPSHOT_INVALID', 'the source has no rules')
      if (auth.session?.id !== session.id) throw signedOut('the person signed out meanwhile')
      // The later call wins, whichever answer comes last.
      if (mine === turn) keep(loaded, session)
      return loaded.access
    } catch (error) {
      const passing = error instanceof HfAuthError && error.retryable
      if (mine === turn && auth.session !== undefined) fail(error, passing)
      throw error
    }
  }

  function keep(loaded: Rules, session: Session): void {
    // The same access gives the same answers, so nobody has to draw anything again.
    if (current().access === loaded.access && state.error === undefined) [rules, owner] = [loaded, session]
    else become({ status: 'ready', access: loaded.access, error: undefined }, loaded, session)
    watcher.tell(loaded.access.digest)
  }

  function fail(error: unknown, passing: boolean): void {
    const known = error instanceof HfAuthError ? error : undefined
    if (passing && current().access) become({ ...state, error: known }, rules, owner)
    else become({ status: 'failed', access: undefined, error: known }, undefined, auth.session)
  }

  const watcher = watchForChanges({
    view: () => options.view ?? (typeof window === 'undefined' ? undefined : window),
    now,
    refreshSeconds: options.refreshSeconds ?? 300,
    minRefreshSeconds: options.minRefreshSeconds ?? 30,
    person: () => auth.session?.sub,
    digest: () => current().access?.digest,
    look: again,
  })

  /** In nobody's name: what goes wrong is in the state. */
  function again(): void {
    if (source !== undefined && auth.session !== undefined) look(source).catch(() => {})
  }

  function start(): void {
    if (stop !== undefined) return
    const unsubscribe = auth.subscribe(follow)
    const unwatch = watcher.start()
    stop = () => {
      unsubscribe()
      unwatch()
    }
    if (auth.session !== seen) again()
  }

  function follow(): void {
    const session = auth.session
    if (session === seen) return
    seen = session
    turn += 1
    current()
    for (const listener of [...listeners]) listener()
    again()
  }

  return {
    get access() {
      return current().access
    },
    async load(given) {
      if (isSnapshot(given)) {
        source = undefined
        return look(snapshotInHand(given, now))
      }
      source = toSource(given)
      const loading = look(source)
      start()
      return loading
    },
    async refresh() {
      if (source === undefined)
        throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'there is no source to ask again')
      return look(source)
    },
    can: (action, resource, context) => current().access?.can(action, resource, context) ?? false,
    likelihood: (action, resource, context) =>
      current().access?.likelihood(action, resource, context) ?? 'deny',
    subscribe(listener) {
      const entry = () => listener()
      listeners.add(entry)
      start()
      return () => void listeners.delete(entry)
    },
    getSnapshot: current,
    close() {
      stop?.()
      stop = seen = undefined
      turn += 1
      become(empty, undefined, undefined)
    },
  }
}

function isSnapshot(given: string | URL | RulesSource | Snapshot): given is Snapshot {
  return typeof given === 'object' && !(given instanceof URL) && !('load' in given)
}

function signedOut(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNED_OUT', why)
}
