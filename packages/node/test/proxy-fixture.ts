/**
 * Proxy fixture: a Hugging Face and a CI issuer on loopback, and the proxy in front of them under one policy.
 *
 * @module
 */

import { connect } from 'node:net'
import { createEngine, definePolicy, type Policy, type PolicyDocument, parsePolicy } from '@hfauth/core'
import {
  type CiIssuer,
  confidentialAppId,
  type Hub,
  publicAppId,
  startCiIssuer,
  startHub,
} from '@hfauth/testkit'
import { leaveLines, rememberSecrets } from '../../../test/support/output.ts'
import {
  type AuditLogOptions,
  type AuditSink,
  createAuditLog,
  createProxy,
  createTokenExchange,
  createVerifier,
  exchangeForMember,
  exchangeForPublisher,
  firstOf,
  forwardCaller,
  type HubProxy,
  type ListeningProxy,
  memorySink,
  type ProxyOptions,
  type RecordedEvent,
} from '../src/index.ts'

export interface FixtureOptions extends Partial<Omit<ProxyOptions, 'engine' | 'verifier' | 'audit'>> {
  /** Default `development`, which has no ceiling. */
  readonly environment?: string
  readonly policy?: Partial<PolicyDocument>
  readonly sink?: AuditSink
  /** Default `strict`, so that whoever has an answer finds what is on record of it. */
  readonly durability?: AuditLogOptions['durability']
}

export interface Fixture {
  readonly hub: Hub
  readonly ci: CiIssuer
  readonly policy: Policy
  readonly proxy: HubProxy
  readonly listening: ListeningProxy
  readonly url: string
  readonly events: readonly RecordedEvent[]
  /** A token of one person of the world, with `acme` granted. */
  tokenOf(username: string, scopes?: readonly string[]): Promise<string>
  /** What the company's provider says of a person of the world. */
  staffToken(username: string): Promise<string>
  /** A CI job's credential, as clients carry it that insist on `hf_`. */
  ciToken(claims?: { readonly repository?: string; readonly ref?: string }): Promise<string>
  /** Resolves with the first event of a type, if need be once it is on record. */
  eventOf(type: RecordedEvent['type']): Promise<RecordedEvent>
  close(): Promise<void>
}

export const allScopes = [
  'openid',
  'profile',
  'read-repos',
  'write-repos',
  'manage-repos',
  'write-discussions',
  'inference-api',
]

function policyFor(hub: Hub, ci: CiIssuer, more: Partial<PolicyDocument>): PolicyDocument {
  return definePolicy({
    version: 1,
    name: 'acme-models',
    issuers: {
      hf: { preset: 'huggingface', issuer: hub.url, audience: [publicAppId, confidentialAppId] },
      ci: { preset: 'github-actions', issuer: ci.url, audience: hub.url },
      // The company's own provider: the same keys, and another audience.
      staff: { preset: 'oidc', issuer: ci.url, audience: 'api://models' },
    },
    environments: { development: {}, production: { actions: ['read', 'infer'] } },
    roles: {
      viewer: { allow: [{ actions: ['read'], on: ['model:acme/*', 'dataset:acme/*'] }] },
      engineer: {
        extends: ['viewer'],
        allow: [
          { actions: ['infer'], on: ['model:acme/text-*', 'model:acme/restricted'] },
          {
            actions: ['infer'],
            on: ['model:acme/vision-small'],
            when: { 'resource.provider': 'hf-inference' },
          },
          { actions: ['write', 'discuss'], on: ['model:acme/vision-*'] },
        ],
      },
      owner: { extends: ['engineer'], allow: [{ actions: ['create', 'delete'], on: ['model:acme/*'] }] },
      releaser: {
        allow: [
          {
            actions: ['read', 'write'],
            on: ['model:acme/vision-large'],
            when: { 'resource.revision': 'main' },
          },
          { actions: ['read'], on: ['model:acme/vision-small', 'model:acme/vision-gated'] },
        ],
      },
    },
    bindings: [
      { roles: ['viewer'], to: { issuer: 'hf', org: 'acme', orgRole: 'read' } },
      { roles: ['engineer'], to: { issuer: 'hf', org: 'acme', orgRole: 'write' } },
      { roles: ['owner'], to: { issuer: 'hf', org: 'acme', orgRole: 'admin' } },
      {
        roles: ['releaser'],
        to: { issuer: 'ci', claims: { repository: 'acme/vision', ref: 'refs/heads/main' } },
      },
    ],
    deny: [
      {
        actions: ['read', 'infer'],
        on: ['model:**'],
        when: { 'resource.tags': { $contains: 'not-for-all-audiences' } },
      },
    ],
    ...more,
  } as PolicyDocument)
}

