/**
 * Hub target: a request line → the route it is on the Hub or the inference router.
 *
 * inbound → **hub target** → question. On top of what `guard/request-target` refuses, this refuses what only a
 * Hub would read in two ways: a parameter given twice, and a revision that goes on in the path.
 *
 * @module
 */
import { type HubService, matchHubRoute, type RouteMatch } from '@hfauth/core'
import { type RequestTarget, readTarget, type TargetFault } from '../../guard/request-target.ts'

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

/**
 * @param raw - The target as it came over the wire.
 * @param services - Where the address that was asked leads.
 */
export function readHubTarget(
  method: string,
  raw: string,
  services: readonly HubService[],
): HubTarget | TargetFault {
  const target = readTarget(raw)
  if (typeof target === 'string') return target
  const match = matchHubRoute(method, target.path, target.query, services)
  // What an app makes of its own query decides nothing here.
  if (match?.route.target.in !== 'host' && hasRivals(target.query)) return 'path_ambiguous'
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
