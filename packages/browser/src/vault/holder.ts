/**
 * Holder: the grant of this page, and what the tabs agree on about it.
 *
 * grant, marks, tabs → **holder** → rotation, vault. Whatever changes passes through here: it is stored, then told to the
 * other tabs, then to the page. The later version wins, and a sign-out ends all that came before it.
 *
 * @module
 */
import type { Settings } from '../options.ts'
import type { Surroundings } from '../page.ts'
import type { TokenStore } from '../token-store.ts'
import { canRefresh, type Grant, type Holding, publicPart, readGrant } from './grant.ts'
import type { Marks } from './marks.ts'
import { createTabs, type TabMessage, type Tabs } from './tabs.ts'

/** Who made a change: this tab, another one, the provider, or nothing but time. */
export type ChangedBy = 'this-tab' | 'other-tab' | 'provider' | 'time'

export interface VaultChange {
  readonly type: 'signed-in' | 'renewed' | 'renewal-lost' | 'signed-out'
  readonly by: ChangedBy
  readonly holding: Holding | undefined
}

export interface Holder extends Pick<Tabs, 'exclusively' | 'rest'> {
  readonly grant: Grant | undefined
  /** Grows with each end of a session: an answer to what was asked before it comes too late. */
  readonly turn: number
  /** Whether the tabs share what is held. */
  prepare(): Promise<boolean>
  /** Looks for a grant in the store and, when they share, in the other tabs. */
  restore(): Promise<void>
  /** For a grant made now: later than all that is known of. */
  nextVersion(): number
  keep(next: Grant, type: VaultChange['type'], by: ChangedBy): Promise<void>
  /** Forgets at once, here alone. Settles when the store has forgotten too. */
  drop(by: ChangedBy): Promise<unknown>
  /** Forgets at once, here and in the other tabs. */
  leave(by: ChangedBy): Promise<void>
  /** Forgets what others have signed out, heard or not. */
  heed(): Promise<void>
  /** Asks the other tabs, and waits until what is held is not of this version, or none has answered in time. */
  askTabs(version: number): Promise<void>
  /** See `Vault.check`. */
  check(missed: boolean): Promise<void>
}

export interface HolderParts {
  readonly settings: Settings
  readonly marks: Marks
  readonly surroundings: () => Surroundings
  /** Of the channel and the locks. */
  readonly name: string
  readonly onChange: (change: VaultChange) => void
}

/** How long another tab may take to tell what it has. */
export const answerMs = 2_000

export function createHolder({ settings, marks, surroundings, name, onChange }: HolderParts): Holder {
  const { now, shareTabs, tokenStore: store } = settings
  const tabs = createTabs(surroundings, name, hear)
  const waiters = new Set<() => void>()
  let grant: Grant | undefined
  /** Everything up to this version is signed out. */
  let floor = 0
  let turn = 0
  let storing: Promise<unknown> = Promise.resolve()
  let sharing: Promise<boolean> | undefined
  let shares = false

  function prepare(): Promise<boolean> {
    sharing ??= (async () => {
      tabs.listen()
      shares = shareTabs && tabs.able && (await marks.usable())
      await heed()
      return shares
    })()
    return sharing
  }

  function persist(): Promise<unknown> {
    const kept = grant
    // One after the other, so that the last change is what stays. A store that fails is a store that forgets.
    storing = storing
      .then(() => (kept ? store?.write(JSON.stringify(kept)) : store?.remove()))
      .catch(() => undefined)
    return storing
  }

  function showPresence(): void {
    tabs.setHolding(shares && grant !== undefined)
  }

  function changed(type: VaultChange['type'], by: ChangedBy): void {
    showPresence()
    for (const wake of [...waiters]) wake()
    onChange({ type, by, holding: grant && publicPart(grant) })
  }

  /** A new refresh token is stored before anybody hears of what came with it. */
  async function keep(next: Grant, type: VaultChange['type'], by: ChangedBy): Promise<void> {
    grant = next
    if (store) await persist()
    if (grant !== next) return
    if (shares && by !== 'other-tab') tabs.post({ type: 'grant', grant })
    changed(type, by)
  }

  function drop(by: ChangedBy): Promise<unknown> {
    turn += 1
    grant = undefined
    const done = store ? persist() : Promise.resolve()
    changed('signed-out', by)
    return done
  }

  async function signedOutUpTo(version: number): Promise<void> {
    floor = Math.max(floor, version)
    if (grant && grant.version <= floor) await drop('other-tab')
  }

  async function heed(): Promise<void> {
    await signedOutUpTo(await marks.signedOut())
  }

  function hear(message: TabMessage): void {
    if (message.type === 'out') {
      if (Number.isSafeInteger(message.version)) void signedOutUpTo(message.version)
    } else if (!shares) {
      return
    } else if (message.type === 'ask') {
      if (grant) tabs.post({ type: 'grant', grant })
    } else {
      const told = readGrant(message.grant)
      if (told === undefined || told.version <= Math.max(floor, grant?.version ?? 0)) return
      const type = grant?.id !== told.id ? 'signed-in' : isLost(grant, told) ? 'renewal-lost' : 'renewed'
      void keep(told, type, 'other-tab')
    }
  }

  function askTabs(version: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        waiters.delete(look)
        resolve()
      }
      const look = () => void (grant?.version !== version && done())
      const timer = setTimeout(done, answerMs)
      waiters.add(look)
      tabs.post({ type: 'ask' })
    })
  }

  const nextVersion = () => Math.max(now(), grant?.version ?? 0, floor) + 1

  return {
    get grant() {
      return grant
    },
    get turn() {
      return turn
    },
    prepare,
    async restore() {
      const sharesNow = await prepare()
      if (grant === undefined && store) {
        const found = await readStored(store)
        const isOfUse = found && (now() < found.expiresAt || canRefresh(publicPart(found), now()))
        if (grant === undefined && isOfUse && found.version > floor) {
          grant = found
          return changed('signed-in', 'this-tab')
        }
      }
      if (grant === undefined && sharesNow && (await tabs.someoneHolds())) await askTabs(0)
    },
    nextVersion,
    keep,
    drop,
    async leave(by) {
      floor = nextVersion()
      const done = drop(by)
      tabs.post({ type: 'out', version: floor })
      await Promise.all([done, marks.setSignedOut(floor)])
    },
    heed,
    askTabs,
    async check(missed) {
      tabs.listen()
      showPresence()
      if (grant) await heed()
      if (grant === undefined) return
      if (missed && !(await marks.usable())) await drop('other-tab')
      else if (shares) tabs.post({ type: 'ask' })
    },
    exclusively: tabs.exclusively,
    rest: tabs.rest,
  }
}

async function readStored(store: TokenStore): Promise<Grant | undefined> {
  try {
    return readGrant(JSON.parse((await store.read()) ?? 'null'))
  } catch {
    return undefined
  }
}

/** Whether the refresh token is gone and nothing came for it: the same access token, and no longer a refresh token. */
export function isLost(before: Grant, after: Grant): boolean {
  return after.refreshToken === undefined && after.accessToken === before.accessToken
}
