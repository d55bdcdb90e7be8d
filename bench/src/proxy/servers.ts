/**
 * The servers of the part `proxy`, each in a process of its own: `node servers.ts NAME SETTINGS`.
 *
 * Prints its port, and answers until it is ended.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import httpProxy from '@fastify/http-proxy'
import { createEngine, parsePolicy } from '@hfauth/core'
import { createAuditLog, createProxy, createVerifier, jsonLinesSink, serviceToken } from '@hfauth/node'
import fastify from 'fastify'
import { audience } from '../verify/tokens.ts'

export interface Settings {
  readonly folder: string
  readonly issuer: string
  readonly upstream: string
}

const settings: Settings = JSON.parse(process.argv[3] ?? '{}')
const servers: Readonly<Record<string, () => Promise<number>>> = {
  upstream,
  fastify: bare,
  hfauth: () => hfauth('by-event'),
  'hfauth-strict': () => hfauth('strict'),
  verifier,
}
const port = await servers[process.argv[2] ?? '']?.()
console.log(port)

/** A Hub that does next to nothing: a description, a gigabyte, a place for one, and a stream. */
async function upstream(): Promise<number> {
  const description = Buffer.from(
    JSON.stringify({ id: 'acme/vision', private: false, tags: [], siblings: [] }),
  )
  const chunk = Buffer.alloc(256 * 1024, 'x')
  return listening(
    createServer(async (req, res) => {
      const path = req.url ?? ''
      if (path.endsWith('/big.bin')) return sendMany(res, chunk, 4096)
      if (req.method === 'POST' && path.startsWith('/v1/')) return stream(req, res)
      for await (const part of req) void part
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': description.length })
      res.end(description)
    }),
  )
}

async function sendMany(res: ServerResponse, chunk: Buffer, count: number): Promise<void> {
  res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': chunk.length * count })
  for (let i = 0; i < count && !res.destroyed; i++) {
    if (!res.write(chunk)) await new Promise((resolve) => res.once('drain', resolve))
  }
  res.end()
}

/** The first event carries the time at which it was sent. */
async function stream(req: IncomingMessage, res: ServerResponse): Promise<void> {
  for await (const part of req) void part
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.write(`data: ${performance.timeOrigin + performance.now()}\n\n`)
  setTimeout(() => res.end('data: [DONE]\n\n'), 20)
}

/** As bare as it comes: no check of anything. */
async function bare(): Promise<number> {
  const app = fastify()
  await app.register(httpProxy, { upstream: settings.upstream })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

function policy() {
  return parsePolicy({
    version: 1,
    name: 'bench',
    issuers: { okta: { preset: 'oidc', issuer: settings.issuer, audience } },
    environments: { production: {} },
    roles: { engineer: { allow: [{ actions: ['read', 'write', 'infer'], on: ['model:acme/*'] }] } },
    bindings: [{ roles: ['engineer'], to: { issuer: 'okta' } }],
  })
}

/** Everything on: verification (remembered), the policy, and each decision on disk: before it has an effect, or all of them first. */
async function hfauth(durability: 'by-event' | 'strict'): Promise<number> {
  const checked = policy()
  const environment = 'production'
  const sink = await jsonLinesSink({ path: join(settings.folder, `audit-${durability}.jsonl`) })
  const { url } = await createProxy({
    engine: createEngine(checked, { environment }),
    verifier: createVerifier({ policy: checked }),
    // A disk that others use as well can stall: then a caller waits, and is not refused, so that there is a figure.
    audit: createAuditLog({ sink, environment, service: 'bench', durability, timeoutMs: 10_000 }),
    upstream: { hub: settings.upstream, router: settings.upstream },
    credentials: serviceToken(() => 'hf_bench'),
  }).listen({ port: 0 })
  return Number(new URL(url).port)
}

/** What nginx asks for each request: is the token good? */
async function verifier(): Promise<number> {
  const { verify } = createVerifier({ policy: policy() })
  return listening(
    createServer((req, res) => {
      verify(String(req.headers.authorization).slice('Bearer '.length)).then(
        () => res.writeHead(200).end(),
        () => res.writeHead(401).end(),
      )
    }),
  )
}

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
