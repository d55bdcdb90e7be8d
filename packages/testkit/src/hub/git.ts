/**
 * Git: clone, fetch and push over HTTPS, by Git itself on bare repositories in a temporary folder.
 *
 * context → **Git** → files. A repository gets its bare twin when Git first asks for it, and what is pushed to
 * `main` is what the API serves from then on. Branches pushed by Git alone stay Git's own.
 *
 * @see git-scm.com/docs/http-protocol
 * @module
 */

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Exchange } from '../http/exchange.ts'
import type { Params, Routes } from '../http/routes.ts'
import { pathPrefix } from '../world/find.ts'
import type { Repo, RepoType } from '../world/world.ts'
import { type HubContext, openRepo } from './context.ts'
import { forbidden, gatedRepo, refuse } from './refusals.ts'

export interface GitBackend {
  addRoutes(routes: Routes, type: RepoType, context: HubContext): void
  /** Removes every bare repository. */
  close(): Promise<void>
}

export function createGitBackend(): GitBackend {
  const twins = new Map<Repo, Promise<string>>()
  let root: Promise<string> | undefined

  function twinOf(repo: Repo): Promise<string> {
    root ??= mkdtemp(join(tmpdir(), 'testkit-git-'))
    const twin = twins.get(repo) ?? root.then((folder) => createTwin(repo, join(folder, `${twins.size}.git`)))
    twins.set(repo, twin)
    return twin
  }

  return {
    addRoutes(routes, type, context) {
      const open = async (exchange: Exchange, params: Params, service: string) => {
        asBearer(exchange)
        const name = params.name?.replace(/\.git$/, '') ?? ''
        const opened = await openRepo(exchange, context, type, { ...params, name }).catch((error) => {
          // Git brings its credential only when it is asked for one.
          if (exchange.req.headers.authorization === undefined)
            exchange.res.setHeader('www-authenticate', 'Basic')
          throw error
        })
        const { access, credential, repo } = opened
        if (!access.read) throw gatedRepo(credential, `${type} ${repo.id}`)
        if (service === 'git-receive-pack' && !access.write)
          throw forbidden('This token may not write to the repository.')
        return { repo, folder: await twinOf(repo) }
      }

      const page = `/${pathPrefix(type)}:ns/:name`
      routes.on('GET', `${page}/info/refs`, async (exchange, params) => {
        const service = exchange.query.get('service') ?? ''
        if (service !== 'git-upload-pack' && service !== 'git-receive-pack')
          throw refuse(403, 'Unknown service')
        const { folder } = await open(exchange, params, service)
        const refs = await run([service.slice(4), '--stateless-rpc', '--advertise-refs', folder], exchange)
        const line = `# service=${service}\n`
        const head = `${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`
        send(exchange, `${service}-advertisement`, Buffer.concat([Buffer.from(head), refs]))
      })

      for (const service of ['git-upload-pack', 'git-receive-pack']) {
        routes.on('POST', `${page}/${service}`, async (exchange, params) => {
          const { repo, folder } = await open(exchange, params, service)
          const encoded = exchange.req.headers['content-encoding'] === 'gzip'
          const input = encoded ? gunzipSync(exchange.body) : exchange.body
          const result = await run([service.slice(4), '--stateless-rpc', folder], exchange, input)
          if (service === 'git-receive-pack') repo.files = await filesOf(folder)
          send(exchange, `${service}-result`, result)
        })
      }
    },

    async close() {
      if (root !== undefined) await rm(await root, { recursive: true, force: true })
    },
  }
}

async function createTwin(repo: Repo, folder: string): Promise<string> {
  await run(['init', '--quiet', '--bare', '--initial-branch=main', folder])
  const author = `${repo.createdBy ?? 'testkit'} <git@hub.example> 1700000000 +0000`
  const parts = [`commit refs/heads/main\ncommitter ${author}\ndata 14\ninitial commit\n`]
  const chunks: Uint8Array[] = [Buffer.from(parts.join(''))]
  for (const [path, content] of Object.entries(repo.files)) {
    const bytes = Buffer.from(content)
    chunks.push(Buffer.from(`M 100644 inline ${path}\ndata ${bytes.length}\n`), bytes, Buffer.from('\n'))
  }
  await run(['-C', folder, 'fast-import', '--quiet'], undefined, Buffer.concat(chunks))
  return folder
}

async function filesOf(folder: string): Promise<Record<string, Uint8Array>> {
  const listed = await run(['-C', folder, 'ls-tree', '-r', '-z', '--name-only', 'main'])
  const files: Record<string, Uint8Array> = {}
  for (const path of listed.toString('utf8').split('\0').filter(Boolean)) {
    files[path] = await run(['-C', folder, 'cat-file', 'blob', `main:${path}`])
  }
  return files
}

/** Runs Git with nothing of this machine's configuration. @throws Error when it fails. */
function run(args: readonly string[], exchange?: Exchange, input?: Uint8Array): Promise<Buffer> {
  const protocol = exchange?.req.headers['git-protocol']
  const git = spawn('git', args, {
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...(typeof protocol === 'string' ? { GIT_PROTOCOL: protocol } : {}),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  git.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  git.stderr.resume()
  git.stdin.on('error', () => undefined)
  git.stdin.end(input)
  return new Promise((resolve, reject) => {
    git.once('error', reject)
    git.once('close', (code) =>
      code === 0 ? resolve(Buffer.concat(chunks)) : reject(new Error(`git ${args[0]} failed with ${code}`)),
    )
  })
}

/** Git brings a token as its password. */
function asBearer({ req }: Exchange): void {
  const [, encoded = ''] = /^Basic +(\S+)$/i.exec(req.headers.authorization ?? '') ?? []
  if (encoded === '') return
  const [, password = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  req.headers.authorization = `Bearer ${password}`
}

function send({ res }: Exchange, type: string, body: Buffer): void {
  res.writeHead(200, {
    'content-type': `application/x-${type}`,
    'content-length': body.length,
    'cache-control': 'no-cache',
  })
  res.end(body)
}
