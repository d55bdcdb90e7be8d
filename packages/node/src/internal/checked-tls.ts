/**
 * Checked TLS: whether the certificate of who answers is looked at.
 *
 * `NODE_TLS_REJECT_UNAUTHORIZED=0` switches that off for everything that the global `fetch` asks, and then whoever
 * is on the way can answer with keys of their own, or take a secret. A `fetch` that was passed in is its owner's.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `fetch` is the global one and would not look. */
export function assertTlsChecked(url: string, fetch: typeof globalThis.fetch): void {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED !== '0' || fetch !== globalThis.fetch) return
  if (!url.startsWith('https:')) return
  throw new HfAuthError(
    'HFAUTH_CONFIG_INVALID',
    '`NODE_TLS_REJECT_UNAUTHORIZED` is 0, so that anybody could answer: put an authority of your own into `NODE_EXTRA_CA_CERTS`, or pass a `fetch`',
  )
}
