/** What single adapters promise beyond the contract that all of them keep. */
import { once } from 'node:events'
import { createServer as createPlainServer, type Server } from 'node:http'
import { connect, constants, createServer, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import {
  createEngine,
  definePolicy,
  HfAuthError,
  parsePolicy,
  presets,
  principalFromClaims,
} from '@hfauth/core'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import Fastify, { type FastifyRequest } from 'fastify'
import { Hono } from 'hono'
import { methodOverride } from 'hono/method-override'
import { expect, test } from 'vitest'
import { protect as protectExpress } from '../../src/express.ts'
import { protect as protectFastify } from '../../src/fastify.ts'
import { protect as protectHono } from '../../src/hono.ts'
import { protect as protectHttp } from '../../src/http.ts'
import { createAuditLog, createGuard, type Guard, memorySink, type Verifier } from '../../src/index.ts'
import { protect as protectWeb } from '../../src/web.ts'
import { sendRaw } from '../proxy-fixture.ts'

const policy = parsePolicy(
  definePolicy({
    version: 1,
    name: 'acme-models',
    issuers: { idp: { preset: 'oidc', issuer: 'https://login.acme.dev', audience: 'api' } },
    environments: { production: {} },
    roles: { user: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] } },
    bindings: [{ roles: ['user'], to: { issuer: 'idp' } }],
    routes: [
      { match: 'GET /models/settings', action: 'write', resource: 'model:acme/settings' },
      { match: 'GET /models/:name', action: 'read', resource: 'model:acme/:name' },
      { match: 'GET /moved/:name', action: 'read', resource: 'model:acme/:name' },
      { match: 'GET /part', action: 'read', resource: 'model:acme/part' },
      { match: 'GET /part/models/:name', action: 'read', resource: 'model:acme/:name' },
      { match: 'POST /models/:name', action: 'read', resource: 'model:acme/:name' },
      { match: 'DELETE /models/:name', action: 'delete', resource: 'model:acme/:name' },
    ],
  }),
)
const verifier: Verifier = {
  async verify(token) {
    const preset = presets.get('oidc')
    const issuer = policy.issuers.get('idp')
    if (preset === undefined || issuer === undefined || token !== 'ana')
      throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'no')
    const now = Math.floor(Date.now() / 1000)
    const claims = { sub: token, iat: now, exp: now + 60 }
    const principal = principalFromClaims({ issuer: 'idp', preset, credential: 'id_token', claims })
    return { principal, issuer, kind: 'id_token', fingerprint: '0'.repeat(32) }
  },
}

function setUp() {
  const { events, ...sink } = memorySink()
  const guard = createGuard({
    engine: createEngine(policy, { environment: 'production' }),
    verifier,
    audit: createAuditLog({ sink, environment: 'production', service: 'api', durability: 'strict' }),
  })
  return { guard, events }
}

const authorization = 'Bearer ana'
const read = { action: 'read', resource: 'model:acme/vision' }

test('the listener of node:http serves HTTP/2 as well', async () => {
  const { guard, events } = setUp()
  const listener = protectHttp(guard, (_, res, { principal }) => res.end(principal.id), { question: read })
  // The compatibility API of node:http2 has the members that are needed, under types of its own.
  const server = createServer((req, res) => void listener(req as never, res as never))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const ask = async (headers: Record<string, string>) => {
    const stream = client.request({ [constants.HTTP2_HEADER_PATH]: '/x', ...headers })
    const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }]
    let body = ''
    for await (const chunk of stream.setEncoding('utf8')) body += chunk
    return { status: head[':status'], type: head['content-type'], body }
  }
  try {
    expect(await ask({ authorization })).toEqual({ status: 200, type: undefined, body: 'idp|ana' })
    expect(await ask({})).toMatchObject({ status: 401, type: 'application/problem+json' })
    expect(events.map(({ client }) => client?.ip)).toEqual(['127.0.0.1', '127.0.0.1'])
  } finally {
    client.close()
    server.close()
  }
})

/** Each with a handler for a fixed path and one for the names beside it, under the policy's own routes. */
const routers: Readonly<Record<string, (guard: Guard, reached: string[]) => Promise<Server>>> = {
  async Express(guard, reached) {
    const app = express()
    for (const path of ['/models/settings', '/models/:name'])
      app.get(path, protectExpress(guard), (_, res) => void res.json(reached.push(path)))
    return createPlainServer(app)
  },
  async Fastify(guard, reached) {
    const app = Fastify()
    for (const path of ['/models/settings', '/models/:name'])
      app.get(path, { onRequest: protectFastify(guard) }, async () => reached.push(path))
    await app.ready()
    return app.server
  },
  async Hono(guard, reached) {
    const app = new Hono()
    for (const path of ['/models/settings', '/models/:name'])
      app.get(path, protectHono(guard), (c) => c.json(reached.push(path)))
    return createAdaptorServer(app) as Server
  },
}

