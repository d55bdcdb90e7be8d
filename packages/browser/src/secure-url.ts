/**
 * Secure URL: what may be spoken to at all, and how.
 *
 * Used on everything that is configured, that metadata names and that a token is sent to.
 *
 * @module
 */

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]']

/** True for https, and for plain http on this computer when `allowLoopbackHttp`. */
export function isSecureUrl(url: URL, allowLoopbackHttp: boolean): boolean {
  return (
    url.protocol === 'https:' ||
    (allowLoopbackHttp && url.protocol === 'http:' && loopbackHosts.includes(url.hostname))
  )
}

/** Parses without throwing: `URL.parse` is younger than the browsers supported. */
export function parseUrl(text: string | URL, base?: string): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

/** Says more than the address says already. An empty field counts as none: RFC 6749 §3.1. */
export function withQuery(address: string, fields: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(address)
  for (const [name, value] of Object.entries(fields)) if (value) url.searchParams.set(name, value)
  return url.href
}
