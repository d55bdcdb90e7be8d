/**
 * Entries: the revocations in force, indexed so that a question costs a few lookups.
 *
 * revoke → **entries** → is revoked? Bounded without ever forgetting: when it is full, the oldest entry is
 * widened to everything its issuer had issued by then, which refuses more and never less.
 *
 * @module
 */
import type { RevocableIdentity } from '../verify/types.ts'
import type { Revocation, RevocationRecord } from './types.ts'

export interface EntriesOptions {
  readonly maxEntries: number
  /** How long an entry counts, in milliseconds. */
  readonly lifeMs: number
}

/** What is taken back of one issuer. Times are epoch seconds; `sessionless` is for what tells no session. */
interface IssuerIndex {
  readonly tokens: Set<string>
  readonly sessions: Set<string>
  readonly subjects: Map<string, number>
  readonly sessionless: Map<string, number>
  before: number
}

type Complete = RevocationRecord & { readonly key: string }

export class RevocationEntries {
  widened = 0
  private readonly options: EntriesOptions
  private readonly records = new Map<string, Complete>()
  private readonly issuers = new Map<string, IssuerIndex>()
  private readonly fingerprints = new Set<string>()
  /** For fingerprints that had to be widened: they name no issuer. */
  private before = Number.NEGATIVE_INFINITY

  constructor(options: EntriesOptions) {
    this.options = options
  }

  has(identity: RevocableIdentity): boolean {
    const { issuer, subject, sessionId, tokenId, fingerprint } = identity
    // What does not tell when it was issued is taken as issued before any revocation.
    const issuedAt = identity.issuedAt ?? Number.NEGATIVE_INFINITY
    if (fingerprint !== undefined && this.fingerprints.has(fingerprint)) return true
    if (reaches(this.before, issuedAt)) return true
    const index = this.issuers.get(issuer)
    if (index === undefined) return false
    if (reaches(index.before, issuedAt)) return true
    if (tokenId !== undefined && index.tokens.has(tokenId)) return true
    if (sessionId !== undefined && index.sessions.has(sessionId)) return true
    if (subject === undefined) return false
    if (reaches(index.subjects.get(subject), issuedAt)) return true
    return sessionId === undefined && reaches(index.sessionless.get(subject), issuedAt)
  }

  /** True when the set is another one than before. */
  add(record: RevocationRecord): boolean {
    const key = keyOf(record.revocation)
    const known = this.records.get(key)
    if (known !== undefined && !isStronger(record, known)) return false
    this.records.delete(key)
    this.records.set(key, { ...record, key })
    if (this.records.size > this.options.maxEntries) this.widenOldest()
    else this.index(record.revocation, record.revokedAt)
    return true
  }

  /** Drops what is older than any credential can be. */
  expire(nowMs: number): boolean {
    const old = [...this.records.values()].filter(({ revokedAt }) => revokedAt + this.options.lifeMs <= nowMs)
    for (const { key } of old) this.records.delete(key)
    if (old.length > 0) this.rebuild()
    return old.length > 0
  }

  list(): readonly RevocationRecord[] {
    return [...this.records.values()].map(({ revocation, revokedAt }) => ({ revocation, revokedAt }))
  }

  /** A tenth at a time, so that a flood of revocations pays for it once in a while. */
  private widenOldest(): void {
    // A widened entry is one like others, and is never widened again.
    const narrow = [...this.records.values()].filter(({ revocation }) => revocation.by !== 'issuer')
    for (const { key, revocation, revokedAt } of narrow.slice(0, Math.ceil(this.options.maxEntries / 10))) {
      this.records.delete(key)
      this.widened += 1
      const before = Math.max(beforeOf(revocation, revokedAt), Math.floor(revokedAt / 1000))
      const issuer = 'issuer' in revocation ? revocation.issuer : everyIssuer
      const wide = { revocation: { by: 'issuer', issuer, before }, revokedAt } as const
      const wideKey = keyOf(wide.revocation)
      const known = this.records.get(wideKey)
      if (known === undefined || isStronger(wide, known)) this.records.set(wideKey, { ...wide, key: wideKey })
    }
    this.rebuild()
  }

  private rebuild(): void {
    this.issuers.clear()
    this.fingerprints.clear()
    this.before = Number.NEGATIVE_INFINITY
    for (const { revocation, revokedAt } of this.records.values()) this.index(revocation, revokedAt)
  }

  private index(revocation: Revocation, revokedAt: number): void {
    if (revocation.by === 'fingerprint') {
      this.fingerprints.add(revocation.fingerprint)
      return
    }
    const before = beforeOf(revocation, revokedAt)
    if (revocation.issuer === everyIssuer) {
      this.before = Math.max(this.before, before)
      return
    }
    const index = this.indexOf(revocation.issuer)
    if (revocation.by === 'token') index.tokens.add(revocation.tokenId)
    else if (revocation.by === 'issuer') index.before = Math.max(index.before, before)
    else if (revocation.by === 'subject') raise(index.subjects, revocation.subject, before)
    else {
      index.sessions.add(revocation.sessionId)
      if (revocation.subject !== undefined) raise(index.sessionless, revocation.subject, before)
    }
  }

  private indexOf(issuer: string): IssuerIndex {
    const index = this.issuers.get(issuer) ?? {
      tokens: new Set(),
      sessions: new Set(),
      subjects: new Map(),
      sessionless: new Map(),
      before: Number.NEGATIVE_INFINITY,
    }
    this.issuers.set(issuer, index)
    return index
  }
}

/** Stands for whatever issuer there is; no issuer has an empty address. */
const everyIssuer = ''

function reaches(before: number | undefined, issuedAt: number): boolean {
  return before !== undefined && before !== Number.NEGATIVE_INFINITY && issuedAt <= before
}

function raise(times: Map<string, number>, name: string, before: number): void {
  times.set(name, Math.max(times.get(name) ?? Number.NEGATIVE_INFINITY, before))
}

/** Epoch seconds up to which a revocation reaches. */
function beforeOf(revocation: Revocation, revokedAt: number): number {
  const before = 'before' in revocation ? revocation.before : undefined
  return before ?? Math.floor(revokedAt / 1000)
}

/** One that reaches further, or lasts longer without reaching less, replaces the other of its name. */
function isStronger(record: RevocationRecord, known: RevocationRecord): boolean {
  const [reach, knownReach] = [record, known].map((one) => beforeOf(one.revocation, one.revokedAt)) as [
    number,
    number,
  ]
  return reach > knownReach || (reach === knownReach && record.revokedAt > known.revokedAt)
}

function keyOf(revocation: Revocation): string {
  switch (revocation.by) {
    case 'token':
      return JSON.stringify(['token', revocation.issuer, revocation.tokenId])
    case 'fingerprint':
      return JSON.stringify(['fingerprint', revocation.fingerprint])
    case 'session':
      return JSON.stringify(['session', revocation.issuer, revocation.sessionId, revocation.subject ?? null])
    case 'subject':
      return JSON.stringify(['subject', revocation.issuer, revocation.subject])
    case 'issuer':
      return JSON.stringify(['issuer', revocation.issuer])
  }
}
