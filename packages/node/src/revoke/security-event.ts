/**
 * Security event tokens: one reader for all transmitters, strict unless a transmitter is named as older.
 *
 * push, poll → **security event** → event subject. The older shapes are switched on by transmitter, never
 * guessed from the token.
 *
 * @see RFC 8417 (SET), OpenID Shared Signals Framework 1.0 §4, CAEP 1.0, RISC 1.0;
 * developers.google.com: Cross-Account Protection
 * @module
 */
import { type Claims, HfAuthError } from '@hfauth/core'
import { isJsonObject } from '../internal/json-object.ts'
import { numberOption } from '../internal/number-option.ts'
import type { Fetch } from '../internal/request.ts'
import { claim } from '../token/claims.ts'
import { modernSubject } from './event-subject.ts'
import {
  checkNoticeAudience,
  checkSignature,
  createNoticeKeys,
  NoticeError,
  readNotice,
  requireIssueTime,
  requireText,
} from './signed-notice.ts'

export interface Transmitter {
  /** Address of the issuer, as in the policy, whose credentials the events are about. */
  readonly issuer: string
  /** `iss` of the events. Default `issuer`; for `google` with a slash at its end. */
  readonly eventIssuer?: string
  /** `aud` of the events: what was agreed on when the stream was made. */
  readonly audience: string | readonly string[]
  /** Where the transmitter's keys are (`jwks_uri` of its configuration). Default those of the issuer's discovery. */
  readonly jwksUri?: string
  /** Default RS256, PS256, ES256 and EdDSA. */
  readonly algorithms?: readonly string[]
  /**
   * Takes the shapes from before the standards were final, where the subject stands inside the event:
   * `google` (RISC: `subject_type`, any `exp`), `okta` (times in milliseconds). Default none of them.
   */
  readonly legacy?: 'google' | 'okta'
}

export interface SecurityEvent {
  /** Last part of its address: `session-revoked`. */
  readonly name: string
  /** The whole address. */
  readonly type: string
  /** With a `format`, whatever the transmitter calls it; absent when the event has none. */
  readonly subject?: Claims
  /** Epoch milliseconds. */
  readonly occurredAt: number
  readonly members: Claims
}

export interface SecurityEventToken {
  readonly id: string
  readonly events: readonly SecurityEvent[]
}

export interface EventReaderOptions {
  readonly transmitter: Transmitter
  readonly clockToleranceSeconds?: number | undefined
  readonly fetch?: Fetch | undefined
  readonly now?: (() => number) | undefined
}

export interface EventReader {
  /** Spellings of the issuer that may stand in a subject. */
  readonly issuers: readonly string[]
  readonly eventIssuer: string
  /** @throws NoticeError; HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable). */
  read(text: string): Promise<SecurityEventToken>
}

/** Most events in one token; the framework expects one. */
const maxEvents = 8
/** From here on a number of seconds is one of milliseconds: the year 5138. */
const millisecondsFrom = 1e11

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is malformed. */
export function createEventReader(options: EventReaderOptions): EventReader {
  const { transmitter, fetch = globalThis.fetch, now = Date.now } = options
  const { issuer, legacy, jwksUri, algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] } = transmitter
  const eventIssuer = eventIssuerOf(transmitter)
  const toleranceSeconds = numberOption('clockToleranceSeconds', options.clockToleranceSeconds ?? 30, {
    max: 300,
  })
  const audience = [transmitter.audience].flat()
  if (audience.length === 0 || audience.includes('')) {
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      'a transmitter needs `audience`, or events for others would be taken',
    )
  }
  const keys = createNoticeKeys(issuer, { algorithms, jwksUri, fetch, now })
  const types = legacy === undefined ? ['secevent+jwt'] : ['secevent+jwt', 'jwt', '']

  function readEvent(type: string, members: Claims, payload: Claims, issuedAt: number): SecurityEvent {
    const latest = Math.floor(now() / 1000) + toleranceSeconds
    const time = Math.min(readTime(claim(members, 'event_timestamp'), legacy) ?? issuedAt, latest)
    const subject = claim(
      legacy === undefined ? payload : members,
      legacy === undefined ? 'sub_id' : 'subject',
    )
    // A transmitter that has meanwhile come to the standard may say it in today's way.
    const named = subject ?? (legacy === undefined ? undefined : claim(payload, 'sub_id'))
    return {
      type,
      name: type.slice(type.lastIndexOf('/') + 1),
      ...(isJsonObject(named) ? { subject: legacy === undefined ? named : modernSubject(named) } : {}),
      occurredAt: time * 1000,
      members,
    }
  }

  return {
    issuers: [...new Set([issuer, eventIssuer])],
    eventIssuer,
    async read(text) {
      const jwt = readNotice(text)
      const { payload } = jwt
      if (claim(payload, 'iss') !== eventIssuer) {
        throw new NoticeError('invalid_issuer', 'the token is of another issuer')
      }
      await checkSignature(jwt, { algorithms, types, keys })
      checkNoticeAudience(payload, audience)
      const issuedAt = requireIssueTime(payload, { nowMs: now(), toleranceSeconds })
      const id = requireText(payload, 'jti')
      if (legacy === undefined) checkFinalShape(payload)
      const events = claim(payload, 'events')
      const entries = isJsonObject(events) ? Object.entries(events) : []
      if (entries.length === 0 || entries.length > maxEvents) {
        throw new NoticeError('invalid_request', `\`events\` does not hold 1 to ${maxEvents} events`)
      }
      return {
        id,
        events: entries.map(([type, members]) => {
          if (!isJsonObject(members)) throw new NoticeError('invalid_request', 'an event is not an object')
          return readEvent(type, members, payload, issuedAt)
        }),
      }
    },
  }
}

/** `iss` of the events, which is also `issuer` of the transmitter's own description. */
export function eventIssuerOf({ issuer, eventIssuer, legacy }: Transmitter): string {
  return eventIssuer ?? (legacy === 'google' ? `${issuer.replace(/\/$/, '')}/` : issuer)
}

/** What tells an event from a credential (SSF 1.0 §4.1). */
function checkFinalShape(payload: Claims): void {
  const wrong = ['sub', 'exp', 'nonce'].find((name) => Object.hasOwn(payload, name))
  if (wrong !== undefined) throw new NoticeError('invalid_request', `a security event has no \`${wrong}\``)
  const subject = claim(payload, 'sub_id')
  if (!isJsonObject(subject) || typeof subject.format !== 'string') {
    throw new NoticeError('invalid_request', '`sub_id` is missing or has no `format`')
  }
}

/** Epoch seconds; `undefined` when the event does not tell. */
function readTime(value: unknown, legacy: Transmitter['legacy']): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new NoticeError('invalid_request', '`event_timestamp` is not a time')
  }
  if (value < millisecondsFrom) return Math.floor(value)
  if (legacy === 'okta') return Math.floor(value / 1000)
  throw new NoticeError('invalid_request', '`event_timestamp` is not in seconds')
}
