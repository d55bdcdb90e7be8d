/**
 * Member exchange: an organisation's app trades a member's e-mail for a token.
 *
 * token endpoint → **member exchange** → credentials. Registered with the provider, which
 * has authenticated the app by the time this runs. Never gives a refresh token.
 *
 * @module
 */

import type Provider from 'oidc-provider'
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { findApp, findOrganization } from '../world/find.ts'
import type { Person, World } from '../world/world.ts'
import type { Credentials } from './credentials.ts'
import { accessTokenType, tokenExchangeGrant } from './metadata.ts'
import { buildProfile } from './userinfo.ts'

export const userEmailTokenType = 'urn:huggingface:token-type:user-email'

interface ExchangeParams {
  subject_token?: string
  subject_token_type?: string
  scope?: string
}

export function registerMemberExchange(provider: Provider, world: World, credentials: Credentials): void {
  const parameters = ['subject_token', 'subject_token_type', 'requested_token_type', 'scope']
  provider.registerGrantType<ExchangeParams>(
    tokenExchangeGrant,
    async (ctx) => {
      const { params, client } = ctx.oidc
      const app = findApp(world, client.clientId)
      const organization = app?.org === undefined ? undefined : findOrganization(world, app.org)
      if (!app?.tokenExchange || !organization) {
        throw new errors.UnauthorizedClient('the app may not exchange tokens')
      }
      if (params?.subject_token_type !== userEmailTokenType || !params.subject_token) {
        throw new errors.InvalidRequest('subject_token and subject_token_type must name a user by e-mail')
      }
      const email = params.subject_token
      const person = world.people.find((entry) => entry.email === email)
      if (!person?.emailVerified || !person.orgs[organization.name]) {
        throw new errors.InvalidGrant('the user is not a member of the organisation')
      }
      const scopes = params.scope ? params.scope.split(' ') : app.scopes
      const refused = scopes.filter((scope) => !app.scopes.includes(scope))
      if (refused.length > 0) {
        throw new errors.InvalidScope('requested scope is not enabled on the app', refused.join(' '))
      }
      const granted = { orgIds: new Set([organization.id]), onlyOrgId: organization.id }
      const minted = await credentials.mint({ person, clientId: app.clientId, scopes, granted })
      ctx.body = {
        access_token: minted.token,
        token_type: 'bearer',
        expires_in: minted.expiresInSeconds,
        scope: scopes.join(' '),
        issued_token_type: accessTokenType,
        ...(scopes.includes('openid') && { id_token: await issueIdToken(person, scopes, ctx) }),
      }
    },
    parameters,
  )

  async function issueIdToken(
    person: Person,
    scopes: readonly string[],
    ctx: KoaContextWithOIDC,
  ): Promise<string> {
    const token = new provider.IdToken(buildProfile(provider.issuer, person, new Set(scopes)), { ctx })
    // The provider keeps only the claims of the scopes it is told here.
    Object.assign(token, { scope: scopes.join(' ') })
    return token.issue({ use: 'idtoken' })
  }
}
