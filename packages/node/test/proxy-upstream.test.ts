/** What an upstream may answer, what of it a client sees, and how the two ends come apart. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HubProxy, type ProxyOptions, serviceToken } from '../src/index.ts'
import { type Fixture, startFixture } from './proxy-fixture.ts'

const secret = 'hf_service_3f9c1d7b'

/** An upstream that answers what a test wants, and remembers what it was asked. */
let answer: (req: IncomingMessage, res: ServerResponse) => void
let asked: { url: string; headers: IncomingMessage['headers'] }[]
let it: Fixture
let token: string
let upstreamUrl: string
const server = createServer((req, res) => {
  asked.push({ url: req.url ?? '', headers: req.headers })
  answer(req, res)
})

async function start(options: Partial<ProxyOptions> = {}): Promise<void> {
  upstreamUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  it = await startFixture({
    policy: { deny: [] },
    upstream: { hub: upstreamUrl, router: upstreamUrl },
    credentials: serviceToken(() => secret),
    ...options,
  })
  token = await it.tokenOf('ana')
}

beforeEach(async () => {
  asked = []
  answer = (_, res) => void res.end('ok')
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  await start()
})
afterEach(async () => {
  await it.close()
  server.closeAllConnections()
})

const file = '/acme/vision-small/resolve/main/model.safetensors'
const get = (path = file, init: RequestInit = {}) =>
  fetch(it.url + path, {
    redirect: 'manual',
    ...init,
    headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
  })
const problemOf = async (response: Response) => ({
  status: response.status,
  ...((await response.json()) as { reason?: string }),
})

describe('redirects', () => {
  test.each([
    [
      'of a new name',
      '/acme/new-name/resolve/main/x?download=true',
      'PROXY/acme/new-name/resolve/main/x?download=true',
    ],
    ['to the upstream itself', 'UPSTREAM/acme/new-name', 'PROXY/acme/new-name'],
    [
      'to the file store',
      'https://us.aws.cdn.hf.co/x?X-Amz-Signature=s',
      'https://us.aws.cdn.hf.co/x?X-Amz-Signature=s',
    ],
    ['to this machine', 'http://127.0.0.1:9901/config', undefined],
    ['to the file store without TLS', 'http://us.aws.cdn.hf.co/x', undefined],
    ['to another port of it', 'https://us.aws.cdn.hf.co:8443/x', undefined],
    ['to a host that ends like it', 'https://evilhf.co/x', undefined],
    ['to a host that begins like it', 'https://us.aws.cdn.hf.co.evil.test/x', undefined],
    ['with user-info', 'https://cdn.hf.co@evil.test/x', undefined],
    ['with user-info on the file store', 'https://a:b@cdn.hf.co/x', undefined],
    ['to another host', 'https://evil.test/x', undefined],
    ['to a host after slashes', '//evil.test/x', undefined],
    ['to a script', 'javascript:alert(1)', undefined],
    ['with a backslash', '/\\evil.test', undefined],
  ])('J04 %s', async (_, location, shown) => {
    answer = (_, res) =>
      void res.writeHead(302, { location: location.replace('UPSTREAM', upstreamUrl) }).end(`to ${location}`)
    const response = await get()
    expect(asked).toHaveLength(1)
    if (shown === undefined) {
      expect(await problemOf(response)).toMatchObject({ status: 502, reason: 'upstream_mismatch' })
      expect(await it.eventOf('io.hfauth.model.load')).toMatchObject({ error: 'upstream_mismatch' })
      return
    }
    expect(response.status).toBe(302)
    expect(response.headers.get('location')).toBe(shown.replace('PROXY', it.url))
    expect(await response.text()).toBe('')
    expect(await it.eventOf('io.hfauth.model.load')).toMatchObject({ http: { status: 302 } })
  })

  test.each([
    ['to a new name', '/acme/new-name', 308, 'PROXY/acme/new-name'],
    ['to another tenant', 'UPSTREAM/other/secret', 308, 'PROXY/other/secret'],
    ['to itself, without end', '/v1/chat/completions', 308, 'PROXY/v1/chat/completions'],
    ['to this machine', 'http://127.0.0.1:9901/config', 502, undefined],
  ])(
    'J04 of a question with its body are for the client to follow: %s',
    async (_, location, status, shown) => {
      answer = (_, res) =>
        void res.writeHead(308, { location: location.replace('UPSTREAM', upstreamUrl) }).end('moved')
      const response = await get('/v1/chat/completions', {
        method: 'POST',
        body: '{"model":"acme/text-chat"}',
        headers: { 'content-type': 'application/json' },
      })
      expect(response.status).toBe(status)
      expect(response.headers.get('location')).toBe(shown?.replace('PROXY', it.url) ?? null)
      expect(await response.text()).not.toContain('moved')
      expect(asked.map(({ url }) => url)).toEqual(['/v1/chat/completions'])
    },
  )

  test('go to hosts that were listed by name, and then to no others', async () => {
    await it.close()
    await start({ allowedRedirectHosts: ['files.acme.dev'], publicUrl: 'https://hub.acme.dev' })
    const locationFor = async (location: string) => {
      answer = (_, res) => void res.writeHead(302, { location }).end()
      return (await get()).headers.get('location')
    }
    expect(await locationFor('https://files.acme.dev/x')).toBe('https://files.acme.dev/x')
    expect(await locationFor('https://a.files.acme.dev/x')).toBeNull()
    expect(await locationFor('https://cdn.hf.co/x')).toBeNull()
    expect(await locationFor('/x')).toBe('https://hub.acme.dev/x')
  })
})

