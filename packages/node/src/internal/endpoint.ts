/**
 * Endpoints: addresses this package is willing to call.
 *
 * @module
 */

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * The address when it may be called: https, or http on this machine when `origin` is such an address
 * itself, so that an issuer out there cannot point us at a service in here.
 *
 * @param origin - The configured address on whose word `address` is taken.
 */
export function callableEndpoint(address: unknown, origin: string): URL | undefined {
  if (typeof address !== 'string' || !URL.canParse(address)) return undefined
  const url = new URL(address)
  if (url.username !== '' || url.password !== '' || url.hash !== '') return undefined
  if (url.protocol === 'https:') return url
  return isPlainLoopback(url) && isPlainLoopback(new URL(origin)) ? url : undefined
}

function isPlainLoopback({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && loopback.has(hostname)
}
