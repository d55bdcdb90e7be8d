/** Large files of Git LFS, streamed through: the client gets addresses of the proxy, which are no credential. */
import { afterEach, describe, expect, test } from 'vitest'
import type { FixtureOptions } from './proxy-fixture.ts'
import { hfToken, startThreatWorld, type ThreatWorld } from './threat-world.ts'

let world: ThreatWorld
afterEach(() => world.close())

const oid = 'a'.repeat(64)
const media = 'application/vnd.git-lfs+json'
const signed = 'https://us.aws.cdn.hf.co/x?X-Amz-Signature=SECRET'
const link = `http://hub.gw.test/acme/open.git/info/lfs/objects/${oid}?size=9`

interface Asked {
  readonly url: string
  readonly method: string
  readonly authorization: string | null
  readonly range: string | null
  readonly marker: string | null
  readonly body: unknown
}

const download = (more: object = {}) => ({ oid, size: 9, actions: { download: { href: signed, ...more } } })
const answerOf = (...objects: object[]) => ({ transfer: 'basic', objects, hash_algo: 'sha256' })

/** A Hub that answers batches, and a store that has the file. */
async function start(
  batch: unknown = answerOf(download()),
  options: Partial<FixtureOptions> = {},
): Promise<Asked[]> {
  const asked: Asked[] = []
  world = await startThreatWorld({
    signedUrls: 'through',
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers)
      asked.push({
        url: String(input).replace(/^http:\/\/127\.0\.0\.1:\d+/, 'hub:'),
        method: init?.method ?? 'GET',
        authorization: headers.get('authorization'),
        range: headers.get('range'),
        marker: headers.get('x-amz-marker'),
        body: typeof init?.body === 'string' ? JSON.parse(init.body) : init?.body,
      })
      if (!String(input).includes('/objects/batch')) {
        const part = headers.get('range') === null ? 'all of it' : 'all'
        return new Response(part, { status: headers.get('range') === null ? 200 : 206 })
      }
      if (batch instanceof Response) return batch.clone()
      return new Response(typeof batch === 'string' ? batch : JSON.stringify(batch), {
        headers: { 'content-type': media },
      })
    },
    ...options,
  })
  return asked
}

const send = (url: string, token: string | undefined, init: RequestInit = {}) =>
  world.fixture.proxy.fetch(
    new Request(url, {
      ...init,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...init.headers },
    }),
  )
const askBatch = (operation: 'download' | 'upload', token = world.tokens.alice, more: object = {}) =>
  send('http://hub.gw.test/acme/open.git/info/lfs/objects/batch', token, {
    method: 'POST',
    headers: { 'content-type': media },
    body: JSON.stringify({ operation, transfers: ['xet', 'basic'], objects: [{ oid, size: 9 }], ...more }),
  })
const types = () => world.fixture.events.map(({ type }) => type.replace('io.hfauth.', ''))

describe('a batch of downloads', () => {
  test('is answered with addresses of the proxy, and nothing of the signed ones', async () => {
    const asked = await start(
      answerOf(download({ header: { 'x-amz-marker': 'SECRET' }, expires_at: '2026-11-25T09:00:00Z' })),
    )
    const response = await askBatch('download')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, media])
    const text = await response.text()
    expect(JSON.parse(text)).toEqual(answerOf({ oid, size: 9, actions: { download: { href: link } } }))
    expect(text).not.toContain('SECRET')
    // A way of transfer that leads past the proxy is not even asked for.
    expect(asked[0]?.body).toMatchObject({ operation: 'download', transfers: ['basic'] })
  })

  test('is not a load: nothing has left yet', async () => {
    await start()
    await (await askBatch('download')).text()
    expect(types()).toEqual(['decision'])
  })

  test('tells of files that are not to be had', async () => {
    const gone = { oid, size: 9, error: { code: 404, message: 'gone' } }
    await start(answerOf(gone))
    expect(await (await askBatch('download')).json()).toEqual(answerOf(gone))
  })

  test.each<[string, unknown]>([
    ['is no JSON', 'SECRET'],
    ['is no batch', { message: 'SECRET' }],
    ['is for another way of transfer', { ...answerOf(download()), transfer: 'xet' }],
    ['names no file', answerOf({ size: 9, actions: { download: { href: signed } } })],
    ['has no address', answerOf({ oid, size: 9, actions: {} })],
    ['would have a header that is ours', answerOf(download({ header: { Host: 'SECRET' } }))],
    ['is too long', answerOf(download({ padding: 'x'.repeat(5 * 1024 * 1024) }))],
  ])('whose answer %s is not passed on', async (_, batch) => {
    await start(batch)
    const response = await askBatch('download')
    expect(response.status).toBe(502)
    expect(await response.text()).not.toContain('SECRET')
  })

  test('stays as it is where signed addresses pass', async () => {
    const asked = await start(answerOf(download()), { signedUrls: 'pass' })
    expect(await (await askBatch('download')).json()).toEqual(answerOf(download()))
    expect(asked[0]?.body).toMatchObject({ transfers: ['xet', 'basic'] })
    expect(types()).toEqual(['decision', 'model.load'])
  })
})

test('a batch of uploads stays as it is: its addresses take one content and give none', async () => {
  const upload = { oid, size: 9, actions: { upload: { href: signed } } }
  const asked = await start(answerOf(upload), { environment: 'dev' })
  expect(await (await askBatch('upload', world.tokens.bob)).json()).toEqual(answerOf(upload))
  expect(asked[0]?.body).toMatchObject({ transfers: ['xet', 'basic'] })
})

