/**
 * Start hub: puts the parts together and opens the port.
 *
 * world → **start hub** → issuer, hub API, inference router, all on one origin: their paths
 * do not clash, and a test has one URL to pass on.
 *
 * @module
 */

import { sendJson } from './http/exchange.ts'
import type { Fault } from './http/faults.ts'
import { listenOnLoopback } from './http/listen.ts'
import { RequestLog } from './http/request-log.ts'
import { createRoutes } from './http/routes.ts'
import { createGitBackend } from './hub/git.ts'
import { addHubRoutes } from './hub/hub-routes.ts'
import { addInferenceRoutes } from './inference/inference-routes.ts'
import { createConsents } from './oidc/consents.ts'
import { createCredentials } from './oidc/credentials.ts'
import { addIssuerRoutes } from './oidc/issuer.ts'
import { createProvider } from './oidc/provider.ts'
import { type ApproveDeviceOptions, approveDevice, type SignInOptions, signIn } from './sign-in.ts'
import { findOrganization, findPerson, findRepo } from './world/find.ts'
import { mergeWorld } from './world/merge-world.ts'
import type { App, Person, Repo, RepoType, World, WorldOptions } from './world/world.ts'

export interface HubOptions {
  /** Default the small world around `acme`. */
  readonly world?: WorldOptions
  /** Port on 127.0.0.1. Default 0, which picks a free one. */
  readonly port?: number
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** What is broken at the moment. Change it at any time; delete a member to heal it. */
export interface HubFaults {
  tokenEndpoint?: Fault
  userinfo?: Fault
  jwks?: Fault
  /** Everything of the Hub: the API and file downloads. */
  hub?: Fault
  /** The inference router. */
  router?: Fault
}

export interface TokenForOptions {
  readonly username: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** Names of the organisations granted. Default none. */
  readonly orgs?: readonly string[]
  /** Default the app's own lifetime. Negative for a token that has expired already. */
  readonly expiresInSeconds?: number
}

export interface Hub {
  /** `http://127.0.0.1:PORT`: issuer, Hub and inference router. */
  readonly url: string
  readonly world: World
  readonly faults: HubFaults
  readonly requests: RequestLog
  /** Every secret minted so far: tokens, codes, cookie values and client secrets. */
  readonly issued: readonly string[]
  /** A person of the world. @throws Error when there is none. */
  person(username: string): Person
  /** A repository of the world. @throws Error when there is none. */
  repo(id: string, type?: RepoType): Repo
  /** An app of the world. @throws Error when there is none. */
  app(clientId: string): App
  /** Mints an access token without a browser. @throws Error when the person, app or an organisation is unknown. */
  tokenFor(options: TokenForOptions): Promise<string>
  /** Signs in without a browser and returns the redirect to the app. */
  signIn(options: SignInOptions): Promise<string>
  /** Decides about a device code without a browser. */
  approveDevice(options: ApproveDeviceOptions): Promise<void>
  /** Takes back what a person granted to an app, so that the consent page shows again. */
  forgetConsent(username: string, clientId: string): void
  close(): Promise<void>
}

export async function startHub({
  world: worldOptions,
  port = 0,
  now = Date.now,
}: HubOptions = {}): Promise<Hub> {
  const world = mergeWorld(worldOptions)
  const issued = new Set<string>()
  const onSecret = (value: string) => void issued.add(value)
  const skewSeconds = () => Math.floor(now() / 1000) - Math.floor(Date.now() / 1000)
  for (const { clientSecret } of world.apps) if (clientSecret) onSecret(clientSecret)
  for (const { token } of world.userTokens) onSecret(token)

  const server = await listenOnLoopback(port)
  const { url } = server
  const faults: HubFaults = {}
  const requests = new RequestLog()
  const consents = createConsents()
  const provider = createProvider({ url, world, consents, skewSeconds, onSecret })
  const shared = { url, world, consents, provider, now, skewSeconds, onSecret, faults }
  const credentials = createCredentials(shared)
  const routes = createRoutes()
  addIssuerRoutes(routes, { ...shared, credentials })
  addInferenceRoutes(routes, { ...shared, credentials })
  const git = createGitBackend()
  addHubRoutes(routes, { ...shared, credentials, git })
  server.serve(async (exchange) => {
    requests.record(exchange)
    if (!(await routes.dispatch(exchange))) sendJson(exchange, 404, { error: 'Not found' })
  })

  const walk = { hubUrl: url, orgId: (name: string) => findOrganization(world, name)?.id }
  const person = (username: string) => found(findPerson(world, username), 'person', username)
  return {
    url,
    world,
    faults,
    requests,
    get issued() {
      return [...issued]
    },
    person,
    repo: (id, type = 'model') => found(findRepo(world, type, id), type, id),
    app: (clientId) =>
      found(
        world.apps.find((app) => app.clientId === clientId),
        'app',
        clientId,
      ),
    async tokenFor({ username, clientId, scopes, orgs = [], expiresInSeconds }) {
      const orgIds = new Set(orgs.map((name) => found(walk.orgId(name), 'organisation', name)))
      const { token } = await credentials.mint({
        person: person(username),
        clientId,
        scopes,
        granted: { orgIds },
        ...(expiresInSeconds !== undefined && { expiresInSeconds }),
      })
      return token
    },
    signIn: (options) => signIn(options, walk),
    approveDevice: (options) => approveDevice(options, walk),
    forgetConsent: (username, clientId) => consents.forget(person(username).id, clientId),
    async close() {
      await server.close()
      await git.close()
    },
  }
}

function found<T>(value: T | undefined, kind: string, name: string): T {
  if (value === undefined) throw new Error(`the world has no ${kind} \`${name}\``)
  return value
}
