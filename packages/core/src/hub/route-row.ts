/**
 * A row of the route table, short enough to be read as one.
 *
 * @module
 */
import type { HubAction } from './actions.ts'
import type { HubRoute, HubService, RouteTarget } from './route-table.ts'

type Extras = Pick<HubRoute, 'pullRequests' | 'discovery' | 'query' | 'provider'>

/** `row('GET HEAD /api/…', 'read')`; the target is the repository in the path unless another is given. */
export type Row = (line: string, action: HubAction, target?: RouteTarget, extras?: Extras) => HubRoute

export function rowsOf(host: HubService): Row {
  return (line, action, target = { in: 'path' }, extras = {}) => {
    const words = line.split(' ')
    return { methods: words.slice(0, -1), path: words.at(-1) ?? '', host, action, target, ...extras }
  }
}
