/** What an upstream may do to the proxy and its callers: answers that are none, connections, names. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createEngine } from '@hfauth/core'
import { afterEach, describe, expect, test } from 'vitest'
import { createGuard, createVerifier } from '../src/index.ts'
import { type FixtureOptions, sendRaw, startFixture } from './proxy-fixture.ts'
import { hfToken, lines, startThreatWorld, type ThreatWorld } from './threat-world.ts'

let world: ThreatWorld
let upstream: Server | undefined
const sockets = new Set<Socket>()
afterEach(async () => {
  await world.close()
  for (const socket of sockets) socket.destroy()
  if (upstream !== undefined) await new Promise((resolve) => upstream?.close(resolve))
  upstream = undefined
})

/** An upstream that speaks bytes. */
async function startRaw(
  onRequest: (socket: Socket, count: number, bytes: string) => void,
  options: Partial<FixtureOptions> = {},
): Promise<void> {
  let count = 0
  upstream = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => onRequest(socket, ++count, bytes.toString('latin1')))
  })
  await once(upstream.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  world = await startThreatWorld({
    upstream: { hub: url, router: url, endpoints: url, viewer: url },
    ...options,
  })
}

const file = '/acme/open/resolve/main/model.safetensors'
const get = (path = file, init: RequestInit = {}) =>
  world.fixture.proxy.fetch(
    new Request(`http://hub.gw.test${path}`, {
      ...init,
      headers: { authorization: `Bearer ${world.tokens.alice}` },
    }),
  )

