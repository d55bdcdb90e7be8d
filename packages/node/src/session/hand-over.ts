/**
 * Hand-over: a browser's ID token becomes a session here.
 *
 * The page has signed in by itself and shows its ID token once; from then on the cookie counts, and no token
 * has to be kept where a script can read it.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import { withoutSignature } from '../token/fingerprint.ts'
import { memorySessionStore } from './memory-store.ts'
import type { ProviderSettings, Settings } from './options.ts'
import type { SessionRecord } from './record.ts'
import { recordOf } from './sign-in.ts'

/** @see RFC 6750 §2.1 */
const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/** Clocks of replicas and of the issuer may differ so much, in milliseconds. */
const toleranceMs = 300_000

/**
 * The record for the ID token in the `Authorization` header.
 *
 * It must be recent, so that one that was left lying about is of little use, and becomes a session once. Its
 * `nonce` belongs to the page and is checked there.
 *
 * @throws HfAuthError `HFAUTH_REQUEST_INVALID` without exactly one bearer token; `HFAUTH_TOKEN_UNSUPPORTED` for
 * anything but an ID token of a provider that people sign in with; `HFAUTH_TOKEN_EXPIRED` when it is too old;
 * `HFAUTH_TOKEN_INVALID` when it has been used; and what the verifier throws.
 */
export type HandOver = (headers: Pick<Headers, 'get'>) => Promise<SessionRecord>

export function createHandOver(settings: Settings): HandOver {
  const { verifier, providers, now, handOverMs, store } = settings
  const spent = store ?? memorySessionStore({ now, maxEntries: 100_000 })

  /** False when it was used before, on any replica that shares the store. */
  function spend(token: string, issuedMs: number): Promise<boolean> {
    const untilMs = Math.max(issuedMs, now()) + handOverMs + toleranceMs
    const key = hash('sha256', `hand-over ${withoutSignature(token)}`, 'hex')
    return spent.create(key, 'spent', { untilMs, indexes: [], indexUntilMs: untilMs })
  }

  return async (headers) => {
    const token = bearer.exec(headers.get('authorization') ?? '')?.[1]
    if (token === undefined)
      throw new HfAuthError('HFAUTH_REQUEST_INVALID', 'the request has no bearer token')
    const at = now()
    const { principal, issuer, kind } = await verifier.verify(token)
    const provider: ProviderSettings | undefined = providers.get(issuer.alias)
    if (kind !== 'id_token' || provider === undefined) {
      throw new HfAuthError(
        'HFAUTH_TOKEN_UNSUPPORTED',
        'only the ID token of a person who signed in becomes a session',
      )
    }
    const issuedMs = (principal.issuedAt ?? 0) * 1000
    if (now() - issuedMs > handOverMs) {
      throw new HfAuthError('HFAUTH_TOKEN_EXPIRED', 'the ID token is too old to become a session')
    }
    if (!(await spend(token, issuedMs))) {
      throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the ID token has become a session before')
    }
    const { claims } = principal
    const identity = { credential: 'id_token', claims, scopes: [], vouchedAt: issuedMs } as const
    return recordOf({ provider }, identity, at)
  }
}
