/** The proxy in operation: health, draining, TLS, another policy under way, pages of other origins, limits, dry runs. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, definePolicy, parsePolicy } from '@hfauth/core'
import { afterEach, describe, expect, test } from 'vitest'
import { createLimiter, createVerifier, forwardCaller, serviceToken } from '../src/index.ts'
import { needsProgram } from './needs-program.ts'
import { effectsOf, type Fixture, type FixtureOptions, startFixture } from './proxy-fixture.ts'

let it: Fixture
afterEach(() => it.close())

const info = '/api/models/acme/vision-small'
const secretInfo = '/api/models/other/model'

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const get = (path: string, token?: string) => fetch(it.url + path, token === undefined ? {} : bearer(token))
const statusOf = async (path: string) => (await get(path)).status

/** An upstream whose answers end when the test says so. */
function slowUpstream() {
  const streams: ReadableStreamDefaultController<Uint8Array>[] = []
  const upstream: typeof fetch = async (input, init) => {
    if (!String(input).includes('/v1/chat/')) return fetch(input, init)
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('data: first\n\n'))
        streams.push(controller)
        init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason))
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
  return {
    fetch: upstream,
    end() {
      for (const stream of streams) {
        stream.enqueue(new TextEncoder().encode('data: last\n\n'))
        stream.close()
      }
    },
  }
}

