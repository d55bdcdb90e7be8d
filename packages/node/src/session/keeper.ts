/**
 * Keeper: finds the session of a request, begins, changes and ends one, wherever it is kept.
 *
 * cookie → **keeper** → record. With a store the cookie is 256 bits of chance and the record is elsewhere, under
 * their digest; without one the record itself is in the cookie. Nothing of a cookie that is not exactly ours
 * is ever believed, and nothing is said of why.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { HfAuthError, type Principal } from '@hfauth/core'
import { actorIdentities, subjectsOf } from '../verify/revocable.ts'
import type { RevocableIdentity } from '../verify/types.ts'
import { buildCookie, maxCookieLength, readCookie } from './cookies.ts'
import type { Settings } from './options.ts'
import { principalOf, readRecord, type SessionRecord } from './record.ts'
import { createSealedBox } from './sealed-box.ts'

/** A live session as it was last read. */
export interface Kept {
  /** What the cookie stands for; the CSRF token hangs on it. Never recorded. */
  readonly id: string
  /** Digest of the id: names the session to stores, revocations and records. */
  readonly name: string
  readonly record: SessionRecord
  readonly principal: Principal
  readonly endsAt: number
  /** What the record was read from, to notice that somebody else has changed it. */
  readonly sealed: string
  readonly setCookie?: string
}

export interface SessionKeeper {
  find(headers: Pick<Headers, 'get'>): Promise<Kept | undefined>
  /** The same session as it is now; `undefined` when it has ended. */
  again(kept: Kept): Promise<Kept | undefined>
  /** A session with a new id. @throws HfAuthError `HFAUTH_SESSION_TOO_LARGE`. */
  begin(record: SessionRecord): Promise<Kept>
  /** Puts another record in the place of what was read. `undefined` when that is no longer there. */
  change(kept: Kept, record: SessionRecord): Promise<Kept | undefined>
  /** False when it had ended already. */
  end(kept: Kept): Promise<boolean>
  /** Ends every session of a subject, or of one sign-in at the provider. Gives their number. */
  endAll(of: Pick<RevocableIdentity, 'issuer' | 'subject' | 'sessionId'>): Promise<number>
}

/** Clocks of two replicas may differ so much. */
const toleranceMs = 60_000

