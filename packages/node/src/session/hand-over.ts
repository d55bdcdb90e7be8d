/**
 * Hand-over: a browser's ID token becomes a session here.
 *
 * The page has signed in by itself and shows its ID token once; from then on the cookie counts, and no token
 * has to be kept where a script can read it.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { ProviderSettings, Settings } from './options.ts'
import type { SessionRecord } from './record.ts'
import { recordOf } from './sign-in.ts'

/** @see RFC 6750 §2.1 */
const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/**
 * The record for the ID token in the `Authorization` header.
 *
 * It must be recent, so that one that was left lying about is of little use. Its `nonce` belongs to the page
 * and is checked there.
 *
 * @throws HfAuthError `HFAUTH_REQUEST_INVALID` without exactly one bearer token; `HFAUTH_TOKEN_UNSUPPORTED` for
 * anything but an ID token of a provider that people sign in with; `HFAUTH_TOKEN_EXPIRED` when it is too old;
 * and what the verifier throws.
 */
export async function takeOver(headers: Pick<Headers, 'get'>, settings: Settings): Promise<SessionRecord> {
  const { verifier, providers, now, handOverMs } = settings
  const token = bearer.exec(headers.get('authorization') ?? '')?.[1]
  if (token === undefined) throw new HfAuthError('HFAUTH_REQUEST_INVALID', 'the request has no bearer token')
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
  const { claims } = principal
  return recordOf({ provider }, { credential: 'id_token', claims, scopes: [], vouchedAt: issuedMs }, settings)
}