describe('C13 an answer that could be read in two ways', () => {
  test.each([
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
    ['two status lines', 'HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    [
      'a storm of interim answers',
      `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
    ],
    ['no content, and then some', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok'],
    ['a bare CR in a header', 'HTTP/1.1 200 OK\r\nX-A: b\rX-Hfauth: root\r\nContent-Length: 2\r\n\r\nok'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9\r\n'],
  ])('is a 502, and its connection is never used again: %s', async (_, bytes) => {
    const used: Socket[] = []
    await startRaw((socket, count) => {
      used.push(socket)
      socket.write(count === 1 ? bytes : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    const response = await get()
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 502,
      body: { reason: 'upstream_unavailable' },
    })
    const next = await get()
    expect(await next.text()).toBe('ok')
    expect(used[1]).not.toBe(used[0])
  })
})

describe('a connection upstream', () => {
  test('C14 whose answer was not read to its end serves nobody else', async () => {
    const used: Socket[] = []
    await startRaw((socket, count) => {
      used.push(socket)
      socket.write(
        count === 1
          ? 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nof alice'
          : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      )
    })
    const response = await get()
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    const closed = once(used[0] as Socket, 'close')
    await reader.cancel()
    await closed
    const authorization = `Bearer ${world.tokens.bob}`
    const request = new Request(`http://hub.gw.test${file}`, { headers: { authorization } })
    expect(await (await world.fixture.proxy.fetch(request)).text()).toBe('ok')
    expect(used[1]).not.toBe(used[0])
  })

  test('J11 goes to the upstream, whatever proxy the environment names', async () => {
    process.env.HTTP_PROXY = 'http://127.0.0.1:1'
    process.env.http_proxy = 'http://127.0.0.1:1'
    try {
      await startRaw((socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
      expect(await (await get()).text()).toBe('ok')
    } finally {
      delete process.env.HTTP_PROXY
      delete process.env.http_proxy
    }
  })
})

describe('a redirect to a file store', () => {
  const signed = 'https://us.aws.cdn.hf.co/x?X-Amz-Signature=SECRET'

  test('J04 J05 is followed without the credential where that was chosen, and its address stays here', async () => {
    const asked: { url: string; authorization: string | null; range: string | null }[] = []
    world = await startThreatWorld({
      signedUrls: 'through',
      fetch: async (input, init) => {
        const headers = new Headers(init?.headers)
        asked.push({
          url: String(input),
          authorization: headers.get('authorization'),
          range: headers.get('range'),
        })
        return asked.length === 1
          ? new Response(null, {
              status: 302,
              headers: { location: signed, 'x-repo-commit': 'a'.repeat(40), 'x-xet-hash': 'b' },
            })
          : new Response('part', {
              status: 206,
              headers: { 'content-range': 'bytes 0-3/9', 'content-length': '4' },
            })
      },
    })
    const request = new Request(`http://hub.gw.test${file}`, {
      headers: { authorization: `Bearer ${world.tokens.alice}`, range: 'bytes=0-3' },
    })
    const response = await world.fixture.proxy.fetch(request)
    expect({ status: response.status, text: await response.text() }).toEqual({ status: 206, text: 'part' })
    expect(response.headers.get('content-range')).toBe('bytes 0-3/9')
    expect(response.headers.get('x-repo-commit')).toBe('a'.repeat(40))
    expect(response.headers.get('location')).toBeNull()
    expect(response.headers.get('x-xet-hash')).toBeNull()
    expect(asked[0]?.authorization).toBe(`Bearer ${hfToken}`)
    expect(asked[1]).toEqual({ url: signed, authorization: null, range: 'bytes=0-3' })
    expect(JSON.stringify(world.fixture.events)).not.toContain('SECRET')
  })

  test('J04 that sends on once more is not followed', async () => {
    let count = 0
    world = await startThreatWorld({
      signedUrls: 'through',
      fetch: async () => {
        count += 1
        return new Response(null, { status: 302, headers: { location: signed } })
      },
    })
    expect((await get()).status).toBe(502)
    expect(count).toBe(2)
  })

  test('J03 goes to a name of the list alone, and the proxy resolves no name that a client gives', async () => {
    world = await startThreatWorld({ signedUrls: 'through' })
    world.answer = (_, res) => void res.writeHead(302, { location: 'https://rebind.evil.test/x' }).end()
    expect((await get()).status).toBe(502)
    world.answer = (_, res) => void res.writeHead(302, { location: 'https://169.254.169.254/latest' }).end()
    expect((await get()).status).toBe(502)
  })
})

describe('what is kept', () => {
  test('J09 nothing of an answer: each caller is judged, and one with another’s tag learns nothing', async () => {
    world = await startThreatWorld()
    world.answer = (_, res) =>
      void res.writeHead(200, { etag: '"1"', 'cache-control': 'public, max-age=9' }).end('ok')
    const response = await get()
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'private, no-cache',
      vary: 'Authorization, Origin',
    })
    await get()
    expect(world.arrived).toHaveLength(2)
    const other = await world.send(
      lines(
        `GET ${file} HTTP/1.1`,
        'Host: hub.gw.test',
        'Authorization: Bearer <ci>',
        'If-None-Match: "1"',
        '',
        '',
      ),
    )
    expect(other.statuses).toEqual([403, 200])
    expect(other.text).not.toMatch(/etag/i)
    expect(world.arrived).toHaveLength(2)
  })
})

describe('what is done when something of ours fails', () => {
  test('K04 a decision that throws, or is none, lets nothing through', async () => {
    for (const decide of [
      () => {
        throw new Error('broken')
      },
      () => undefined,
      () => Promise.resolve({ allowed: true, scopes: [], statements: [] }),
      () => Promise.reject(new Error('broken')).catch(() => undefined),
      () => new Promise(() => undefined),
    ]) {
      world = await startThreatWorld()
      const engine = createEngine(world.fixture.policy, { environment: 'production' })
      const broken = {
        ...engine,
        for: (principal: never) => {
          const access = engine.for(principal)
          return new Proxy(access, {
            get: (target, name) => (name === 'decide' ? decide : Reflect.get(target, name).bind?.(target)),
          })
        },
      }
      await world.close()
      world = await startThreatWorld({ engine: broken } as never)
      expect((await get()).status).toBe(500)
      expect(world.arrived).toEqual([])
    }
  })
})

/** A connection that has had an answer and stays; or that was closed without one. */
function holdOpen(url: string, localAddress: string): Promise<{ socket: Socket; isOpen: boolean }> {
  const { hostname: host, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect({ port: Number(port), host, localAddress })
    socket.on('error', () => undefined)
    socket.once('data', () => resolve({ socket, isOpen: true }))
    socket.once('close', () => resolve({ socket, isOpen: false }))
    socket.write('GET /healthz HTTP/1.1\r\nHost: hub.gw.test\r\n\r\n')
  })
}