describe('headers of an answer', () => {
  test('J07 nothing that speaks for the proxy’s own origin passes', async () => {
    answer = (_, res) =>
      void res
        .writeHead(200, {
          'set-cookie': '__Host-hfauth=evil',
          'access-control-allow-origin': '*',
          'clear-site-data': '"*"',
          'strict-transport-security': 'max-age=0',
          'x-hfauth-decision': 'allow',
          'x-xet-access-token': 'xet',
          'www-authenticate': 'Basic',
          'cache-control': 'public, max-age=3600',
          'x-request-id': 'theirs',
          etag: '"1"',
          'x-repo-commit': 'a'.repeat(40),
          'x-linked-size': '2',
          link: `<${upstreamUrl}/api/models/acme/x>; rel="xet-auth", <https://cas-server.xethub.hf.co/r>; rel="xet-reconstruction-info", <https://evil.test/>; rel="next"`,
        })
        .end('ok')
    const { headers } = await get()
    const shown = Object.fromEntries(headers)
    expect(shown).toMatchObject({
      etag: '"1"',
      'x-repo-commit': 'a'.repeat(40),
      'x-linked-size': '2',
      'cache-control': 'private, no-cache',
      vary: 'Authorization, Origin',
      'x-request-id': it.events[0]?.requestId,
      link: `<${it.url}/api/models/acme/x>; rel="xet-auth", <https://cas-server.xethub.hf.co/r>; rel="xet-reconstruction-info"`,
    })
    for (const name of [
      'set-cookie',
      'access-control-allow-origin',
      'clear-site-data',
      'strict-transport-security',
      'x-hfauth-decision',
      'x-xet-access-token',
      'www-authenticate',
    ]) {
      expect(shown).not.toHaveProperty(name)
    }
  })

  test('a Xet credential passes on the route that exists for it', async () => {
    answer = (_, res) => void res.writeHead(200, { 'x-xet-access-token': 'xet' }).end('{}')
    const response = await get('/api/models/acme/vision-small/xet-read-token/main')
    expect(response.headers.get('x-xet-access-token')).toBe('xet')
  })

  test('an answer is asked for as it is, and one that was compressed all the same comes so', async () => {
    const body = gzipSync('plain')
    answer = (_, res) => {
      res.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body)
    }
    const response = await get()
    expect(asked[0]?.headers['accept-encoding']).toBe('identity')
    expect(response.headers.get('content-length')).toBe(String(body.length))
    // This client unpacks it, as any does.
    expect(await response.text()).toBe('plain')
  })

  test('B18 a branch that is named like a commit is no commit', async () => {
    const pinned = '0123456789abcdef0123456789abcdef01234567'
    const ask = async (commit: string) => {
      answer = (_, res) => void res.writeHead(200, { 'x-repo-commit': commit }).end('ok')
      return (await get(`/acme/vision-small/resolve/${pinned}/x`)).status
    }
    expect(await ask(pinned)).toBe(200)
    expect(await ask('f'.repeat(40))).toBe(502)
  })
})

