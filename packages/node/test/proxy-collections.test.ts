/** What collections hold: to each reader what they may read, in every answer that tells of a collection. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startThreatWorld, type ThreatWorld } from './threat-world.ts'

const policy = {
  roles: {
    admins: {
      allow: [{ actions: ['read', 'write', 'create', 'delete'], on: ['model:acme/**', 'collection:acme/*'] }],
    },
    'ml-dev': {
      allow: [
        { actions: ['read'], on: ['model:acme/open', 'dataset:acme/data', 'collection:acme/*'] },
        { actions: ['read'], on: ['model:other/*'], when: { 'resource.tags': { $contains: 'shared' } } },
      ],
    },
    release: { allow: [] },
  },
}

let world: ThreatWorld
beforeAll(async () => {
  world = await startThreatWorld({ environment: 'dev', policy })
})
afterAll(() => world.close())
beforeEach(() => world.reset())

const item = (type: string, id: string) => ({ _id: `1-${id}`, type, id, position: 0, note: { text: 'n' } })
const all = [
  item('model', 'acme/open'),
  item('model', 'acme/secret'),
  item('dataset', 'acme/data'),
  item('dataset', 'acme/secret-data'),
  item('space', 'acme/demo'),
  item('collection', 'acme/other-1'),
  item('collection', 'evil/other-1'),
  item('paper', '2401.00001'),
  item('model', 'other/shared'),
  item('model', 'other/kept'),
  { type: 'model' },
  { id: 'acme/open' },
  'acme/open',
]
const collection = { slug: 'acme/best-65f0', title: 'Best', items: all }

/** The Hub: answers with `value`, and describes repositories to whoever asks. */
function holds(value: unknown, { status = 200, type = 'application/json; charset=utf-8' } = {}): void {
  world.answer = (req, res) => {
    const id = /^\/api\/models\/(.+)$/.exec(req.url ?? '')?.[1]
    const described = { id, private: false, gated: false, tags: id === 'other/shared' ? ['shared'] : [] }
    res.writeHead(status, { 'content-type': type, etag: '"all"', 'x-total-count': '13' })
    res.end(typeof value === 'string' ? value : JSON.stringify(id === undefined ? value : described))
  }
}

async function ask(line: string, who: 'alice' | 'bob', headers: Record<string, string> = {}, body?: object) {
  const [method = '', path = ''] = line.split(' ')
  const response = await world.fixture.proxy.fetch(
    new Request(`http://hub.gw.test${path}`, {
      method,
      headers: { authorization: `Bearer ${world.tokens[who]}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  )
  const text = await response.text()
  return { status: response.status, headers: response.headers, text }
}
const namesIn = (text: string) =>
  (JSON.parse(text) as typeof collection).items.map((entry) => (typeof entry === 'string' ? entry : entry.id))
const hers = ['acme/open', 'acme/data', 'acme/other-1', 'other/shared']
const his = ['acme/open', 'acme/secret', 'acme/other-1']
const path = '/api/collections/acme/best-65f0'

describe('a collection', () => {
  test('shows to each what they may read of it, and all else of the collection itself', async () => {
    holds(collection)
    const shown = await ask(`GET ${path}`, 'alice')
    expect(namesIn(shown.text)).toEqual(hers)
    expect(JSON.parse(shown.text)).toMatchObject({ slug: 'acme/best-65f0', title: 'Best' })
    expect(shown.text).not.toMatch(/secret|kept|demo|paper/)
    expect(namesIn((await ask(`GET ${path}`, 'bob')).text)).toEqual(his)
  })

  test('is asked for whole, and its tag of all that is in it stays here', async () => {
    holds(collection)
    const headers = { 'if-none-match': '"all"', range: 'bytes=0-9' }
    const shown = await ask(`GET ${path}`, 'alice', headers)
    const sent = world.arrived.find(({ line }) => line === `GET ${path}`)?.rawHeaders ?? []
    expect(sent.join('\n')).not.toMatch(/if-none-match|range/i)
    for (const name of ['etag', 'x-total-count']) expect(shown.headers.get(name)).toBeNull()
    expect(Number(shown.headers.get('content-length'))).toBe(Buffer.byteLength(shown.text))
  })

  test.each([
    ['no JSON', '<html>', { type: 'text/html' }],
    ['broken JSON', '{"items":[', {}],
    ['a part of it', '{"items":[', { status: 206 }],
  ])('that comes as %s is not passed on', async (_, text, how) => {
    holds(text, how)
    expect(await ask(`GET ${path}`, 'alice')).toMatchObject({ status: 502 })
  })

  test('that is not there is not, in the Hub’s own words', async () => {
    holds('{"error":"Collection not found"}', { status: 404 })
    expect(await ask(`GET ${path}`, 'alice')).toMatchObject({
      status: 404,
      text: expect.stringMatching(/found/),
    })
  })
})

describe('an answer to a change', () => {
  const json = { 'content-type': 'application/json' }

  test('is cut as well: whole, under `data`, and with the status that it has', async () => {
    holds(collection, { status: 201 })
    const made = await ask('POST /api/collections', 'bob', json, { namespace: 'acme', title: 'x' })
    expect(made.status).toBe(403)
    const added = await ask(`POST ${path}/items`, 'bob', json, { item: { type: 'model', id: 'acme/open' } })
    expect([added.status, namesIn(added.text)]).toEqual([201, his])
    holds({ success: true, data: collection })
    const changed = await ask(`PATCH ${path}`, 'bob', json, { title: 'y' })
    const { success, data } = JSON.parse(changed.text) as { success: boolean; data: object }
    expect([success, namesIn(JSON.stringify(data))]).toEqual([true, his])
  })

  test('that is a word and no JSON passes', async () => {
    holds('OK', { type: 'text/plain' })
    expect(await ask(`DELETE ${path}`, 'bob')).toMatchObject({ status: 200, text: 'OK' })
  })
})

describe('a list of collections', () => {
  test('is cut in both: collections that may be read, and in them what may be read', async () => {
    holds([collection, { ...collection, slug: 'evil/worst-1' }, { slug: 'acme/empty-1', items: [] }])
    const shown = JSON.parse((await ask('GET /api/collections', 'alice')).text) as (typeof collection)[]
    expect(shown.map(({ slug }) => slug)).toEqual(['acme/best-65f0', 'acme/empty-1'])
    expect(namesIn(JSON.stringify(shown[0]))).toEqual(hers)
    expect(shown[1]?.items).toEqual([])
  })
})

test('a dry run leaves a collection whole', async () => {
  const trial = await startThreatWorld({ environment: 'dev', policy, mode: 'dry-run' })
  try {
    trial.answer = (_, res) =>
      void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(collection))
    const authorization = `Bearer ${trial.tokens.alice}`
    const request = new Request(`http://hub.gw.test${path}`, { headers: { authorization } })
    expect(await (await trial.fixture.proxy.fetch(request)).json()).toEqual(collection)
  } finally {
    await trial.close()
  }
})
