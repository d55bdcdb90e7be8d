/**
 * Plain provider: `oidc-provider` as it comes, without anything of Hugging Face.
 *
 * Whoever arrives is signed in, as `ana` unless told otherwise, at once or after one click, and agrees; with `prompt=none` only who has a
 * session already.
 *
 * @module
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type KoaContextWithOIDC } from 'oidc-provider'

export interface PlainProvider {
  readonly issuer: string
  /** Grants asked of the token endpoint, by type. */
  readonly grants: string[]
  /** Paths asked, in their order. */
  readonly paths: string[]
  /** Who is signed in when somebody arrives. Default `ana`. */
  person: string
  /** Whether refresh tokens are issued. */
  refreshTokens: boolean
  /** Life of a refresh token in seconds, and the member of the answer that tells it. Default an hour, untold. */
  refreshLife: { readonly seconds: number; readonly toldAs?: string }
  /** Whether pages may read the `Date` of its answers. */
  tellsTime: boolean
  /** Knows the one client from here on. */
  register(...redirectUris: readonly string[]): void
  close(): Promise<void>
}

export interface PlainProviderOptions {
  /** Another loopback name than the page's makes it another site. Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** Signs in after a click on `#continue`, and then may not be framed. Default at once. */
  readonly byClick?: boolean
  /** Cuts the tie to whoever opened its pages (`Cross-Origin-Opener-Policy`). Default false. */
  readonly isolated?: boolean
  /** Whether a refresh token is good for one use, and the sign-in ends when it comes twice. Default true. */
  readonly rotating?: boolean
}

export const plainClientId = 'plain-client'
export const plainSub = 'ana'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

export async function startPlainProvider(options: PlainProviderOptions = {}): Promise<PlainProvider> {
  const { host = '127.0.0.1', byClick = false, isolated = false, rotating = true } = options
  const server = createServer()
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
  const issuer = `http://${host}:${(server.address() as AddressInfo).port}`
  let handle: ((req: IncomingMessage, res: ServerResponse) => void) | undefined
  server.on('request', (req, res) => handle?.(req, res))

  const plain: PlainProvider = {
    issuer,
    grants: [],
    paths: [],
    person: plainSub,
    refreshTokens: true,
    refreshLife: { seconds: 3600 },
    tellsTime: false,
    register(...redirectUris) {
      const provider = createProvider(issuer, redirectUris, plain, rotating)
      const answer = provider.callback()
      handle = (req, res) => {
        const { pathname } = new URL(req.url ?? '', issuer)
        if (req.method !== 'OPTIONS') plain.paths.push(pathname)
        if (isolated) res.setHeader('cross-origin-opener-policy', 'same-origin')
        if (byClick) res.setHeader('x-frame-options', 'DENY')
        if (!pathname.startsWith('/interaction/')) return void answer(req, res)
        agree(provider, req, res, { byClick, person: plain.person }).catch(() =>
          res.writeHead(400, { 'content-type': 'text/plain' }).end('this sign-in is over'),
        )
      }
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
  return plain
}

function createProvider(
  issuer: string,
  redirectUris: readonly string[],
  plain: PlainProvider,
  rotating: boolean,
): Provider {
  const refreshLife = () => plain.refreshLife.seconds
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: plainClientId,
        redirect_uris: [...redirectUris],
        post_logout_redirect_uris: [...redirectUris],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        application_type: 'web',
      },
    ],
    clientBasedCORS: () => true,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    claims: { openid: ['sub', 'auth_time'], profile: ['preferred_username'] },
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      // The library's own pages load a font from elsewhere.
      rpInitiatedLogout: { logoutSource: askToSignOut, postLogoutSuccessSource: saySignedOut },
    },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: () => plain.refreshTokens,
    // Set, as the lifetimes are, so that the library has nothing to print.
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }] },
    pkce: { required: () => true },
    rotateRefreshToken: rotating,
    scopes: ['openid', 'profile', 'extra'],
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: refreshLife,
      Session: 3600,
    },
  })
  provider.on('grant.success', (ctx: KoaContextWithOIDC) => {
    plain.grants.push(String(ctx.oidc.params?.grant_type))
  })
  provider.use(async (ctx, next) => {
    await next()
    const { seconds, toldAs } = plain.refreshLife
    const answer = ctx.body as Record<string, unknown> | undefined
    if (toldAs !== undefined && answer?.refresh_token) answer[toldAs] = seconds
    if (plain.tellsTime) ctx.append('access-control-expose-headers', 'date')
  })
  provider.silent = true
  return provider
}

async function agree(
  provider: Provider,
  req: IncomingMessage,
  res: ServerResponse,
  { byClick, person }: { readonly byClick: boolean; readonly person: string },
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(req, res)
  if (prompt.name === 'login') {
    if (!byClick || req.method === 'POST') {
      return provider.interactionFinished(req, res, { login: { accountId: person } })
    }
    res.writeHead(200, { 'content-type': 'text/html' })
    res.end('<!doctype html><form method="post"><button id="continue">Continue</button></form>')
    return
  }
  const grant = new provider.Grant({
    accountId: session?.accountId ?? '',
    clientId: String(params.client_id),
  })
  grant.addOIDCScope(String(params.scope))
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } })
}

function askToSignOut(ctx: KoaContextWithOIDC, form: string): void {
  const button = '<button id="sign-out" form="op.logoutForm" name="logout" value="yes">Sign out</button>'
  ctx.body = `<!doctype html><p>Do you want to sign out?</p>${form}${button}`
}

function saySignedOut(ctx: KoaContextWithOIDC): void {
  ctx.body = '<!doctype html><p>Signed out</p>'
}