describe('what a client holds open', () => {
  test('L01 a header that comes byte by byte is waited for as long as was set', async () => {
    world = await startThreatWorld()
    const slow = await world.fixture.proxy.listen({ port: 0, headersTimeoutMs: 300 })
    const { hostname, port } = new URL(slow.url)
    const socket = connect(Number(port), hostname)
    socket.write('GET /healthz HTTP/1.1\r\nHost: hub')
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(socket, 'close')
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 408 /)
    await slow.close()
  })

  test('L01 ten thousand connections of one address are a thousand, and other addresses have theirs', async () => {
    world = await startThreatWorld()
    const open = new Set<Socket>()
    const idle = async (localAddress: string) => {
      const { socket, isOpen } = await holdOpen(world.fixture.url, localAddress)
      if (isOpen) open.add(socket)
      return isOpen
    }
    let refused = 0
    for (let i = 0; i < 100; i++) {
      const all = await Promise.all(Array.from({ length: 100 }, () => idle('127.0.0.1')))
      refused += all.filter((isOpen) => !isOpen).length
    }
    expect([open.size, refused]).toEqual([1_000, 9_000])
    expect(await idle('127.0.0.2')).toBe(true)
    // One that ends makes room for one, as soon as it is seen to have ended.
    const [first] = open
    first?.destroy()
    while (!(await idle('127.0.0.1'))) refused += 1
    expect(await idle('127.0.0.1')).toBe(false)
    for (const socket of open) socket.destroy()
  }, 60_000)

  test('L01 connections of a trusted proxy are those of everybody behind it, and not counted', async () => {
    world = await startThreatWorld({ trustedProxies: ['127.0.0.1'] })
    const few = await world.fixture.proxy.listen({ port: 0, connectionsPerAddress: 1 })
    const sockets: Socket[] = []
    const isTaken = async (address: string) => {
      const { socket, isOpen } = await holdOpen(few.url, address)
      sockets.push(socket)
      return isOpen
    }
    for (const address of ['127.0.0.1', '127.0.0.1', '127.0.0.2']) expect(await isTaken(address)).toBe(true)
    expect(await isTaken('127.0.0.2')).toBe(false)
    for (const socket of sockets) socket.destroy()
    await few.close()
  })
})

