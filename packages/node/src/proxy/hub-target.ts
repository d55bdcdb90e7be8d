/**
 * Hub target: a request line → the route it is on the Hub or the inference router.
 *
 * inbound → **hub target** → question. On top of what `guard/request-target` refuses, this refuses what only a
 * Hub would read in two ways: a parameter given twice, and a revision that goes on in the path.
 *
 * @module
 */
import { matchHubRoute, type RouteMatch } from '@hfauth/core'
import { type RequestTarget, readTarget, type TargetFault } from '../guard/request-target.ts'

export interface HubTarget extends RequestTarget {
  /** Absent when no route fits. */
  readonly match?: RouteMatch
}

/** Parameters that are lists; any other may come once. */
const lists: ReadonlySet<string> = new Set([
  'apps',
  'expand',
  'filter',
  'inference_provider',
  'other',
  'tags',
])

/** @param raw - The target as it came over the wire. */
export function readHubTarget(method: string, raw: string): HubTarget | TargetFault {
  const target = readTarget(raw)
  if (typeof target === 'string') return target
  if (hasRivals(target.query)) return 'path_ambiguous'
  const match = matchHubRoute(method, target.path, target.query)
  // No route has a place for encoding but a revision and a file's path: it hides something.
  if (match === undefined) return target.path.includes('%') ? 'path_ambiguous' : target
  // `resolve/refs/pr/1/f` is the file `pr/1/f` of a branch `refs`, or the file `f` of a pull request.
  if (match.resource?.attributes.revision === 'refs') return 'path_ambiguous'
  return { ...target, match }
}

/** `create_pr`, `Create_PR` and `create_pr[]` are one parameter to some server. */
function hasRivals(query: URLSearchParams): boolean {
  const seen = new Set<string>()
  for (const name of query.keys()) {
    const plain = name.toLowerCase().replace(/\[\d*\]$/, '')
    if (lists.has(plain)) continue
    if (seen.has(plain) || (plain === 'create_pr' && name !== plain)) return true
    seen.add(plain)
  }
  return false
}
