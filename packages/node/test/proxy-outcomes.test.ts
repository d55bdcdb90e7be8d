/** What is on record of a request that was let through: its beginning where it streams or lasts, and its end. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../src/index.ts'
import type { FixtureOptions } from './proxy-fixture.ts'
import { commit, lines, startThreatWorld, type ThreatWorld } from './threat-world.ts'

let world: ThreatWorld
afterEach(() => world.close())

async function start(options: Partial<FixtureOptions> = {}): Promise<void> {
  world = await startThreatWorld(options)
}

const eventOf = (type: RecordedEvent['type']) => world.fixture.eventOf(type)
const types = () => world.fixture.events.map(({ type }) => type.replace('io.hfauth.', ''))

/** The listener knows its addresses by `Host`, which `fetch` does not let one set. */
const ask = (url: string, token: string, init: RequestInit = {}) =>
  world.fixture.proxy.fetch(
    new Request(`http://${url}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
      duplex: 'half',
    } as RequestInit),
  )
const chat = (body: object = { model: 'acme/chat-small', messages: [] }) =>
  ask('infer.gw.test/v1/chat/completions', world.tokens.alice, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('the beginning', () => {
  test('of an answer in events is on record while it is under way, and its end after it', async () => {
    await start()
    let finish: () => void = () => undefined
    world.answer = (_, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      finish = () => res.end('data: [DONE]\n\n')
    }
    const response = await chat()
    const begun = await eventOf('io.hfauth.stream.started')
    expect(types()).toEqual(['decision', 'stream.started'])
    expect(begun).toMatchObject({
      action: 'infer',
      resource: { kind: 'model', id: 'acme/chat-small' },
      http: { method: 'POST', route: '/v1/chat/completions', status: 200 },
    })
    expect(begun.http).not.toHaveProperty('bytesOut')
    finish()
    await response.text()
    const ended = await eventOf('io.hfauth.inference.completed')
    expect(ended.requestId).toBe(begun.requestId)
    expect(types()).toEqual(['decision', 'stream.started', 'inference.completed'])
  })

  test('of a Git pack is on record before the upstream answers', async () => {
    await start()
    let finish: () => void = () => undefined
    world.answer = (_, res) => {
      finish = () => res.end('0008NAK\n')
    }
    const asked = ask('hub.gw.test/acme/open.git/git-upload-pack', world.tokens.alice, {
      method: 'POST',
      headers: { 'content-type': 'application/x-git-upload-pack-request' },
      body: '0000',
    })
    await eventOf('io.hfauth.stream.started')
    await expect.poll(() => world.arrived.length).toBe(1)
    expect(types()).toEqual(['decision', 'stream.started'])
    finish()
    await (await asked).text()
    expect(await eventOf('io.hfauth.model.load')).toMatchObject({ http: { bytesIn: 4, bytesOut: 8 } })
  })

  test('of whatever lasts longer than the bound is on record: a download', async () => {
    await start({ limits: { longAfterMs: 30 } })
    let finish: () => void = () => undefined
    world.answer = (_, res) => {
      res.writeHead(200, { 'content-length': '3' }).flushHeaders()
      finish = () => res.end('end')
    }
    const response = await ask('hub.gw.test/acme/open/resolve/main/model.bin', world.tokens.alice)
    expect(await eventOf('io.hfauth.stream.started')).toMatchObject({ http: { status: 200 } })
    finish()
    await response.text()
    expect(await eventOf('io.hfauth.model.load')).toMatchObject({ http: { bytesOut: 3 } })
  })

  test('of whatever lasts longer than the bound is on record: an upload', async () => {
    await start({ environment: 'dev', limits: { longAfterMs: 30 } })
    let finish: () => void = () => undefined
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from('first'))
        finish = () => {
          controller.enqueue(Buffer.from('last'))
          controller.close()
        }
      },
    })
    const asked = ask('hub.gw.test/api/models/acme/open/commit/main', world.tokens.bob, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    })
    const begun = await eventOf('io.hfauth.stream.started')
    expect(begun.http).not.toHaveProperty('status')
    finish()
    await (await asked).text()
    expect(await eventOf('io.hfauth.repo.write')).toMatchObject({
      requestId: begun.requestId,
      http: { status: 200, bytesIn: 9, bytesOut: 2 },
    })
  })

  test('of what is over soon is not', async () => {
    await start()
    await (await ask('hub.gw.test/acme/open/resolve/main/config.json', world.tokens.alice)).text()
    await eventOf('io.hfauth.model.load')
    expect(types()).toEqual(['decision', 'model.load'])
  })

  test('of what is refused for being one too many is not', async () => {
    await start({ limits: { requestsPerCaller: 1 } })
    let finish: () => void = () => undefined
    world.answer = (_, res) => {
      finish = () => res.end('0008NAK\n')
    }
    const fetchPack = () =>
      ask('hub.gw.test/acme/open.git/git-upload-pack', world.tokens.alice, {
        method: 'POST',
        headers: { 'content-type': 'application/x-git-upload-pack-request' },
        body: '0000',
      })
    const first = fetchPack()
    await expect.poll(() => world.arrived.length).toBe(1)
    expect((await fetchPack()).status).toBe(429)
    finish()
    await (await first).text()
    await eventOf('io.hfauth.model.load')
    expect(types().filter((type) => type === 'stream.started')).toHaveLength(1)
  })

  test('has an end also where a short request of its kind has none', async () => {
    await start()
    world.answer = (_, res) =>
      void res.writeHead(200, { 'content-type': 'text/event-stream' }).end(': hi\n\n')
    await (await ask('hub.gw.test/api/models/acme/open', world.tokens.alice)).text()
    const ended = await eventOf('io.hfauth.stream.ended')
    expect(ended).toMatchObject({ action: 'read', http: { status: 200, bytesOut: 6 } })
    world.reset()
    await (await ask('hub.gw.test/api/models/acme/open', world.tokens.alice)).text()
    expect(types()).toEqual(['decision', 'stream.started', 'stream.ended', 'decision'])
  })

  test('that came to no answer has an end that says why', async () => {
    await start()
    world.answer = (_, res) => void res.destroy()
    const response = await ask('hub.gw.test/acme/open.git/git-upload-pack', world.tokens.alice, {
      method: 'POST',
      headers: { 'content-type': 'application/x-git-upload-pack-request' },
      body: '0000',
    })
    expect(response.status).toBe(502)
    expect(await eventOf('io.hfauth.model.load')).toMatchObject({ error: 'upstream_unavailable' })
    expect(types()).toEqual(['decision', 'stream.started', 'model.load'])
  })
})

describe('the end', () => {
  test('of a load names the model, and the commit that the Hub answered from', async () => {
    await start()
    world.answer = (_, res) => void res.writeHead(200, { 'x-repo-commit': commit.toUpperCase() }).end('{}')
    await (await ask('hub.gw.test/acme/open/resolve/main/config.json', world.tokens.alice)).text()
    expect(await eventOf('io.hfauth.model.load')).toMatchObject({
      resource: { kind: 'model', id: 'acme/open', revision: 'main', commit, path: 'config.json' },
      model: { id: 'acme/open' },
      http: { status: 200, bytesOut: 2 },
      durationMs: expect.any(Number),
    })
  })

  test('of a load keeps the commit that the Hub named when the file itself lies elsewhere', async () => {
    await start({ signedUrls: 'pass' })
    world.answer = (_, res) => {
      const location = 'https://cdn-lfs.hf.co/x?Signature=s'
      res.writeHead(302, { location, 'x-repo-commit': commit }).end()
    }
    await ask('hub.gw.test/acme/open/resolve/main/model.bin', world.tokens.alice)
    expect(await eventOf('io.hfauth.model.load')).toMatchObject({
      resource: { revision: 'main', commit },
      http: { status: 302, bytesOut: 0 },
    })
  })

  test.each(['main', 'x'.repeat(40), `${commit}0`])('takes no commit that is none: %s', async (answered) => {
    await start()
    world.answer = (_, res) => void res.writeHead(200, { 'x-repo-commit': answered }).end('{}')
    await (await ask('hub.gw.test/acme/open/resolve/main/config.json', world.tokens.alice)).text()
    expect((await eventOf('io.hfauth.model.load')).resource).not.toHaveProperty('commit')
  })

  test('of a dataset’s load names no model', async () => {
    await start()
    await (await ask('hub.gw.test/datasets/acme/data/resolve/main/a.csv', world.tokens.alice)).text()
    expect(await eventOf('io.hfauth.model.load')).not.toHaveProperty('model')
  })

  test('of a question to a model has its bytes both ways, the model, and who ran it', async () => {
    await start()
    world.answer = (_, res) => void res.writeHead(200, { 'x-inference-provider': 'together' }).end('{"a":1}')
    const body = { model: 'acme/chat-small', messages: [] }
    await (await chat(body)).text()
    expect(await eventOf('io.hfauth.inference.completed')).toMatchObject({
      model: { id: 'acme/chat-small', provider: 'together' },
      http: { status: 200, bytesIn: JSON.stringify(body).length, bytesOut: 7 },
    })
  })

  test('of a question names the provider that was asked for where the answer names none', async () => {
    await start()
    await (await chat({ model: 'acme/chat-small:together', messages: [] })).text()
    expect(await eventOf('io.hfauth.inference.completed')).toMatchObject({ model: { provider: 'together' } })
  })

  test('of a request without a body says nothing of one', async () => {
    await start()
    await (await ask('hub.gw.test/acme/open/resolve/main/config.json', world.tokens.alice)).text()
    expect((await eventOf('io.hfauth.model.load')).http).not.toHaveProperty('bytesIn')
  })

  test('of an upload over the wire counts what came in', async () => {
    await start({ environment: 'dev' })
    const body = 'x'.repeat(70_000)
    const reply = await world.send(
      lines(
        'POST /api/models/acme/open/commit/main HTTP/1.1',
        'Host: hub.gw.test',
        'Authorization: Bearer <bob>',
        'Content-Type: application/x-ndjson',
        'Content-Length: …',
        '',
        body,
      ),
    )
    expect(reply.statuses[0]).toBe(200)
    expect(await eventOf('io.hfauth.repo.write')).toMatchObject({ http: { bytesIn: 70_000, bytesOut: 2 } })
  })
})

describe('a WebSocket', () => {
  test('has its beginning on record, and at its end the bytes both ways', async () => {
    const space = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
        socket.on('data', () => socket.write('answer'))
      })
    })
    await once(space.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(space.address() as AddressInfo).port}`
    await start({ hosts: { 'demo.gw.test': { space: 'acme/demo', url } } })
    const { hostname, port } = new URL(world.fixture.url)
    const socket: Socket = connect(Number(port), hostname)
    socket.write(
      lines(
        'GET /queue/join HTTP/1.1',
        'Host: demo.gw.test',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version: 13',
        `Authorization: Bearer ${world.tokens.alice}`,
        '',
        '',
      ),
    )
    await once(socket, 'data')
    expect(await eventOf('io.hfauth.stream.started')).toMatchObject({
      resource: { kind: 'space', id: 'acme/demo' },
      http: { status: 101 },
    })
    socket.write('ask')
    await once(socket, 'data')
    socket.destroy()
    expect(await eventOf('io.hfauth.inference.completed')).toMatchObject({
      http: { status: 101, bytesIn: 3, bytesOut: 6 },
    })
    await new Promise((resolve) => space.close(resolve))
  })
})
