/**
 * A read is sent upstream while its decision is being put on record; nothing of it comes back before that is done.
 * See docs/decisions, “Reads go out while their decision is written”.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startCiIssuer } from '@hfauth/testkit'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { AuditSink, RecordedEvent, UpstreamCredentials } from '../src/index.ts'
import type { EarlyProxySettings } from './early-proxy.ts'
import { hfToken, startThreatWorld, type ThreatWorld } from './threat-world.ts'

/** A disk that works when it is told to. */
function createDisk() {
  const waiting: (() => void)[] = []
  const written: RecordedEvent[] = []
  const disk = {
    written,
    isHeld: false,
    isBroken: false,
    /** How many events wait to be on it. */
    get waiting() {
      return waiting.length
    },
    /** Lets go of what waits, which is then written or fails. */
    release() {
      disk.isHeld = false
      for (const go of waiting.splice(0)) go()
    },
    sink: {
      async write(event) {
        if (disk.isHeld) await new Promise<void>((resolve) => waiting.push(resolve))
        if (disk.isBroken) throw new Error('disk full')
        written.push(event)
      },
    } satisfies AuditSink,
  }
  return disk
}

const file = '/acme/open/resolve/main/model.safetensors'

let world: ThreatWorld
let disk: ReturnType<typeof createDisk>
afterEach(async () => {
  disk.isBroken = false
  disk.release()
  await world.close()
})

async function start(options: Parameters<typeof startThreatWorld>[0] = {}): Promise<void> {
  disk = createDisk()
  world = await startThreatWorld({ sink: disk.sink, ...options })
}

