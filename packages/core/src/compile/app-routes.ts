/**
 * The application's own routes, from the policy's `routes`: a request line → action and resource.
 *
 * @module
 */
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

export function createAppRouter(policy: Policy): AppRouter {
  const routes = policy.routes.map((route) => ({ ...route, tokens: route.path.split('/').slice(1) }))
  return (method, path) => {
    const segments = path.split('/').slice(1)
    for (const { tokens, resource, ...route } of routes) {
      if (route.method !== method && !(route.method === 'GET' && method === 'HEAD')) continue
      const parts = matchParts(tokens, segments)
      if (parts === undefined) continue
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
    if (token.startsWith(':')) {
      if (segment === '') return undefined
      parts.set(token.slice(1), segment)
    } else if (token !== segment) return undefined
  }
  return parts
}

/** Parts stay percent-encoded: the id is decoded once, where it is made canonical. */
function fillIn(resource: string, parts: ReadonlyMap<string, string>): string {
  const colon = resource.indexOf(':')
  const id = resource
    .slice(colon + 1)
    .replaceAll(/(^|\/):(\w+)/g, (_, slash: string, name: string) => slash + (parts.get(name) ?? ''))
  return `${resource.slice(0, colon)}:${id}`
}
