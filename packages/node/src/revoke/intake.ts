/**
 * Intake: what every door hands a revocation to. It is put in force first and on record then.
 *
 * door → **intake** → revocations, audit. A revocation that cannot be recorded or shared is in force here
 * all the same; the door says that it failed, so that whoever sent it sends it again.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { AuditActor, AuditClient } from '@hfauth/core'
import { HfAuthError } from '@hfauth/core'
import type { AuditLog } from '../audit/types.ts'
import type { Revocation, RevocationSet } from './types.ts'
import { unrecorded } from './unrecorded.ts'

export interface RevocationIntakeOptions {
  readonly revocations: Pick<RevocationSet, typeof unrecorded>
  readonly audit: Pick<AuditLog, 'record'>
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** What arrived, from whom, and what is to be taken back because of it. */
export interface RevocationNotice {
  /** Where it came in: `admin`, or the program's own word. */
  readonly door: string
  readonly actor: AuditActor
  /** Empty when what arrived takes nothing back, and is only put on record. */
  readonly revocations: readonly Revocation[]
  readonly requestId?: string
  readonly client?: AuditClient
  /** Kind of the security event, and the id under which it was sent. */
  readonly event?: string
  readonly eventId?: string
  /** Why nothing could be taken back: a stable code. */
  readonly error?: string
  /** When the reason for it came about, in epoch milliseconds. */
  readonly occurredAt?: number
}

export interface RevocationIntake {
  /** Takes one thing back on the program's own word. Throws as `receive`. */
  revoke(revocation: Revocation): Promise<void>
  /**
   * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when a revocation is malformed; `HFAUTH_REVOCATION_UNAVAILABLE`
   * or `HFAUTH_AUDIT_UNAVAILABLE` (retryable) when it is in force here, and not shared or not on record.
   */
  receive(notice: RevocationNotice): Promise<void>
}

export function createRevocationIntake(options: RevocationIntakeOptions): RevocationIntake {
  const { revocations, audit, now = Date.now } = options

  async function record(
    notice: RevocationNotice,
    revocation: Revocation | undefined,
    error: string | undefined,
  ) {
    const { door, actor, client, event, eventId, occurredAt, requestId = randomUUID() } = notice
    await audit.record({
      type: 'io.hfauth.revocation.received',
      requestId,
      actor,
      ...(client === undefined ? {} : { client }),
      ...(error === undefined ? {} : { error }),
      revocation: {
        door,
        ...(revocation === undefined ? {} : recorded(revocation)),
        ...(event === undefined ? {} : { event }),
        ...(eventId === undefined ? {} : { eventId }),
        ...(occurredAt === undefined ? {} : { latencyMs: Math.max(0, now() - occurredAt) }),
      },
    })
  }

  const intake: RevocationIntake = {
    revoke: (revocation) => intake.receive({ door: 'program', actor: program, revocations: [revocation] }),
    async receive(notice) {
      const failures: unknown[] = []
      const attempt = async (work: () => Promise<void>): Promise<string | undefined> => {
        try {
          await work()
        } catch (error) {
          failures.push(error)
          return error instanceof HfAuthError ? error.code : 'internal_error'
        }
        return undefined
      }
      if (notice.revocations.length === 0) await attempt(() => record(notice, undefined, notice.error))
      for (const revocation of notice.revocations) {
        const error = await attempt(() => revocations[unrecorded](revocation))
        await attempt(() => record(notice, revocation, error))
      }
      if (failures.length > 0) throw failures[0]
    },
  }
  return intake
}

const program: AuditActor = { kind: 'workload', id: 'hfauth', issuer: 'hfauth', roles: [] }

function recorded(revocation: Revocation): { by: string; issuer?: string; target?: string } {
  const { by } = revocation
  const target =
    by === 'token'
      ? revocation.tokenId
      : by === 'fingerprint'
        ? revocation.fingerprint
        : by === 'session'
          ? revocation.sessionId
          : by === 'subject'
            ? revocation.subject
            : undefined
  return {
    by,
    ...(by === 'fingerprint' ? {} : { issuer: revocation.issuer }),
    ...(target === undefined ? {} : { target }),
  }
}

/** The provider that sent a signed notice, as the record names it. */
export function providerActor(issuer: string): AuditActor {
  return { kind: 'workload', id: issuer, issuer, roles: [] }
}
