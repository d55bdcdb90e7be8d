/**
 * Proxy token: the signed word of a proxy in front, about the person whom it signed in.
 *
 * request → **proxy token** → verify. Such a proxy knows people by its own cookie, which a browser sends
 * whoever asks it to: so a request that changes something must not come from another site.
 *
 * @see docs.aws.amazon.com: Elastic Load Balancing, listener-authenticate-users (`x-amzn-oidc-data`)
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { isUnsafe } from '../session/csrf.ts'
import type { GuardRequest, Visit } from './types.ts'

/** Finds the token; does not verify it. */
export type ProxyTokenReader = (
  request: Pick<GuardRequest, 'method'> & { readonly headers: Pick<Headers, 'get'> },
  visit: Pick<Visit, 'isFromProxy'>,
) => string | undefined

/** Names that mean something else to everybody. */
const taken: ReadonlySet<string> = new Set(['authorization', 'cookie', 'host', 'origin'])

/** Base64url in three parts, which may be padded; two headers of one name have a comma between them. */
const token = /^[\w-]+=*\.[\w-]+=*\.[\w-]+=*$/

/**
 * @param name - `proxyTokenHeader` of the guard; without one nothing is read.
 * @returns A reader that throws `HFAUTH_REQUEST_INVALID` when the header is malformed, comes twice or comes from
 * anybody but a trusted proxy, and `HFAUTH_REQUEST_FORGED` when a page of another site sent the request.
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` for a name that is none, or without `trustedProxies`.
 */
export function createProxyTokenReader(
  name: string | undefined,
  trustedProxies: readonly string[] = [],
): ProxyTokenReader {
  if (name === undefined) return () => undefined
  if (!/^[A-Za-z0-9-]{1,64}$/.test(name) || taken.has(name.toLowerCase())) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`proxyTokenHeader` is no name of a header for this')
  }
  if (trustedProxies.length === 0) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`proxyTokenHeader` needs `trustedProxies`')
  }
  return ({ method, headers }, { isFromProxy }) => {
    const value = headers.get(name)
    if (value === null) return undefined
    if (!isFromProxy) throw invalid(`\`${name}\` comes from no trusted proxy`)
    if (!token.test(value)) throw invalid(`the \`${name}\` header is malformed`)
    if (isUnsafe({ method, headers }) && isFromElsewhere(headers)) {
      throw new HfAuthError('HFAUTH_REQUEST_FORGED', 'the request is not taken: another site sent it')
    }
    return value
  }
}

/** As the browser says; a client that says nothing is no browser, and has nobody's cookie to misuse. */
function isFromElsewhere(headers: Pick<Headers, 'get'>): boolean {
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site !== 'same-origin' && site !== 'none'
  const sender = headers.get('origin')
  if (sender === null) return false
  return !URL.canParse(sender) || new URL(sender).host !== headers.get('host')?.toLowerCase()
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_REQUEST_INVALID', message)
}
