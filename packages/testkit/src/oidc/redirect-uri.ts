/**
 * Redirect URI: Hugging Face's rule for comparing one with those of the app.
 *
 * authorize → **redirect URI** → provider. String comparison, except that plain http on a
 * loopback host ignores the port. The three loopback hosts are three different hosts.
 *
 * @module
 */

import type { App } from '../world/world.ts'

const loopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(?::\d+)?(?=[/?]|$)/

export function isRedirectUriAllowed(app: App, given: string): boolean {
  const parsed = URL.parse(given)
  if (parsed === null || given.includes('#')) return false
  return app.redirectUris.some(
    (registered) =>
      registered === given ||
      withoutLoopbackPort(registered) === withoutLoopbackPort(given) ||
      (app.kind === 'space' && URL.parse(registered)?.origin === parsed.origin),
  )
}

function withoutLoopbackPort(uri: string): string {
  return uri.replace(loopback, 'http://$1')
}