export async function startFixture({
  environment = 'development',
  policy: more = {},
  sink: given,
  durability = 'strict',
  ...options
}: FixtureOptions = {}): Promise<Fixture> {
  const ci = await startCiIssuer()
  const hub = await startHub({
    world: {
      inference: { chunkDelayMs: 0 },
      trustedPublishers: [
        {
          resource: 'acme/vision-large',
          issuer: ci.url,
          claims: { repository: 'acme/vision', ref: 'refs/heads/main' },
        },
      ],
    },
  })
  const policy = parsePolicy(policyFor(hub, ci, more))
  const memory = memorySink()
  const audit = createAuditLog({
    sink: given ?? memory,
    environment,
    service: 'proxy',
    timeoutMs: 5_000,
    durability,
  })
  const { clientSecret = '' } = hub.app(confidentialAppId)
  const exchange = createTokenExchange({
    hubUrl: hub.url,
    client: { id: confidentialAppId, secret: clientSecret },
  })
  const closeWorld = () => {
    rememberSecrets([...hub.issued, ...ci.issued])
    // Ten thousand refusals of one caller are alike, and each is looked at for each secret.
    leaveLines('audit-proxy', memory.events.slice(0, 1000))
    return Promise.all([hub.close(), ci.close(), audit.close()])
  }
  const proxy = await createOrClose(closeWorld, {
    engine: createEngine(policy, { environment }),
    verifier: createVerifier({ policy }),
    audit,
    upstream: { hub: hub.url, router: hub.url },
    credentials: firstOf(forwardCaller(), exchangeForMember(exchange), exchangeForPublisher(exchange)),
    ...options,
  })
  const listening = await proxy.listen({ port: 0 })
  return {
    hub,
    ci,
    policy,
    proxy,
    listening,
    url: listening.url,
    events: memory.events,
    tokenOf: (username, scopes = allScopes) =>
      hub.tokenFor({ username, clientId: publicAppId, scopes, orgs: username === 'dan' ? [] : ['acme'] }),
    staffToken: (username) =>
      ci.token({
        audience: 'api://models',
        repository: 'none/none',
        sub: `staff-${username}`,
        email: hub.person(username).email,
        email_verified: true,
      }),
    async ciToken({ repository = 'acme/vision', ref = 'refs/heads/main' } = {}) {
      return `hf_oidc_${await ci.token({ audience: hub.url, repository, ref })}`
    },
    eventOf(type) {
      const found = memory.events.find((event) => event.type === type)
      if (found !== undefined) return Promise.resolve(found)
      return new Promise((resolve) => {
        const stop = audit.subscribe((event) => {
          if (event.type !== type) return
          stop()
          resolve(event)
        })
      })
    },
    async close() {
      await listening.close()
      await closeWorld()
    },
  }
}

/** A proxy that cannot be made leaves nothing open. */
async function createOrClose(closeWorld: () => Promise<unknown>, options: ProxyOptions): Promise<HubProxy> {
  try {
    return createProxy(options)
  } catch (error) {
    await closeWorld()
    throw error
  }
}

/** What reached the Hub for a caller: neither userinfo nor keys nor the exchange. */
export function effectsOf(hub: Hub): string[] {
  return hub.requests
    .filter(({ path }) => !path.startsWith('/oauth/') && !path.startsWith('/.well-known/'))
    .map(({ method, path }) => `${method} ${path}`)
}

export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
  /** Everything that came, whatever it is. */
  readonly text: string
}

/** Sends bytes as they are, and reads until the other side closes. */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  // A server that has refused already need not take the rest.
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  await closed
  const text = Buffer.concat(chunks).toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
    head: text.slice(0, end),
    body: text.slice(end + 4),
    text,
  }
}

/** What is left of a body, as text. */
export async function restOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text
    text += Buffer.from(value).toString()
  }
}
