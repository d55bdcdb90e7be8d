/**
 * Commits: writes to a repository.
 *
 * context → **commits** → history. Files travel inline in the commit, never by LFS or Xet:
 * `preupload` says so, and clients follow it.
 *
 * @module
 */

import { type Exchange, readJson, sendJson } from '../http/exchange.ts'
import type { Params, Routes } from '../http/routes.ts'
import { pathPrefix } from '../world/find.ts'
import type { Repo, RepoType } from '../world/world.ts'
import { permissionsOf } from './access.ts'
import { authorOf, type HubContext, openRepo, openRevision } from './context.ts'
import { openDiscussion } from './discussions.ts'
import { addCommit, type Files, refsOf } from './history.ts'
import { forbidden, refuse } from './refusals.ts'

export function addCommitRoutes(routes: Routes, type: RepoType, context: HubContext): void {
  const api = `/api/${type}s/:ns/:name`

  routes.on('POST', `${api}/preupload/:rev`, async (exchange, params) => {
    const { access, credential } = await openRepo(exchange, context, type, params)
    if (!access.write && !permissionsOf(credential).has('write-discussions')) throw mayNotWrite()
    const { files } = readJson(exchange)
    const paths = Array.isArray(files) ? files.map((file: { path?: unknown }) => String(file.path)) : []
    sendJson(exchange, 200, {
      files: paths.map((path) => ({ path, uploadMode: 'regular', shouldIgnore: false, oid: null })),
    })
  })

  routes.on('POST', `${api}/commit/:rev`, (exchange, params) => commitFiles(exchange, params, type, context))
}

async function commitFiles(
  exchange: Exchange,
  params: Params,
  type: RepoType,
  context: HubContext,
): Promise<void> {
  const { repo, access, credential } = await openRepo(exchange, context, type, params)
  const asPullRequest = exchange.query.get('create_pr') === '1'
  if (asPullRequest ? !permissionsOf(credential).has('write-discussions') : !access.write) throw mayNotWrite()

  const revision = params.rev ?? ''
  const { branches, pulls } = refsOf(repo, context.now)
  if (!asPullRequest && !branches.has(revision) && !pulls.has(revision)) {
    throw refuse(404, `Invalid rev id: ${revision}`, 'RevisionNotFound')
  }
  const base = openRevision(repo, revision, context)
  const { summary, description, parentCommit, files } = readCommit(exchange, base.files)
  if (parentCommit !== undefined && parentCommit !== base.id) {
    throw refuse(412, 'A commit has happened since. Please refresh and try again.')
  }
  const author = authorOf(credential)
  const discussion = asPullRequest
    ? openDiscussion(repo, { title: summary, description, author, isPullRequest: true, now: context.now })
    : undefined
  const ref = discussion ? `refs/pr/${discussion.num}` : revision
  const details = {
    title: summary,
    message: description,
    date: new Date(context.now()).toISOString(),
    author,
  }
  const commit = addCommit(repo, { base, ref, files, details }, context.now)
  const page = pageUrl(repo, context.url)
  sendJson(exchange, 200, {
    success: true,
    commitOid: commit.id,
    commitUrl: `${page}/commit/${commit.id}`,
    hookOutput: '',
    ...(discussion && { pullRequestUrl: `${page}/discussions/${discussion.num}` }),
  })
}

/** Applies the lines of a commit request to the files it builds on. */
function readCommit({ body }: Exchange, current: Files) {
  const files = new Map(current)
  let header: Record<string, unknown> = {}
  for (const line of body.toString('utf8').split('\n').filter(Boolean)) {
    const { key, value } = readLine(line)
    const path = typeof value.path === 'string' ? value.path : ''
    switch (key) {
      case 'header':
        header = value
        break
      case 'file':
        if (!isSafePath(path)) throw refuse(400, 'Invalid file path')
        files.set(path, Buffer.from(String(value.content), value.encoding === 'utf-8' ? 'utf8' : 'base64'))
        break
      case 'deletedFile':
        files.delete(path)
        break
      case 'deletedFolder':
        for (const known of files.keys())
          if (known.startsWith(`${path.replace(/\/$/, '')}/`)) files.delete(known)
        break
      default:
        throw refuse(400, `Commit line \`${key}\` is not supported`)
    }
  }
  if (typeof header.summary !== 'string') throw refuse(400, 'The commit has no summary')
  const { summary, description, parentCommit } = header
  return {
    summary,
    description: typeof description === 'string' ? description : '',
    parentCommit: typeof parentCommit === 'string' ? parentCommit : undefined,
    files: new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

function readLine(line: string): { key: string; value: Record<string, unknown> } {
  try {
    const { key, value } = JSON.parse(line) as { key?: unknown; value?: unknown }
    if (typeof key === 'string' && typeof value === 'object' && value !== null) {
      return { key, value: value as Record<string, unknown> }
    }
  } catch {
    // Falls through to the refusal.
  }
  throw refuse(400, 'The commit is not newline-delimited JSON')
}

function isSafePath(path: string): boolean {
  return (
    path !== '' &&
    !path.startsWith('/') &&
    !path.split('/').some((part) => ['', '.', '..', '.git'].includes(part))
  )
}

function pageUrl(repo: Repo, url: string): string {
  return `${url}/${pathPrefix(repo.type)}${repo.id}`
}

const mayNotWrite = () => forbidden('This token may not write to the repository.')
