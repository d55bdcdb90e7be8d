/**
 * The application's own routes, from the policy's `routes`: a request line → action and resource.
 *
 * @module
 */
import { compareCodeUnits } from '../internal/sort.ts'
import type { Policy } from '../policy/policy.ts'

export interface AppRouteMatch {
  /** The template, for the record. */
  readonly route: string
  readonly action: string
  /** `type:id`, with the path's parts filled in, still to be made canonical. */
  readonly resource: string
}

/** Matches a method and a path as it stands on the wire. */
export type AppRouter = (method: string, path: string) => AppRouteMatch | undefined

/**
 * Of several routes that fit, the one that spells a segment out before one that has a parameter there, from the left:
 * their order in the policy means nothing. Where a server might take the path for a route that spells out more, as some
 * decode a segment first or overlook its case, none fits.
 */
export function createAppRouter(policy: Policy): AppRouter {
  const routes = policy.routes
    .map((route) => {
      const tokens = route.path.split('/').slice(1)
      return { ...route, tokens, shape: tokens.map((token) => (isParameter(token) ? '1' : '0')).join('') }
    })
    .sort((a, b) => compareCodeUnits(a.shape, b.shape) || compareCodeUnits(b.method, a.method))
  return (method, path) => {
    const segments = path.split('/').slice(1)
    let isNear = false
    for (const { tokens, shape: _, resource, ...route } of routes) {
      if (route.method !== method && !(route.method === 'GET' && method === 'HEAD')) continue
      const parts = matchParts(tokens, segments)
      if (parts === undefined) {
        isNear ||= mightMatch(tokens, segments)
        continue
      }
      if (isNear) return undefined
      return {
        route: `${route.method} ${route.path}`,
        action: route.action,
        resource: fillIn(resource, parts),
      }
    }
    return undefined
  }
}

function matchParts(tokens: readonly string[], segments: readonly string[]): Map<string, string> | undefined {
  if (tokens.length !== segments.length) return undefined
  const parts = new Map<string, string>()
  for (const [i, token] of tokens.entries()) {
    const segment = segments[i] ?? ''
    if (isParameter(token)) {
      if (segment === '') return undefined
      parts.set(token.slice(1), segment)
    } else if (token !== segment) return undefined
  }
  return parts
}

function isParameter(token: string): boolean {
  return token.startsWith(':')
}

/** Whether the path fits once its segments are decoded and their case is overlooked. */
function mightMatch(tokens: readonly string[], segments: readonly string[]): boolean {
  return (
    tokens.length === segments.length &&
    tokens.every((token, i) => isParameter(token) || plain(segments[i] ?? '') === token.toLowerCase())
  )
}

function plain(segment: string): string {
  try {
    return decodeURIComponent(segment).toLowerCase()
  } catch {
    // No route spells out what cannot be decoded.
    return segment
  }
}

/** Parts stay percent-encoded: the id is decoded once, where it is made canonical. */
function fillIn(resource: string, parts: ReadonlyMap<string, string>): string {
  const colon = resource.indexOf(':')
  const id = resource
    .slice(colon + 1)
    .replaceAll(/(^|\/):(\w+)/g, (_, slash: string, name: string) => slash + (parts.get(name) ?? ''))
  return `${resource.slice(0, colon)}:${id}`
}
