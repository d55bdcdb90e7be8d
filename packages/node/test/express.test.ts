/** The guard in front of Express routes. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEngine, definePolicy, parsePolicy, presets, principalFromClaims } from '@hfauth/core'
import express from 'express'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { protect } from '../src/express.ts'
import { createAuditLog, createGuard, memorySink, type Verifier } from '../src/index.ts'
import { sendRaw } from './proxy-fixture.ts'

const policy = parsePolicy(
  definePolicy({
    version: 1,
    name: 'acme-models',
    issuers: {
      okta: { preset: 'okta', issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://models' },
    },
    environments: { production: {} },
    roles: { user: { allow: [{ actions: ['read', 'infer'], on: ['model:acme/*'] }] } },
    bindings: [{ roles: ['user'], to: { issuer: 'okta' } }],
    routes: [{ match: 'GET /api/models/:name', action: 'read', resource: 'model:acme/:name' }],
  }),
)
const verifier: Verifier = {
  async verify(token) {
    const preset = presets.get('okta')
    const issuer = policy.issuers.get('okta')
    if (preset === undefined || issuer === undefined) throw new Error('no issuer')
    const now = Math.floor(Date.now() / 1000)
    const claims = { sub: token, iat: now, exp: now + 60 }
    const principal = principalFromClaims({ issuer: 'okta', preset, credential: 'id_token', claims })
    return { principal, issuer, kind: 'id_token', fingerprint: '0'.repeat(32) }
  },
}
const { events, ...sink } = memorySink()
const guard = createGuard({
  engine: createEngine(policy, { environment: 'production' }),
  verifier,
  audit: createAuditLog({ sink, environment: 'production', service: 'api' }),
})

let server: Server
let url: string
let reached: string[]
beforeAll(async () => {
  const app = express()
  const api = express.Router()
  api.get('/models/:name', protect(guard), (req, res) => {
    reached.push(req.url)
    res.json({ id: req.hfauth?.principal.id, decided: req.hfauth?.decision.resource })
  })
  app.use('/api', api)
  const infer = protect(guard, (req: express.Request) => ({
    action: 'infer',
    resource: `model:acme/${req.params.name}`,
    route: 'POST /predict/:name',
  }))
  app.post('/predict/:name', infer, express.json(), (req, res) => {
    reached.push(req.url)
    res.json({ may: req.hfauth?.access.can('write', 'model:acme/x'), got: req.body })
  })
  app.get('/other', protect(guard, { action: 'read', resource: 'model:other/x' }), (_, res) => {
    reached.push('other')
    res.end()
  })
  app.get('/open', (req, res) => {
    res.json(req.hfauth ?? null)
  })
  server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  reached = []
})

const as = (token: string, init: RequestInit = {}) => ({
  ...init,
  headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` },
})

test('a handler knows who is asking and what was decided, under a router too', async () => {
  const response = await fetch(`${url}/api/models/vision?x=1`, as('ana'))
  expect(await response.json()).toEqual({ id: 'okta|ana', decided: 'model:acme/vision' })
  expect(events.at(-1)).toMatchObject({
    client: { ip: '127.0.0.1' },
    http: { method: 'GET', route: 'GET /api/models/:name' },
  })
})

test('a question can be worked out from the request, and the body is still there to be read', async () => {
  const init = { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } }
  const response = await fetch(`${url}/predict/vision`, as('ana', init))
  expect(await response.json()).toEqual({ may: false, got: { a: 1 } })
  expect(events.at(-1)?.http?.route).toBe('POST /predict/:name')
})

test('whoever is refused gets the guard’s answer, and the handler never runs', async () => {
  const anonymous = await fetch(`${url}/api/models/vision`)
  expect(anonymous.status).toBe(401)
  expect(anonymous.headers.get('www-authenticate')).toBe('Bearer')
  expect(anonymous.headers.get('content-type')).toBe('application/problem+json')
  const denied = await fetch(`${url}/other`, as('ana'))
  expect(denied.status).toBe(403)
  expect(await denied.json()).toMatchObject({ reason: 'access_denied', requestId: events.at(-1)?.requestId })
  expect(reached).toEqual([])
})

test('a route without the guard has nobody', async () => {
  expect(await (await fetch(`${url}/open`, as('ana'))).json()).toBeNull()
})

test.each([
  ['two credentials', '/api/models/vision', ['Authorization: Bearer ana', 'Authorization: Bearer ben'], 400],
  ['a path with an encoded dot segment', '/api/models/%2e%2e', ['Authorization: Bearer ana'], 400],
  ['a path with a fragment', '/api/models/vision#x', ['Authorization: Bearer ana'], 400],
])('%s is refused on the bytes that came', async (_, target, headers, status) => {
  const lines = [`GET ${target} HTTP/1.1`, 'Host: a', 'Connection: close', ...headers, '', '']
  expect(await sendRaw(url, lines.join('\r\n'))).toMatchObject({ status })
  expect(reached).toEqual([])
})