describe('an address of the proxy', () => {
  test('streams the file to whoever may read it, and is the load that is on record', async () => {
    const asked = await start(answerOf(download({ header: { 'X-Amz-Marker': 'm' } })))
    const response = await send(link, world.tokens.alice)
    expect([response.status, await response.text()]).toEqual([200, 'all of it'])
    expect(asked).toEqual([
      {
        url: 'hub:/acme/open.git/info/lfs/objects/batch',
        method: 'POST',
        authorization: `Bearer ${hfToken}`,
        range: null,
        marker: null,
        body: {
          operation: 'download',
          transfers: ['basic'],
          objects: [{ oid, size: 9 }],
          hash_algo: 'sha256',
        },
      },
      { url: signed, method: 'GET', authorization: null, range: null, marker: 'm', body: undefined },
    ])
    expect(await world.fixture.eventOf('io.hfauth.model.load')).toMatchObject({
      resource: { kind: 'model', id: 'acme/open' },
      http: { route: '/{repo}.git/info/lfs/objects/{x}', status: 200, bytesOut: 9 },
    })
    expect(JSON.stringify(world.fixture.events)).not.toContain('SECRET')
  })

  test('is no credential: whoever may not read gets nothing, and nobody upstream is asked', async () => {
    const asked = await start()
    expect((await send(link, undefined)).status).toBe(401)
    const other = await send(link, world.tokens.ci)
    expect(other.status).toBe(403)
    expect(asked).toEqual([])
    // Git comes with a name and a password, once it is asked to.
    expect((await send(link, undefined)).headers.get('www-authenticate')).toMatch(/Basic/)
    const basic = `Basic ${Buffer.from(`x:${world.tokens.alice}`).toString('base64')}`
    expect((await send(link, undefined, { headers: { authorization: basic } })).status).toBe(200)
  })

  test('gives a part of the file to whoever goes on where they stopped', async () => {
    const asked = await start()
    const response = await send(link, world.tokens.alice, { headers: { range: 'bytes=0-2' } })
    expect([response.status, await response.text(), asked[1]?.range]).toEqual([206, 'all', 'bytes=0-2'])
  })

  test('is not for whoever may read one revision alone: which one a file is of, nobody knows', async () => {
    const policy = {
      roles: {
        'ml-dev': {
          allow: [{ actions: ['read'], on: ['model:acme/open'], when: { 'resource.revision': 'main' } }],
        },
      },
      bindings: [{ roles: ['ml-dev'], to: { issuer: 'staff', group: 'ml-dev' } }],
    } as never
    await start(answerOf(download()), { policy })
    expect((await send(link, world.tokens.alice)).status).toBe(403)
    // Also where the batch claims one: the files that it names can be of any.
    const claimed = await askBatch('download', world.tokens.alice, { ref: { name: 'refs/heads/main' } })
    expect(claimed.status).toBe(403)
  })

  test.each([404, 410, 422])('passes on that the file is not to be had (%i)', async (code) => {
    await start(answerOf({ oid, size: 9, error: { code, message: 'not there' } }))
    const response = await send(link, world.tokens.alice)
    expect([response.status, response.headers.get('content-type')]).toEqual([code, media])
    expect(await response.json()).toMatchObject({ message: 'not there' })
  })

  test('passes on that the Hub refuses', async () => {
    await start(
      new Response('{"message":"no"}', { status: 403, headers: { 'content-type': 'application/json' } }),
    )
    expect((await send(link, world.tokens.alice)).status).toBe(403)
  })

  test.each<[string, unknown]>([
    ['to a store that is not on the list', answerOf(download({ href: 'https://evil.test/x' }))],
    ['without TLS', answerOf(download({ href: 'http://us.aws.cdn.hf.co/x' }))],
    ['to this machine', answerOf(download({ href: 'https://127.0.0.1/x' }))],
    ['for another file', answerOf({ ...download(), oid: 'b'.repeat(64) })],
    ['for several', answerOf(download(), download())],
    ['for none', answerOf()],
  ])('is not followed %s', async (_, batch) => {
    const asked = await start(batch)
    expect((await send(link, world.tokens.alice)).status).toBe(502)
    expect(asked).toHaveLength(1)
  })

  test('is not followed to the Hub itself', async () => {
    const asked: string[] = []
    const hub = () => asked[0]?.replace(/\/acme.*$/, '')
    await start(undefined, {
      fetch: async (input) => {
        asked.push(String(input))
        return new Response(JSON.stringify(answerOf(download({ href: `${hub()}/acme/open/resolve/main/x` }))))
      },
    })
    expect((await send(link, world.tokens.alice)).status).toBe(502)
    expect(asked).toHaveLength(1)
  })

  test.each([
    link.replace(oid, 'b'.repeat(63)),
    link.replace(oid, oid.toUpperCase()),
    link.replace(oid, 'batch'),
    link.replace('?size=9', ''),
    link.replace('size=9', 'size=-1'),
    link.replace('size=9', 'size=1e3'),
    `${link}&href=https://evil.test`,
    `${link}&revision=main`,
  ])('has one form: %s is nothing', async (url) => {
    const asked = await start()
    expect((await send(url, world.tokens.alice)).status).toBe(404)
    expect(asked).toEqual([])
  })

  test('is there only where files are streamed through', async () => {
    const asked = await start(answerOf(download()), { signedUrls: 'pass' })
    expect((await send(link, world.tokens.alice)).status).toBe(404)
    expect(asked).toEqual([])
  })
})
