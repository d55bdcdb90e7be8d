/**
 * Plain provider: `oidc-provider` as it comes, without anything of Hugging Face.
 *
 * Whoever arrives is signed in as `ana` and agrees; with `prompt=none` only who has a session already.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type KoaContextWithOIDC } from 'oidc-provider'

export interface PlainProvider {
  readonly issuer: string
  /** Grants asked of the token endpoint, by type. */
  readonly grants: string[]
  /** Paths asked, in their order. */
  readonly paths: string[]
  /** Whether refresh tokens are issued. */
  refreshTokens: boolean
  register(redirectUri: string): void
  close(): Promise<void>
}

export const plainClientId = 'plain-client'

/** @param host - Another loopback name than the page's makes it another site. */
export async function startPlainProvider(host = '127.0.0.1'): Promise<PlainProvider> {
  const server = createServer()
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
  const issuer = `http://${host}:${(server.address() as AddressInfo).port}`
  let handle: ((req: IncomingMessage, res: ServerResponse) => void) | undefined
  const grants: string[] = []
  const paths: string[] = []

  const plain: PlainProvider = {
    issuer,
    grants,
    paths,
    refreshTokens: true,
    register(redirectUri) {
      const provider = createProvider(issuer, redirectUri, plain)
      const callback = provider.callback()
      provider.on('grant.success', (ctx: KoaContextWithOIDC) => {
        grants.push(String(ctx.oidc.params?.grant_type))
      })
      handle = (req, res) => {
        const { pathname } = new URL(req.url ?? '', issuer)
        if (req.method !== 'OPTIONS') paths.push(pathname)
        if (pathname.startsWith('/interaction/')) void agree(provider, req, res)
        else void callback(req, res)
      }
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
  server.on('request', (req, res) => handle?.(req, res))
  return plain
}

function createProvider(issuer: string, redirectUri: string, plain: PlainProvider): Provider {
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: plainClientId,
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        application_type: 'web',
      },
    ],
    clientBasedCORS: () => true,
    cookies: { keys: ['not-a-secret-but-long-enough-for-a-test'] },
    claims: { openid: ['sub', 'auth_time'], profile: ['preferred_username'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: () => plain.refreshTokens,
    pkce: { required: () => true },
    rotateRefreshToken: true,
  })
  provider.silent = true
  return provider
}

async function agree(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(req, res)
  if (prompt.name === 'login') {
    return provider.interactionFinished(req, res, { login: { accountId: 'ana' } })
  }
  const grant = new provider.Grant({
    accountId: session?.accountId ?? '',
    clientId: String(params.client_id),
  })
  grant.addOIDCScope(String(params.scope))
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } })
}
