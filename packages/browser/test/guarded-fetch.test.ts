/** Checklist section 4: using the access token. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { accessToken } from './support/fake-provider.ts'
import { createHarness, type Harness, origin, refusalOf } from './support/harness.ts'

const api = 'https://api.example.com'

/** A harness whose provider is the fake one and whose APIs write down what reaches them. */
async function signedIn(apiOrigins?: readonly string[]): Promise<Harness & { sent: Request[] }> {
  const sent: Request[] = []
  const harness: Harness = createHarness({
    ...(apiOrigins && { apiOrigins }),
    fetch: async (input, init) => {
      if (!(input instanceof Request)) return harness.provider.fetch(input, init)
      sent.push(input)
      return new Response('ok')
    },
  })
  // Without a refresh token, so that expiry is the end: renewal.test.ts has the other case.
  harness.provider.tokens = { refresh_token: undefined }
  await harness.signIn()
  return { ...harness, sent }
}

describe('an origin on the list', () => {
  test.each([
    ['text', `${api}/v1`],
    ['text in upper case', 'HTTPS://API.EXAMPLE.COM/v1'],
    ['text with the default port', 'https://api.example.com:443/v1'],
    ['a URL', new URL(`${api}/v1`)],
    ['a Request', new Request(`${api}/v1`)],
  ])('receives the token in the header alone, asked by %s (D1, D2)', async (_, input) => {
    const { auth, sent } = await signedIn([api])
    const response = await auth.fetch(input)
    expect(await response.text()).toBe('ok')
    expect(sent).toHaveLength(1)
    expect(sent[0]?.url).toBe(`${api}/v1`)
    expect(sent[0]?.headers.get('authorization')).toBe(`Bearer ${accessToken}`)
  })

  test('receives method, headers and body as given, the token in place of another', async () => {
    const { auth, sent } = await signedIn([api])
    const headers = { 'x-trace': '1', Authorization: 'Bearer mine' }
    await auth.fetch(api, { method: 'POST', headers, body: '{"a":1}', keepalive: true })
    expect(sent[0]?.method).toBe('POST')
    expect(sent[0]?.headers.get('x-trace')).toBe('1')
    expect(sent[0]?.headers.get('authorization')).toBe(`Bearer ${accessToken}`)
    expect(await sent[0]?.text()).toBe('{"a":1}')
    expect(sent[0]?.keepalive).toBe(true)
  })

  test('gets the caller its signal (D11)', async () => {
    const { auth, sent } = await signedIn([api])
    const controller = new AbortController()
    await auth.fetch(api, { signal: controller.signal })
    controller.abort()
    expect(sent[0]?.signal.aborted).toBe(true)
  })
})

describe('an origin that is not on the list', () => {
  test.each([
    'https://api.example.com.evil.test/',
    'https://api.example.com@evil.test/',
    'https://evil.test/https://api.example.com',
    'https://evil.test/?https://api.example.com/',
    '//evil.test/',
    'https://api.example.com:444/',
    'http://api.example.com/',
    'https://sub.api.example.com/',
    'https://example.com/',
    'https://api.example.com./',
    'https://api.exаmple.com/', // A Cyrillic letter in the middle.
    'https://xn--api-example-com/',
    'blob:https://api.example.com/1',
    'data:text/plain,x',
    'wss://api.example.com/',
    'javascript:0',
    'https://',
    '/v1',
  ])('%s gets nothing at all (D2)', async (address) => {
    const { auth, sent } = await signedIn([api])
    const error = await refusalOf(auth.fetch(address), 'HFAUTH_ORIGIN_REFUSED')
    expect(sent).toEqual([])
    expect(error.message).not.toContain(accessToken)
  })

  test('gets nothing through a Request either (D2)', async () => {
    const { auth, sent } = await signedIn([api])
    await refusalOf(auth.fetch(new Request('https://evil.test/')), 'HFAUTH_ORIGIN_REFUSED')
    expect(sent).toEqual([])
  })
})

