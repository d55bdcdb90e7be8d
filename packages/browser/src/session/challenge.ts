/**
 * Challenge: what an API says is missing, in `WWW-Authenticate`.
 *
 * **challenge** → guarded fetch. Another origin's header is visible only when that API exposes it.
 *
 * @module
 */
import type { StepUp } from '../options.ts'

export interface Challenge {
  /** As the API names it; `undefined` when the request had no token that it could see. */
  readonly error: string | undefined
  readonly stepUp: StepUp | undefined
}

/**
 * Reads the bearer challenge of a 401 or 403.
 *
 * @returns `undefined` for other answers, and where no such challenge can be seen.
 * @see RFC 6750 §3, RFC 9470 §3
 */
export function readChallenge({ status, headers, url }: Response): Challenge | undefined {
  const header = headers.get('www-authenticate')
  if ((status !== 401 && status !== 403) || header === null) return undefined
  const parameters = bearerParameters(header)
  if (parameters === undefined) return undefined
  const { error, scope, acr_values: acr, max_age: maxAge } = parameters
  const words = (text = '') => text.split(' ').filter((word) => word !== '')
  const asksMore = error === 'insufficient_scope' || error === 'insufficient_user_authentication'
  return {
    error,
    stepUp: asksMore
      ? {
          scopes: words(scope),
          acrValues: words(acr),
          maxAgeSeconds: maxAge !== undefined && /^\d{1,9}$/.test(maxAge) ? Number(maxAge) : undefined,
          origin: url === '' ? '' : new URL(url).origin,
        }
      : undefined,
  }
}

/** Parameters of the first bearer challenge; a header may hold challenges of several schemes. */
function bearerParameters(header: string): Record<string, string> | undefined {
  let found: Record<string, string> | undefined
  let scheme = ''
  for (const [, name, quoted, plain, word] of header.matchAll(
    /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([\w-]+)/g,
  )) {
    if (word !== undefined) {
      if (found) break
      scheme = word.toLowerCase()
      if (scheme === 'bearer') found = {}
    } else if (found && name !== undefined) {
      found[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
    }
  }
  return found
}
