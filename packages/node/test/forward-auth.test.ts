/** Forward auth: what each gateway asks and is told, and the whole of it behind a real nginx and a real Caddy. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEngine, definePolicy, parsePolicy } from '@hfauth/core'
import { type CiIssuer, startCiIssuer } from '@hfauth/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { leaveLines, rememberSecrets } from '../../../test/support/output.ts'
import { answer } from '../src/http.ts'
import { createAuditLog, createForwardAuth, createVerifier, type Gateway, memorySink } from '../src/index.ts'
import { caddyTest, startCaddy } from './caddy.ts'
import { nginxTest, startNginx } from './nginx.ts'
import { sendRaw } from './proxy-fixture.ts'

let issuer: CiIssuer
let sink = memorySink()
let token = ''

const policyFor = (url: string) =>
  parsePolicy(
    definePolicy({
      version: 1,
      name: 'behind-a-gateway',
      issuers: { staff: { preset: 'oidc', issuer: url, audience: 'api://app' } },
      environments: { production: {} },
      roles: { reader: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] } },
      bindings: [{ roles: ['reader'], to: { issuer: 'staff' } }],
      routes: [
        { match: 'GET /models/:name', action: 'read', resource: 'model:acme/:name' },
        { match: 'DELETE /models/:name', action: 'delete', resource: 'model:acme/:name' },
      ],
    }),
  )

beforeAll(async () => {
  issuer = await startCiIssuer()
  token = await issuer.token({ audience: 'api://app', repository: 'none/none', sub: 'ana,ü' })
})

afterAll(async () => {
  rememberSecrets(issuer.issued)
  await issuer.close()
})

beforeEach(() => {
  sink = memorySink()
})

function handlerFor(gateway: Gateway) {
  const policy = policyFor(issuer.url)
  return createForwardAuth({
    gateway,
    engine: createEngine(policy, { environment: 'production' }),
    verifier: createVerifier({ policy }),
    audit: createAuditLog({ sink, environment: 'production', service: 'forward-auth', durability: 'strict' }),
    trustedProxies: ['127.0.0.1'],
  })
}

interface Asked {
  readonly method?: string
  readonly target?: string
  readonly headers?: Record<string, string>
}

const ask = (gateway: Gateway, { method = 'GET', target = '/auth', headers = {} }: Asked) =>
  handlerFor(gateway)(
    new Request(`http://auth.internal${target}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
    }),
    { remoteAddress: '127.0.0.1', target },
  )

/** How each gateway says that a client wants `method` on `target`. */
const saying: Readonly<Record<Gateway, (method: string, target: string) => Asked>> = {
  nginx: (method, target) => ({ headers: { 'x-original-method': method, 'x-original-uri': target } }),
  traefik: (method, target) => ({ headers: { 'x-forwarded-method': method, 'x-forwarded-uri': target } }),
  caddy: (method, target) => ({ headers: { 'x-forwarded-method': method, 'x-forwarded-uri': target } }),
  envoy: (method, target) => ({ method, target }),
}

describe.each(Object.keys(saying) as Gateway[])('%s', (gateway) => {
  const say = saying[gateway]

  test('is told who it is when the policy allows', async () => {
    const response = await ask(gateway, say('GET', '/models/vision?x=1'))
    expect(response.status).toBe(200)
    expect(response.headers.get('x-hfauth-principal')).toMatch(/ana%2C%C3%BC$/)
    expect(response.headers.get('x-hfauth-roles')).toBe('reader')
    expect(sink.events[0]).toMatchObject({
      action: 'read',
      resource: { kind: 'model', id: 'acme/vision' },
      http: { method: 'GET', route: 'GET /models/:name' },
      decision: { effect: 'allow' },
    })
  })

  test('is told of a caller without a name that there is none, so that a client’s own word for it is replaced', async () => {
    const response = await ask(gateway, say('GET', '/models/vision'))
    expect(response.status).toBe(200)
    expect(response.headers.get('x-hfauth-username')).toBe('')
  })

  test('is told 403 when the policy refuses, by the client’s method and not the gateway’s own', async () => {
    const response = await ask(gateway, say('DELETE', '/models/vision'))
    expect(response.status).toBe(403)
    expect(sink.events[0]).toMatchObject({ action: 'delete', decision: { effect: 'deny' } })
  })

  test('is told 401 with a challenge for a token that is not good', async () => {
    const asked = say('GET', '/models/vision')
    const response = await ask(gateway, {
      ...asked,
      headers: { ...asked.headers, authorization: 'Bearer x.y.z' },
    })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /)
  })

  test.each([
    '/models/../admin',
    '/models/%2e%2e/admin',
    '//models/vision',
    '/nothing/here',
    '/models/a%00b',
  ])('is told 403 for %s', async (target) => {
    if (gateway === 'envoy' && target.includes('..')) return void expect(await pathOf(target)).toBe(403)
    expect((await ask(gateway, say('GET', target))).status).toBe(403)
    expect(sink.events).toHaveLength(1)
  })

  const pathOf = async (target: string) => {
    const request = new Request('http://auth.internal/', { headers: { authorization: `Bearer ${token}` } })
    return (await handlerFor(gateway)(request, { remoteAddress: '127.0.0.1', target })).status
  }
})

