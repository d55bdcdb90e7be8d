import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Hub, publicAppId, startHub } from '../src/index.ts'
import { postToken, signInForTokens } from './app-client.ts'

let hub: Hub
beforeEach(async () => {
  hub = await startHub()
})
afterEach(() => hub.close())

describe('faults', () => {
  test.each([
    ['tokenEndpoint', '/oauth/token', 'POST'],
    ['userinfo', '/oauth/userinfo', 'GET'],
    ['jwks', '/oauth/jwks', 'GET'],
    ['hub', '/api/models', 'GET'],
    ['hub', '/acme/vision-small/resolve/main/config.json', 'GET'],
    ['router', '/v1/models', 'GET'],
  ] as const)('%s breaks %s and heals when it is deleted', async (name, path, method) => {
    const status = async () => (await fetch(hub.url + path, { method })).status
    const healthy = await status()
    hub.faults[name] = { status: 503, body: 'down' }
    const broken = await fetch(hub.url + path, { method })
    expect([broken.status, await broken.text()]).toEqual([503, 'down'])
    delete hub.faults[name]
    expect(await status()).toBe(healthy)
    expect(healthy).not.toBe(503)
  })

  test('a hanging endpoint answers nobody, and close() still comes to an end', async () => {
    hub.faults.hub = { hang: true }
    const outcome = fetch(`${hub.url}/api/models`).then(
      () => 'answered',
      () => 'cut off',
    )
    await vi.waitFor(() => expect(hub.requests).toHaveLength(1))
    await hub.close()
    expect(await outcome).toBe('cut off')
  })

  test('a delay alone gives the real answer later', async () => {
    hub.faults.jwks = { delayMs: 5 }
    expect((await fetch(`${hub.url}/oauth/jwks`)).status).toBe(200)
  })
})

describe('record', () => {
  test('keeps what came over the wire until it is cleared', async () => {
    await fetch(`${hub.url}/api/models?search=a%2Fb&limit=1`, { headers: { 'x-marker': 'one' } })
    expect(hub.requests.at(-1)).toMatchObject({
      method: 'GET',
      path: '/api/models',
      query: 'search=a%2Fb&limit=1',
      headers: { 'x-marker': 'one' },
    })
    hub.requests.clear()
    expect(hub.requests).toHaveLength(0)
  })

  test('keeps a path with dot segments as it was sent', async () => {
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
    socket.end('GET /api/models/../secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await new Promise((resolve) => socket.resume().on('close', resolve))
    expect(hub.requests.at(-1)?.path).toBe('/api/models/../secret')
  })

  test('knows every secret that was minted', async () => {
    const tokens = await signInForTokens(hub)
    const minted = await hub.tokenFor({ username: 'ana', clientId: publicAppId, scopes: [] })
    const code = hub.requests.findLast(({ path }) => path === '/oauth/token')?.body.toString() ?? ''
    const cookies = hub.requests.flatMap(({ headers }) => (headers.cookie ?? '').split('; ').filter(Boolean))
    const session = cookies.find((cookie) => cookie.startsWith('hf_testkit_session='))?.split('=')[1]
    expect(session).toBeTruthy()
    expect(hub.issued).toEqual(
      expect.arrayContaining([
        tokens.access_token,
        tokens.id_token,
        tokens.refresh_token,
        minted,
        new URLSearchParams(code).get('code'),
        session,
        ...hub.world.apps.flatMap(({ clientSecret }) => clientSecret ?? []),
      ]),
    )
  })
})

describe('registration', () => {
  test('makes an app that can sign in', async () => {
    const response = await fetch(`${hub.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'New app',
        redirect_uris: ['http://127.0.0.1:5173/callback'],
        scope: 'openid profile',
        token_endpoint_auth_method: 'client_secret_basic',
      }),
    })
    expect(response.status).toBe(201)
    const { client_id, client_secret } = (await response.json()) as Record<string, string>
    expect(hub.issued).toContain(client_secret)
    const answer = await postToken(
      hub,
      { grant_type: 'refresh_token', refresh_token: 'none' },
      { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
    )
    // The app is known: only the token is not.
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  test.each([
    ['no redirect URI', { redirect_uris: [] }, 'invalid_redirect_uri'],
    [
      'an unknown method',
      { redirect_uris: ['http://a.example/'], token_endpoint_auth_method: 'x' },
      'invalid_client_metadata',
    ],
  ])('refuses %s', async (_, body, error) => {
    const response = await fetch(`${hub.url}/oauth/register`, { method: 'POST', body: JSON.stringify(body) })
    expect([response.status, await response.json()]).toMatchObject([400, { error }])
  })
})

describe('browsers', () => {
  test.each(['/oauth/token', '/oauth/userinfo', '/oauth/jwks', '/api/whoami-v2', '/v1/chat/completions'])(
    'a page of any origin may call %s, even while it is broken',
    async (path) => {
      const origin = 'http://app.example'
      const preflight = await fetch(hub.url + path, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        },
      })
      expect(preflight.status).toBe(204)
      expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization')
      const down = { status: 503 }
      Object.assign(hub.faults, { tokenEndpoint: down, userinfo: down, jwks: down, hub: down, router: down })
      const method = /token|chat/.test(path) ? 'POST' : 'GET'
      const broken = await fetch(hub.url + path, { method, headers: { origin } })
      expect([broken.status, broken.headers.get('access-control-allow-origin')]).toEqual([503, origin])
    },
  )

  test('pages with a session give nothing to other origins', async () => {
    const page = await fetch(`${hub.url}/`, { headers: { origin: 'http://app.example' } })
    expect(page.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('server', () => {
  test('prints nothing while people sign in and things go wrong', async () => {
    const spies = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name))
    const other = await startHub()
    await signInForTokens(other)
    await postToken(other, { grant_type: 'nonsense' })
    await fetch(`${other.url}/oauth/authorize`)
    await other.close()
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled()
      spy.mockRestore()
    }
  })

  test('close() does not wait for idle connections', async () => {
    await (await fetch(`${hub.url}/api/models`)).text()
    await hub.close()
    await expect(fetch(`${hub.url}/api/models`)).rejects.toThrow()
  })

  test('pages allow no script and one style sheet', async () => {
    const { headers } = await fetch(`${hub.url}/oauth/device`)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('script-src')
    expect(policy).not.toContain('unsafe')
  })
})
