/**
 * Company provider: the certified OpenID provider as a company would run it, with what Hugging Face lacks:
 * `iss` in its answers, a sign-out of its own, `sid`, revocation, and clients that prove themselves by a key.
 *
 * @module
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type AdapterFactory, type AdapterPayload, type Configuration } from 'oidc-provider'

export const companyClientId = 'backend'

export interface CompanyProvider {
  readonly url: string
  readonly clientSecret: string
  /** What arrived, as `POST /token`. */
  readonly requests: string[]
  /** Who signs in next, without any page. */
  login: string
  /** Claims of people, by their `sub`. */
  readonly people: Map<string, Record<string, unknown>>
  /** Walks from an authorization request to the redirect back, with the cookies that a browser has of the provider. */
  signIn(authorizationUrl: string, cookies?: Map<string, string>): Promise<string>
  close(): Promise<void>
}

/** @param redirectUri - Of the one client. @param client - Further metadata of it. */
export async function startCompany(redirectUri: string, client: object = {}): Promise<CompanyProvider> {
  const requests: string[] = []
  const people = new Map<string, Record<string, unknown>>()
  const clientSecret = randomBytes(24).toString('hex')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const configuration: Configuration = {
    adapter: memoryAdapter(),
    clients: [
      {
        client_id: companyClientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [new URL('/', redirectUri).href],
        grant_types: ['authorization_code', 'refresh_token'],
        // Makes the provider put `sid` into its ID tokens.
        backchannel_logout_uri: new URL('/back-channel', redirectUri).href,
        backchannel_logout_session_required: true,
        ...client,
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'company' }] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    claims: { openid: ['sub', 'sid'], profile: ['name', 'preferred_username'], email: ['email', 'groups'] },
    conformIdTokenClaims: false,
    cookies: { keys: [randomBytes(16).toString('hex')] },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
      rpInitiatedLogout: { enabled: true },
      backchannelLogout: { enabled: true },
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    renderError(ctx, out) {
      ctx.body = out
    },
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 86_400,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
  }
  const provider = new Provider(url, configuration)
  provider.silent = true
  const company: CompanyProvider = {
    url,
    clientSecret,
    requests,
    login: 'u-1',
    people,
    signIn: (authorizationUrl, cookies) => walk(authorizationUrl, url, cookies),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const answer = provider.callback()
  server.on('request', async (req, res) => {
    requests.push(`${req.method} ${(req.url ?? '').split('?')[0]}`)
    if (!req.url?.startsWith('/interaction/')) return answer(req, res)
    const { prompt, session, params, grantId } = await provider.interactionDetails(req, res)
    if (prompt.name === 'login') {
      return provider.interactionFinished(req, res, { login: { accountId: company.login } })
    }
    const grant =
      (grantId === undefined ? undefined : await provider.Grant.find(grantId)) ??
      new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params.client_id) })
    grant.addOIDCScope(String(params.scope))
    return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } })
  })
  return company
}

/** Keeps everything of one provider until the process ends. */
function memoryAdapter(): AdapterFactory {
  const entries = new Map<string, AdapterPayload>()
  return (kind) => {
    const nameOf = (id: string) => `${kind}:${id}`
    return {
      upsert: async (id, payload) => void entries.set(nameOf(id), payload),
      find: async (id) => entries.get(nameOf(id)),
      findByUid: async (uid) => [...entries.values()].find((entry) => entry.uid === uid),
      findByUserCode: async () => undefined,
      async consume(id) {
        const entry = entries.get(nameOf(id))
        if (entry !== undefined) entry.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async (id) => void entries.delete(nameOf(id)),
      async revokeByGrantId(grantId) {
        for (const [name, entry] of entries) if (entry.grantId === grantId) entries.delete(name)
      },
    }
  }
}

/** Follows redirects with cookies, as a browser does, until they leave the provider. */
async function walk(start: string, home: string, cookies = new Map<string, string>()): Promise<string> {
  let url = start
  for (let step = 0; step < 15; step++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=')
      cookies.set(name, value)
    }
    const location = response.headers.get('location')
    if (location === null) throw new Error(`the sign-in ended on a page: ${await response.text()}`)
    url = new URL(location, url).href
    if (!url.startsWith(`${home}/`)) return url
  }
  throw new Error('the sign-in did not come to an end')
}
