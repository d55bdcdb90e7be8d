/**
 * Provider: the certified OpenID provider, configured to behave as Hugging Face does.
 *
 * storage, consents → **provider** → interactions, edge. Every function the library would
 * otherwise warn about is set here, so it has nothing to print.
 *
 * @module
 */

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import Provider, {
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider'
import { findApp, findPersonById } from '../world/find.ts'
import { knownScopes } from '../world/scopes.ts'
import type { World } from '../world/world.ts'
import type { Consents } from './consents.ts'
import { deviceConfiguration } from './device.ts'
import { buildMessagePage } from './pages.ts'
import { isRedirectUriAllowed } from './redirect-uri.ts'
import { sendPage } from './send-page.ts'
import { createStorage, type SkewSeconds } from './storage.ts'
import { shapeTokens } from './token-shapes.ts'
import { buildProfile } from './userinfo.ts'

export interface ProviderOptions {
  readonly url: string
  readonly world: World
  readonly consents: Consents
  readonly skewSeconds: SkewSeconds
  readonly onSecret: (value: string) => void
}

/** Path of the page behind `/oauth/device`, whose POST belongs to the device endpoint. */
export const deviceVerificationPath = '/oauth/device/verify'

export const cookieNames = {
  session: 'hf_testkit_session',
  interaction: 'hf_testkit_interaction',
  resume: 'hf_testkit_resume',
} as const

export function createProvider(options: ProviderOptions): Provider {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = randomBytes(8).toString('hex')
  const provider = new Provider(options.url, {
    ...buildConfiguration(options),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] },
  })
  // Koa prints unexpected errors otherwise. They still reach the client as `server_error`.
  provider.silent = true
  shapeTokens(provider, { ...options, idTokenKey: privateKey })
  provider.Client.prototype.redirectUriAllowed = function (given) {
    const app = findApp(options.world, this.clientId)
    return app !== undefined && isRedirectUriAllowed(app, given)
  }
  return provider
}

function buildConfiguration(options: ProviderOptions): Configuration {
  const { url, world, consents } = options
  const cookie = { httpOnly: true, sameSite: 'lax', overwrite: true } as const
  return {
    adapter: createStorage(options),
    scopes: [...knownScopes],
    claims: {
      openid: ['sub', 'auth_time'],
      profile: ['name', 'preferred_username', 'profile', 'picture'],
      email: ['email', 'email_verified'],
    },
    // Hugging Face puts profile and e-mail claims into the ID token as well.
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    subjectTypes: ['public'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    clientBasedCORS: () => true,
    clockTolerance: 0,
    cookies: {
      keys: [randomBytes(32).toString('hex')],
      names: cookieNames,
      long: { ...cookie, signed: true },
      short: { ...cookie, signed: true },
    },
    enabledJWA: { idTokenSigningAlgValues: ['RS256'] },
    expiresWithSession: () => false,
    extraParams: ['orgIds'],
    features: {
      devInteractions: { enabled: false },
      deviceFlow: deviceConfiguration(url),
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    findAccount(_ctx, id) {
      const person = findPersonById(world, id)
      return (
        person && {
          accountId: person.id,
          claims: (_use, scope) => buildProfile(url, person, new Set(scope.split(' '))),
        }
      )
    },
    interactions: {
      url: (_ctx, interaction) => `/oauth/interaction/${interaction.uid}`,
      policy: buildPolicy(world),
    },
    issueRefreshToken: (_ctx, client) => findApp(world, client.clientId)?.refreshTokens ?? true,
    loadExistingGrant: (ctx) => loadGrant(ctx, consents),
    pkce: { required: (_ctx, client) => client.clientAuthMethod === 'none' },
    renderError(ctx, out) {
      sendPage(ctx, buildMessagePage('This request cannot continue', describe(out)))
    },
    rotateRefreshToken: true,
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      jwks: '/oauth/jwks',
      device_authorization: '/oauth/device',
      code_verification: deviceVerificationPath,
    },
    ttl: {
      AccessToken: (_ctx, _token, client) => findApp(world, client.clientId)?.accessTokenSeconds ?? 28_800,
      AuthorizationCode: 300,
      DeviceCode: 300,
      Grant: 365 * 86_400,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 90 * 86_400,
      Session: 14 * 86_400,
    },
  }
}

/** The standard policy, plus: only enabled scopes may be asked for, and consent is not repeated. */
function buildPolicy(world: World) {
  const policy = interactionPolicy.base()
  policy.get('consent')?.checks.remove('native_client_prompt')
  const scopesEnabled = new interactionPolicy.Check('scopes_enabled', 'scope is not enabled', (ctx) => {
    const enabled = findApp(world, ctx.oidc.client?.clientId ?? '')?.scopes ?? []
    // From the query: by now the provider has dropped the scopes it does not know.
    const asked = String(ctx.query.scope ?? '')
      .split(' ')
      .filter(Boolean)
    const refused = asked.filter((scope) => !enabled.includes(scope))
    if (refused.length > 0) {
      throw new errors.InvalidScope('requested scope is not enabled on the app', refused.join(' '))
    }
    return interactionPolicy.Check.NO_NEED_TO_PROMPT
  })
  policy.get('login')?.checks.unshift(scopesEnabled)
  return policy
}

/**
 * The grant for this sign-in: the one just consented to, or a new one from an earlier consent.
 * Each sign-in has a grant of its own, so that revoking one never ends another. The device
 * flow always asks.
 */
async function loadGrant(ctx: KoaContextWithOIDC, consents: Consents) {
  const { Grant } = ctx.oidc.provider
  const consented = ctx.oidc.result?.consent?.grantId
  if (consented) return Grant.find(consented)
  const accountId = ctx.oidc.session?.accountId
  const clientId = ctx.oidc.client?.clientId
  if (!accountId || !clientId || ctx.oidc.entities.DeviceCode) return undefined
  const consent = consents.recall(accountId, clientId, ctx.oidc.requestParamScopes)
  if (!consent) return undefined
  const grant = new Grant({ accountId, clientId })
  grant.addOIDCScope([...ctx.oidc.requestParamScopes])
  consents.attach(await grant.save(), { orgIds: consent.orgIds })
  return grant
}

function describe(out: { error: string; error_description?: string | undefined }): string {
  return out.error_description ? `${out.error}: ${out.error_description}` : out.error
}
