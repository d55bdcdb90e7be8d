/**
 * Secret ring: the versions of one secret, read again while the program runs.
 *
 * source → **ring** → token endpoints, guards of inbound calls. A version that cannot be used never
 * replaces one that can; one that is too old is refused, and says so long before.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import type { AuditEntry, AuditLog } from '../audit/types.ts'
import { numberOption } from '../internal/number-option.ts'
import { unusable } from './secret.ts'
import type { SecretAge, SecretRing, SecretSource, SecretStatus, SecretVersion } from './types.ts'

export interface SecretRingOptions {
  /** Names the secret on record and in messages. */
  readonly name: string
  readonly source: SecretSource
  /** Rotations, ages, refused material and fall-backs go here. Default nowhere. */
  readonly audit?: Pick<AuditLog, 'record'>
  /** How long the previous version is taken after a new one came, in seconds, up to 7 days. Default 72 hours. */
  readonly overlapSeconds?: number
  /** Age from which every day brings a warning, in seconds. Default 75 days. */
  readonly warnAfterSeconds?: number
  /** Age from which the secret is refused, in seconds. Default 90 days. */
  readonly maxAgeSeconds?: number
  /** How often the source is read whatever hints it gives, in milliseconds. Default 60,000. */
  readonly reloadEveryMs?: number
  /** Longest wait for the source, in milliseconds. Default 10,000. */
  readonly loadTimeoutMs?: number
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

const day = 86_400
const maxAge = 400 * day

/**
 * Reads the source and goes on reading it until `close`.
 *
 * @throws HfAuthError `HFAUTH_SECRET_UNAVAILABLE` when there is no usable version to begin with;
 * `HFAUTH_CONFIG_INVALID` when an option is out of its range.
 */
