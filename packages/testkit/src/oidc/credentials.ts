/**
 * Credentials: mints tokens without a browser, and says what a presented token is.
 *
 * provider → **credentials** → userinfo, hub, inference. OAuth tokens live in the
 * provider's table whichever way they came to be, so there is one place to look.
 *
 * @module
 */

import { generateKeyPairSync } from 'node:crypto'
import type Provider from 'oidc-provider'
import { findPerson, findPersonById } from '../world/find.ts'
import { randomText } from '../world/random-text.ts'
import type { Person, World } from '../world/world.ts'
import { signCompact } from './compact-jwt.ts'
import type { Consents, GrantedOrgs } from './consents.ts'

export type Credential =
  | { readonly kind: 'none' }
  /** A credential was presented and is unknown, expired or malformed. */
  | { readonly kind: 'invalid' }
  | {
      readonly kind: 'oauth'
      readonly person: Person
      readonly clientId: string
      /** As granted: implications are not expanded. */
      readonly scopes: ReadonlySet<string>
      readonly granted: GrantedOrgs
      /** Epoch seconds. */
      readonly expiresAt: number
    }
  | { readonly kind: 'user'; readonly person: Person; readonly role: 'read' | 'write' }
  /** A trusted publisher's token: one repository, as written in the publisher. */
  | { readonly kind: 'publisher'; readonly resource: string }

export interface MintOptions {
  readonly person: Person
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly granted: GrantedOrgs
  /** Default the app's own lifetime. May be negative for a token that has expired already. */
  readonly expiresInSeconds?: number
}

export interface Credentials {
  /** Mints an OAuth access token. @throws Error when the app is unknown. */
  mint(options: MintOptions): Promise<{ token: string; expiresInSeconds: number }>
  /** Mints a trusted publisher's token, valid for an hour. */
  mintForPublisher(resource: string): string
  /** Reads the `Authorization` header. */
  identify(authorization: string | undefined): Promise<Credential>
}

export interface CredentialsOptions {
  readonly provider: Provider
  readonly world: World
  readonly consents: Consents
  readonly now: () => number
  readonly skewSeconds: () => number
  readonly onSecret: (value: string) => void
}

export function createCredentials(options: CredentialsOptions): Credentials {
  const { provider, world, consents, now, skewSeconds, onSecret } = options
  const publisherTokens = new Map<string, { resource: string; expiresAt: number }>()
  const { privateKey } = generateKeyPairSync('ed25519')

  async function identifyOauth(token: string): Promise<Credential> {
    const found = await provider.AccessToken.find(token)
    const person = found && findPersonById(world, found.accountId)
    if (!found || !person) return { kind: 'invalid' }
    return {
      kind: 'oauth',
      person,
      clientId: found.clientId ?? '',
      scopes: found.scopes,
      granted: consents.grantedOrgs(found.grantId),
      expiresAt: (found.exp ?? 0) + skewSeconds(),
    }
  }

  return {
    async mint({ person, clientId, scopes, granted, expiresInSeconds }) {
      const client = await provider.Client.find(clientId)
      if (!client) throw new Error(`no app has the client id \`${clientId}\``)
      const grant = new provider.Grant({ accountId: person.id, clientId })
      grant.addOIDCScope([...scopes])
      const grantId = await grant.save()
      consents.attach(grantId, granted)
      const token = new provider.AccessToken({
        client,
        accountId: person.id,
        grantId,
        gty: 'testkit',
        scope: scopes.join(' '),
        ...(expiresInSeconds !== undefined && { expiresIn: expiresInSeconds }),
      })
      const value = await token.save()
      return { token: value, expiresInSeconds: token.expiration }
    },

    mintForPublisher(resource) {
      const iat = Math.floor(now() / 1000)
      const claims = { iss: provider.issuer, aud: provider.issuer, sub: resource, iat, exp: iat + 3600 }
      const token = `hf_jwt_${signCompact({ alg: 'EdDSA' }, { ...claims, jti: randomText(22) }, privateKey)}`
      publisherTokens.set(token, { resource, expiresAt: claims.exp })
      onSecret(token)
      return token
    },

    async identify(authorization) {
      if (authorization === undefined) return { kind: 'none' }
      const token = /^Bearer ([\w~+/.=-]+)$/i.exec(authorization)?.[1]
      if (token === undefined) return { kind: 'invalid' }
      if (token.startsWith('hf_oauth_')) return identifyOauth(token)
      const publisher = publisherTokens.get(token)
      if (publisher) {
        const expired = publisher.expiresAt <= now() / 1000
        return expired ? { kind: 'invalid' } : { kind: 'publisher', resource: publisher.resource }
      }
      const own = world.userTokens.find((entry) => entry.token === token)
      const person = own && findPerson(world, own.username)
      return person ? { kind: 'user', person, role: own.role } : { kind: 'invalid' }
    },
  }
}
