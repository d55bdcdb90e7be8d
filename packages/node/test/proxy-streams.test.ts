/** Streams through the proxy: when they begin, how they end, and whose credential they live by. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createEngine, parsePolicy } from '@hfauth/core'
import { afterEach, describe, expect, test } from 'vitest'
import { createRevocations, createVerifier, forwardCaller } from '../src/index.ts'
import { unrecorded } from '../src/revoke/unrecorded.ts'
import { type FixtureOptions, restOf, sendRaw } from './proxy-fixture.ts'
import { hfToken, lines, startThreatWorld, type ThreatWorld } from './threat-world.ts'

let world: ThreatWorld
afterEach(() => world.close())

async function start(options: Partial<FixtureOptions> = {}): Promise<void> {
  world = await startThreatWorld(options)
}

const question = JSON.stringify({
  model: 'acme/chat-small',
  stream: true,
  messages: [{ role: 'user', content: 'x' }],
})
/** The listener knows its addresses by `Host`, which `fetch` does not let one set. */
async function post(token: string, signal?: AbortSignal): Promise<Response> {
  const request = new Request('http://infer.gw.test/v1/chat/completions', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
    },
    body: question,
    ...(signal === undefined ? {} : { signal }),
  })
  return world.fixture.proxy.fetch(request)
}

/** An upstream that writes an event whenever it is told to, and tells when it has been hung up on. */
function eventSource() {
  const state: { write: (text: string) => void; closed: Promise<void>; begun: Promise<void> } = {
    write: () => undefined,
    closed: Promise.resolve(),
    begun: Promise.resolve(),
  }
  let begin: () => void = () => undefined
  state.begun = new Promise((resolve) => {
    begin = resolve
  })
  state.closed = new Promise((resolve) => {
    world.answer = (_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      res.flushHeaders()
      res.once('close', resolve)
      state.write = (text) => void res.write(text)
      begin()
    }
  })
  return state
}

const read = async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
  const { value } = await reader.read()
  return Buffer.from(value ?? []).toString()
}
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds
const ending = () => world.fixture.eventOf('io.hfauth.inference.completed')

