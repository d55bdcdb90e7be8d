/**
 * Origin option: an address from the configuration that credentials travel to.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** An https origin, or any on this machine. @throws HfAuthError `HFAUTH_CONFIG_INVALID`. */
export function originOption(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain =
    url?.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === ''
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback.has(url.hostname))
  if (url === undefined || !isPlain || !isSafe) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `\`${name}\` must be an https origin without a path`)
  }
  return url.origin
}
