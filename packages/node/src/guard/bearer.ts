/**
 * Bearer: finds the one credential of a request, and nowhere but in the `Authorization` header.
 *
 * request → **bearer** → verify. A credential in a query or in a body lets nobody in: both end up in logs.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'

const bearer = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i
// One space and then anything: with several of them apart, a header full of spaces would be tried from each.
const otherScheme = /^(?!Bearer(?: |$))[A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]* [^,]*$/i

/**
 * Reads the bearer credential. Does not verify it.
 *
 * @returns The raw token, or `undefined` when the request has no `Authorization` header.
 * @throws HfAuthError `HFAUTH_REQUEST_INVALID` when the header is malformed or holds two credentials;
 * `HFAUTH_TOKEN_UNSUPPORTED` for another scheme, which is refused rather than taken for nobody.
 * @see RFC 6750 §2.1 (header field), §3.1 (error codes)
 */
export function readBearer(headers: Pick<Headers, 'get'>): string | undefined {
  const header = headers.get('authorization')
  if (header === null) return undefined
  const token = bearer.exec(header)?.[1]
  if (token !== undefined) return token
  if (otherScheme.test(header)) {
    throw new HfAuthError(
      'HFAUTH_TOKEN_UNSUPPORTED',
      'the `Authorization` header is not of the scheme `Bearer`',
    )
  }
  throw new HfAuthError('HFAUTH_REQUEST_INVALID', 'the `Authorization` header is malformed')
}

/**
 * Refuses a request that carries a token in its query besides the one in its header.
 *
 * @param target - The request target, or the whole address.
 * @throws HfAuthError `HFAUTH_REQUEST_INVALID`
 * @see RFC 6750 §2 (one method in each request), §2.3 (the parameter)
 */
export function assertOneCredential(headers: Pick<Headers, 'has'>, target: string): void {
  const question = target.indexOf('?')
  if (question < 0 || !headers.has('authorization')) return
  if (new URLSearchParams(target.slice(question + 1)).has('access_token')) {
    throw new HfAuthError('HFAUTH_REQUEST_INVALID', 'the request carries a token in its query as well')
  }
}