describe('an answer in events', () => {
  test('I01 comes event by event, and nothing on the way may hold it back', async () => {
    await start()
    const source = eventSource()
    const response = await post(world.tokens.alice)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-accel-buffering': 'no',
      'cache-control': 'no-store',
    })
    expect(response.headers.get('content-length')).toBeNull()
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    for (let i = 0; i < 3; i++) {
      // The next event does not exist before this one has come out.
      source.write(`data: ${i}\n\n`)
      expect(await read(reader)).toBe(`data: ${i}\n\n`)
    }
    await reader.cancel()
  })

  test('I08 goes on byte for byte, whatever it looks like', async () => {
    await start()
    const text = 'data: {"content":"\\r\\n\\ndata: [DONE]"}\r\n\r\n: keep-alive\n\ndata: [DONE]\n\n'
    world.answer = (_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.end(text)
    }
    expect(await (await post(world.tokens.alice)).text()).toBe(text)
  })

  test('I12 comes whole where the upstream does not stream', async () => {
    await start()
    world.answer = (_, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}')
    const response = await post(world.tokens.alice)
    expect(await response.text()).toBe('{"a":1}')
    expect(await ending()).toMatchObject({ http: { status: 200, bytesOut: 7 } })
  })

  test('I12 comes in events where none were asked for, and is on record as what it was', async () => {
    await start()
    world.answer = (_, res) =>
      void res.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: 1\n\n')
    const request = new Request('http://infer.gw.test/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${world.tokens.alice}`, 'content-type': 'application/json' },
      body: '{"model":"acme/chat-small","stream":false}',
    })
    const response = await world.fixture.proxy.fetch(request)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await response.text()).toBe('data: 1\n\n')
    expect(await world.fixture.eventOf('io.hfauth.stream.started')).toMatchObject({ http: { status: 200 } })
    expect(await ending()).toMatchObject({ http: { status: 200, bytesOut: 9 } })
  })

  test('I04 is given up upstream when the client is gone', async () => {
    await start()
    const source = eventSource()
    const response = await post(world.tokens.alice)
    source.write('data: 1\n\n')
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await read(reader)
    await reader.cancel()
    await source.closed
    expect(await ending()).toMatchObject({ error: 'client_closed', http: { bytesOut: 9 } })
  })

  test('I06 that breaks off upstream breaks off for the client', async () => {
    await start()
    world.answer = (_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: 1\n\n', () => res.destroy())
    }
    await expect(post(world.tokens.alice).then((response) => response.text())).rejects.toThrow()
    expect(await ending()).toMatchObject({ error: 'upstream_broke' })
  })

  test('I07 may be silent for as long as the limit says, and no longer', async () => {
    await start({ limits: { idleTimeoutMs: 300 } })
    const source = eventSource()
    const response = await post(world.tokens.alice)
    source.write('data: 1\n\n')
    await expect(response.text()).rejects.toThrow()
    await source.closed
    expect(await ending()).toMatchObject({ error: 'upstream_broke' })
  })

  test('I11 of another provider than the one that was asked for is not passed on', async () => {
    await start()
    const ask = async (provider: string) => {
      world.answer = (_, res) => void res.writeHead(200, { 'x-inference-provider': provider }).end('{}')
      const headers = { authorization: `Bearer ${world.tokens.alice}`, 'content-type': 'application/json' }
      const body = '{"model":"acme/chat-small:hf-inference"}'
      const url = 'http://infer.gw.test/v1/chat/completions'
      return (await world.fixture.proxy.fetch(new Request(url, { method: 'POST', headers, body }))).status
    }
    expect(await ask('hf-inference')).toBe(200)
    expect(await ask('together')).toBe(502)
  })

  test('F08 no other model is asked when the first one fails', async () => {
    await start()
    world.answer = (_, res) =>
      void res.writeHead(413, { 'content-type': 'application/json' }).end('{"error":"too long"}')
    const response = await post(world.tokens.alice)
    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 413,
      body: { error: 'too long' },
    })
    expect(world.arrived).toHaveLength(1)
  })
})

describe('a stream whose credential expires', () => {
  test('I02 is cut, says why in an event of its own, and is on record', async () => {
    await start()
    const source = eventSource()
    const token = await world.tokenOf({ sub: 'alice', groups: ['ml-dev'], exp: inSeconds(2) })
    const response = await post(token)
    source.write('data: 1\n\n')
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    expect(await read(reader)).toBe('data: 1\n\n')
    expect(await restOf(reader)).toBe('event: error\ndata: {"reason":"token_expired"}\n\n')
    await source.closed
    expect(await ending()).toMatchObject({ error: 'token_expired', http: { status: 200, bytesOut: 9 } })
  })

  test('I02 breaks off where an event of ours would end up inside another', async () => {
    await start()
    const source = eventSource()
    const response = await post(await world.tokenOf({ sub: 'alice', groups: ['ml-dev'], exp: inSeconds(2) }))
    source.write('data: half an eve')
    await expect(response.text()).rejects.toThrow()
    expect(await ending()).toMatchObject({ error: 'token_expired' })
  })

  test('I02 may go on to its end where that was chosen', async () => {
    await start({ atExpiry: 'finish' })
    const source = eventSource()
    const end = inSeconds(1)
    const response = await post(await world.tokenOf({ sub: 'alice', groups: ['ml-dev'], exp: end + 1 }))
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    while (Date.now() / 1000 < end + 1.2) {
      source.write('data: 1\n\n')
      expect(await read(reader)).toBe('data: 1\n\n')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await reader.cancel()
  })

  test('I10 ends an upload as well', async () => {
    await start({ environment: 'dev' })
    const token = await world.tokenOf({ sub: 'bob', groups: ['admins'], exp: inSeconds(2) })
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        controller.enqueue(Buffer.alloc(1000))
      },
    })
    const response = await world.fixture.proxy.fetch(
      new Request('http://hub.gw.test/api/models/acme/open/commit/main', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
        body,
        duplex: 'half',
      } as RequestInit),
    )
    expect(response.status).toBe(502)
    expect(await world.fixture.eventOf('io.hfauth.repo.write')).toMatchObject({ error: 'token_expired' })
  })
})

