/**
 * Discovery: what an issuer says of itself, as far as it may be believed.
 *
 * issuer → **discovery** → keys, userinfo. The document is a hint for a few addresses and no more:
 * algorithms, and whom to trust, come from the policy and its presets.
 *
 * @see OpenID Connect Discovery 1.0 §4
 * @module
 */
import { callableEndpoint } from '../internal/endpoint.ts'
import { parseJsonObject } from '../internal/json-object.ts'
import { type BoundedResponse, unavailable } from '../internal/request.ts'

export interface IssuerMetadata {
  readonly jwksUri: string
  /** Only when it is on the issuer's own origin, because tokens are sent there. */
  readonly userinfoEndpoint?: string
  /** Likewise; a client's secret is sent there too. */
  readonly introspectionEndpoint?: string
}

export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

/**
 * Reads the answer of the discovery endpoint.
 *
 * @param issuer - The address in the policy; `issuer` in the document must be exactly this text (§4.3).
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when the document is not this issuer's, or
 * names no key set that may be fetched.
 */
export function readDiscovery({ status, text }: BoundedResponse, issuer: string): IssuerMetadata {
  const subject = `the discovery document of issuer \`${issuer}\``
  if (status !== 200) throw unavailable(subject, `status ${status}`)
  const document = parseJsonObject(text)
  if (document === undefined) throw unavailable(subject, 'it is not a JSON object')
  if (document.issuer !== issuer) throw unavailable(subject, 'it names another issuer')
  const jwksUri = callableEndpoint(document.jwks_uri, issuer)
  if (jwksUri === undefined) throw unavailable(subject, '`jwks_uri` is not an address that may be called')
  const [userinfoEndpoint, introspectionEndpoint] = [
    document.userinfo_endpoint,
    document.introspection_endpoint,
  ].map((address) => onOrigin(address, issuer))
  return {
    jwksUri: jwksUri.href,
    ...(userinfoEndpoint === undefined ? {} : { userinfoEndpoint }),
    ...(introspectionEndpoint === undefined ? {} : { introspectionEndpoint }),
  }
}

function onOrigin(address: unknown, issuer: string): string | undefined {
  const url = callableEndpoint(address, issuer)
  return url?.origin === new URL(issuer).origin ? url.href : undefined
}