const chat = async (username = 'ana') =>
  fetch(`${it.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await it.tokenOf(username)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'acme/text-chat', messages: [], stream: true }),
  })

describe('an event stream that is silent', () => {
  const since = Date.parse('2026-06-01T12:00:00Z')
  const silent = { name: 'silent', reason: 'unanswered', silentSince: since, failure: 'not for everybody' }
  const warning = {
    code: 'stream_silent',
    stream: 'google',
    reason: 'unanswered',
    since: '2026-06-01T12:00:00.000Z',
  }
  const streams = {
    google: { health: () => silent },
    okta: { health: () => ({ name: 'live' }) },
    corp: { health: () => ({ name: 'starting' }) },
  }
  const ready = async () => {
    const answer = await get('/readyz')
    return [answer.status, await answer.json()]
  }

  test('is a warning of /readyz, which stays ready', async () => {
    it = await startFixture({ streams })
    expect(await ready()).toEqual([200, { status: 'ok', warnings: [warning] }])
    expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' })
  })

  test('takes the replica away where that is wanted, until it is heard again', async () => {
    let health: object = silent
    it = await startFixture({
      streams: { google: { health: () => health as typeof silent } },
      whenStreamSilent: 'unready',
    })
    expect(await ready()).toEqual([503, { status: 'stream_silent', warnings: [warning] }])
    expect(await statusOf('/healthz')).toBe(200)
    expect((await get(info, await it.tokenOf('ben'))).status).toBe(200)
    health = { name: 'live' }
    expect(await ready()).toEqual([200, { status: 'ok' }])
  })

  test('does not hide that the proxy is going away', async () => {
    it = await startFixture({ streams })
    const drained = it.listening.drain({ noticeMs: 500 })
    expect(await ready()).toEqual([503, { status: 'draining' }])
    await drained
  })
})

describe('draining', () => {
  test('says no to /readyz and yes to /healthz, while it still answers', async () => {
    it = await startFixture()
    expect([await statusOf('/readyz'), await statusOf('/healthz')]).toEqual([200, 200])
    const drained = it.listening.drain({ noticeMs: 500 })
    const ready = await get('/readyz')
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining' }])
    expect(await statusOf('/healthz')).toBe(200)
    expect((await get(info, await it.tokenOf('ben'))).status).toBe(200)
    expect(await drained).toEqual({ cut: 0 })
    await expect(get('/healthz')).rejects.toThrow()
  })

  test('lets a stream that is under way finish', async () => {
    const upstream = slowUpstream()
    it = await startFixture({ fetch: upstream.fetch })
    const response = await chat()
    const drained = it.listening.drain()
    await expect(get('/healthz')).rejects.toThrow()
    upstream.end()
    expect(await response.text()).toBe('data: first\n\ndata: last\n\n')
    expect(await drained).toEqual({ cut: 0 })
  })

  test('cuts what has not finished when its time is over, and says how much', async () => {
    it = await startFixture({ fetch: slowUpstream().fetch })
    const response = await chat()
    expect(await it.listening.drain({ timeoutMs: 50 })).toEqual({ cut: 1 })
    await expect(response.text()).rejects.toThrow()
  })
})

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hfauth-tls-'))
  const certificate = (name: string) => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', `/CN=${name}`, '-days', '2', '-nodes', '-newkey', 'ec']
    const curve = ['-pkeyopt', 'ec_paramgen_curve:prime256v1']
    execFileSync('openssl', ['req', '-x509', ...subject, ...curve, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  }
  const ask = (url: string) =>
    new Promise<{ status: number | undefined; name: unknown; protocol: string | null }>((resolve, reject) => {
      const options = { rejectUnauthorized: false, agent: false as const }
      request(`${url}/healthz`, options, (res) => {
        res.resume()
        const socket = res.socket as import('node:tls').TLSSocket
        const name = socket.getPeerCertificate().subject.CN
        resolve({ status: res.statusCode, name, protocol: socket.getProtocol() })
      })
        .on('error', reject)
        .end()
    })

  needsProgram('openssl', 'version')(
    'is served with the certificate, and with another one once it is renewed',
    async () => {
      it = await startFixture()
      const secure = await it.proxy.listen({ port: 0, tls: certificate('one.test') })
      expect(secure.url).toMatch(/^https:/)
      expect(await ask(secure.url)).toEqual({ status: 200, name: 'one.test', protocol: 'TLSv1.3' })
      secure.renewTls(certificate('two.test'))
      expect(await ask(secure.url)).toMatchObject({ status: 200, name: 'two.test' })
      await secure.close()
      rmSync(folder, { recursive: true, force: true })
    },
  )
})

describe('another policy', () => {
  const nobodyMay = (hubUrl: string, environment = 'development') => {
    const policy = parsePolicy(
      definePolicy({
        version: 1,
        name: 'closed',
        issuers: { hf: { preset: 'huggingface', issuer: hubUrl, audience: 'nobody' } },
        environments: { [environment]: {} },
        roles: {},
        bindings: [],
      }),
    )
    const verifier = createVerifier({ policy })
    return { engine: createEngine(policy, { environment }), verifier, credentials: forwardCaller() }
  }

  test('takes over without a request being dropped', async () => {
    it = await startFixture()
    const token = await it.tokenOf('ben')
    const before = it.proxy
    const statuses: number[] = []
    const parts = nobodyMay(it.hub.url)
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        if (i === 20) before.use(parts)
        const response = await get(info, token)
        statuses.push(response.status)
        await response.arrayBuffer()
      }),
    )
    expect(statuses).toHaveLength(40)
    expect(statuses.filter((status) => status >= 500)).toEqual([])
  })
})

describe('pages of other origins', () => {
  const page = 'https://app.acme.test'
  const preflight = (origin: string) =>
    fetch(it.url + info, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    })

  test('on the list may call with a token, and read the answer', async () => {
    it = await startFixture({ corsOrigins: [page] })
    const { headers, status } = await preflight(page)
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, page])
    expect(headers.get('access-control-allow-headers')).toBe('authorization')
    expect(headers.get('access-control-allow-credentials')).toBeNull()
    expect(headers.get('vary')).toContain('Origin')
    const token = await it.tokenOf('ben')
    const answer = await fetch(it.url + info, { headers: { authorization: `Bearer ${token}`, origin: page } })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, page])
    const refused = await fetch(it.url + secretInfo, { headers: { origin: page } })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, page])
  })

  test.each(['https://evil.test', 'https://app.acme.test.evil.test', 'null', 'http://app.acme.test'])(
    '%s is told nothing',
    async (origin) => {
      it = await startFixture({ corsOrigins: [page] })
      const { headers } = await preflight(origin)
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    },
  )

  test('have no way in by default', async () => {
    it = await startFixture()
    expect((await preflight(page)).headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('limits', () => {
  const limited = (more: FixtureOptions = {}) =>
    startFixture({
      limiter: createLimiter({ rules: [{ name: 'calls', per: 'principal', limit: 2, windowSeconds: 600 }] }),
      ...more,
    })

  test('a caller above the limit is told when to come back, nothing goes upstream, and it is on record', async () => {
    it = await limited()
    const token = await it.tokenOf('ben')
    for (let i = 0; i < 2; i++) expect((await get(info, token)).status).toBe(200)
    const before = effectsOf(it.hub).length
    const refused = await get(info, token)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(250)
    expect(refused.headers.get('ratelimit')).toMatch(/^"calls";r=0;t=\d+$/)
    expect(refused.headers.get('ratelimit-policy')).toBe('"calls";q=2;w=600')
    expect(effectsOf(it.hub)).toHaveLength(before)
    expect(it.events.at(-1)?.decision).toMatchObject({ effect: 'deny', reason: 'limit_reached' })
    expect((await get(info, await it.tokenOf('ana'))).status).toBe(200)
  })

  test('what is denied counts as well', async () => {
    it = await limited()
    const token = await it.tokenOf('ben')
    const statuses = [await get(secretInfo, token), await get(secretInfo, token), await get(info, token)]
    expect(statuses.map(({ status }) => status)).toEqual([403, 403, 429])
  })

  test('L01 an address is counted before a token is looked at, so that guessing is not free', async () => {
    it = await limited({
      limiter: createLimiter({
        rules: [{ name: 'arrivals', per: 'address', limit: 3, windowSeconds: 600 }],
      }),
      trustedProxies: ['127.0.0.1'],
    })
    const from = async (ip: string, token: string) => {
      const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': ip }
      const response = await fetch(it.url + info, { headers })
      await response.text()
      return response.status
    }
    for (let i = 0; i < 3; i++) expect(await from('192.0.2.1', `guess-${i}`)).toBe(401)
    const token = await it.tokenOf('ben')
    const asked = it.hub.requests.length
    expect(await from('192.0.2.1', token)).toBe(429)
    expect(it.hub.requests.length).toBe(asked)
    expect(it.events.at(-1)).toMatchObject({
      decision: { effect: 'deny', reason: 'limit_reached' },
      client: { ip: '192.0.2.1' },
    })
    expect(await from('192.0.2.2', token)).toBe(200)
  })

  test('health is nobody’s to use up', async () => {
    it = await limited()
    for (let i = 0; i < 5; i++) expect(await statusOf('/healthz')).toBe(200)
  })

  test('a store that fails refuses, with a 503', async () => {
    const store = { take: () => Promise.reject(new Error('down')) }
    it = await limited({
      limiter: createLimiter({
        rules: [{ name: 'calls', per: 'principal', limit: 2, windowSeconds: 600 }],
        store,
      }),
    })
    const refused = await get(info, await it.tokenOf('ben'))
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ reason: 'store_unavailable' })
  })
})

describe('a dry run', () => {
  test('lets through what the policy refuses, and records what would have been', async () => {
    it = await startFixture({ mode: 'dry-run' })
    expect((await get(info, await it.tokenOf('ben'))).status).toBe(200)
    const dan = await get(info, await it.tokenOf('dan'))
    expect(dan.status).toBe(200)
    const decisions = it.events.flatMap(({ decision }) => (decision === undefined ? [] : [decision]))
    expect(decisions.map(({ effect, enforced }) => [effect, enforced])).toEqual([
      ['allow', undefined],
      ['deny', false],
    ])
    expect(effectsOf(it.hub)).toContain(`GET ${info}`)
  })

  test('gives nobody a credential that is not theirs', async () => {
    it = await startFixture({ mode: 'dry-run', credentials: serviceToken(() => 'hf_service') })
    const token = await it.tokenOf('dan')
    await get(info, token)
    const sent = it.hub.requests
      .filter(({ path }) => path === info)
      .map(({ headers }) => headers.authorization)
    expect(sent.at(-1)).toBe(`Bearer ${token}`)
    await get('/api/models/acme/vision-large')
    expect(it.hub.requests.at(-1)?.headers.authorization).toBeUndefined()
  })

  test('leaves lists whole', async () => {
    it = await startFixture({ mode: 'dry-run' })
    const names = async (response: Response) =>
      ((await response.json()) as { id: string }[]).map(({ id }) => id)
    const token = await it.tokenOf('ana')
    const direct = await fetch(`${it.hub.url}/api/models?author=acme`, bearer(token))
    expect(await names(await get('/api/models?author=acme', token))).toEqual(await names(direct))
  })

  test('checks tokens all the same', async () => {
    it = await startFixture({ mode: 'dry-run' })
    expect((await get(info, 'hf_oauth_forged')).status).toBe(401)
  })

  test('lets through what a limit refuses, and records that', async () => {
    const rules = [{ name: 'calls', per: 'principal' as const, limit: 1, windowSeconds: 600 }]
    it = await startFixture({ mode: 'dry-run', limiter: createLimiter({ rules }) })
    const token = await it.tokenOf('ben')
    expect([(await get(info, token)).status, (await get(info, token)).status]).toEqual([200, 200])
    expect(it.events.map(({ decision }) => [decision?.reason, decision?.enforced])).toContainEqual([
      'limit_reached',
      false,
    ])
  })
})