describe('a stream whose credential is revoked', () => {
  test('I03 is cut at once, by what is revoked and by nothing else', async () => {
    const revocations = createRevocations()
    await start({ revocations })
    const source = eventSource()
    const response = await post(world.tokens.alice)
    source.write('data: 1\n\n')
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    expect(await read(reader)).toBe('data: 1\n\n')
    const issuer = world.fixture.ci.url
    await revocations[unrecorded]({ by: 'subject', issuer, subject: 'somebody else' })
    source.write('data: 2\n\n')
    expect(await read(reader)).toBe('data: 2\n\n')
    const since = performance.now()
    await revocations[unrecorded]({ by: 'subject', issuer, subject: 'alice' })
    expect(await restOf(reader)).toBe('event: error\ndata: {"reason":"revoked"}\n\n')
    expect(performance.now() - since).toBeLessThan(2_000)
    await source.closed
    expect(await ending()).toMatchObject({ error: 'revoked', http: { bytesOut: 18 } })
  })

  test('I03 is over with its session', async () => {
    let isLive = true
    const principal = await sessionPrincipal()
    await world.close()
    await start({
      sessions: {
        async identify({ headers }) {
          if (!isLive || headers.get('cookie') === null) return undefined
          return { principal, scopes: [], signedInAt: 0, endsAt: Date.now() + 60_000, csrfToken: 'x' }
        },
      },
    })
    const source = eventSource()
    const headers = { cookie: '__Host-hfauth=x', 'content-type': 'application/json' }
    const request = new Request('http://infer.gw.test/v1/chat/completions', {
      method: 'POST',
      headers,
      body: question,
    })
    const response = await world.fixture.proxy.fetch(request)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    source.write('data: 1\n\n')
    expect(await read(reader)).toBe('data: 1\n\n')
    isLive = false
    expect(await restOf(reader)).toContain('"reason":"revoked"')
    await source.closed
  })
})

/** A principal that a verifier has made; a session holds one. */
async function sessionPrincipal() {
  await start()
  const verifier = createVerifier({ policy: world.fixture.policy })
  return (await verifier.verify(world.tokens.alice)).principal
}

describe('one caller', () => {
  test('I09 has so many requests at a time, and others are not held up', async () => {
    await start({ limits: { requestsPerCaller: 2 } })
    const source = eventSource()
    const open = await Promise.all([post(world.tokens.alice), post(world.tokens.alice)])
    const third = await post(world.tokens.alice)
    expect({ status: third.status, body: await third.json() }).toMatchObject({
      status: 429,
      body: { reason: 'too_many_requests' },
    })
    const other = await world.tokenOf({ sub: 'zoe', groups: ['ml-dev'] })
    const others = await post(other)
    expect(others.status).toBe(200)
    await open[0]?.body?.cancel()
    const again = await post(world.tokens.alice)
    expect(again.status).toBe(200)
    for (const response of [open[1], others, again]) await response?.body?.cancel()
    await source.closed
  })
})

describe('one caller with ten thousand streams', () => {
  test('I09 has as many as a caller may have, and others are not held up', async () => {
    await start()
    const source = eventSource()
    const other = await world.tokenOf({ sub: 'zoe', groups: ['ml-dev'] })
    const open: Response[] = []
    const refused: number[] = []
    for (let i = 0; i < 100; i++) {
      const asked = Array.from({ length: 100 }, () => post(world.tokens.alice))
      for (const response of await Promise.all(asked)) {
        if (response.status === 200) open.push(response)
        else refused.push(response.status)
      }
    }
    expect(open).toHaveLength(256)
    expect(refused).toEqual(Array.from({ length: 10_000 - 256 }, () => 429))
    expect(world.arrived).toHaveLength(256)
    const others = await post(other)
    expect(others.status).toBe(200)
    for (const response of [...open, others]) await response.body?.cancel()
    await source.closed
  }, 60_000)
})