describe('who is who', () => {
  test('A06 the client behind a trusted hop is the first that is not one', async () => {
    world = await startThreatWorld({ trustedProxies: ['10.9.0.1', '127.0.0.1'] })
    await world.send(
      lines(
        `GET ${file} HTTP/1.1`,
        'Host: hub.gw.test',
        'Authorization: Bearer <alice>',
        'X-Forwarded-For: 127.0.0.1, 198.51.100.7, 10.9.0.1',
        '',
        '',
      ),
    )
    expect(world.fixture.events[0]?.client?.ip).toBe('198.51.100.7')
  })

  test('A06 and the socket alone says who the last hop is', async () => {
    world = await startThreatWorld({ trustedProxies: ['10.9.0.1'] })
    const clientBehind = async (remoteAddress: string, forwardedFor: string) => {
      const headers = { authorization: `Bearer ${world.tokens.alice}`, 'x-forwarded-for': forwardedFor }
      const request = new Request(`http://hub.gw.test${file}`, { headers })
      await (await world.fixture.proxy.fetch(request, { remoteAddress })).text()
      return world.fixture.events.findLast(({ type }) => type === 'io.hfauth.decision')?.client?.ip
    }
    const chain = '127.0.0.1, 198.51.100.7, 10.9.0.1'
    expect(await clientBehind('10.9.0.1', chain)).toBe('198.51.100.7')
    expect(await clientBehind('10.9.0.1', '127.0.0.1, unknown, 10.9.0.1')).toBe('10.9.0.1')
    expect(await clientBehind('192.0.2.1', chain)).toBe('192.0.2.1')
  })

  test('A12 M07 a service behind the proxy believes no word of another about who asks, only a token', async () => {
    world = await startThreatWorld()
    const { policy, ci } = world.fixture
    const guard = createGuard({
      engine: createEngine(policy, { environment: 'production' }),
      verifier: createVerifier({ policy }),
      audit: {
        isFailing: () => true,
        record: async () => ({}) as never,
        subscribe: () => () => undefined,
        close: async () => undefined,
      },
    })
    const ask = (headers: Record<string, string>) =>
      guard.check(new Request('http://upstream-b.test/x', { headers }), {
        action: 'read',
        resource: 'model:acme/open',
      })
    const assertion = await ci.token({
      audience: 'https://upstream-a.test',
      repository: 'none/none',
      sub: 'alice',
    })
    for (const headers of [
      { 'x-hfauth-assertion': assertion },
      { 'x-hfauth-user': 'root', 'x-forwarded-user': 'root' },
      { authorization: `Bearer ${assertion}` },
    ]) {
      const answer = await ask(headers as Record<string, string>)
      expect(answer.allowed ? 200 : answer.response.status).toBe(401)
    }
    expect((await ask({ authorization: `Bearer ${world.tokens.alice}` })).allowed).toBe(true)
  })

  test('B16 what leads to an upstream is read before the decision, and there is no hook behind it', async () => {
    world = await startThreatWorld()
    await world.send(
      lines(`GET ${file} HTTP/1.1`, 'Host: infer.gw.test', 'Authorization: Bearer <alice>', '', ''),
    )
    expect(world.arrived).toEqual([])
  })

  test('G18 a personal token of Hugging Face is nobody here', async () => {
    world = await startThreatWorld()
    const request = new Request(`http://hub.gw.test${file}`, {
      headers: { authorization: 'Bearer hf_abcdefghijklmnopqrstuvwxyzABCDEFGH' },
    })
    expect((await world.fixture.proxy.fetch(request)).status).toBe(401)
    expect(world.arrived).toEqual([])
  })

  test('H02 H14 a cookie lets nobody in without sessions', async () => {
    world = await startThreatWorld()
    const { statuses } = await world.send(
      lines(
        `GET ${file} HTTP/1.1`,
        'Host: hub.gw.test',
        'Cookie: hfauth=evil; __Host-hfauth=<alice>',
        'Cookie: __Host-hfauth=second',
        '',
        '',
      ),
    )
    expect(statuses).toEqual([401, 200])
  })

  test('M04 a policy in use does not change with what it was read from', async () => {
    world = await startThreatWorld()
    const { policy } = world.fixture
    expect(() => Object.assign(policy, { issuers: new Map() })).toThrow(TypeError)
    expect((await get()).status).toBe(200)
  })

  test('M02 a proxy does not start with what would let anybody in', async () => {
    world = await startThreatWorld()
    for (const options of [
      { trustedProxies: ['0.0.0.0/0'] },
      { policy: { issuers: {}, bindings: [] } },
      {
        policy: {
          issuers: { staff: { preset: 'oidc', issuer: 'https://idp.example', audience: '*' } },
          bindings: [],
        },
      },
      {
        policy: {
          issuers: { staff: { preset: 'oidc', issuer: 'https://idp.example', audience: [] } },
          bindings: [],
        },
      },
      {
        policy: {
          issuers: { staff: { preset: 'oidc', issuer: 'http://idp.example', audience: 'a' } },
          bindings: [],
        },
      },
      { policy: { bindings: [{ roles: ['nobody'], to: { issuer: 'staff' } }] } },
      { upstream: { hub: 'http://hub.example', router: 'https://router.example' } },
      { billTo: 'a\r\nb' },
    ]) {
      await expect(startFixture(options as never)).rejects.toMatchObject({
        code: expect.stringMatching(/^HFAUTH_/),
      })
    }
  })
})

test('L06 names made to collide cost no more than others', async () => {
  world = await startThreatWorld()
  const query = Array.from({ length: 400 }, (_, i) => `k${i}=`).join('&')
  const since = performance.now()
  const answer = await sendRaw(
    world.fixture.url,
    lines(
      `GET ${file}?${query} HTTP/1.1`,
      'Host: hub.gw.test',
      `Authorization: Bearer ${world.tokens.alice}`,
      'Connection: close',
      '',
      '',
    ),
  )
  expect(answer.status).toBe(200)
  expect(performance.now() - since).toBeLessThan(2_000)
})
