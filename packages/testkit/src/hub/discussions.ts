/**
 * Discussions: opens discussions and pull requests, and lists them.
 *
 * context → **discussions**. Enough to see who may open one; comments and merging are left out.
 *
 * @module
 */

import { readJson, sendJson } from '../http/exchange.ts'
import type { Routes } from '../http/routes.ts'
import { pathPrefix } from '../world/find.ts'
import type { Repo, RepoType } from '../world/world.ts'
import { permissionsOf } from './access.ts'
import { authorOf, type HubContext, openRepo } from './context.ts'
import { forbidden, refuse } from './refusals.ts'

export interface Discussion {
  readonly num: number
  readonly title: string
  readonly description: string
  readonly author: string
  readonly status: 'open' | 'draft'
  readonly isPullRequest: boolean
  /** ISO 8601. */
  readonly createdAt: string
}

export interface OpenDiscussionOptions {
  readonly title: string
  readonly description: string
  readonly author: string
  readonly isPullRequest: boolean
  readonly now: () => number
}

const discussions = new WeakMap<Repo, Discussion[]>()

export function openDiscussion(repo: Repo, { now, ...given }: OpenDiscussionOptions): Discussion {
  const list = discussions.get(repo) ?? []
  discussions.set(repo, list)
  const discussion: Discussion = {
    ...given,
    num: list.length + 1,
    status: given.isPullRequest ? 'draft' : 'open',
    createdAt: new Date(now()).toISOString(),
  }
  list.push(discussion)
  return discussion
}

export function addDiscussionRoutes(routes: Routes, type: RepoType, context: HubContext): void {
  const path = `/api/${type}s/:ns/:name/discussions`
  routes.on('GET', path, async (exchange, params) => {
    const { repo } = await openRepo(exchange, context, type, params)
    const list = (discussions.get(repo) ?? []).map((discussion) => describe(discussion, repo))
    sendJson(exchange, 200, { discussions: list, count: list.length, start: 0 })
  })
  routes.on('GET', `${path}/:num`, async (exchange, params) => {
    const { repo } = await openRepo(exchange, context, type, params)
    const found = discussions.get(repo)?.find(({ num }) => String(num) === params.num)
    if (!found) throw refuse(404, 'Discussion not found')
    sendJson(exchange, 200, { ...describe(found, repo), events: [] })
  })
  routes.on('POST', path, async (exchange, params) => {
    const { repo, credential } = await openRepo(exchange, context, type, params)
    if (!permissionsOf(credential).has('write-discussions'))
      throw forbidden('This token may not open discussions.')
    const { title, description, pullRequest } = readJson(exchange)
    if (typeof title !== 'string' || title === '') throw refuse(400, 'A discussion needs a title')
    const opened = openDiscussion(repo, {
      title,
      description: typeof description === 'string' ? description : '',
      author: authorOf(credential),
      isPullRequest: pullRequest === true,
      now: context.now,
    })
    const url = `${context.url}/${pathPrefix(type)}${repo.id}/discussions/${opened.num}`
    sendJson(exchange, 200, { num: opened.num, pullRequest: opened.isPullRequest, url })
  })
}

function describe({ author, ...rest }: Discussion, repo: Repo) {
  return { ...rest, author: { name: author, type: 'user' }, repo: { name: repo.id, type: repo.type } }
}
