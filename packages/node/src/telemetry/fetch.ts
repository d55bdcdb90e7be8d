/**
 * Fetch, measured: a client span and a duration for each request that leaves, until its answer begins.
 *
 * Adds no header: what is traced in here is no issuer's and no Hub's business.
 *
 * @see OpenTelemetry semantic conventions, HTTP client spans
 * @module
 */
import { assertTlsChecked } from '../internal/checked-tls.ts'
import { type Attributes, errorAttribute, secondsHistogram, traced } from './api.ts'

export interface InstrumentFetchOptions {
  /**
   * Whom it asks. An `issuer` has a handful of paths (discovery, keys, userinfo), which are told, so that key
   * fetches can be counted; those of the `hub` name repositories and are not.
   */
  readonly purpose: 'issuer' | 'hub'
}

/** For the option `fetch` of the verifier, the token exchange or the proxy. */
export function instrumentFetch(
  fetch: typeof globalThis.fetch,
  { purpose }: InstrumentFetchOptions,
): typeof globalThis.fetch {
  const duration = secondsHistogram('hfauth.fetch.duration', 'Duration until an answer begins')
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    assertTlsChecked(url.href, fetch)
    const method = httpMethod(init?.method ?? (input instanceof Request ? input.method : 'GET'))
    const attributes: Attributes = {
      'http.request.method': method,
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
      'hfauth.purpose': purpose,
      ...(purpose === 'issuer' ? { 'url.template': url.pathname } : {}),
    }
    return traced<Response>(
      purpose === 'issuer' ? `${method} ${url.pathname}` : method,
      {
        client: true,
        attributes,
        read: ({ status }) => ({
          attributes: { 'http.response.status_code': status },
          ...(status < 400 ? {} : { error: String(status) }),
        }),
        ended: (seconds, outcome) =>
          duration(seconds, { ...attributes, ...outcome.attributes, ...errorAttribute(outcome.error) }),
      },
      () => fetch(input, init),
    )
  }
}

const knownMethods: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
])

/** A method as the conventions want it: anybody can invent another. */
export function httpMethod(method: string): string {
  return knownMethods.has(method) ? method : '_OTHER'
}
