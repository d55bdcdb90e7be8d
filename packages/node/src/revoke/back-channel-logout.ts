/**
 * Back-channel logout: a provider tells, with a signed token, that a session or all of a person's are over.
 *
 * POST → **back-channel logout** → intake.
 *
 * @see OpenID Connect Back-Channel Logout 1.0 §2.4 (logout token), §2.6 (validation), §2.8 (answer)
 * @module
 */
import { type Claims, HfAuthError, type Issuer } from '@hfauth/core'
import { isJsonObject } from '../internal/json-object.ts'
import type { Fetch } from '../internal/request.ts'
import { claim } from '../token/claims.ts'
import { checkTimes } from '../verify/check-claims.ts'
import { type ChosenIssuer, chooseIssuer } from '../verify/choose-issuer.ts'
import { answer, type Door, hasType, readBody } from './http.ts'
import { providerActor, type RevocationIntake } from './intake.ts'
import {
  checkNoticeAudience,
  checkSignature,
  createNoticeKeys,
  maxNoticeBytes,
  NoticeError,
  type NoticeKeys,
  readNotice,
  requireIssueTime,
  requireText,
} from './signed-notice.ts'
import type { Revocation } from './types.ts'
import { createUsedIds, type MarkStore } from './used-ids.ts'

export interface BackChannelLogoutOptions {
  readonly intake: RevocationIntake
  /** Those whose logout tokens are taken; `policy.issuers.values()`. */
  readonly issuers: Iterable<Issuer>
  /** Makes a `jti` count once on all replicas that share it. Default this process's memory. */
  readonly store?: MarkStore
  /** Clock difference to forgive, in seconds. Default 30. */
  readonly clockToleranceSeconds?: number
  /** Replaces the global `fetch` for discovery and keys. */
  readonly fetch?: Fetch
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** Longest time since `iat`, in seconds, for a token without `exp`: older providers leave it out (§2.4 suggests two minutes). */
const maxAgeSeconds = 120

/**
 * Makes the endpoint that is registered as `backchannel_logout_uri`. A token without `sid` ends all that
 * its subject was given until then. 200 when it is over (also when it was before); otherwise 400, as the
 * standard has it for every failure.
 */
export function createBackChannelLogout(options: BackChannelLogoutOptions): Door {
  const { intake, fetch = globalThis.fetch, now = Date.now, clockToleranceSeconds = 30 } = options
  const issuers = [...options.issuers]
  const keys = new Map<string, NoticeKeys>(
    issuers.flatMap(({ addresses, preset: { algorithms }, keys }) =>
      addresses.map(({ url }) => [url, createNoticeKeys(url, { algorithms, keys, fetch, now })] as const),
    ),
  )
  const used = createUsedIds('back-channel-logout', { store: options.store, now })
  const usedId = (issuer: string, id: string) => JSON.stringify([issuer, id])

  function choose(payload: Claims): ChosenIssuer {
    try {
      return chooseIssuer(payload, issuers)
    } catch {
      throw new NoticeError('invalid_issuer', 'the token is of no issuer in the policy')
    }
  }

  async function readLogoutToken(text: string) {
    const jwt = readNotice(text)
    const { payload } = jwt
    const { issuer, address } = choose(payload)
    await checkSignature(jwt, {
      algorithms: issuer.preset.algorithms,
      types: ['logout+jwt', 'jwt', ''],
      keys: keys.get(address.url) as NoticeKeys,
    })
    checkNoticeAudience(payload, issuer.audience)
    const times = { nowMs: now(), toleranceSeconds: clockToleranceSeconds }
    const issuedAt = requireIssueTime(payload, times)
    const expiresAt = checkTimes(payload, { ...times, requireExpiry: false })
    if (expiresAt === undefined && issuedAt < now() / 1000 - maxAgeSeconds - clockToleranceSeconds) {
      throw new NoticeError('invalid_request', 'the token is too old, and has no `exp`')
    }
    if (Object.hasOwn(payload, 'nonce')) {
      throw new NoticeError('invalid_request', 'a token with `nonce` is no logout token')
    }
    const events = claim(payload, 'events')
    if (!isJsonObject(events) || !Object.hasOwn(events, logoutEvent) || !isJsonObject(events[logoutEvent])) {
      throw new NoticeError('invalid_request', 'the token does not tell of a logout (`events`)')
    }
    const id = requireText(payload, 'jti')
    if (await used.isKnown(usedId(issuer.url, id)))
      throw new NoticeError('invalid_request', 'the token has been used (`jti`)')
    return { id, issuedAt, issuer: issuer.url, revocation: revocationOf(payload, issuer.url, issuedAt) }
  }

  return async (request) => {
    if (request.method !== 'POST') return answer(405, undefined, { allow: 'POST' })
    try {
      const { id, issuedAt, issuer, revocation } = await readLogoutToken(await readForm(request))
      await intake.receive({
        door: 'back-channel-logout',
        actor: providerActor(issuer),
        revocations: [revocation],
        event: 'backchannel-logout',
        eventId: id,
        occurredAt: issuedAt * 1000,
      })
      await used.add(usedId(issuer, id))
      return answer(200)
    } catch (error) {
      if (!(error instanceof HfAuthError)) throw error
      return answer(400, { error: 'invalid_request', error_description: describe(error) })
    }
  }
}

/** @throws NoticeError unless the body is a form with exactly one `logout_token`. */
async function readForm(request: Request): Promise<string> {
  const body = hasType(request, 'application/x-www-form-urlencoded')
    ? await readBody(request, maxNoticeBytes)
    : undefined
  const tokens = new URLSearchParams(body ?? '').getAll('logout_token')
  if (tokens.length === 1 && tokens[0] !== undefined) return tokens[0]
  throw new NoticeError('invalid_request', 'the body is not a form with one `logout_token`')
}

function revocationOf(payload: Claims, issuer: string, before: number): Revocation {
  const [subject, sessionId] = ['sub', 'sid'].map((name) =>
    Object.hasOwn(payload, name) ? requireText(payload, name) : undefined,
  )
  if (sessionId !== undefined) {
    return { by: 'session', issuer, sessionId, before, ...(subject === undefined ? {} : { subject }) }
  }
  if (subject !== undefined) return { by: 'subject', issuer, subject, before }
  throw new NoticeError('invalid_request', 'the token has neither `sub` nor `sid`')
}

function describe(error: HfAuthError): string {
  return error.retryable ? 'the logout could not be completed; try again' : error.message
}