describe('refusals and failures of an upstream', () => {
  test('the Hub’s own refusal passes, with its code and words', async () => {
    answer = (_, res) =>
      void res
        .writeHead(404, {
          'content-type': 'application/json; charset=utf-8',
          'x-error-code': 'EntryNotFound',
          'x-error-message': 'Entry not found',
        })
        .end('{"error":"Entry not found"}')
    const response = await get()
    expect(response.status).toBe(404)
    expect(response.headers.get('x-error-code')).toBe('EntryNotFound')
    expect(await response.json()).toEqual({ error: 'Entry not found' })
  })

  test('a 401 comes with our challenge in place of theirs', async () => {
    answer = (_, res) =>
      void res
        .writeHead(401, { 'content-type': 'application/json', 'www-authenticate': 'Basic realm="inside"' })
        .end('{}')
    expect((await get()).headers.get('www-authenticate')).toBe('Bearer')
  })

  test.each([
    ['a page', 'text/html', '<h1>10.0.0.7</h1>'],
    ['JSON that repeats the credential', 'application/json', `{"error":"bad ${secret}"}`],
    ['JSON beyond all bounds', 'application/json', `"${'x'.repeat(70_000)}"`],
  ])('J06 %s does not', async (_, type, body) => {
    answer = (_, res) =>
      void res.writeHead(403, { 'content-type': type, 'x-error-code': 'GatedRepo' }).end(body)
    const response = await get()
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject({ status: 403, reason: 'upstream_refused' })
    expect(text).not.toMatch(/10\.0\.0\.7|hf_service/)
    expect(JSON.stringify(it.events)).not.toContain(secret)
  })

  test('a 500 becomes a 502 that tells nothing from inside', async () => {
    answer = (_, res) =>
      void res.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"db-7.internal"}')
    const response = await get()
    expect(response.status).toBe(502)
    expect(await response.text()).not.toContain('internal')
    expect(await it.eventOf('io.hfauth.model.load')).toMatchObject({ error: 'upstream_unavailable' })
  })

  test('an upstream that hangs up, or is not there, is a 502', async () => {
    answer = (_, res) => void res.destroy()
    expect(await problemOf(await get())).toMatchObject({ status: 502, reason: 'upstream_unavailable' })
    await it.close()
    await start({ upstream: { hub: 'http://127.0.0.1:1', router: 'http://127.0.0.1:1' } })
    expect(await problemOf(await get())).toMatchObject({ status: 502, reason: 'upstream_unavailable' })
  })

  test('an upstream that never answers is a 504', async () => {
    await it.close()
    await start({ limits: { upstreamTimeoutMs: 30 } })
    answer = () => undefined
    expect(await problemOf(await get())).toMatchObject({ status: 504, reason: 'upstream_timeout' })
  })

  test.each([
    ['no JSON', 'oops'],
    ['no list', '{"items":[]}'],
    ['more than is read', `["${'x'.repeat(8 * 1024 * 1024)}"]`],
  ])('a list that is %s cannot be cut down, so it is not shown', async (_, body) => {
    answer = (_, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(body)
    expect(await problemOf(await get('/api/models'))).toMatchObject({
      status: 502,
      reason: 'upstream_mismatch',
    })
  })
})

describe('lists', () => {
  test.each([203, 206])('are not shown uncut, whatever they are called (%i)', async (status) => {
    answer = (_, res) =>
      void res.writeHead(status, { 'content-type': 'application/json' }).end('[{"id":"other/secret"}]')
    expect(await problemOf(await get('/api/models'))).toMatchObject({
      status: 502,
      reason: 'upstream_mismatch',
    })
  })

  test('are asked for with what rules need to know, whole, and shown without a tag of the uncut one', async () => {
    answer = (_, res) => {
      const body = JSON.stringify([{ id: 'acme/a', tags: [] }, { id: 'other/b' }, { noId: 1 }, null])
      res
        .writeHead(200, { 'content-type': 'application/json', 'content-length': body.length, etag: '"1"' })
        .end(body)
    }
    const response = await get('/api/models?author=acme&expand=likes', {
      headers: { 'if-none-match': '"1"', range: 'bytes=0-1' },
    })
    expect(await response.json()).toEqual([{ id: 'acme/a', tags: [] }])
    expect(response.headers.get('etag')).toBeNull()
    expect(asked[0]?.url).toBe('/api/models?author=acme&expand=likes&expand=private&expand=gated&expand=tags')
    expect(asked[0]?.headers).not.toHaveProperty('if-none-match')
    expect(asked[0]?.headers).not.toHaveProperty('range')
  })
})