describe.each([
  ['a catalogue', '/api/docs/hub/index', 'enforce'],
  ['a list that a dry run leaves whole', '/api/models', 'dry-run'],
] as const)('%s', (_, path, mode) => {
  const get = (token = world.tokens.alice) =>
    world.fixture.proxy.fetch(
      new Request(`http://hub.gw.test${path}`, { headers: { authorization: `Bearer ${token}` } }),
    )

  /** An upstream that has sent one piece, and waits. */
  function halfSent() {
    const closed: Promise<void>[] = []
    world.answer = (_, res) => {
      closed.push(new Promise((resolve) => res.once('close', resolve)))
      res.write('half')
    }
    return closed
  }

  test('ends when its caller’s credential is revoked, in plain sight', async () => {
    const revocations = createRevocations()
    await start({ revocations, mode })
    const closed = halfSent()
    const response = await get()
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    expect(await read(reader)).toBe('half')
    await revocations[unrecorded]({ by: 'subject', issuer: world.fixture.ci.url, subject: 'alice' })
    await expect(reader.read()).rejects.toThrow()
    await closed[0]
  })

  test('counts among its caller’s requests until its last byte', async () => {
    await start({ limits: { requestsPerCaller: 1 }, mode })
    halfSent()
    const response = await get()
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    expect(await read(reader)).toBe('half')
    expect((await get()).status).toBe(429)
    await reader.cancel()
    const again = await get()
    expect(again.status).toBeLessThan(300)
    await again.body?.cancel()
  })
})

describe('a body that waits to be asked for', () => {
  const head = (token: string, length: number) =>
    lines(
      'POST /v1/chat/completions HTTP/1.1',
      'Host: infer.gw.test',
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      'Expect: 100-continue',
      `Content-Length: ${length}`,
      'Connection: close',
      '',
      '',
    )

  test('C09 is asked for once it is wanted', async () => {
    await start()
    const { hostname, port } = new URL(world.fixture.url)
    const socket = connect(Number(port), hostname)
    socket.write(head(world.tokens.alice, question.length))
    const [first] = (await once(socket, 'data')) as [Buffer]
    expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write(question)
    const [second] = (await once(socket, 'data')) as [Buffer]
    expect(second.toString()).toMatch(/^HTTP\/1\.1 200 /)
    socket.destroy()
  })

  test('C09 is not asked for where it is not wanted', async () => {
    await start()
    const answer = await sendRaw(world.fixture.url, head('not.a.token', question.length))
    expect(answer.text).toMatch(/^HTTP\/1\.1 401 /)
    expect(world.arrived).toEqual([])
  })
})

describe('bytes of every value', () => {
  test.each([
    ['an answer that comes with its head', 1],
    ['a long one', 1024],
  ])('arrive as they were sent in %s', async (_, times) => {
    await start()
    const sent = Buffer.concat(Array(times).fill(Buffer.from(Array.from({ length: 256 }, (_, i) => i))))
    world.answer = (_, res) =>
      void res.writeHead(200, { 'content-type': 'image/png', 'content-length': sent.length }).end(sent)
    const { head, body } = await sendRaw(
      world.fixture.url,
      'GET /acme/open/resolve/main/x.png HTTP/1.1\r\nHost: hub.gw.test\r\nConnection: close\r\n' +
        `Authorization: Bearer ${world.tokens.alice}\r\n\r\n`,
    )
    expect(head).toMatch(/^HTTP\/1\.1 200 /)
    expect(Buffer.from(body, 'latin1')).toEqual(sent)
  })
})

/** A quarter as a rule; `UPLOAD_GIB=20` sends as much as the attack is said to, which takes minutes. */
const gibibytes = Number(process.env.UPLOAD_GIB ?? 0.25)

