/**
 * Find: looks things up in a live world.
 *
 * world → **find** → oidc, hub, inference. Reads only, and answers `undefined` for
 * the unknown; each caller decides what a miss means on the wire.
 *
 * @module
 */

import type { App, Organization, OrgRole, Person, Repo, RepoType, World } from './world.ts'

export function findPerson(world: World, username: string): Person | undefined {
  return world.people.find((person) => person.username === username)
}

export function findPersonById(world: World, id: string): Person | undefined {
  return world.people.find((person) => person.id === id)
}

export function findOrganization(world: World, name: string): Organization | undefined {
  return world.organizations.find((organization) => organization.name === name)
}

export function findApp(world: World, clientId: string): App | undefined {
  return world.apps.find((app) => app.clientId === clientId)
}

export function findRepo(world: World, type: RepoType, id: string): Repo | undefined {
  return world.repos.find((repo) => repo.type === type && repo.id === id)
}

/** The organisations of a person that exist in the world, with the membership. */
export function membershipsOf(world: World, person: Person) {
  return Object.entries(person.orgs).flatMap(([name, membership]) => {
    const organization = findOrganization(world, name)
    return organization ? [{ organization, membership }] : []
  })
}

const rank: readonly string[] = ['no_access', 'read', 'contributor', 'write', 'admin']

/**
 * Whether `role` gives at least the rights of `least`. A role the testkit does not know gives
 * none: what custom roles may do is not documented.
 */
export function isAtLeast(
  role: OrgRole | undefined,
  least: 'read' | 'contributor' | 'write' | 'admin',
): boolean {
  return role !== undefined && rank.indexOf(role) >= rank.indexOf(least)
}

/** The path prefix of a repository in page URLs and in trusted publishers: `''`, `datasets/`, `spaces/`. */
export function pathPrefix(type: RepoType): string {
  return type === 'model' ? '' : `${type}s/`
}