test.each(Object.keys(routers))(
  '%s leads nobody to a fixed path whom the guard took for going to one beside it',
  async (name) => {
    const { guard } = setUp()
    const reached: string[] = []
    const server = await routers[name]?.(guard, reached)
    if (server === undefined) throw new Error(name)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      for (const path of ['settings', '%73ettings', 'setting%73', 'SETTINGS', '%53ettings']) {
        const answer = await sendRaw(
          url,
          `GET /models/${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`,
        )
        expect([path, answer.status >= 400, reached]).toEqual([path, true, []])
      }
      expect((await fetch(`${url}/models/vision`, { headers: { authorization } })).status).toBe(200)
      expect(reached).toEqual(['/models/:name'])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  },
)

test('a Fastify preHandler can ask about what stands in the parsed body', async () => {
  const { guard } = setUp()
  const app = Fastify()
  type Chat = FastifyRequest<{ Body: { model: string } }>
  const preHandler = protectFastify(guard, ({ body }: Chat) => ({
    action: 'read',
    resource: `model:${body.model}`,
  }))
  app.post('/chat', { preHandler }, async ({ body, hfauth }) => ({ body, by: hfauth?.principal.id }))
  const ask = (model: string) =>
    app.inject({ method: 'POST', url: '/chat', payload: { model }, headers: { authorization } })
  expect((await ask('acme/vision')).json()).toEqual({ body: { model: 'acme/vision' }, by: 'idp|ana' })
  expect((await ask('other/vision')).statusCode).toBe(403)
  await app.close()
})

test('Hono is judged by the request that it routes, also where something before it has made another of it', async () => {
  const { guard, events } = setUp()
  const app = new Hono()
  app.use('/models/*', methodOverride({ app }))
  app.get('/models/:name', protectHono(guard), (c) => c.text('read'))
  app.post('/models/:name', protectHono(guard), (c) => c.text('read'))
  app.delete('/models/:name', protectHono(guard), (c) => c.text('deleted'))
  app.get('/moved/:name', (c) =>
    app.fetch(new Request(new URL('/models/settings', c.req.url), c.req.raw), c.env),
  )
  const server = createAdaptorServer(app) as Server
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const ask = async (path: string, init: RequestInit = {}) =>
      (await fetch(url + path, { ...init, headers: { authorization } })).status
    expect(await ask('/models/vision', { method: 'POST' })).toBe(200)
    const body = new URLSearchParams({ _method: 'DELETE' })
    expect(await ask('/models/vision', { method: 'POST', body })).toBe(403)
    expect(await ask('/moved/vision')).toBe(403)
    expect(events.map(({ http, action }) => [http?.method, action])).toEqual([
      ['POST', 'read'],
      ['DELETE', 'delete'],
      ['GET', 'write'],
    ])
    expect(events.map(({ client }) => client?.ip)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1'])
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('an application that Hono mounts under a path is judged by the whole path, as a router of Express is', async () => {
  const { guard, events } = setUp()
  const part = new Hono()
  for (const path of ['/models/:name', '/']) part.get(path, protectHono(guard), (c) => c.text('read'))
  const app = new Hono()
  app.mount('/part', part.fetch)
  const server = createAdaptorServer(app) as Server
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const path of ['/part/models/vision?x=1', '/part?x=1'])
      expect((await fetch(url + path, { headers: { authorization } })).status).toBe(200)
    expect(events.map(({ http }) => http?.route)).toEqual(['GET /part/models/:name', 'GET /part'])
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('Hono on another server takes the connection from whoever knows it, and otherwise supposes nothing', async () => {
  const { guard, events } = setUp()
  const app = new Hono<{ Bindings: { address?: string } }>()
  app.get('/plain', protectHono(guard, read), (c) => c.text(c.get('hfauth').principal.id))
  const connection = (c: { env: unknown }) => ({ remoteAddress: (c.env as { address: string }).address })
  app.get('/told', protectHono(guard, read, { connection }), (c) => c.text('told'))
  const headers = { authorization, 'x-forwarded-for': '198.51.100.7' }
  expect(await (await app.request('/plain', { headers })).text()).toBe('idp|ana')
  expect((await app.request('/told', { headers }, { address: '192.0.2.1' })).status).toBe(200)
  expect(events.map(({ client }) => client?.ip)).toEqual([undefined, '192.0.2.1'])
})

test.each([
  ['that never comes to one', () => Promise.reject(new Error('no question'))],
  [
    'that throws',
    () => {
      throw new Error('no question')
    },
  ],
])('a question %s lets nobody in, and is the application’s to see', async (_, question) => {
  const { guard, events } = setUp()
  const handle = protectWeb(guard, () => new Response('in'), { question })
  await expect(handle(new Request('http://a/', { headers: { authorization } }))).rejects.toThrow(
    'no question',
  )
  expect(events).toEqual([])
})