describe(`${gibibytes} GiB`, () => {
  test(
    'I10 goes up and comes down without being held',
    async () => {
      await start({ environment: 'dev' })
      const size = gibibytes * 1024 ** 3
      const chunk = randomBytes(1024 * 1024)
      let taken = 0
      const sink = createServer((socket) => drain(socket, (bytes) => (taken += bytes), size, chunk))
      await once(sink.listen(0, '127.0.0.1'), 'listening')
      const origin = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`
      await world.close()
      await start({
        environment: 'dev',
        upstream: { hub: origin, router: origin, viewer: origin, endpoints: origin },
      })
      const before = process.memoryUsage().rss
      let peak = before
      let sent = 0
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (sent >= size) return controller.close()
            sent += chunk.length
            peak = Math.max(peak, process.memoryUsage().rss)
            controller.enqueue(chunk)
          },
        },
        { highWaterMark: 0 },
      )
      const response = await world.fixture.proxy.fetch(
        new Request('http://hub.gw.test/api/models/acme/open/commit/main', {
          method: 'POST',
          headers: { authorization: `Bearer ${world.tokens.bob}`, 'content-type': 'application/x-ndjson' },
          body,
          duplex: 'half',
        } as RequestInit),
      )
      let received = 0
      for await (const bytes of response.body as ReadableStream<Uint8Array>) {
        received += bytes.length
        peak = Math.max(peak, process.memoryUsage().rss)
      }
      expect({ sent, received, taken: taken >= size }).toEqual({ sent: size, received: size, taken: true })
      expect(peak - before).toBeLessThan(160 * 1024 * 1024)
      await close(sink)
    },
    Math.max(60_000, gibibytes * 60_000),
  )
})

/** Reads a chunked request to its end, and answers as many bytes. */
function drain(socket: Socket, onBytes: (bytes: number) => void, size: number, chunk: Buffer): void {
  let tail = ''
  socket.on('error', () => undefined)
  socket.on('data', (data: Buffer) => {
    onBytes(data.length)
    tail = (tail + data.subarray(-16).toString('latin1')).slice(-16)
    if (!tail.endsWith('\r\n0\r\n\r\n')) return
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
    let left = size
    const more = () => {
      while (left > 0) {
        left -= chunk.length
        if (!socket.write(chunk)) return void socket.once('drain', more)
      }
    }
    more()
  })
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve))
}

describe('a WebSocket', () => {
  const key = 'dGhlIHNhbXBsZSBub25jZQ=='
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const handshake = (token: string | undefined, ...more: string[]) =>
    lines(
      'GET /queue/join HTTP/1.1',
      'Host: demo.gw.test',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${key}`,
      'Sec-WebSocket-Version: 13',
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      ...more,
      '',
      '',
    )

  /** A Space that echoes what comes after the handshake. */
  let seen: string[]
  let space: Server
  async function startSpace(options: Partial<FixtureOptions> = {}, refuse = false): Promise<void> {
    seen = []
    space = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', (data: Buffer) => {
        seen.push(data.toString('latin1'))
        if (refuse) return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSet-Cookie: a=b\r\n\r\n`,
        )
        socket.on('data', (bytes: Buffer) => socket.write(bytes))
      })
    })
    await once(space.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(space.address() as AddressInfo).port}`
    await start({ hosts: { 'demo.gw.test': { space: 'acme/demo', url } }, ...options })
  }
  afterEach(async () => {
    if (space?.listening) await close(space)
  })

  async function open(text: string): Promise<{ socket: Socket; head: string }> {
    const { hostname, port } = new URL(world.fixture.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    socket.write(text)
    const [head] = (await once(socket, 'data')) as [Buffer]
    return { socket, head: head.toString('latin1') }
  }

  test('opens for whoever may use the Space, and carries frames both ways', async () => {
    await startSpace()
    const { socket, head } = await open(handshake(world.tokens.alice, 'Origin: https://anywhere.test'))
    expect(head).toMatch(/^HTTP\/1\.1 101 /)
    expect(head).toContain(accept)
    expect(head).not.toMatch(/set-cookie/i)
    socket.write('frame')
    expect(((await once(socket, 'data')) as [Buffer])[0].toString()).toBe('frame')
    expect(seen[0]).toContain(`authorization: Bearer ${hfToken}`)
    expect(seen[0]).not.toContain(world.tokens.alice)
    socket.destroy()
    expect(await ending()).toMatchObject({
      resource: { kind: 'space', id: 'acme/demo' },
      http: { status: 101, bytesOut: 5 },
    })
  })

  test('is refused to whoever may not, before anything is opened', async () => {
    await startSpace()
    const { head } = await open(handshake(world.tokens.bob))
    expect(head).toMatch(/^HTTP\/1\.1 403 /)
    expect(seen).toEqual([])
  })

  test('D06 with bytes behind its request is refused, and they go nowhere', async () => {
    await startSpace({}, true)
    const early = await open(
      `${handshake(world.tokens.alice)}GET /secret HTTP/1.1\r\nHost: demo.gw.test\r\n\r\n`,
    )
    expect(early.head).toMatch(/^HTTP\/1\.1 400 /)
    expect(seen).toEqual([])
    const refused = await open(handshake(world.tokens.alice))
    expect(refused.head).toMatch(/^HTTP\/1\.1 502 /)
  })

  test('D07 with a session’s cookie is opened for our own pages alone', async () => {
    const principal = await sessionPrincipal()
    await world.close()
    const sessions = {
      identify: async () => ({
        principal,
        scopes: [],
        signedInAt: 0,
        endsAt: Date.now() + 60_000,
        csrfToken: 'x',
      }),
    }
    await startSpace({ sessions, publicUrl: 'https://demo.gw.test' })
    const cookie = 'Cookie: __Host-hfauth=x'
    expect((await open(handshake(undefined, cookie, 'Origin: https://evil.test'))).head).toMatch(
      /^HTTP\/1\.1 403 /,
    )
    expect((await open(handshake(undefined, cookie))).head).toMatch(/^HTTP\/1\.1 403 /)
    expect(seen).toEqual([])
    const { socket, head } = await open(handshake(undefined, cookie, 'Origin: https://demo.gw.test'))
    expect(head).toMatch(/^HTTP\/1\.1 101 /)
    socket.destroy()
  })

  test('D08 takes no token from its protocols, and passes none on', async () => {
    await startSpace()
    const protocol = `Sec-WebSocket-Protocol: bearer.${world.tokens.alice}, v1`
    expect((await open(handshake(undefined, protocol))).head).toMatch(/^HTTP\/1\.1 401 /)
    const { socket } = await open(handshake(world.tokens.alice, protocol))
    expect(seen[0]).toContain('sec-websocket-protocol: v1\r\n')
    socket.destroy()
    expect(JSON.stringify(world.fixture.events)).not.toContain(world.tokens.alice)
  })

  test('I03 is closed with 4401 when its credential is revoked', async () => {
    const revocations = createRevocations()
    await startSpace({ revocations })
    const { socket } = await open(handshake(world.tokens.alice))
    const frame = once(socket, 'data')
    await revocations[unrecorded]({ by: 'subject', issuer: world.fixture.ci.url, subject: 'alice' })
    const [bytes] = (await frame) as [Buffer]
    expect({ opcode: bytes[0], code: bytes.readUInt16BE(2), reason: bytes.subarray(4).toString() }).toEqual({
      opcode: 0x88,
      code: 4401,
      reason: 'revoked',
    })
    await once(socket.resume(), 'close')
    expect(await ending()).toMatchObject({ error: 'revoked' })
  })

  test('is closed with 4403 when another policy does not allow it', async () => {
    await startSpace()
    const { socket } = await open(handshake(world.tokens.alice))
    const frame = once(socket, 'data')
    const { fixture } = world
    const { issuers } = fixture.policy
    const policy = parsePolicy({
      version: 1,
      name: 'closed',
      issuers: {
        staff: { preset: 'oidc', issuer: issuers.get('staff')?.url ?? '', audience: 'api://models' },
      },
      environments: { production: {} },
      roles: {},
      bindings: [],
    })
    fixture.proxy.use({
      engine: createEngine(policy, { environment: 'production' }),
      verifier: createVerifier({ policy }),
      credentials: forwardCaller(),
    })
    const [bytes] = (await frame) as [Buffer]
    expect([bytes.readUInt16BE(2), bytes.subarray(4).toString()]).toEqual([4403, 'policy_changed'])
    await once(socket.resume(), 'close')
    expect(await ending()).toMatchObject({ error: 'policy_changed' })
  })
})
