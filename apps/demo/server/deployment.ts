/**
 * One deployment: the page, its API and the proxy, in one environment of the policy.
 *
 * Page, API and proxy share the engine and the verifier, and write one audit trail.
 *
 * @module
 */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createEngine, type Policy } from '@hfauth/core'
import {
  createAuditLog,
  createGuard,
  createProxy,
  createTokenExchange,
  createVerifier,
  exchangeForPublisher,
  firstOf,
  forwardCaller,
  jsonLinesSink,
  type RecordedEvent,
} from '@hfauth/node'
import { createApi } from './api.ts'
import type { HuggingFace } from './hugging-face.ts'
import { createTrail } from './trail.ts'

export interface DeploymentOptions {
  readonly policy: Policy
  readonly environment: string
  readonly huggingFace: HuggingFace
  readonly organisation: string
  /** Port of the page; 0 picks a free one. */
  readonly port: number
  /** Folder for the audit trail. */
  readonly folder: string
  /** All deployments, for the page's links; filled in as they start. */
  readonly environments: { name: string; url: string }[]
}

export interface Deployment {
  readonly environment: string
  /** Where the page is. */
  readonly url: string
  readonly proxyUrl: string
  /** Every event so far, in order. */
  readonly events: readonly RecordedEvent[]
  close(): Promise<void>
}

export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { policy, environment, huggingFace, organisation, environments } = options
  const engine = createEngine(policy, { environment })
  const verifier = createVerifier({ policy })
  // One file for each writer, so that nobody waits for the other and each file is whole in itself.
  const record = async (service: string) =>
    createAuditLog({
      sink: await jsonLinesSink({ path: join(options.folder, `audit.${environment}.${service}.jsonl`) }),
      environment,
      service,
      // Whoever watches the trail sees a refusal at once.
      durability: 'strict',
    })
  const proxyAudit = await record('proxy')
  const apiAudit = await record('api')
  const trail = createTrail([proxyAudit, apiAudit])

  const exchange = createTokenExchange({ hubUrl: huggingFace.issuer })
  const proxy = await createProxy({
    engine,
    verifier,
    audit: proxyAudit,
    upstream: { hub: huggingFace.issuer, router: huggingFace.router },
    credentials: firstOf(forwardCaller(), exchangeForPublisher(exchange)),
  }).listen({ port: 0 })

  const guard = createGuard({ engine, verifier, audit: apiAudit })
  const api = createApi({
    engine,
    guard,
    trail,
    organisation,
    proxyUrl: proxy.url,
    config: () => ({
      environment,
      issuer: huggingFace.issuer,
      clientId: huggingFace.clientId,
      // The least that anyone needs here, and what bindings on organisations need to know.
      scopes: [...engine.scopes(), 'read-memberships'],
      organisation,
      environments,
    }),
  })
  const server = await listen(api, options.port)
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  environments.push({ name: environment, url })

  return {
    environment,
    url,
    proxyUrl: proxy.url,
    events: trail.events,
    async close() {
      trail.close()
      await closeServer(server)
      await proxy.close()
      await Promise.all([proxyAudit.close(), apiAudit.close()])
    },
  }
}

function listen(
  app: { listen(port: number, host: string, ready: (error?: Error) => void): Server },
  port: number,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = app.listen(port, '127.0.0.1', (error) =>
      error === undefined ? resolve(server) : reject(error),
    )
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