describe('headers of another gateway', () => {
  const allowed = { 'x-original-method': 'GET', 'x-original-uri': '/models/vision' }
  const refused = { 'x-forwarded-method': 'DELETE', 'x-forwarded-uri': '/models/vision' }

  test.each<[Gateway, number]>([
    ['nginx', 200],
    ['traefik', 403],
    ['caddy', 403],
    ['envoy', 403],
  ])('mean nothing to %s', async (gateway, status) => {
    expect((await ask(gateway, { headers: { ...allowed, ...refused } })).status).toBe(status)
  })

  test('cannot stand in for the gateway’s own', async () => {
    const response = await ask('nginx', {
      headers: { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/models/vision' },
    })
    expect([response.status, sink.events[0]?.decision?.reason]).toEqual([403, 'request_malformed'])
  })

  test('the gateway’s own, sent twice, is refused', async () => {
    const headers = { 'x-original-method': 'GET, GET', 'x-original-uri': '/models/vision, /models/other' }
    expect((await ask('nginx', { headers })).status).toBe(403)
  })
})

test('without a record nobody is let in', async () => {
  const policy = policyFor(issuer.url)
  const failing = createAuditLog({
    sink: { write: () => Promise.reject(new Error('full')) },
    environment: 'production',
    service: 'forward-auth',
  })
  const handler = createForwardAuth({
    gateway: 'nginx',
    engine: createEngine(policy, { environment: 'production' }),
    verifier: createVerifier({ policy }),
    audit: failing,
  })
  for (const headers of [{}, { 'x-original-method': 'GET', 'x-original-uri': '/models/vision' }]) {
    const asked = new Request('http://auth.internal/', {
      headers: { authorization: `Bearer ${token}`, ...headers },
    })
    expect((await handler(asked)).status).toBe(503)
  }
})

test('a gateway that nobody knows is refused', () => {
  expect(() => handlerFor('haproxy' as Gateway)).toThrowError(
    expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
  )
})

nginxTest('behind a real nginx, the application sees only what is allowed, and who it is', async () => {
  const seen: { url: string | undefined; headers: IncomingHttpHeaders }[] = []
  const app = createServer((req, res) => {
    seen.push({ url: req.url, headers: req.headers })
    res.end('app')
  })
  const handler = handlerFor('nginx')
  const auth = createServer(
    answer((request, client) => handler(request, client), { origin: 'http://auth.internal' }),
  )
  const [appUrl, authUrl] = await Promise.all([urlOf(app), urlOf(auth)])
  const nginx = await startNginx(`
    location / {
      auth_request /_hfauth;
      auth_request_set $principal $upstream_http_x_hfauth_principal;
      auth_request_set $roles $upstream_http_x_hfauth_roles;
      auth_request_set $challenge $upstream_http_www_authenticate;
      proxy_set_header X-Hfauth-Principal $principal;
      proxy_set_header X-Hfauth-Roles $roles;
      proxy_set_header Authorization "";
      proxy_pass ${appUrl};
      add_header WWW-Authenticate $challenge always;
    }
    location = /_hfauth {
      internal;
      proxy_pass ${authUrl};
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }`)
  try {
    const send = (path: string, init: RequestInit = {}) =>
      fetch(nginx.url + path, {
        ...init,
        headers: { authorization: `Bearer ${token}`, 'x-hfauth-roles': 'root', ...init.headers },
      })
    const allowed = await send('/models/vision?x=1')
    expect([allowed.status, await allowed.text()]).toEqual([200, 'app'])
    expect(seen).toHaveLength(1)
    expect(seen[0]?.url).toBe('/models/vision?x=1')
    expect(seen[0]?.headers).toMatchObject({ 'x-hfauth-roles': 'reader' })
    expect(seen[0]?.headers['x-hfauth-principal']).toMatch(/ana%2C%C3%BC$/)
    expect(seen[0]?.headers.authorization).toBeUndefined()

    expect((await send('/models/vision', { method: 'DELETE' })).status).toBe(403)
    expect((await send('/nothing')).status).toBe(403)
    const forged = await send('/models/vision', {
      method: 'DELETE',
      headers: { 'x-original-method': 'GET', 'x-original-uri': '/models/vision' },
    })
    expect(forged.status).toBe(403)
    // Written by hand: `fetch` would resolve the dots before it sends them.
    const hidden = await sendRaw(
      nginx.url,
      `GET /models/%2e%2e/models/vision HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    )
    expect(hidden.status).toBe(403)
    const anonymous = await fetch(`${nginx.url}/models/vision`)
    expect([anonymous.status, anonymous.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Bearer/),
    ])
    expect((await send('/_hfauth')).status).toBe(404)
    expect(seen).toHaveLength(1)
    expect(sink.events.map(({ client }) => client?.ip)).toContain('127.0.0.1')
    leaveLines('forward-auth', sink.events)
  } finally {
    await nginx.close()
    for (const server of [app, auth]) {
      server.closeAllConnections()
      server.close()
    }
  }
})

caddyTest('behind a real Caddy, the application sees only what is allowed, and who it is', async () => {
  const seen: { url: string | undefined; headers: IncomingHttpHeaders }[] = []
  const app = createServer((req, res) => {
    seen.push({ url: req.url, headers: req.headers })
    res.end('app')
  })
  const handler = handlerFor('caddy')
  const auth = createServer(
    answer((request, client) => handler(request, client), { origin: 'http://auth.internal' }),
  )
  const [appUrl, authUrl] = await Promise.all([urlOf(app), urlOf(auth)])
  const caddy = await startCaddy(`
      route {
        request_header -X-Hfauth-*
        forward_auth ${authUrl} {
          uri /auth
          copy_headers X-Hfauth-Principal X-Hfauth-Kind X-Hfauth-Username X-Hfauth-Roles
        }
        reverse_proxy ${appUrl} {
          header_up -Authorization
        }
      }`)
  try {
    const send = (path: string, init: RequestInit = {}) =>
      fetch(caddy.url + path, {
        ...init,
        headers: {
          authorization: `Bearer ${token}`,
          'x-hfauth-roles': 'root',
          'x-hfauth-username': 'root',
          ...init.headers,
        },
      })
    const allowed = await send('/models/vision?x=1')
    expect([allowed.status, await allowed.text()]).toEqual([200, 'app'])
    expect(seen[0]?.url).toBe('/models/vision?x=1')
    expect(seen[0]?.headers).toMatchObject({ 'x-hfauth-roles': 'reader' })
    expect(seen[0]?.headers['x-hfauth-principal']).toMatch(/ana%2C%C3%BC$/)
    expect(seen[0]?.headers.authorization).toBeUndefined()
    expect(seen[0]?.headers['x-hfauth-username'] ?? '').toBe('')

    expect((await send('/models/vision', { method: 'DELETE' })).status).toBe(403)
    expect((await send('/nothing')).status).toBe(403)
    const forged = await send('/models/vision', {
      method: 'DELETE',
      headers: { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/models/vision' },
    })
    expect(forged.status).toBe(403)
    const hidden = await sendRaw(
      caddy.url,
      `GET /models/%2e%2e/models/vision HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    )
    expect(hidden.status).toBe(403)
    expect((await fetch(`${caddy.url}/models/vision`)).status).toBe(401)
    expect(seen).toHaveLength(1)
  } finally {
    await caddy.close()
    for (const server of [app, auth]) {
      server.closeAllConnections()
      server.close()
    }
  }
})

async function urlOf(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
