/**
 * Threat world: the hosts, callers and policy that the catalogue of attacks on a proxy supposes, in front of an
 * upstream that records what reaches it.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serviceToken } from '../src/index.ts'
import { type Fixture, type FixtureOptions, sendRaw, startFixture } from './proxy-fixture.ts'

export const hfToken = 'hf_service_5b0d7f21'
export const commit = '0123456789abcdef0123456789abcdef01234567'

export interface Arrived {
  readonly line: string
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

export interface ThreatWorld {
  readonly fixture: Fixture
  readonly arrived: Arrived[]
  /** How the upstream answers; replaced by a test, back to `ok` with {@link ThreatWorld.reset}. */
  answer: (req: IncomingMessage, res: ServerResponse, body: Buffer) => void
  readonly tokens: Readonly<Record<'alice' | 'bob' | 'ci', string>>
  /** What the company's provider says of somebody. */
  tokenOf(claims: Readonly<Record<string, unknown>>): Promise<string>
  /** Sends a request in which `<alice>` is her token and `…` the length of its body. */
  send(text: string, options?: SendOptions): Promise<Reply>
  reset(): void
  close(): Promise<void>
}

export interface SendOptions {
  /** Whether another request goes first on the same connection. */
  readonly second?: boolean
  /** Whether it says that its connection ends with it. */
  readonly last?: boolean
}

export interface Reply {
  /** Of every answer on the connection; the last one is of the question for health that follows, if it was read. */
  readonly statuses: readonly number[]
  readonly text: string
  /** What is on record of it. */
  readonly reasons: readonly (string | undefined)[]
  /** What the upstream saw, as `GET /path`. */
  readonly lines: readonly string[]
}

export const health = 'GET /healthz HTTP/1.1\r\nHost: hub.gw.test\r\n\r\n'

export async function startThreatWorld(options: Partial<FixtureOptions> = {}): Promise<ThreatWorld> {
  const arrived: Arrived[] = []
  const ok: ThreatWorld['answer'] = (_, res) => void res.end('ok')
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const body = Buffer.concat(chunks)
      arrived.push({ line: `${req.method} ${req.url}`, rawHeaders: req.rawHeaders, body })
      world.answer(req, res, body)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fixture = await startFixture({
    environment: 'production',
    upstream: { hub: url, router: url, endpoints: url, viewer: url },
    hosts: {
      'hub.gw.test': 'hub',
      'infer.gw.test': 'router',
      'viewer.gw.test': 'viewer',
      'manage.gw.test': 'endpoints',
      'ep1.gw.test': { endpoint: 'acme/ep1', url },
      'demo.gw.test': { space: 'acme/demo', url },
    },
    credentials: serviceToken(() => hfToken),
    ...options,
    policy: {
      environments: { production: { actions: ['read', 'infer'] }, dev: {} },
      roles: {
        'ml-dev': {
          allow: [
            { actions: ['read'], on: ['model:acme/open', 'dataset:acme/data', 'model:acme/hooked'] },
            {
              actions: ['infer'],
              on: ['model:acme/chat-small', 'endpoint:acme/ep1', 'space:acme/demo'],
            },
          ],
        },
        admins: {
          allow: [{ actions: ['read', 'write', 'create', 'manage', 'delete'], on: ['model:acme/**'] }],
        },
        release: {
          allow: [{ actions: ['read'], on: ['model:acme/ranker'], when: { 'resource.revision': commit } }],
        },
      },
      bindings: [
        { roles: ['ml-dev'], to: { issuer: 'staff', group: 'ml-dev' } },
        { roles: ['admins'], to: { issuer: 'staff', group: 'admins' } },
        {
          roles: ['release'],
          to: { issuer: 'ci', claims: { repository: 'acme/serving', ref: 'refs/heads/main' } },
        },
      ],
      deny: [],
      ...options.policy,
    },
  })
  const tokenOf = (claims: Readonly<Record<string, unknown>>) =>
    fixture.ci.token({ audience: 'api://models', repository: 'none/none', ...claims } as never)
  const tokens = {
    alice: await tokenOf({ sub: 'alice', groups: ['ml-dev'] }),
    bob: await tokenOf({ sub: 'bob', groups: ['admins'] }),
    ci: await fixture.ciToken({ repository: 'acme/serving' }),
  }
  const fill = (text: string) => {
    const named = text.replaceAll(/<(alice|bob|ci)>/g, (_, name: 'alice' | 'bob' | 'ci') => tokens[name])
    const end = named.indexOf('\r\n\r\n')
    return named.replace('…', String(Buffer.byteLength(named.slice(end + 4), 'latin1')))
  }
  const world: ThreatWorld = {
    fixture,
    arrived,
    answer: ok,
    tokens,
    tokenOf,
    async send(text, { second = false, last: isLast = false } = {}) {
      const seen = fixture.events.length
      const from = arrived.length
      const last = health.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
      const answer = await sendRaw(
        fixture.url,
        `${second ? health : ''}${fill(isLast ? asLast(text) : text)}${last}`,
      )
      const statuses = [...answer.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
      return {
        statuses: second ? statuses.slice(1) : statuses,
        text: answer.text,
        reasons: fixture.events
          .slice(seen)
          .filter(({ type }) => type === 'io.hfauth.decision' || type === 'io.hfauth.token.rejected')
          .map(({ decision, error }) => decision?.reason ?? error),
        lines: arrived.slice(from).map(({ line }) => line),
      }
    },
    reset() {
      world.answer = ok
      arrived.length = 0
    },
    async close() {
      await fixture.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return world
}

/** Says behind the first line of a request that its connection ends with it. */
function asLast(text: string): string {
  return text.replace(/^((?:\r\n)*[^\r\n]+\r\n)/, '$1Connection: close\r\n')
}

/** Lines of a request, joined as on the wire. */
export function lines(...parts: readonly string[]): string {
  return parts.join('\r\n')
}
