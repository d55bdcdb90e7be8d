/**
 * Metadata: what the provider says about itself, checked and kept for a while.
 *
 * network → **metadata** → oauth. One request serves everyone who asks at the same time;
 * a failure is not remembered.
 *
 * @module
 */
import type { Settings } from '../options.ts'
import { isSecureUrl, parseUrl } from '../secure-url.ts'
import { readDocument, unavailable } from './network.ts'

export interface Metadata {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly jwks_uri: string
  readonly revocation_endpoint?: string
  readonly end_session_endpoint?: string
  readonly [member: string]: unknown
}

const maxAgeMs = 3_600_000
const required = ['authorization_endpoint', 'token_endpoint', 'jwks_uri']

/**
 * @returns A function that gives the metadata, asked for when there is none of the last hour; with `fresh`, in any case, and of
 *   the provider itself instead of the browser's cache.
 */
export function createMetadataSource(settings: Settings): (fresh?: boolean) => Promise<Metadata> {
  const { now } = settings
  let held: { readonly promise: Promise<Metadata>; readonly since: number } | undefined
  return (fresh = false) => {
    const age = held ? now() - held.since : -1
    if (!fresh && held && age >= 0 && age < maxAgeMs) return held.promise
    const mine = { promise: requestMetadata(settings, fresh), since: now() }
    held = mine
    mine.promise.catch(() => {
      if (held === mine) held = undefined
    })
    return mine.promise
  }
}

/**
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE`.
 * @see OpenID Connect Discovery §4
 */
async function requestMetadata(settings: Settings, fresh: boolean): Promise<Metadata> {
  const address = new URL(settings.issuer)
  address.pathname = `${address.pathname.replace(/\/$/, '')}/.well-known/openid-configuration`
  const found = await readDocument(settings, address.href, fresh)
  assertMetadata(found, settings)
  return found
}

/**
 * Refuses metadata that cannot be built on.
 *
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE`: another issuer, an endpoint that is missing or not https, no S256.
 * @see RFC 8414 §3.3, RFC 9700 §2.1.1
 */
function assertMetadata(
  metadata: Readonly<Record<string, unknown>>,
  { issuer, allowLoopbackHttp }: Pick<Settings, 'issuer' | 'allowLoopbackHttp'>,
): asserts metadata is Metadata {
  if (metadata.issuer !== issuer) throw unavailable('the metadata belongs to another issuer', false)
  for (const name of [...required, 'revocation_endpoint', 'end_session_endpoint']) {
    const lacking = metadata[name] === undefined && !required.includes(name)
    if (!lacking && !isEndpoint(metadata[name], allowLoopbackHttp)) {
      throw unavailable(`the metadata has no https \`${name}\``, false)
    }
  }
  const methods = metadata.code_challenge_methods_supported
  if (methods !== undefined && !(Array.isArray(methods) && methods.includes('S256'))) {
    throw unavailable('the provider does not support PKCE with S256', false)
  }
}

function isEndpoint(value: unknown, allowLoopbackHttp: boolean): boolean {
  const url = typeof value === 'string' ? parseUrl(value) : undefined
  return url !== undefined && isSecureUrl(url, allowLoopbackHttp)
}
