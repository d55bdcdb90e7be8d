/**
 * Plain provider: an OpenID provider that knows nothing of Hugging Face, on `oidc-provider` as it comes.
 *
 * One person, one page with one button. With `isolated` its pages cut the tie to whoever opened them.
 *
 * @module
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Configuration } from 'oidc-provider'

export interface PlainProvider {
  readonly issuer: string
  /** Paths asked for, in their order. */
  readonly paths: string[]
  close(): Promise<void>
}

export interface PlainProviderOptions {
  /** Registered addresses of the one client, for the issuer that the provider turns out to be. */
  readonly redirectUris: (issuer: string) => readonly string[]
  /** Sends `Cross-Origin-Opener-Policy: same-origin` with every page. Default false. */
  readonly isolated?: boolean
  /** Merged over the configuration. */
  readonly configuration?: Configuration
}

export const plainClientId = 'plain-client'
export const plainSub = 'person-1'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

export async function startPlainProvider(options: PlainProviderOptions): Promise<PlainProvider> {
  const paths: string[] = []
  const server = createServer((req, res) => void handle(req, res))
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    ...configure(options.redirectUris(issuer)),
    ...options.configuration,
  })
  const answer = provider.callback()

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname } = new URL(req.url ?? '', issuer)
    paths.push(pathname)
    if (options.isolated) res.setHeader('cross-origin-opener-policy', 'same-origin')
    res.setHeader('x-frame-options', 'DENY')
    if (!pathname.startsWith('/interaction/')) return void answer(req, res)
    try {
      await interact(provider, req, res)
    } catch {
      res.writeHead(400, { 'content-type': 'text/plain' }).end('this sign-in is over')
    }
  }

  return {
    issuer,
    paths,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

async function interact(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { prompt, session, params } = await provider.interactionDetails(req, res)
  if (prompt.name === 'login') {
    if (req.method === 'POST') {
      return provider.interactionFinished(req, res, { login: { accountId: plainSub } })
    }
    res.writeHead(200, { 'content-type': 'text/html' })
    return void res.end('<!doctype html><form method="post"><button id="continue">Continue</button></form>')
  }
  const grant = new provider.Grant({
    accountId: session?.accountId ?? '',
    clientId: String(params.client_id),
  })
  grant.addOIDCScope(String(params.scope))
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } })
}

function configure(redirectUris: readonly string[]): Configuration {
  return {
    clients: [
      {
        client_id: plainClientId,
        redirect_uris: [...redirectUris],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    clientBasedCORS: () => true,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    // Set so that the library has nothing to print.
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }] },
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 3600,
      Interaction: 600,
      Session: 3600,
    },
    scopes: ['openid', 'profile', 'extra'],
  }
}
