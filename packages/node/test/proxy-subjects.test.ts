/** Requests about more than one thing, or about what only their body or their address names. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hfToken, startThreatWorld, type ThreatWorld } from './threat-world.ts'

let world: ThreatWorld
beforeAll(async () => {
  world = await startThreatWorld({
    environment: 'dev',
    billTo: 'acme-research',
    policy: {
      roles: {
        admins: {
          allow: [
            {
              actions: ['read', 'write', 'create', 'manage', 'delete'],
              on: ['model:acme/**', 'bucket:acme/**'],
            },
            {
              actions: ['read', 'create', 'write', 'run'],
              on: ['endpoint:acme/*', 'collection:acme', 'job:acme', 'job:acme/mine'],
            },
            { actions: ['infer'], on: ['model:acme/chat-small', 'endpoint:acme/ep1'] },
          ],
        },
        'ml-dev': { allow: [] },
        release: { allow: [] },
      },
    },
  })
})
afterAll(() => world.close())
beforeEach(() => world.reset())

async function ask(line: string, body?: unknown, host = 'hub.gw.test', type = 'application/json') {
  const [method = '', path = ''] = line.split(' ')
  const seen = world.fixture.events.length
  const response = await world.fixture.proxy.fetch(
    new Request(`http://${host}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${world.tokens.bob}`,
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }),
  )
  await response.text()
  return {
    status: response.status,
    upstream: world.arrived.map((arrived) => arrived.line),
    decided: world.fixture.events
      .slice(seen)
      .filter(({ decision }) => decision !== undefined)
      .map(
        ({ action, resource, decision }) => `${action} ${resource?.kind}:${resource?.id} ${decision?.effect}`,
      ),
  }
}

describe('a move', () => {
  test('needs both ends', async () => {
    expect(
      await ask('POST /api/repos/move', { fromRepo: 'acme/open', toRepo: 'evil/open', type: 'model' }),
    ).toEqual({
      status: 403,
      upstream: [],
      decided: ['manage model:acme/open allow', 'create model:evil/open deny'],
    })
    expect(await ask('POST /api/repos/move', { fromRepo: 'acme/open', toRepo: 'acme/renamed' })).toEqual({
      status: 200,
      upstream: ['POST /api/repos/move'],
      decided: ['manage model:acme/open allow', 'create model:acme/renamed allow'],
    })
  })

  test.each([
    ['an end that is missing', { fromRepo: 'acme/open' }],
    ['a name in another spelling', { fromRepo: 'acme/open', toRepo: 'acme/a', torepo: 'evil/open' }],
    ['a type that is none', { fromRepo: 'acme/open', toRepo: 'acme/a', type: 'org' }],
    ['a name that climbs', { fromRepo: 'acme/open', toRepo: 'acme/../x' }],
  ])('with %s is refused', async (_, body) => {
    expect(await ask('POST /api/repos/move', body)).toMatchObject({ status: 400, upstream: [] })
  })
})

describe('a copy', () => {
  test('needs the source and the right to make what it becomes', async () => {
    expect(await ask('POST /api/models/acme/open/duplicate', { repository: 'evil/open' })).toEqual({
      status: 403,
      upstream: [],
      decided: ['read model:acme/open allow', 'create model:evil/open deny'],
    })
    expect((await ask('POST /api/models/acme/open/duplicate', { repository: 'acme/copy' })).status).toBe(200)
  })
})

describe('an endpoint', () => {
  const manage = 'manage.gw.test'

  test('is made with a model that its maker may read, and with no other', async () => {
    const endpoint = { name: 'ranker', type: 'private', model: { repository: 'acme/open', revision: 'main' } }
    expect(await ask('POST /v2/endpoint/acme', endpoint, manage)).toEqual({
      status: 200,
      upstream: ['POST /v2/endpoint/acme'],
      decided: ['create endpoint:acme/ranker allow', 'read model:acme/open allow'],
    })
    world.reset()
    const other = { ...endpoint, model: { repository: 'deny/this' } }
    expect(await ask('POST /v2/endpoint/acme', other, manage)).toMatchObject({ status: 403, upstream: [] })
    expect(await ask('PUT /v2/endpoint/acme/ranker', { model: other.model }, manage)).toMatchObject({
      status: 403,
      upstream: [],
    })
    expect((await ask('PUT /v2/endpoint/acme/ranker', { compute: {} }, manage)).status).toBe(200)
  })

  test('is run by whoever may, and not made for another owner', async () => {
    expect((await ask('POST /v2/endpoint/acme/ranker/pause', undefined, manage)).status).toBe(200)
    expect((await ask('POST /v2/endpoint/evil', { name: 'x' }, manage)).status).toBe(403)
  })

  test('at its address is asked as itself', async () => {
    const answer = await ask('POST /v1/chat/completions', { model: 'deny/this' }, 'ep1.gw.test')
    expect(answer).toEqual({
      status: 200,
      upstream: ['POST /v1/chat/completions'],
      decided: ['infer endpoint:acme/ep1 allow'],
    })
  })
})

describe('what has no name yet', () => {
  test('is judged by its owner', async () => {
    expect((await ask('POST /api/collections', { namespace: 'acme', title: 'x' })).decided).toEqual([
      'create collection:acme allow',
    ])
    expect((await ask('POST /api/collections', { namespace: 'evil', title: 'x' })).status).toBe(403)
    expect((await ask('POST /api/collections', { title: 'x' })).status).toBe(400)
    expect((await ask('POST /api/jobs/acme', { dockerImage: 'x' })).decided).toEqual(['run job:acme allow'])
    expect((await ask('POST /api/jobs/evil', { dockerImage: 'x' })).status).toBe(403)
  })
})

describe('a list of one owner', () => {
  const list = async (path: string, answer: unknown, host = 'hub.gw.test') => {
    world.answer = (_, res) => void res.end(JSON.stringify(answer))
    const response = await world.fixture.proxy.fetch(
      new Request(`http://${host}${path}`, { headers: { authorization: `Bearer ${world.tokens.bob}` } }),
    )
    return [response.status, await response.json()]
  }

  test.each([
    ['jobs', '/api/jobs/acme'],
    ['schedules', '/api/scheduled-jobs/acme'],
  ])('of %s shows those that its reader may read, named by the owner in the path', async (_, path) => {
    const answer = [{ id: 'mine', flavor: 'cpu' }, { id: 'other' }, { id: 'evil/mine' }, { noId: 1 }]
    expect(await list(path, answer)).toEqual([200, [{ id: 'mine', flavor: 'cpu' }]])
    expect(await list(path.replace('acme', 'evil'), answer)).toEqual([200, []])
    expect(world.fixture.events.at(-1)).toMatchObject({
      action: 'read',
      resource: { kind: 'job', id: 'evil/*' },
      decision: { effect: 'allow', reason: 'filtered' },
    })
  })

  test('of buckets does too', async () => {
    expect(await list('/api/buckets/acme', [{ id: 'acme/data' }, { id: 'evil/data' }])).toEqual([
      200,
      [{ id: 'acme/data' }],
    ])
  })

  test('of endpoints does too, and keeps what stands around them', async () => {
    const items = [{ name: 'ranker', type: 'private' }, { name: 'secret/x' }, { id: 'acme/ranker' }]
    const answer = { items, total: 3 }
    expect(await list('/v2/endpoint/acme', answer, 'manage.gw.test')).toEqual([
      200,
      { items: [items[0]], total: 3 },
    ])
    expect(await list('/v2/endpoint/evil', answer, 'manage.gw.test')).toEqual([200, { items: [], total: 3 }])
    // A shape that nobody has described is not shown.
    expect((await list('/v2/endpoint/acme', { data: items }, 'manage.gw.test'))[0]).toBe(502)
  })

  test('is no list that a request for one of them could be', async () => {
    expect((await list('/api/jobs/acme/other', {}))[0]).toBe(403)
    expect((await list('/api/jobs/acme/mine', {}))[0]).toBe(200)
  })
})

describe('a Git LFS batch', () => {
  const batch = (operation: string) =>
    ask(
      'POST /acme/open.git/info/lfs/objects/batch',
      { operation, ref: { name: 'refs/heads/main' }, objects: [] },
      'hub.gw.test',
      'application/vnd.git-lfs+json',
    )

  test('reads or writes as its operation says, at the branch it is for', async () => {
    expect((await batch('download')).decided).toEqual(['read model:acme/open allow'])
    expect((await batch('upload')).decided).toEqual(['write model:acme/open allow'])
    expect(world.fixture.events.findLast(({ decision }) => decision !== undefined)?.resource).toMatchObject({
      revision: 'main',
    })
    expect((await batch('verify')).status).toBe(400)
  })
})

describe('a lock of Git LFS', () => {
  const lock = (path: unknown) =>
    ask(
      'POST /acme/open.git/info/lfs/locks',
      { path, ref: { name: 'refs/heads/main' } },
      'hub.gw.test',
      'application/vnd.git-lfs+json',
    )

  test('is of a path that has one reading, or of none', async () => {
    expect((await lock('weights/model.bin')).decided).toEqual(['write model:acme/open allow'])
    expect(world.fixture.events.findLast(({ decision }) => decision !== undefined)?.resource).toMatchObject({
      revision: 'main',
      path: 'weights/model.bin',
    })
    for (const path of ['/a', 'a//b', 'a/../b', './a', 'a/', '', 'a\\b', 'a\nb', 7, ['a']]) {
      expect((await lock(path)).status, String(path)).toBe(400)
    }
  })
})

describe('a bucket', () => {
  test('gives out the right to write to whoever has it', async () => {
    expect((await ask('GET /api/buckets/acme/data/xet-write-token')).decided).toEqual([
      'write bucket:acme/data allow',
    ])
    expect((await ask('GET /api/buckets/evil/data/xet-write-token')).status).toBe(403)
  })
})

describe('the catalogue', () => {
  test('is fetched without a credential, for whoever is known', async () => {
    expect(await ask('GET /api/tasks')).toMatchObject({ status: 200, decided: ['read catalogue:* allow'] })
    expect(world.arrived[0]?.rawHeaders.some((name) => name.toLowerCase() === 'authorization')).toBe(false)
    const anonymous = await world.fixture.proxy.fetch(new Request('http://hub.gw.test/api/tasks'))
    expect(anonymous.status).toBe(401)
    expect(world.arrived).toHaveLength(1)
  })
})

test('the configuration says who pays for inference, and nobody else does', async () => {
  await ask('POST /v1/chat/completions', { model: 'acme/chat-small' }, 'infer.gw.test')
  const raw = world.arrived[0]?.rawHeaders ?? []
  expect(raw[raw.findIndex((name) => name.toLowerCase() === 'x-hf-bill-to') + 1]).toBe('acme-research')
  expect(raw).toContain(`Bearer ${hfToken}`)
  world.reset()
  await ask('GET /api/models/acme/open')
  expect(world.arrived[0]?.rawHeaders.some((name) => /bill/i.test(name))).toBe(false)
})