export function createKeeper(settings: Settings): SessionKeeper {
  const { engine, store, revocations, revoke, secrets, cookieName, idleMs, absoluteMs, now, randomId } =
    settings
  const box = createSealedBox(secrets, 'session')
  const nameOf = (id: string) => hash('sha256', `session ${id}`, 'hex')
  const endOf = ({ signedInAt }: SessionRecord) => signedInAt + absoluteMs
  const untilOf = (record: SessionRecord) => Math.min(record.seenAt + idleMs, endOf(record))

  async function read(id: string, sealed: string, place: string): Promise<Kept | undefined> {
    const content = await box.open(sealed, place)
    const record = content && readRecord(content)
    if (record === undefined || !isLive(record)) return undefined
    const endsAt = endOf(record)
    const principal = principalOf(record, engine.policy, endsAt)
    if (principal === undefined) return undefined
    const name = nameOf(id)
    return isRevoked(record, name, principal) ? undefined : { id, name, record, principal, endsAt, sealed }
  }

  function isLive(record: SessionRecord): boolean {
    return (
      now() < untilOf(record) && [record.signedInAt, record.seenAt].every((at) => at <= now() + toleranceMs)
    )
  }

  function isRevoked(record: SessionRecord, name: string, principal: Principal): boolean {
    if (revocations === undefined) return false
    const own = subjectsOf(record.claims, principal.subject).map((subject) =>
      revocable(record, name, subject),
    )
    const issuerNamed = (alias: string) => engine.policy.issuers.get(alias)
    const actors = actorIdentities(principal, Math.floor(record.signedInAt / 1000), issuerNamed)
    return [...own, ...actors].some((identity) => revocations.isRevoked(identity))
  }

  async function seal(record: SessionRecord, id: string): Promise<{ sealed: string; value: string }> {
    if (store !== undefined) return { sealed: await box.seal(record, nameOf(id)), value: id }
    const sealed = await box.seal({ ...record, id }, cookieName)
    if (cookieName.length + sealed.length >= maxCookieLength) {
      throw new HfAuthError(
        'HFAUTH_SESSION_TOO_LARGE',
        `the session is longer than the ${maxCookieLength} bytes of a cookie: keep sessions in a store`,
      )
    }
    return { sealed, value: sealed }
  }

  const cookieOf = (record: SessionRecord, value: string) =>
    buildCookie({ name: cookieName, value }, Math.max(1, Math.ceil((endOf(record) - now()) / 1000)))

  async function kept(record: SessionRecord, id: string): Promise<Kept & { readonly setCookie: string }> {
    const endsAt = endOf(record)
    const principal = principalOf(record, engine.policy, endsAt)
    if (principal === undefined) throw new HfAuthError('HFAUTH_SIGNIN_INVALID', 'the claims have no subject')
    const { sealed, value } = await seal(record, id)
    return { id, name: nameOf(id), record, principal, endsAt, sealed, setCookie: cookieOf(record, value) }
  }

  const keeper: SessionKeeper = {
    async find(headers) {
      const value = readCookie(headers, cookieName)
      if (value === undefined) return undefined
      if (store !== undefined) {
        if (!/^[A-Za-z0-9_-]{43}$/.test(value)) return undefined
        const sealed = await store.get(nameOf(value))
        return sealed === undefined ? undefined : read(value, sealed, nameOf(value))
      }
      const { id } = (await box.open(value, cookieName)) ?? {}
      return typeof id === 'string' ? read(id, value, cookieName) : undefined
    },

    async again(session) {
      if (store === undefined) return session
      const sealed = await store.get(session.name)
      return sealed === undefined ? undefined : read(session.id, sealed, session.name)
    },

    async begin(record) {
      const session = await kept(record, randomId())
      const entry = {
        untilMs: untilOf(record),
        indexes: indexesOf(session),
        indexUntilMs: endOf(record),
      }
      if (store !== undefined && !(await store.create(session.name, session.sealed, entry))) {
        throw new HfAuthError('HFAUTH_STORE_UNAVAILABLE', 'the id of the session is taken', {
          retryable: true,
        })
      }
      return session
    },

    async change(session, record) {
      const next = await kept(record, session.id)
      if (store === undefined) return next
      const replaced = await store.replace(session.name, session.sealed, next.sealed, untilOf(record))
      if (!replaced) return undefined
      const { setCookie: _, ...same } = next
      return same
    },

    async end(session) {
      if (store !== undefined) return store.delete(session.name)
      const [subject] = subjectsOf(session.record.claims, session.principal.subject)
      await revoke?.(revocable(session.record, session.name, subject), session.endsAt)
      return true
    },

    async endAll({ issuer, subject, sessionId }) {
      if (store === undefined) {
        throw new HfAuthError(
          'HFAUTH_CONFIG_INVALID',
          'sessions without a store are ended through the `revocations` they ask',
        )
      }
      let ended = 0
      // A sign-in that is named ends alone; only without one are all of the subject's meant.
      if (sessionId !== undefined) ended = await store.deleteIndexed(indexName('sid', issuer, sessionId))
      else if (subject !== undefined) ended = await store.deleteIndexed(indexName('sub', issuer, subject))
      return ended
    },
  }
  return keeper
}

/** Names under which a session can be found without its cookie. Digests, so that a store names nobody. */
function indexesOf({ record, principal }: Kept): string[] {
  const { sid } = record.claims
  return [
    ...subjectsOf(record.claims, principal.subject).map((subject) =>
      indexName('sub', record.issuer, subject),
    ),
    ...(typeof sid === 'string' ? [indexName('sid', record.issuer, sid)] : []),
  ]
}

function indexName(kind: 'sub' | 'sid', issuer: string, value: string): string {
  return hash('sha256', JSON.stringify(['session index', kind, issuer, value]), 'hex')
}

function revocable(record: SessionRecord, name: string, subject: string | undefined): RevocableIdentity {
  const { sid } = record.claims
  return {
    issuer: record.issuer,
    subject,
    tokenId: name,
    issuedAt: Math.floor(record.signedInAt / 1000),
    ...(typeof sid === 'string' ? { sessionId: sid } : {}),
  }
}
