/**
 * Hub routes: the Hub API and file downloads, behind their common gate.
 *
 * routes → **hub routes** → repo info, files, commits, discussions. Faults and open CORS
 * apply to all of them, so they are put around here once.
 *
 * @module
 */

import { createHash, randomUUID } from 'node:crypto'
import { allowAnyOrigin } from '../http/exchange.ts'
import { applyFault, type Fault } from '../http/faults.ts'
import { createRoutes, type Routes } from '../http/routes.ts'
import { addCommitRoutes } from './commits.ts'
import type { HubContext } from './context.ts'
import { addDiscussionRoutes } from './discussions.ts'
import { addFileRoutes } from './files.ts'
import type { GitBackend } from './git.ts'
import { refuse } from './refusals.ts'
import { addRepoAdminRoutes } from './repo-admin.ts'
import { addRepoInfoRoutes } from './repo-info.ts'
import { addWhoamiRoute } from './whoami.ts'

export interface HubRouteOptions extends HubContext {
  readonly faults: { hub?: Fault }
  readonly git: GitBackend
}

export function addHubRoutes(routes: Routes, options: HubRouteOptions): void {
  const inner = createRoutes()
  addWhoamiRoute(inner, options)
  addRepoAdminRoutes(inner, options)
  // Datasets and spaces first: the page paths of models have no prefix and would take them.
  for (const type of ['dataset', 'space', 'model'] as const) {
    addRepoInfoRoutes(inner, type, options)
    addFileRoutes(inner, type, options)
    addCommitRoutes(inner, type, options)
    addDiscussionRoutes(inner, type, options)
    options.git.addRoutes(inner, type, options)
  }
  inner.on('GET', '/avatars/:file', ({ res }, { file = '' }) => {
    const hue = createHash('sha256').update(file).digest()[0] ?? 0
    res.writeHead(200, {
      'content-type': 'image/svg+xml',
      'content-security-policy': "default-src 'none'; sandbox",
    })
    res.end(
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1" fill="hsl(${hue} 45% 55%)"/></svg>`,
    )
  })

  routes.on('GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS', '/*path', async (exchange) => {
    exchange.res.setHeader('x-request-id', `Root=${randomUUID()}`)
    if (allowAnyOrigin(exchange) || (await applyFault(exchange, options.faults.hub))) return
    if (!(await inner.dispatch(exchange))) throw refuse(404, 'Not found')
  })
}
