/**
 * Who am I: describes the person behind any credential.
 *
 * credentials → **who am I**. Names differ from userinfo: here `name` is the username and
 * `id` is what userinfo calls `sub`.
 *
 * @module
 */

import { sendJson } from '../http/exchange.ts'
import type { Routes } from '../http/routes.ts'
import { membershipsOf } from '../world/find.ts'
import { permissionsOf } from './access.ts'
import { type HubContext, identify } from './context.ts'
import { invalidCredentials } from './refusals.ts'

export function addWhoamiRoute(routes: Routes, context: HubContext): void {
  routes.on('GET', '/api/whoami-v2', async (exchange) => {
    const credential = await identify(exchange, context)
    if (credential.kind !== 'oauth' && credential.kind !== 'user') throw invalidCredentials()
    const { person } = credential
    const scopes = permissionsOf(credential)
    const orgs = membershipsOf(context.world, person).map(({ organization, membership }) => {
      const told =
        credential.kind === 'user' ||
        scopes.has('read-memberships') ||
        credential.granted.orgIds.has(organization.id)
      return {
        type: 'org',
        id: organization.id,
        name: organization.name,
        fullname: organization.displayName,
        avatarUrl: `${context.url}/avatars/${organization.id}.svg`,
        periodEnd: null,
        ...(organization.plan && { plan: organization.plan }),
        ...(told && {
          roleInOrg: membership.role,
          ...(membership.securityRestrictions && { securityRestrictions: membership.securityRestrictions }),
          ...(membership.resourceGroups && { resourceGroups: membership.resourceGroups }),
        }),
      }
    })
    const seesEmail = credential.kind === 'user' || scopes.has('email')
    sendJson(exchange, 200, {
      type: 'user',
      id: person.id,
      name: person.username,
      fullname: person.name,
      email: seesEmail ? person.email : null,
      ...(seesEmail && { emailVerified: person.emailVerified }),
      isPro: person.isPro,
      ...(scopes.has('read-billing') && person.canPay !== undefined && { canPay: person.canPay }),
      avatarUrl: `${context.url}/avatars/${person.id}.svg`,
      periodEnd: null,
      orgs,
      auth:
        credential.kind === 'oauth'
          ? { type: 'oauth', expiresAt: new Date(credential.expiresAt * 1000).toISOString() }
          : {
              type: 'access_token',
              accessToken: {
                displayName: 'testkit',
                createdAt: new Date(context.now()).toISOString(),
                role: credential.role,
              },
            },
    })
  })
}