/** Sends a request, by default of bob's, and tells what has come back so far. */
function send(method: string, path: string, body = '', token = world.tokens.bob) {
  const { hostname, port } = new URL(world.fixture.url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  const ended = once(socket, 'close')
  const type = path.startsWith('/v1/') ? 'application/json' : 'application/x-ndjson'
  const content = body === '' ? '' : `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n`
  socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: hub.gw.test\r\nAuthorization: Bearer ${token}\r\n${content}Connection: close\r\n\r\n${body}`,
  )
  return {
    socket,
    get received() {
      return text
    },
    async answer() {
      await ended
      return text
    },
  }
}

/** Time for whatever goes on by itself: questions that are not recorded go through the same process and back. */
async function roundTrips(): Promise<void> {
  for (let i = 0; i < 3; i++) expect(await send('GET', '/healthz').answer()).toMatch(/ (?:200|503) /)
}

const untilHeld = () => vi.waitFor(() => expect(disk.waiting).toBe(1))
const open: Parameters<typeof startThreatWorld>[0] = {
  policy: { environments: { production: {} } } as never,
}

describe('a read whose decision is not yet on record', () => {
  test.each(['GET', 'HEAD'])('has been sent, and nothing of its answer is given: %s', async (method) => {
    await start()
    disk.isHeld = true
    const request = send(method, file)
    await vi.waitFor(() => expect(world.arrived.map(({ line }) => line)).toEqual([`${method} ${file}`]))
    await untilHeld()
    await roundTrips()
    expect(request.received).toBe('')
    disk.release()
    expect(await request.answer()).toMatch(/^HTTP\/1\.1 200 /)
    expect(disk.written[0]).toMatchObject({ type: 'io.hfauth.decision', decision: { effect: 'allow' } })
  })

  test.each([
    ['breaks off', (res: { destroy(): void }) => res.destroy()],
    ['is an error', (res: { writeHead(status: number): { end(): void } }) => res.writeHead(500).end()],
  ])('is told nothing either when its upstream %s', async (_, answer) => {
    await start()
    world.answer = (_req, res) => answer(res)
    disk.isHeld = true
    const request = send('GET', file)
    await vi.waitFor(() => expect(world.arrived).toHaveLength(1))
    await untilHeld()
    await roundTrips()
    expect(request.received).toBe('')
    disk.release()
    expect(await request.answer()).toMatch(/^HTTP\/1\.1 502 /)
  })

  test('and never will be is refused as ever, and its answer is broken off', async () => {
    await start()
    const upstreamClosed = new Promise<void>((resolve) => {
      world.answer = (_, res) => {
        res.once('close', resolve)
        res.writeHead(200, { 'content-type': 'application/octet-stream' }).write('secret weights')
      }
    })
    disk.isHeld = true
    disk.isBroken = true
    const request = send('GET', file)
    await vi.waitFor(() => expect(world.arrived).toHaveLength(1))
    await untilHeld()
    disk.release()
    const text = await request.answer()
    expect(text).toMatch(/^HTTP\/1\.1 503 /)
    expect(text).toContain('"reason":"audit_unavailable"')
    expect(text).not.toContain('secret weights')
    await upstreamClosed
    expect(disk.written).toEqual([])
  })

  test('is not waited for by its upstream when the record fails first', async () => {
    await start()
    const upstreamClosed = new Promise<void>((resolve) => {
      world.answer = (_, res) => void res.once('close', resolve)
    })
    disk.isHeld = true
    disk.isBroken = true
    const request = send('GET', file)
    await vi.waitFor(() => expect(world.arrived).toHaveLength(1))
    disk.release()
    expect(await request.answer()).toMatch(/^HTTP\/1\.1 503 /)
    await upstreamClosed
  })

  test('is ended by a client that goes away', async () => {
    await start()
    const upstreamClosed = new Promise<void>((resolve) => {
      world.answer = (_, res) => void res.once('close', resolve)
    })
    disk.isHeld = true
    const request = send('GET', file)
    await vi.waitFor(() => expect(world.arrived).toHaveLength(1))
    request.socket.destroy()
    await upstreamClosed
    disk.release()
    await vi.waitFor(() =>
      expect(disk.written.map(({ type, error }) => ({ type, error }))).toEqual([
        { type: 'io.hfauth.decision' },
        { type: 'io.hfauth.model.load', error: 'client_closed' },
      ]),
    )
  })
})

describe('what waits for its record before it is sent', () => {
  test.each([
    ['a commit', 'POST', '/api/models/acme/open/commit/main', '{}'],
    ['a change of settings', 'PUT', '/api/models/acme/open/settings', '{}'],
    ['a file that is removed', 'DELETE', '/api/models/acme/open/branch/x', ''],
    ['the credential for an upload', 'GET', '/api/models/acme/open/xet-write-token/main', ''],
    ['the question before a push', 'GET', '/acme/open.git/info/refs?service=git-receive-pack', ''],
  ])('%s', async (_, method, path, body) => {
    await start(open)
    disk.isHeld = true
    const request = send(method, path, body)
    await untilHeld()
    await roundTrips()
    expect(world.arrived).toEqual([])
    disk.isBroken = true
    disk.release()
    expect(await request.answer()).toMatch(/^HTTP\/1\.1 503 /)
    expect(world.arrived).toEqual([])
  })

  test('a read, while the last event could not be put on record', async () => {
    await start()
    disk.isBroken = true
    expect(await send('POST', '/api/models/acme/open/commit/main', '{}').answer()).toMatch(/ 503 /)
    disk.isHeld = true
    const request = send('GET', file)
    await untilHeld()
    await roundTrips()
    expect(world.arrived).toEqual([])
    disk.isBroken = false
    disk.release()
    expect(await request.answer()).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('a read for which a way that does not know of it finds the credential', async () => {
    const asked: string[] = []
    const own: UpstreamCredentials = async ({ action }) => {
      asked.push(action)
      return { token: hfToken }
    }
    await start({ credentials: own })
    disk.isHeld = true
    const request = send('GET', file)
    await untilHeld()
    await roundTrips()
    expect([asked, world.arrived]).toEqual([[], []])
    disk.release()
    expect(await request.answer()).toMatch(/^HTTP\/1\.1 200 /)
    expect(asked).toEqual(['read'])
  })

  test('a token that is to be exchanged for a reader', async () => {
    const { exchangeForMember } = await import('../src/index.ts')
    let exchanged = 0
    const forMember = async () => {
      exchanged += 1
      return { token: hfToken, scopes: ['read-repos'], expiresAt: Date.now() / 1000 + 60 }
    }
    await start({ credentials: exchangeForMember({ forMember } as never) })
    const token = await world.tokenOf({
      sub: 'bob',
      groups: ['admins'],
      email: 'bob@acme.dev',
      email_verified: true,
    })
    disk.isHeld = true
    const request = send('GET', file, '', token)
    await untilHeld()
    await roundTrips()
    expect([exchanged, world.arrived]).toEqual([0, []])
    disk.release()
    expect(await request.answer()).toMatch(/^HTTP\/1\.1 200 /)
    expect(exchanged).toBe(1)
  })
})

const proxy = fileURLToPath(new URL('./early-proxy.ts', import.meta.url))

test('a proxy that is killed in the middle of its work has on record every file that a caller has got a byte of', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hfauth-early-'))
  const issuer = await startCiIssuer()
  const hub = createServer((_, res) => void res.end('weights'))
  await once(hub.listen(0, '127.0.0.1'), 'listening')
  await start()
  const token = await issuer.token({ audience: 'api://models', repository: 'acme/vision' })
  const audit = join(folder, 'audit.jsonl')
  const settings: EarlyProxySettings = {
    audit,
    hub: `http://127.0.0.1:${(hub.address() as AddressInfo).port}`,
    issuer: issuer.url,
  }
  const answered: string[] = []
  try {
    for (let life = 0; life < 6; life++) {
      const child = spawn(process.execPath, [proxy, JSON.stringify(settings)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const closed = once(child, 'close')
      const [url] = await once(createInterface({ input: child.stdout }), 'line')
      const work = Array.from({ length: 8 }, async () => {
        for (;;) {
          const response = await fetch(`${url}/acme/vision/resolve/main/model.safetensors`, {
            headers: { authorization: `Bearer ${token}` },
          })
          expect(response.status).toBe(200)
          answered.push(response.headers.get('x-request-id') ?? '')
          await response.text()
        }
      })
      const over = Promise.allSettled(work)
      await vi.waitFor(() => expect(answered.length).toBeGreaterThan(life * 50 + 20), { timeout: 20_000 })
      await sleep(life * 3)
      child.kill('SIGKILL')
      await closed
      for (const one of await over) expect(one).toMatchObject({ reason: { message: 'fetch failed' } })
    }
    const recorded = new Set(
      readFileSync(audit, 'utf8')
        .split('\n')
        .flatMap((line) => /"requestId":"([^"]+)"/.exec(line)?.[1] ?? []),
    )
    expect(answered.filter((id) => !recorded.has(id))).toEqual([])
    expect(answered.length).toBeGreaterThan(200)
  } finally {
    hub.close()
    await issuer.close()
    rmSync(folder, { recursive: true })
  }
}, 120_000)