describe('without a list', () => {
  test('only the page itself receives the token (D3)', async () => {
    const { auth, sent } = await signedIn()
    await auth.fetch('/v1?x=1')
    await auth.fetch(`${origin}/v2`)
    expect(sent.map(({ url }) => url)).toEqual([`${origin}/v1?x=1`, `${origin}/v2`])
    await refusalOf(auth.fetch(api), 'HFAUTH_ORIGIN_REFUSED')
    await refusalOf(auth.fetch('//evil.test/'), 'HFAUTH_ORIGIN_REFUSED')
  })

  test('an empty list means nobody (D3)', async () => {
    const { auth } = await signedIn([])
    await refusalOf(auth.fetch('/v1'), 'HFAUTH_ORIGIN_REFUSED')
  })

  test('an address is resolved against the base of the document, and checked as resolved (D2)', async () => {
    const { auth, page, sent } = await signedIn()
    Object.assign(page, { document: { baseURI: 'https://evil.test/base/' } })
    await refusalOf(auth.fetch('v1'), 'HFAUTH_ORIGIN_REFUSED')
    Object.assign(page, { document: { baseURI: `${origin}/base/` } })
    await auth.fetch('v1')
    expect(sent[0]?.url).toBe(`${origin}/base/v1`)
  })
})

describe('a session that is over', () => {
  test('sends nothing (D2, G2)', async () => {
    const { auth, clock, sent } = await signedIn([api])
    clock.now += 28_800_000
    await refusalOf(auth.fetch(api), 'HFAUTH_SIGNED_OUT')
    expect(sent).toEqual([])
  })

  test('or never began sends nothing', async () => {
    const { auth } = createHarness({ apiOrigins: [api] })
    await refusalOf(auth.fetch(api), 'HFAUTH_SIGNED_OUT')
  })

  test('is not what a 401 or a 403 means (D8)', async () => {
    for (const status of [401, 403]) {
      const harness: Harness = createHarness({
        apiOrigins: [api],
        fetch: async (input, init) =>
          input instanceof Request ? new Response(null, { status }) : harness.provider.fetch(input, init),
      })
      await harness.signIn()
      expect((await harness.auth.fetch(api)).status).toBe(status)
      expect(harness.auth.getSnapshot().status).toBe('signed-in')
    }
  })
})

describe('over a real connection', () => {
  const servers: Server[] = []
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
  })

  async function listen(answer: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
    const server = createServer(answer)
    servers.push(server)
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async function signedInTo(apiOrigin: string): Promise<Harness> {
    const harness: Harness = createHarness({
      apiOrigins: [apiOrigin],
      allowLoopbackHttp: true,
      fetch: (input, init) =>
        input instanceof Request ? globalThis.fetch(input, init) : harness.provider.fetch(input, init),
    })
    await harness.signIn()
    return harness
  }

  test('a redirect to another origin does not carry the token (D4)', async () => {
    const seen: (string | undefined)[] = []
    const other = await listen((req, res) => {
      seen.push(req.headers.authorization)
      res.end('elsewhere')
    })
    const own = await listen((req, res) => {
      seen.push(req.headers.authorization)
      res.writeHead(302, { location: req.url === '/there' ? `${other}/` : '/there' }).end()
    })
    const { auth } = await signedInTo(own)
    const response = await auth.fetch(`${own}/here`)
    expect(await response.text()).toBe('elsewhere')
    expect(seen).toEqual([`Bearer ${accessToken}`, `Bearer ${accessToken}`, undefined])
  })

  test('an answer streams through before it is complete', async () => {
    let finish = () => {}
    const own = await listen((_, res) => {
      res.write('first')
      finish = () => void res.end('last')
    })
    const { auth } = await signedInTo(own)
    const response = await auth.fetch(own)
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toBe('first')
    finish()
    expect((await reader?.read())?.value).toBe('last')
  })
})
