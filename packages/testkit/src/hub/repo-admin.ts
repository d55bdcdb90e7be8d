/**
 * Repo admin: creates and deletes repositories.
 *
 * context → **repo admin** → world. The target stands in the body, not in the path.
 *
 * @module
 */

import { type Exchange, readJson, sendJson } from '../http/exchange.ts'
import type { Routes } from '../http/routes.ts'
import { findRepo, pathPrefix } from '../world/find.ts'
import type { RepoType } from '../world/world.ts'
import { accessTo, mayCreateIn } from './access.ts'
import { authorOf, type HubContext, identify } from './context.ts'
import { forbidden, refuse, repoNotFound } from './refusals.ts'

export function addRepoAdminRoutes(routes: Routes, context: HubContext): void {
  routes.on('POST', '/api/repos/create', async (exchange) => {
    const credential = await identify(exchange, context)
    if (credential.kind === 'none') throw refuse(401, 'Invalid username or password.')
    const { type, id, body } = readTarget(exchange, authorOf(credential))
    if (!mayCreateIn(context.world, credential, id.split('/')[0] ?? '')) {
      throw forbidden("You don't have the rights to create a repository under this namespace")
    }
    const url = `${context.url}/${pathPrefix(type)}${id}`
    if (findRepo(context.world, type, id)) {
      throw refuse(409, `You already created this ${type} repo`)
    }
    context.world.repos.push({
      type,
      id,
      private: body.private === true || body.visibility === 'private',
      files: readSeed(body.files),
      createdBy: authorOf(credential),
      ...(credential.kind === 'oauth' && { createdByApp: credential.clientId }),
      ...(typeof body.resourceGroupId === 'string' && { resourceGroup: body.resourceGroupId }),
      ...(typeof body.sdk === 'string' && { sdk: body.sdk }),
    })
    sendJson(exchange, 200, { url, name: id, id })
  })

  routes.on('DELETE', '/api/repos/delete', async (exchange) => {
    const credential = await identify(exchange, context)
    const { type, id } = readTarget(exchange, authorOf(credential))
    const { world } = context
    const repo = findRepo(world, type, id)
    const access = repo && accessTo(world, credential, repo)
    if (!repo || !access?.see) throw repoNotFound(credential)
    if (!access.remove) throw forbidden('This token may not delete the repository.')
    world.repos.splice(world.repos.indexOf(repo), 1)
    sendJson(exchange, 200, {})
  })
}

function readTarget(exchange: Exchange, caller: string) {
  const body = readJson(exchange)
  const type = body.type ?? 'model'
  if (type !== 'model' && type !== 'dataset' && type !== 'space') throw refuse(400, 'Unknown repository type')
  const namespace = typeof body.organization === 'string' ? body.organization : caller
  const name = body.name
  if (typeof name !== 'string' || !/^[\w.-]+$/.test(name)) throw refuse(400, 'Invalid repository name')
  return { type: type satisfies RepoType as RepoType, id: `${namespace}/${name}`, body }
}

/** Files a client sends along when it creates a repository. */
function readSeed(value: unknown): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = { '.gitattributes': Buffer.from('*.safetensors filter=lfs\n') }
  if (!Array.isArray(value)) return files
  for (const { path, content } of value as { path?: unknown; content?: unknown }[]) {
    if (typeof path === 'string') files[path] = Buffer.from(String(content ?? ''), 'base64')
  }
  return files
}
