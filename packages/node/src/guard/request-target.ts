/**
 * Request target: the path and query of a request line, read once, or refused when two readers could
 * read them differently.
 *
 * request → **target** → route. Whoever decides on a path and whoever serves it must see the same one, so
 * nothing is resolved, collapsed or repaired here: what would need it is turned away.
 *
 * @see RFC 9112 §3.2 (forms of the target), RFC 3986 §5.2.4 (dot segments), §2.4 (decode once)
 * @module
 */

export interface RequestTarget {
  /** Still percent-encoded, exactly as sent. */
  readonly path: string
  /** With its `?`, as a URL parser writes it; empty when there is none. */
  readonly search: string
  readonly query: URLSearchParams
}

export type TargetFault = 'path_ambiguous' | 'target_too_long'

/** Longest target, in characters. */
export const maxTargetLength = 4096

// Spaces, controls, bytes above ASCII, and what some parser takes for `/` or for an end.
const unfit = /[^\x21-\x7e]|[\\#]/
const brokenEncoding = /%(?![0-9A-Fa-f]{2})/
const encodedAgain = /%[0-9A-Fa-f]{2}/
const control = /[\u0000-\u001f\u007f-\u009f\\]/

/**
 * Reads a request target in origin form.
 *
 * An encoded slash stays inside its segment; whether a route has a place for one is the router's to say.
 *
 * @param raw - The target as it came over the wire.
 */
export function readTarget(raw: string): RequestTarget | TargetFault {
  if (raw.length > maxTargetLength) return 'target_too_long'
  if (!raw.startsWith('/') || unfit.test(raw) || brokenEncoding.test(raw)) return 'path_ambiguous'
  const question = raw.indexOf('?')
  const path = question < 0 ? raw : raw.slice(0, question)
  const segments = path.split('/').slice(1)
  if (!segments.every((segment, i) => hasOneReading(segment, i === segments.length - 1))) {
    return 'path_ambiguous'
  }
  // A last look through the eyes of the parser that the request will leave with.
  const url = parseUrl(raw)
  if (url === undefined || url.pathname !== path || url.host !== 'target.invalid') return 'path_ambiguous'
  return { path, search: url.search, query: url.searchParams }
}

/** An empty segment is fine at the end only: `/a/` is not `/a`, but both are plain. */
function hasOneReading(segment: string, isLast: boolean): boolean {
  if (segment === '') return isLast
  let decoded: string
  try {
    decoded = decodeURIComponent(segment)
  } catch {
    return false
  }
  if (control.test(decoded) || (segment.includes('%') && encodedAgain.test(decoded))) return false
  return !decoded.split('/').some((part) => part === '.' || part === '..')
}

function parseUrl(raw: string): URL | undefined {
  try {
    return new URL(`http://target.invalid${raw}`)
  } catch {
    return undefined
  }
}
