/**
 * Repo info: lists repositories and describes one.
 *
 * context → **repo info**. `expand` is accepted and ignored: every answer carries all the
 * members the testkit knows, and clients pick theirs.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { type Exchange, sendJson } from '../http/exchange.ts'
import type { Routes } from '../http/routes.ts'
import type { Repo, RepoType } from '../world/world.ts'
import { accessTo } from './access.ts'
import { type HubContext, identify, openRepo, openRevision } from './context.ts'
import { type Commit, refsOf } from './history.ts'
import { forbidden, refuse } from './refusals.ts'

const defaultPageSize = 1000

export function addRepoInfoRoutes(routes: Routes, type: RepoType, context: HubContext): void {
  const base = `/api/${type}s`
  routes.on('GET', base, (exchange) => listRepos(exchange, type, context))
  routes.on('GET,HEAD', `${base}/:ns/:name`, async (exchange, params) => {
    const { repo } = await openRepo(exchange, context, type, params)
    sendJson(exchange, 200, describeRepo(repo, openRevision(repo, 'main', context), context))
  })
  routes.on('GET,HEAD', `${base}/:ns/:name/revision/:rev`, async (exchange, params) => {
    const { repo } = await openRepo(exchange, context, type, params)
    sendJson(exchange, 200, describeRepo(repo, openRevision(repo, params.rev ?? '', context), context))
  })
  routes.on('GET', `${base}/:ns/:name/refs`, async (exchange, params) => {
    const { repo } = await openRepo(exchange, context, type, params)
    const { branches, pulls } = refsOf(repo, context.now)
    sendJson(exchange, 200, {
      branches: [...branches].map(([name, commit]) => ref(name, `refs/heads/${name}`, commit)),
      tags: [],
      converts: [],
      ...(exchange.query.has('include_prs') && {
        pullRequests: [...pulls].map(([name, commit]) => ref(name, name, commit)),
      }),
    })
  })
  routes.on('GET', `${base}/:ns/:name/commits/:rev`, async (exchange, params) => {
    const { repo } = await openRepo(exchange, context, type, params)
    const commits = []
    for (let at: Commit | undefined = openRevision(repo, params.rev ?? '', context); at; at = at.parent) {
      const { id, title, message, date, author } = at
      commits.push({ id, title, message, authors: [{ user: author }], date })
    }
    sendJson(exchange, 200, commits, { 'x-total-count': String(commits.length) })
  })
  routes.on('GET', `${base}/:ns/:name/auth-check`, async (exchange, params) => {
    const { access } = await openRepo(exchange, context, type, params)
    if (!access.read) throw forbidden('This token may not read the repository.')
    sendJson(exchange, 200, {})
  })
  routes.on('GET', `${base}/:ns/:name/auth-check/write`, async (exchange, params) => {
    const { access } = await openRepo(exchange, context, type, params)
    if (!access.write) throw forbidden('This token may not write to the repository.')
    sendJson(exchange, 200, {})
  })
}

async function listRepos(exchange: Exchange, type: RepoType, context: HubContext): Promise<void> {
  const { query } = exchange
  const credential = await identify(exchange, context)
  const author = query.get('author')
  const search = query.get('search')?.toLowerCase()
  const filters = query.getAll('filter').flatMap((entry) => entry.split(','))
  const pageSize = Number(query.get('limit') ?? defaultPageSize)
  const start = Number(Buffer.from(query.get('cursor') ?? '', 'base64url').toString() || 0)
  if (!Number.isInteger(pageSize) || pageSize < 1 || !Number.isInteger(start))
    throw refuse(400, 'Invalid limit or cursor')
  const hits = context.world.repos.filter(
    (repo) =>
      repo.type === type &&
      (author === null || repo.id.startsWith(`${author}/`)) &&
      (search === undefined || repo.id.toLowerCase().includes(search)) &&
      filters.every((tag) => repo.tags?.includes(tag) || repo.pipelineTag === tag) &&
      accessTo(context.world, credential, repo).see,
  )
  const page = hits.slice(start, start + pageSize)
  const next = new URLSearchParams(query)
  next.set('cursor', Buffer.from(String(start + pageSize)).toString('base64url'))
  sendJson(
    exchange,
    200,
    page.map((repo) => describeRepo(repo, openRevision(repo, 'main', context), context)),
    start + pageSize < hits.length ? { link: `<${context.url}${exchange.path}?${next}>; rel="next"` } : {},
  )
}

/** The description of a repository at a commit. */
export function describeRepo(repo: Repo, commit: Commit, context: HubContext) {
  const { branches } = refsOf(repo, context.now)
  let first = branches.get('main') ?? commit
  while (first.parent) first = first.parent
  return {
    _id: createHash('sha256').update(`${repo.type} ${repo.id}`).digest('hex').slice(0, 24),
    id: repo.id,
    ...(repo.type === 'model' && { modelId: repo.id }),
    author: repo.id.split('/')[0],
    sha: commit.id,
    lastModified: commit.date,
    createdAt: first.date,
    private: repo.private ?? false,
    gated: repo.gated ?? false,
    disabled: false,
    downloads: 0,
    downloadsAllTime: 0,
    likes: 0,
    tags: repo.tags ?? [],
    ...(repo.pipelineTag && { pipeline_tag: repo.pipelineTag }),
    ...(repo.libraryName && { library_name: repo.libraryName }),
    ...(repo.type === 'space' && { sdk: repo.sdk ?? 'static', subdomain: repo.id.replace('/', '-') }),
    ...(repo.resourceGroup && { resourceGroup: { id: repo.resourceGroup } }),
    siblings: [...commit.files.keys()].map((rfilename) => ({ rfilename })),
    usedStorage: [...commit.files.values()].reduce((sum, content) => sum + content.length, 0),
  }
}

function ref(name: string, fullName: string, commit: Commit) {
  return { name, ref: fullName, targetCommit: commit.id }
}