export async function createSecretRing(options: SecretRingOptions): Promise<SecretRing> {
  const { name, source, audit, now = Date.now } = options
  const overlapMs = 1000 * numberOption('overlapSeconds', options.overlapSeconds ?? 3 * day, { max: 7 * day })
  const maxAgeSeconds = numberOption('maxAgeSeconds', options.maxAgeSeconds ?? 90 * day, {
    min: 1,
    max: maxAge,
  })
  const warnAfterSeconds = numberOption(
    'warnAfterSeconds',
    options.warnAfterSeconds ?? Math.min(75 * day, maxAgeSeconds * 0.8),
    { max: maxAgeSeconds },
  )
  const reloadEveryMs = numberOption('reloadEveryMs', options.reloadEveryMs ?? 60_000, { min: 10 })
  const loadTimeoutMs = numberOption('loadTimeoutMs', options.loadTimeoutMs ?? 10_000, { min: 1 })

  let versions: readonly SecretVersion[] = []
  /** When a version stopped being the newest. */
  const replacedAt = new Map<string, number>()
  let fault: string | undefined
  let fallbacks = 0
  let warnedAt: number | undefined
  let inUse: SecretVersion | undefined
  let reading: Promise<void> | undefined

  function record(type: AuditEntry['type'], version: SecretVersion | undefined, error?: string): void {
    const entry: AuditEntry = {
      type,
      requestId: randomUUID(),
      actor: { kind: 'workload', id: 'hfauth', issuer: 'hfauth', roles: [] },
      resource: { kind: 'secret', id: name, ...(version === undefined ? {} : { revision: version.id }) },
      ...(error === undefined ? {} : { error }),
    }
    // A log that is down must not keep a rotation from taking place.
    audit?.record(entry).catch(() => {})
  }

  /** Newest first, those that have begun; a newer one that has not yet begun waits. */
  function begun(): readonly SecretVersion[] {
    return versions.filter(({ notBefore }) => notBefore <= now())
  }

  function current(): SecretVersion {
    const [newest] = begun()
    if (newest === undefined) throw unusable(`no version of \`${name}\` has begun`)
    return newest
  }

  function endOf({ notBefore, notAfter }: SecretVersion): number {
    return Math.min(notBefore + maxAgeSeconds * 1000, notAfter ?? Number.POSITIVE_INFINITY)
  }

  function ageOf(version: SecretVersion): SecretAge {
    const end = endOf(version)
    if (now() >= end) return 'expired'
    const warnFrom = Math.min(
      version.notBefore + warnAfterSeconds * 1000,
      end - (maxAgeSeconds - warnAfterSeconds) * 1000,
    )
    return now() >= warnFrom ? 'due' : 'fresh'
  }

  /** Older versions that are still taken, newest first. */
  function overlapping(): readonly SecretVersion[] {
    const [newest, ...older] = begun()
    return older
      .filter((version) => version !== newest && now() < untilOf(version) && now() < endOf(version))
      .slice(0, 1)
  }

  function untilOf(version: SecretVersion): number {
    const newest = begun()[0]
    return (replacedAt.get(version.id) ?? newest?.notBefore ?? 0) + overlapMs
  }

  async function load(): Promise<void> {
    try {
      const loaded = await inTime(source.load(), loadTimeoutMs)
      if (loaded.length === 0) throw unusable('there is none')
      versions = merge(loaded)
      fault = undefined
    } catch (error) {
      const reason = error instanceof HfAuthError ? error.message : 'the source failed'
      if (reason !== fault) record('io.hfauth.secret.rejected', undefined, 'HFAUTH_SECRET_UNAVAILABLE')
      fault = reason
    }
  }

  /** What was in use stays for the overlap, though its source no longer has it. */
  function merge(loaded: readonly SecretVersion[]): readonly SecretVersion[] {
    // The same value under another name is the version it was: touching a file makes nothing younger.
    const known = loaded.map((version) => {
      const { notAfter } = version
      const before = versions.find((one) => one.id !== version.id && isSame(one, version))
      return before === undefined ? version : { ...before, ...(notAfter === undefined ? {} : { notAfter }) }
    })
    const kept = begun()
      .slice(0, 2)
      .filter((version) => !known.some((one) => isSame(one, version)))
      .filter(({ id }) => now() < (replacedAt.get(id) ?? Number.POSITIVE_INFINITY) + overlapMs)
    return [...known, ...kept]
  }

  /** Another version is in use than before: because it was read, or because its time has come. */
  function noteChange(): void {
    const [newest] = begun()
    if (newest === undefined || newest.id === inUse?.id) return
    if (inUse !== undefined) {
      replacedAt.set(inUse.id, now())
      warnedAt = undefined
      record('io.hfauth.secret.rotated', newest)
    }
    replacedAt.delete(newest.id)
    inUse = newest
  }

  function warn(): void {
    const [newest] = begun()
    if (newest === undefined || ageOf(newest) === 'fresh') return
    if (warnedAt !== undefined && now() - warnedAt < day * 1000) return
    warnedAt = now()
    record(
      'io.hfauth.secret.aging',
      newest,
      ageOf(newest) === 'expired' ? 'HFAUTH_SECRET_EXPIRED' : undefined,
    )
  }

  async function reload(): Promise<void> {
    // One reading at a time; who asks during one gets another, which sees what came meanwhile.
    if (reading !== undefined) await reading
    reading ??= load().finally(() => {
      reading = undefined
    })
    await reading
    noteChange()
    warn()
  }

  await reload()
  if (begun().length === 0) throw unusable(`\`${name}\`: ${fault ?? 'no version has begun'}`)
  const stopWatching = source.watch?.(() => void reload())
  const timer = setInterval(() => void reload(), reloadEveryMs)
  timer.unref()

  return {
    name,
    candidates() {
      const newest = current()
      if (ageOf(newest) === 'expired') {
        throw new HfAuthError(
          'HFAUTH_SECRET_EXPIRED',
          `the secret \`${name}\` is past its limit of age: replace it`,
        )
      }
      return [newest, ...overlapping()]
    },
    matches(text) {
      const usable = [...begun().slice(0, 1), ...overlapping()].filter(
        (version) => ageOf(version) !== 'expired',
      )
      // All of them, so that the time does not tell which it was.
      return usable.map(({ secret }) => secret.equals(text)).includes(true)
    },
    reload,
    status(): SecretStatus {
      const newest = current()
      const [previous] = overlapping()
      return {
        name,
        age: ageOf(newest),
        id: newest.id,
        notBefore: newest.notBefore,
        ageSeconds: Math.max(0, Math.floor((now() - newest.notBefore) / 1000)),
        rotateBefore: endOf(newest),
        ...(previous === undefined ? {} : { previous: { id: previous.id, until: untilOf(previous) } }),
        fallbacks,
        ...(fault === undefined ? {} : { fault }),
      }
    },
    dropPrevious() {
      for (const { id } of begun().slice(1)) replacedAt.set(id, Number.NEGATIVE_INFINITY)
      record('io.hfauth.secret.rotated', current())
    },
    noteFallback(version) {
      fallbacks += 1
      record('io.hfauth.secret.fallback', version)
    },
    close() {
      clearInterval(timer)
      stopWatching?.()
    },
  }
}

/** A source that does not answer is one that fails; what it says later is not waited for. */
async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unusable(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function isSame(a: SecretVersion, b: SecretVersion): boolean {
  return a.secret.equals(b.secret.reveal())
}
