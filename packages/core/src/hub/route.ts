/**
 * A route: which requests it fits, what they do, and where it is said to what.
 *
 * **route** → rows → table → matching.
 *
 * @module
 */
import type { HubAction, HubType } from './actions.ts'

/**
 * Where a route lives: the Hub, the inference router, the management API of Inference Endpoints, the dataset
 * viewer, or an address of its own that one deployed endpoint or one running Space has.
 */
export type HubService = 'hub' | 'router' | 'endpoints' | 'viewer' | 'endpoint' | 'space'

/** What the request is about, and where that is said. */
export type RouteTarget =
  /** The resource in the path; a repository's type is in the path too, any other is named here. */
  | { readonly in: 'path'; readonly type?: HubType }
  /** Everything of a type, or of a type and an owner in the path: a list, cut down to what the caller may read. */
  | { readonly in: 'list'; readonly type: HubType }
  /** The caller itself. */
  | { readonly in: 'caller' }
  /** What anybody may read and no repository is named in: fetched without a credential. */
  | { readonly in: 'catalogue' }
  /** A parameter of the query. */
  | { readonly in: 'query'; readonly name: string; readonly type: HubType }
  /** The address that was asked. */
  | { readonly in: 'host'; readonly type: HubType }
  /**
   * A JSON body: the model of an inference call, by the Hub's name or by one of its provider, the repository to
   * make or delete, both names of one that moves, the collection or the endpoint to make.
   */
  | {
      readonly in: 'body'
      readonly reads: 'inference-model' | 'provider-model' | 'repository' | 'move' | 'collection' | 'endpoint'
    }
  /**
   * The resource in the path, and the rest in the body: what a Git LFS batch does (`operation`), which file is
   * locked or unlocked (`path`, `ref`), which refs a push changes (its commands), where a copy goes
   * (`repository`), which model an endpoint is to run, or once more the model, which must be the same.
   */
  | {
      readonly in: 'path'
      readonly type?: HubType
      readonly reads:
        | 'lfs-operation'
        | 'lfs-lock'
        | 'git-commands'
        | 'duplicate'
        | 'endpoint-model'
        | 'same-model'
    }

export interface HubRoute {
  readonly methods: readonly string[]
  /**
   * `{kind}` is `models`, `datasets`, `spaces` or `kernels`; `{repo}` stands for `{ns}/{name}` behind the
   * prefix that pages have for that kind; `{rev}` is one segment and may hold an encoded `/`; `{x}` is a
   * segment that names nothing to be judged; `{path*}` is the rest, at least one segment, and `{path?}` may
   * be none.
   */
  readonly path: string
  readonly host: HubService
  readonly action: HubAction
  readonly target: RouteTarget
  /** With `create_pr` it proposes instead of writing: then the action is `discuss`. */
  readonly pullRequests?: true
  /** Says what may be done before anybody does it: open to whoever may do it at some revision. */
  readonly discovery?: true
  /** A parameter of the query that must have this value. */
  readonly query?: { readonly name: string; readonly value: string }
  /** Known of the resource by the route itself. */
  readonly provider?: string
  /** Its answer describes or lists, and holds nothing of what files, discussions or running programs hold. */
  readonly describes?: true
}

type Extras = Pick<HubRoute, 'pullRequests' | 'discovery' | 'query' | 'provider' | 'describes'>

/** `row('GET HEAD /api/…', 'read')`; the target is the repository in the path unless another is given. */
export type Row = (line: string, action: HubAction, target?: RouteTarget, extras?: Extras) => HubRoute

export function rowsOf(host: HubService): Row {
  return (line, action, target = { in: 'path' }, extras = {}) => {
    const words = line.split(' ')
    return { methods: words.slice(0, -1), path: words.at(-1) ?? '', host, action, target, ...extras }
  }
}
