/**
 * Access: what a credential may do with a repository.
 *
 * credentials → **access** → hub routes. Scopes bound what the app may do, roles bound what
 * the person may do, and an organisation counts only when it was granted at sign-in.
 *
 * @module
 */

import type { Credential } from '../oidc/credentials.ts'
import { findOrganization, isAtLeast, pathPrefix } from '../world/find.ts'
import { expandScopes } from '../world/scopes.ts'
import type { OrgRole, Person, Repo, World } from '../world/world.ts'

export interface Access {
  /** Sees that the repository exists, and its file names. */
  readonly see: boolean
  /** Reads the content of files. Differs from `see` for gated repositories. */
  readonly read: boolean
  readonly write: boolean
  readonly remove: boolean
}

const nothing: Access = { see: false, read: false, write: false, remove: false }

export function accessTo(world: World, credential: Credential, repo: Repo): Access {
  const open: Access = { ...nothing, see: !repo.private, read: !repo.private && !repo.gated }
  if (credential.kind === 'publisher') {
    const own = credential.resource === pathPrefix(repo.type) + repo.id
    return own ? { see: true, read: true, write: true, remove: false } : open
  }
  if (credential.kind !== 'oauth' && credential.kind !== 'user') return open

  const may = permissionsOf(credential)
  const role = roleIn(world, credential, repo)
  const { username } = credential.person
  const made = credential.kind === 'oauth' && repo.createdByApp === credential.clientId
  const reads = may.has('read-repos') || (may.has('contribute-repos') && made)
  const member = isAtLeast(role, 'read')
  const see = open.see || (reads && member)
  // Members of the owning organisation pass the gate; everyone else must have been admitted.
  const admitted =
    (reads && member) || (reads || may.has('gated-repos') ? repo.admitted?.includes(username) : false)
  const writer = isAtLeast(role, 'write') || (isAtLeast(role, 'contributor') && repo.createdBy === username)
  return {
    see,
    read: see && (repo.gated ? admitted === true : true),
    write: writer && (may.has('write-repos') || (may.has('contribute-repos') && made)),
    remove: isAtLeast(role, 'write') && may.has('manage-repos'),
  }
}

/** Whether a repository may be created in a namespace. */
export function mayCreateIn(world: World, credential: Credential, namespace: string): boolean {
  if (credential.kind !== 'oauth' && credential.kind !== 'user') return false
  if (!permissionsOf(credential).has('contribute-repos')) return false
  return isAtLeast(roleInNamespace(world, credential, namespace), 'contributor')
}

/** The OAuth scopes of a credential, implications included. A user token has them by its role. */
export function permissionsOf(credential: Credential): ReadonlySet<string> {
  if (credential.kind === 'oauth') return expandScopes(credential.scopes)
  if (credential.kind !== 'user') return new Set()
  const read = ['read-repos', 'gated-repos', 'inference-api']
  return expandScopes(credential.role === 'write' ? [...read, 'manage-repos', 'write-discussions'] : read)
}

type Personal = Extract<Credential, { person: Person }>

function roleIn(world: World, credential: Personal, repo: Repo): OrgRole | undefined {
  const [namespace = ''] = repo.id.split('/')
  const role = roleInNamespace(world, credential, namespace)
  if (role === undefined || repo.resourceGroup === undefined || role === 'admin') return role
  const groups = credential.person.orgs[namespace]?.resourceGroups ?? []
  return groups.find((group) => group.id === repo.resourceGroup)?.role
}

function roleInNamespace(world: World, credential: Personal, namespace: string): OrgRole | undefined {
  const { person } = credential
  const granted = credential.kind === 'oauth' ? credential.granted : undefined
  // A token from the member exchange never reaches the person's own repositories.
  if (person.username === namespace) return granted?.onlyOrgId === undefined ? 'admin' : undefined
  const organization = findOrganization(world, namespace)
  if (organization === undefined) return undefined
  if (granted && !granted.orgIds.has(organization.id)) return undefined
  return person.orgs[namespace]?.role
}
