/**
 * Files: lists folders and serves content.
 *
 * context → **files**. Content comes straight from this origin: no redirect to a CDN and no
 * Xet, which clients accept because nothing in the answer offers them.
 *
 * @module
 */

import { type Exchange, readJson, sendJson } from '../http/exchange.ts'
import type { Params, Routes } from '../http/routes.ts'
import { pathPrefix } from '../world/find.ts'
import type { RepoType } from '../world/world.ts'
import { type HubContext, openRepo, openRevision } from './context.ts'
import { entryNotFound, forbidden, gatedRepo, refuse } from './refusals.ts'
import { buildLfsPointer, entryAt, etagOf, lfsIdOf, listTree } from './tree.ts'

export function addFileRoutes(routes: Routes, type: RepoType, context: HubContext): void {
  const api = `/api/${type}s/:ns/:name`
  const page = `/${pathPrefix(type)}:ns/:name`

  const tree = async (exchange: Exchange, params: Params) => {
    const { repo } = await openRepo(exchange, context, type, params)
    const entries = listTree(openRevision(repo, params.rev ?? '', context), params.path ?? '', {
      recursive: isOn(exchange.query.get('recursive')),
      expand: isOn(exchange.query.get('expand')),
    })
    if (entries === undefined) throw entryNotFound()
    sendJson(exchange, 200, entries)
  }
  routes.on('GET', `${api}/tree/:rev`, tree)
  routes.on('GET', `${api}/tree/:rev/*path`, tree)

  routes.on('POST', `${api}/paths-info/:rev`, async (exchange, params) => {
    const { repo } = await openRepo(exchange, context, type, params)
    const commit = openRevision(repo, params.rev ?? '', context)
    const { paths, expand } = readPathsRequest(exchange)
    sendJson(
      exchange,
      200,
      paths.flatMap((path) => entryAt(commit, path, expand) ?? []),
    )
  })

  routes.on('GET,HEAD', `${page}/resolve/:rev/*path`, (exchange, params) =>
    serveFile(exchange, params, 'content'),
  )
  routes.on('GET,HEAD', `/api/resolve-cache/${type}s/:ns/:name/:rev/*path`, (exchange, params) =>
    serveFile(exchange, params, 'content'),
  )
  routes.on('GET,HEAD', `${page}/raw/:rev/*path`, (exchange, params) =>
    serveFile(exchange, params, 'pointer'),
  )

  routes.on('GET', `${api}/xet-read-token/:rev`, async (exchange, params) => {
    await openRepo(exchange, context, type, params)
    throw refuse(404, 'Xet is not available')
  })
  routes.on('GET', `${api}/xet-write-token/:rev`, async (exchange, params) => {
    const { access } = await openRepo(exchange, context, type, params)
    if (!access.write) throw forbidden('This token may not write to the repository.')
    throw refuse(404, 'Xet is not available')
  })

  async function serveFile(exchange: Exchange, params: Params, form: 'content' | 'pointer'): Promise<void> {
    const { repo, access, credential } = await openRepo(exchange, context, type, params)
    if (!access.read) throw gatedRepo(credential, `${type} ${repo.id}`)
    const commit = openRevision(repo, params.rev ?? '', context)
    const path = params.path ?? ''
    const content = commit.files.get(path)
    if (content === undefined) throw entryNotFound()
    const etag = etagOf(path, content)
    const lfsId = lfsIdOf(path, content)
    const pointer = form === 'pointer' && lfsId !== undefined
    exchange.res.setHeader('x-repo-commit', commit.id)
    exchange.res.setHeader(
      'content-disposition',
      `inline; filename*=UTF-8''${encodeURIComponent(fileName(path))}`,
    )
    if (lfsId !== undefined && form === 'content') {
      exchange.res.setHeader('x-linked-size', String(content.length))
      exchange.res.setHeader('x-linked-etag', etag)
    }
    sendContent(exchange, pointer ? Buffer.from(buildLfsPointer(lfsId, content.length)) : content, path, etag)
  }
}

function sendContent(exchange: Exchange, content: Uint8Array, path: string, etag: string): void {
  const { req, res, method } = exchange
  res.setHeader('etag', etag)
  res.setHeader('accept-ranges', 'bytes')
  res.setHeader('content-type', contentType(path))
  // Files are written by users; a browser must never run them on this origin.
  res.setHeader('content-security-policy', "default-src 'none'; sandbox")
  res.setHeader('x-content-type-options', 'nosniff')
  if (req.headers['if-none-match'] === etag) return void res.writeHead(304).end()
  const range = readRange(req.headers.range, content.length)
  if (range === 'unsatisfiable') {
    return void res.writeHead(416, { 'content-range': `bytes */${content.length}` }).end()
  }
  const body = range ? content.subarray(range.start, range.end + 1) : content
  if (range) res.setHeader('content-range', `bytes ${range.start}-${range.end}/${content.length}`)
  res.writeHead(range ? 206 : 200, { 'content-length': body.length })
  res.end(method === 'HEAD' ? undefined : body)
}

/** Reads one byte range (RFC 9110 §14.1.2). Anything else, several ranges included, means the whole file. */
function readRange(header: string | undefined, size: number) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const suffix = match[1] === ''
  const start = suffix ? Math.max(0, size - Number(match[2])) : Number(match[1])
  const end = suffix || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)
  return start > end || start >= size ? 'unsatisfiable' : { start, end }
}

/** `paths-info` takes JSON from huggingface.js and a form from the Python client. */
function readPathsRequest(exchange: Exchange): { paths: string[]; expand: boolean } {
  if ((exchange.req.headers['content-type'] ?? '').includes('application/x-www-form-urlencoded')) {
    const form = new URLSearchParams(exchange.body.toString('utf8'))
    return { paths: form.getAll('paths'), expand: isOn(form.get('expand')) }
  }
  const { paths, expand } = readJson(exchange)
  const list = Array.isArray(paths) ? paths : [paths]
  return { paths: list.filter((path) => typeof path === 'string'), expand: expand === true }
}

function isOn(value: string | null): boolean {
  return value !== null && ['', '1', 'true', 'True'].includes(value)
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function contentType(path: string): string {
  if (/\.json$/i.test(path)) return 'application/json'
  return /\.(md|txt|csv|jsonl|py|yaml|yml|gitattributes)$/i.test(path)
    ? 'text/plain; charset=utf-8'
    : 'application/octet-stream'
}
