/**
 * Userinfo: who signed in, in the words of the Hub's own schema.
 *
 * access token → **userinfo**. Answered here and not by the provider, because the content
 * follows organisation grants, which OpenID Connect knows nothing about. Roles appear only
 * for granted organisations, or for all with `read-memberships`.
 *
 * @module
 */

import { membershipsOf } from '../world/find.ts'
import { expandScopes } from '../world/scopes.ts'
import type { Person, World } from '../world/world.ts'
import type { GrantedOrgs } from './consents.ts'

export interface UserinfoOptions {
  readonly url: string
  readonly world: World
  readonly scopes: ReadonlySet<string>
  readonly granted: GrantedOrgs
}

/** The claims a person has in both the ID token and userinfo. */
export function buildProfile(url: string, person: Person, scopes: ReadonlySet<string>) {
  return {
    sub: person.id,
    ...(scopes.has('profile') && {
      name: person.name,
      preferred_username: person.username,
      profile: `${url}/${person.username}`,
      picture: `${url}/avatars/${person.id}.svg`,
    }),
    ...(scopes.has('email') && { email: person.email, email_verified: person.emailVerified }),
  }
}

export function buildUserinfo(person: Person, { url, world, scopes, granted }: UserinfoOptions) {
  const expanded = expandScopes(scopes)
  const seesRoles = expanded.has('read-memberships')
  const orgs = membershipsOf(world, person).map(({ organization, membership }) => ({
    sub: organization.id,
    name: organization.displayName,
    picture: `${url}/avatars/${organization.id}.svg`,
    preferred_username: organization.name,
    ...(organization.plan && { plan: organization.plan }),
    ...(expanded.has('read-billing') &&
      granted.orgIds.has(organization.id) &&
      organization.canPay !== undefined && { canPay: organization.canPay }),
    ...((seesRoles || granted.orgIds.has(organization.id)) && {
      roleInOrg: membership.role,
      ...(membership.securityRestrictions && { securityRestrictions: membership.securityRestrictions }),
      ...(membership.resourceGroups && {
        resourceGroups: membership.resourceGroups.map(({ id, name, role }) => ({ sub: id, name, role })),
      }),
    }),
  }))
  const toldNothing = !seesRoles && granted.orgIds.size === 0
  return {
    ...buildProfile(url, person, expanded),
    isPro: person.isPro,
    ...(expanded.has('read-billing') && person.canPay !== undefined && { canPay: person.canPay }),
    ...(world.omitOrgs && toldNothing ? {} : { orgs }),
  }
}
