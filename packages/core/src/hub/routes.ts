/**
 * Route matching: a request line → the route it is, and the resource it names.
 *
 * Takes the path as it stands on the wire, with its percent-encoding, and answers only for paths that
 * have one reading: matching is on whole segments, case-sensitive and anchored at both ends.
 *
 * @module
 */
import type { HubAction, HubType } from './actions.ts'
import type { HubRoute, HubService } from './route.ts'
import { hubRoutes, repositoryKinds, reservedOwners } from './route-table.ts'

export interface NamedInPath {
  readonly type: HubType
  /** `owner/name`, or the owner alone, as written. */
  readonly id: string
  readonly attributes: { readonly revision?: string; readonly path?: string; readonly provider?: string }
}

export interface RouteMatch {
  readonly route: HubRoute
  /** Differs from the route's own for a commit that opens a pull request: that is a discussion. */
  readonly action: HubAction
  /** Absent when the target is not in the path. */
  readonly resource?: NamedInPath
  /** The owner in a path whose target is elsewhere, such as the namespace of what a body names. */
  readonly owner?: string
}

/** What shares one origin when nothing is said of the address: their paths do not clash. */
export const sharedServices: readonly HubService[] = ['hub', 'router', 'endpoints', 'viewer']

/**
 * Finds the route of a request; `undefined` when there is none, which has to be refused.
 *
 * @param path - Path of the request target, still percent-encoded, without the query.
 * @param services - Where the address that was asked leads.
 */
export function matchHubRoute(
  method: string,
  path: string,
  query: URLSearchParams,
  services: readonly HubService[] = sharedServices,
): RouteMatch | undefined {
  const segments = path.split('/').slice(1)
  for (const { route, tokens, isOpen, type } of compiledRoutes) {
    if (!isOpen && tokens.length !== segments.length) continue
    if (!route.methods.includes(method) || !services.includes(route.host)) continue
    if (route.query !== undefined && query.get(route.query.name) !== route.query.value) continue
    const found = matchTokens(tokens, segments)
    if (found === undefined) continue
    const action = route.pullRequests === true && isTrue(query.get('create_pr')) ? 'discuss' : route.action
    const match = { route, action, ...(found.ns === undefined ? {} : { owner: found.ns }) }
    const { target } = route
    if (target.in === 'query') {
      const resource = namedInQuery(target.type, query.get(target.name))
      return resource && { ...match, resource }
    }
    if (target.in !== 'path') return match
    const kind = found.kind === undefined ? type : repositoryKinds.get(found.kind)?.type
    const resourceType = target.type ?? kind
    if (resourceType === undefined) continue
    return { ...match, resource: namedInPath(resourceType, found, route) }
  }
  return undefined
}

function namedInPath(
  type: HubType,
  { ns = '', name, rev, path }: Found,
  { provider }: HubRoute,
): NamedInPath {
  const attributes = {
    ...(rev === undefined ? {} : { revision: rev }),
    ...(path === undefined ? {} : { path }),
    ...(provider === undefined ? {} : { provider }),
  }
  return { type, id: name === undefined ? ns : `${ns}/${name}`, attributes }
}

function namedInQuery(type: HubType, text: string | null): NamedInPath | undefined {
  const [ns = '', name = '', ...more] = (text ?? '').split('/')
  const fits = repositoryName.test(ns) && repositoryName.test(name) && more.length === 0
  return fits && !reservedOwners.has(ns.toLowerCase())
    ? { type, id: `${ns}/${name}`, attributes: {} }
    : undefined
}

interface CompiledRoute {
  readonly route: HubRoute
  readonly tokens: readonly string[]
  /** Whether its end fits any number of segments. */
  readonly isOpen: boolean
  /** The type that a page prefix stands for. */
  readonly type?: HubType
}

/** `{repo}` becomes one route for each kind, with that kind's prefix. */
const compiledRoutes: readonly CompiledRoute[] = /* @__PURE__ */ hubRoutes.flatMap(
  (route): CompiledRoute[] => {
    if (!route.path.startsWith('/{repo}')) return [{ route, ...compilePath(route.path) }]
    return [...repositoryKinds.values()].map(({ type, prefix }) => ({
      route,
      ...compilePath(route.path.replace('/{repo}', `${prefix}/{ns}/{name}`)),
      type,
    }))
  },
)

function compilePath(path: string): Pick<CompiledRoute, 'tokens' | 'isOpen'> {
  const tokens = path.split('/').slice(1)
  return { tokens, isOpen: /^\{path[*?]\}$/.test(tokens.at(-1) ?? '') }
}

interface Found {
  kind?: string
  ns?: string
  name?: string
  rev?: string
  path?: string
}

const repositoryName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}$/
const plainSegment = /^[A-Za-z0-9_:@+-][A-Za-z0-9._:@+-]{0,127}$/

function matchTokens(tokens: readonly string[], segments: readonly string[]): Found | undefined {
  const found: Found = {}
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as string
    if (token === '{path*}' || token === '{path?}') {
      const rest = segments.slice(i)
      // A program with an address of its own may end its paths with a slash.
      if (i === 0 && rest.at(-1) === '') rest.pop()
      if (rest.length === 0) return token === '{path?}' ? found : undefined
      const decoded = rest.map((segment) => decodeSegment(segment, false))
      if (decoded.includes(undefined)) return undefined
      found.path = decoded.join('/')
      return found
    }
    const segment = segments[i]
    if (segment === undefined || !matchToken(token, segment, found)) return undefined
  }
  return found
}

function matchToken(token: string, segment: string, found: Found): boolean {
  switch (token) {
    case '{kind}':
      found.kind = segment
      return repositoryKinds.has(segment)
    case '{ns}':
      found.ns = segment
      return repositoryName.test(segment) && !reservedOwners.has(segment.toLowerCase())
    case '{name}':
      found.name = segment
      return repositoryName.test(segment) && !segment.endsWith('.git')
    case '{name}.git':
      found.name = segment.slice(0, -'.git'.length)
      return segment.endsWith('.git') && repositoryName.test(found.name)
    case '{x}':
      return plainSegment.test(segment)
    case '{rev}': {
      const revision = decodeSegment(segment, true)
      if (revision !== undefined) found.rev = revision
      return revision !== undefined
    }
    default:
      return token === segment
  }
}

const unfit = /[\u0000-\u001f\u007f\\]/

/** Decodes one segment once; `undefined` when a second reader could see another path in it. */
function decodeSegment(segment: string, slashAllowed: boolean): string | undefined {
  let decoded: string
  try {
    decoded = decodeURIComponent(segment)
  } catch {
    return undefined
  }
  if (decoded === '' || unfit.test(decoded) || (!slashAllowed && decoded.includes('/'))) return undefined
  return decoded.split('/').some((part) => part === '' || part === '.' || part === '..') ? undefined : decoded
}

function isTrue(flag: string | null): boolean {
  return flag === '1' || flag === 'true'
}
