/**
 * Context: what every Hub route needs first, namely who is asking and which repository.
 *
 * routes → **context** → hub routes. Turns misses into the Hub's own refusals.
 *
 * @module
 */

import type { Exchange } from '../http/exchange.ts'
import type { Params } from '../http/routes.ts'
import type { Credential, Credentials } from '../oidc/credentials.ts'
import { findRepo } from '../world/find.ts'
import type { Repo, RepoType, World } from '../world/world.ts'
import { type Access, accessTo } from './access.ts'
import { type Commit, resolveRevision } from './history.ts'
import { invalidCredentials, repoNotFound, revisionNotFound } from './refusals.ts'

export interface HubContext {
  readonly url: string
  readonly world: World
  readonly credentials: Credentials
  readonly now: () => number
}

export interface OpenRepo {
  readonly credential: Credential
  readonly repo: Repo
  readonly access: Access
}

/** @throws HttpRefusal 401 when a credential is presented and is not valid. */
export async function identify({ req }: Exchange, { credentials }: HubContext): Promise<Credential> {
  const credential = await credentials.identify(req.headers.authorization)
  if (credential.kind === 'invalid') throw invalidCredentials()
  return credential
}

/** @throws HttpRefusal 401 or 404 when the caller may not know of the repository. */
export async function openRepo(
  exchange: Exchange,
  context: HubContext,
  type: RepoType,
  params: Params,
): Promise<OpenRepo> {
  const credential = await identify(exchange, context)
  const repo = findRepo(context.world, type, `${params.ns}/${params.name}`)
  const access = repo && accessTo(context.world, credential, repo)
  if (!repo || !access?.see) throw repoNotFound(credential)
  return { credential, repo, access }
}

/** @throws HttpRefusal 404 `RevisionNotFound`. */
export function openRevision(repo: Repo, revision: string, { now }: HubContext): Commit {
  const commit = resolveRevision(repo, revision, now)
  if (commit === undefined) throw revisionNotFound(revision)
  return commit
}

/** Username shown as the author of what this credential does. */
export function authorOf(credential: Credential): string {
  if (credential.kind === 'publisher') return '[OIDC]'
  return credential.kind === 'oauth' || credential.kind === 'user' ? credential.person.username : 'anonymous'
}
