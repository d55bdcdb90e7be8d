/**
 * Challenge: what an API says is missing, in `WWW-Authenticate`, and what is done about it.
 *
 * **challenge** → guarded fetch. Passed in as an option, so that pages whose APIs ask for nothing do not load it. Another
 * origin's header is visible only when that API exposes it.
 *
 * @module
 */
import type { AuthEvent, StepUp } from './events.ts'

/**
 * Looks at the 401 or 403 of an API.
 *
 * @returns Whether it is worth asking again; `undefined` when the API asks for nothing that it knows.
 */
export type StepUpWay = (response: Response, emit: (event: AuthEvent) => void) => Promise<boolean> | undefined

/**
 * For `createAuth({ stepUp })`: emits `step-up` when an API wants a stronger sign-in or more scopes.
 *
 * @param onStepUp - Answers `true` once the person has had it, in a pop-up for instance, and the request is sent once
 *   more; otherwise `auth.fetch` gives the answer of the API.
 */
export function byChallenge(
  onStepUp?: (stepUp: StepUp) => boolean | undefined | Promise<boolean | undefined>,
): StepUpWay {
  return (response, emit) => {
    const stepUp = readStepUp(response)
    if (stepUp === undefined) return undefined
    emit({ type: 'step-up', stepUp })
    return Promise.resolve(onStepUp?.(stepUp)).then((had) => had === true)
  }
}

/** @see RFC 6750 §3, RFC 9470 §3 */
function readStepUp({ headers, url }: Response): StepUp | undefined {
  const {
    error,
    scope,
    acr_values: acr,
    max_age: maxAge,
  } = bearerParameters(headers.get('www-authenticate') ?? '') ?? {}
  if (error !== 'insufficient_scope' && error !== 'insufficient_user_authentication') return undefined
  const words = (text = '') => text.split(' ').filter((word) => word !== '')
  return {
    scopes: words(scope),
    acrValues: words(acr),
    maxAgeSeconds: maxAge !== undefined && /^\d{1,9}$/.test(maxAge) ? Number(maxAge) : undefined,
    origin: url === '' ? '' : new URL(url).origin,
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
