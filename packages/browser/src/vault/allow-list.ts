/**
 * Allow list: which addresses may receive the access token.
 *
 * options → **allow list** → vault, guarded fetch. Compares parsed origins, never beginnings of texts.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { Settings } from '../options.ts'
import { isSecureUrl, parseUrl } from '../secure-url.ts'

/**
 * @param base - What a relative address is resolved against, and whose origin stands for an absent list.
 * @throws HfAuthError `HFAUTH_ORIGIN_REFUSED`.
 */
export function assertAllowed(
  { apiOrigins, allowLoopbackHttp }: Pick<Settings, 'apiOrigins' | 'allowLoopbackHttp'>,
  address: string | URL,
  home: string | undefined,
  base = home,
): URL {
  const url = parseUrl(address, base)
  const allowed = apiOrigins ?? (home === undefined ? [] : [new URL(home).origin])
  if (url && isSecureUrl(url, allowLoopbackHttp) && allowed.some((entry) => covers(entry, url))) return url
  const target = url === undefined || url.origin === 'null' ? 'that address' : `\`${url.origin}\``
  throw new HfAuthError('HFAUTH_ORIGIN_REFUSED', `the access token may not be sent to ${target}`)
}

/** An entry is an origin, or an origin with a path that ends in `/` and covers what lies below. */
function covers(entry: string, url: URL): boolean {
  const { origin, pathname } = new URL(entry)
  // A server may decode `%2e` and `%2f` after the check, and leave the folder.
  const plain = pathname === '/' || !/%(2e|2f|5c)|\\/i.test(url.pathname)
  return origin === url.origin && url.pathname.startsWith(pathname) && plain
}