describe('streams', () => {
  test('a client that goes away ends the upstream request, and that is on record', async () => {
    const upstreamClosed = new Promise<void>((resolve) => {
      answer = (_, res) => {
        res.once('close', resolve)
        res.write('first')
      }
    })
    const gone = new AbortController()
    const response = await get(file, { signal: gone.signal })
    const first = await response.body?.getReader().read()
    expect(Buffer.from(first?.value ?? []).toString()).toBe('first')
    gone.abort()
    await upstreamClosed
    expect(await it.eventOf('io.hfauth.model.load')).toMatchObject({
      error: 'client_closed',
      http: { bytesOut: 5 },
    })
  })

  test('a client that goes away before there is an answer ends the upstream request too', async () => {
    const gone = new AbortController()
    const upstreamClosed = new Promise<void>((resolve) => {
      answer = (_, res) => {
        res.once('close', resolve)
        gone.abort()
      }
    })
    await expect(get(file, { signal: gone.signal })).rejects.toThrow()
    await upstreamClosed
    expect(await it.eventOf('io.hfauth.model.load')).toMatchObject({ error: 'client_closed' })
  })

  test('an upstream that breaks off is no clean end for the client, and that is on record', async () => {
    answer = (_, res) => {
      // Chunked: only the missing end tells that it is not all.
      res.write('half', () => res.destroy())
    }
    await expect(get().then((response) => response.text())).rejects.toThrow()
    expect(await it.eventOf('io.hfauth.model.load')).toMatchObject({ error: 'upstream_broke' })
  })

  test('D02 an upload arrives piece by piece, with the length and type that no `Connection` takes away', async () => {
    const pieces: string[] = []
    let onPiece: () => void = () => undefined
    answer = (req, res) => {
      req.on('data', (chunk: Buffer) => {
        pieces.push(chunk.toString())
        onPiece()
      })
      req.on('end', () => res.writeHead(200, { 'content-type': 'application/json' }).end('{}'))
    }
    const { hostname, port } = new URL(it.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST /api/models/acme/vision-small/commit/main HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/x-ndjson\r\nContent-Length: 6\r\nConnection: close, Content-Type, Content-Length\r\n\r\n`,
    )
    for (const piece of ['ab', 'cd', 'ef']) {
      // The next piece is not even sent before this one has come out at the far end.
      const arrived = new Promise<void>((resolve) => {
        onPiece = resolve
      })
      socket.write(piece)
      await arrived
    }
    await once(socket.resume(), 'close')
    expect(pieces).toEqual(['ab', 'cd', 'ef'])
    expect(asked[0]?.headers).toMatchObject({ 'content-length': '6', 'content-type': 'application/x-ndjson' })
    expect(asked[0]?.headers).not.toHaveProperty('transfer-encoding')
  })

  test('a client that goes away in the middle of an upload ends it upstream', async () => {
    const broken = new Promise<void>((resolve) => {
      answer = (req) => {
        req.once('data', () => socket.destroy())
        req.once('error', () => resolve())
        req.once('close', () => resolve())
      }
    })
    const { hostname, port } = new URL(it.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST /api/models/acme/vision-small/commit/main HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`,
    )
    await broken
    expect(await it.eventOf('io.hfauth.repo.write')).toMatchObject({
      action: 'write',
      error: 'client_closed',
    })
  })
})

describe('a Web request', () => {
  const ask = (proxy: HubProxy, url: string, target?: string) =>
    proxy.fetch(new Request(url, { headers: { authorization: `Bearer ${token}` } }), {
      remoteAddress: '192.0.2.9',
      target,
    })

  test('is answered like one on the wire', async () => {
    const response = await ask(it.proxy, `https://hub.acme.dev${file}`)
    expect(await response.text()).toBe('ok')
    expect(it.events[0]).toMatchObject({ client: { ip: '192.0.2.9' }, decision: { effect: 'allow' } })
  })

  test('is judged by the target as sent, where the server still has it', async () => {
    const response = await ask(it.proxy, `https://hub.acme.dev${file}`, '/acme/../acme/vision-small')
    expect(response.status).toBe(400)
  })
})

describe('configuration', () => {
  test('J01 a proxy that knows its names answers to no others', async () => {
    await it.close()
    await start({ allowedHosts: ['hub.acme.dev'] })
    expect(await problemOf(await get())).toMatchObject({ status: 421, reason: 'host_unknown' })
    expect(asked).toEqual([])
  })

  test.each([
    [
      'a plain address out there',
      { upstream: { hub: 'http://hub.example', router: 'https://router.example' } },
    ],
    [
      'an address with a path',
      { upstream: { hub: 'https://hub.example/x', router: 'https://router.example' } },
    ],
    ['no address', { upstream: { hub: 'https://hub.example', router: 'router' } }],
    ['a public address with a password', { publicUrl: 'https://a:b@hub.acme.dev' }],
    ['a limit that is no number', { limits: { jsonBodyBytes: Number.NaN } }],
    ['a proxy that everybody is behind', { trustedProxies: ['0.0.0.0/0'] }],
  ])('%s is refused at the start', async (_, options) => {
    await expect(startFixture(options)).rejects.toMatchObject({ code: 'HFAUTH_CONFIG_INVALID' })
  })

  test('the limit of a body is the one that was set', async () => {
    await it.close()
    await start({ limits: { jsonBodyBytes: 10 } })
    const response = await get('/v1/chat/completions', {
      method: 'POST',
      body: '{"model":"acme/text-chat"}',
      headers: { 'content-type': 'application/json' },
    })
    expect(await problemOf(response)).toMatchObject({ status: 413, reason: 'body_too_large' })
  })

  test('a body that does not come is waited for as long as was set', async () => {
    await it.close()
    await start({ limits: { bodyTimeoutMs: 30 } })
    const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) })
    const request = new Request(`${it.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
      duplex: 'half',
    } as RequestInit)
    expect(await problemOf(await it.proxy.fetch(request))).toMatchObject({
      status: 408,
      reason: 'body_timeout',
    })
  })
})
