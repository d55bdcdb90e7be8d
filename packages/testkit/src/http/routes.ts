/**
 * Routes: picks a handler by method and path.
 *
 * listen → **routes** → handlers. Written here instead of taken from a framework:
 * Hub paths carry encoded slashes inside a revision and free slashes inside a file
 * path, and the raw path must stay as the client sent it.
 *
 * @module
 */

import type { Exchange } from './exchange.ts'

/** Decoded path parameters. A `*name` parameter holds the rest of the path, `''` when there is none. */
export type Params = Readonly<Record<string, string>>

export type RouteHandler = (exchange: Exchange, params: Params) => void | Promise<void>

interface Route {
  readonly methods: readonly string[]
  readonly segments: readonly string[]
  readonly handler: RouteHandler
}

export interface Routes {
  /**
   * Adds a route. The first one added that matches is taken.
   *
   * @param methods - For example `GET` or `GET,HEAD`.
   * @param pattern - Segments are literal, `:name` for one segment, or `*name` for all that follow.
   */
  on(methods: string, pattern: string, handler: RouteHandler): void
  /** @returns False when no route matches. */
  dispatch(exchange: Exchange): Promise<boolean>
}

export function createRoutes(): Routes {
  const routes: Route[] = []
  return {
    on(methods, pattern, handler) {
      routes.push({ methods: methods.split(','), segments: pattern.slice(1).split('/'), handler })
    },
    async dispatch(exchange) {
      const given = exchange.path.slice(1).split('/')
      for (const route of routes) {
        if (!route.methods.includes(exchange.method)) continue
        const params = matchSegments(route.segments, given)
        if (params === undefined) continue
        await route.handler(exchange, params)
        return true
      }
      return false
    },
  }
}

function matchSegments(pattern: readonly string[], given: readonly string[]): Params | undefined {
  const params: Record<string, string> = {}
  for (const [index, segment] of pattern.entries()) {
    if (segment.startsWith('*')) {
      const rest = given.slice(index).map(decodeSegment)
      if (rest.includes(undefined)) return undefined
      params[segment.slice(1)] = rest.join('/')
      return params
    }
    const value = given[index]
    if (value === undefined) return undefined
    if (!segment.startsWith(':')) {
      if (segment !== value) return undefined
      continue
    }
    const decoded = decodeSegment(value)
    if (!decoded) return undefined
    params[segment.slice(1)] = decoded
  }
  return given.length === pattern.length ? params : undefined
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
