/** Hugging Face's own clients, unmodified, with nothing but the address of the proxy. */
import * as client from '@huggingface/hub'
import { InferenceClient } from '@huggingface/inference'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { effectsOf, type Fixture, startFixture } from './proxy-fixture.ts'

let it: Fixture
beforeEach(async () => {
  it = await startFixture()
})
afterEach(() => it.close())

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const statusOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: { statusCode?: number; httpResponse?: { status: number } }) =>
      error.statusCode ?? error.httpResponse?.status ?? error,
  )

async function as(username: string, scopes?: readonly string[]) {
  return { hubUrl: it.url, accessToken: await it.tokenOf(username, scopes) }
}

const typesOf = (events: Fixture['events']) => events.map(({ type }) => type.replace('io.hfauth.', ''))
const file = () => new Blob(['{"a":1}'])

describe('a person', () => {
  test('lists what the policy lets her read, and nothing else of what Hugging Face shows her', async () => {
    const caller = await as('ana')
    const upstream = await collect(client.listModels({ ...caller, hubUrl: it.hub.url }))
    expect(upstream.map(({ name }) => name)).toContain('acme/restricted')
    const shown = await collect(client.listModels(caller))
    expect(shown.map(({ name }) => name).sort()).toEqual([
      'acme/text-chat',
      'acme/vision-gated',
      'acme/vision-large',
      'acme/vision-small',
    ])
    expect(it.events.at(-1)).toMatchObject({
      type: 'io.hfauth.decision',
      resource: { kind: 'model', id: '*' },
      decision: { effect: 'allow', reason: 'filtered' },
    })
  })

  test('pages through a list at the proxy, not past it', async () => {
    const token = await it.tokenOf('ana')
    const headers = { authorization: `Bearer ${token}` }
    const first = await fetch(`${it.url}/api/models?author=acme&limit=2`, { headers })
    const next = /<([^>]+)>; *rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? ''
    expect(new URL(next).origin).toBe(it.url)
    expect(await (await fetch(next, { headers })).json()).not.toEqual(await first.json())
  })

  test('asks for a model, its files and one of them', async () => {
    const caller = await as('ben')
    expect(await client.modelInfo({ ...caller, name: 'acme/vision-large' })).toMatchObject({ private: true })
    const repo = { type: 'dataset', name: 'acme/vision-labels' } as const
    const files = await collect(client.listFiles({ ...caller, repo, recursive: true }))
    expect(files.map(({ path }) => path)).toContain('data/labels.csv')
    expect(await client.fileExists({ ...caller, repo: 'acme/vision-small', path: 'config.json' })).toBe(true)
    expect(await client.fileExists({ ...caller, repo: 'acme/vision-small', path: 'none' })).toBe(false)
    const blob = await client.downloadFile({ ...caller, repo: 'acme/vision-large', path: 'config.json' })
    expect(JSON.parse((await blob?.text()) ?? '')).toMatchObject({ model_type: 'vit' })
    const load = await it.eventOf('io.hfauth.model.load')
    expect(load).toMatchObject({
      actor: { name: 'ben', roles: ['viewer'] },
      action: 'read',
      resource: { kind: 'model', id: 'acme/vision-small', revision: 'main', path: 'config.json' },
      http: { method: 'HEAD', route: '/{repo}/raw/{rev}/{path*}', status: 200 },
    })
  })

  test('reads a part of a file, and asks again by its tag', async () => {
    const url = `${it.url}/acme/vision-small/resolve/main/config.json`
    const authorization = `Bearer ${await it.tokenOf('ben')}`
    const part = await fetch(url, { headers: { authorization, range: 'bytes=0-3' } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toMatch(/^bytes 0-3\/\d+$/)
    expect((await part.arrayBuffer()).byteLength).toBe(4)
    expect(part.headers.get('x-repo-commit')).toMatch(/^[0-9a-f]{40}$/)
    const etag = part.headers.get('etag') ?? ''
    const again = await fetch(url, { headers: { authorization, 'if-none-match': etag } })
    expect(again.status).toBe(304)
  })

  test('commits a file, and both steps of it are on record', async () => {
    const caller = await as('ana')
    await client.uploadFile({
      ...caller,
      repo: 'acme/vision-large',
      file: { path: 'notes.json', content: file() },
    })
    const read = await client.downloadFile({ ...caller, repo: 'acme/vision-large', path: 'notes.json' })
    expect(await read?.text()).toBe('{"a":1}')
    expect(await it.eventOf('io.hfauth.repo.write')).toMatchObject({
      action: 'write',
      resource: { id: 'acme/vision-large', revision: 'main' },
      http: { route: '/api/{kind}/{ns}/{name}/commit/{rev}', status: 200 },
    })
  })

  test('opens a pull request where she may discuss', async () => {
    const repo = 'acme/vision-small'
    const commit = await client.uploadFile({
      ...(await as('ana')),
      repo,
      file: { path: 'a.json', content: file() },
      isPullRequest: true,
    })
    expect(commit?.pullRequestUrl).toContain('/discussions/')
    expect(it.events.filter(({ type }) => type === 'io.hfauth.decision').map(({ action }) => action)).toEqual(
      ['discuss', 'discuss'],
    )
  })

  test('creates and deletes a repository that stands in the body', async () => {
    const caller = await as('cleo')
    await client.createRepo({ ...caller, repo: 'acme/fresh' })
    expect(it.hub.repo('acme/fresh')).toBeDefined()
    await client.deleteRepo({ ...caller, repo: 'acme/fresh' })
    expect(() => it.hub.repo('acme/fresh')).toThrow()
    expect(await statusOf(client.createRepo({ ...(await as('ana')), repo: 'acme/fresh' }))).toBe(403)
  })

  test('is told who she is by the proxy, not by Hugging Face', async () => {
    const me = await client.whoAmI(await as('ana'))
    expect(me).toMatchObject({
      type: 'user',
      name: 'ana',
      id: it.hub.person('ana').id,
      orgs: [{ name: 'acme', roleInOrg: 'write' }],
      auth: { type: 'oauth' },
    })
    expect(effectsOf(it.hub)).toEqual([])
  })

  test('gets the Hub’s own refusals where the policy has none', async () => {
    const caller = await as('ana')
    const missing = client.modelInfo({ ...caller, name: 'acme/nowhere' })
    // With rules that ask for tags, what does not exist is refused like what may not be seen.
    expect(await statusOf(missing)).toBe(403)
    const revision = client.modelInfo({ ...caller, name: 'acme/vision-small', revision: 'nope' })
    await expect(revision).rejects.toMatchObject({ statusCode: 404 })
    await expect(revision).rejects.toThrow('Invalid rev id: nope')
  })
})

describe('refused', () => {
  test.each([
    ['the wrong person', 'dan', 'acme/vision-large', 403],
    ['a model with a tag that is denied to all', 'ana', 'acme/restricted', 403],
    ['a model that nobody may reach', 'ana', 'other/secret', 403],
  ])('%s, and nothing of it reaches the file', async (_, username, name, status) => {
    const caller = await as(username)
    expect(await statusOf(client.downloadFile({ ...caller, repo: name, path: 'config.json' }))).toBe(status)
    expect(effectsOf(it.hub).filter((line) => line.includes('/resolve/'))).toEqual([])
    const [decision] = it.events.filter(({ type }) => type === 'io.hfauth.decision')
    expect(decision?.decision?.effect).toBe('deny')
  })

  test('what the environment’s ceiling cuts off, whatever the role says', async () => {
    await it.close()
    it = await startFixture({ environment: 'production' })
    const upload = client.uploadFile({
      ...(await as('ana')),
      repo: 'acme/vision-large',
      file: { path: 'x', content: file() },
    })
    expect(await statusOf(upload)).toBe(403)
    expect(effectsOf(it.hub)).toEqual([])
    expect(it.events.at(-1)?.decision).toMatchObject({ effect: 'deny', reason: 'environment_ceiling' })
  })

  test('a caller without a credential, with the way to get one', async () => {
    const response = await fetch(`${it.url}/api/models/acme/vision-small`, { redirect: 'manual' })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(effectsOf(it.hub)).toEqual([])
  })

  test('a token that was changed on the way', async () => {
    const token = await it.ciToken()
    const [head = '', payload = '', signature = ''] = token.split('.')
    const changed = Buffer.from(payload, 'base64url').toString().replace('acme/vision', 'evil/vision')
    const forged = [head, Buffer.from(changed).toString('base64url'), signature].join('.')
    const caller = { hubUrl: it.url, accessToken: forged }
    expect(await statusOf(client.modelInfo({ ...caller, name: 'acme/vision-small' }))).toBe(401)
    expect(effectsOf(it.hub)).toEqual([])
    expect(typesOf(it.events)).toEqual(['token.rejected'])
  })

  test('a route that nobody listed', async () => {
    const headers = { authorization: `Bearer ${await it.tokenOf('cleo')}` }
    const response = await fetch(`${it.url}/no/such/route/at/all`, { headers })
    expect(response.status).toBe(404)
    expect(it.events.at(-1)).toMatchObject({
      actor: { name: 'cleo' },
      http: { route: 'unmatched' },
      decision: { effect: 'deny', reason: 'route_unknown' },
    })
    expect(effectsOf(it.hub)).toEqual([])
  })
})

describe('a CI job', () => {
  test('writes to the one repository it is bound to, with no secret stored anywhere', async () => {
    const caller = { hubUrl: it.url, accessToken: await it.ciToken() }
    await client.uploadFile({
      ...caller,
      repo: 'acme/vision-large',
      file: { path: 'release.json', content: file() },
    })
    const sent = it.hub.requests.filter(({ path }) => path.includes('/commit/'))
    expect(sent.map(({ headers }) => headers.authorization?.slice(0, 14))).toEqual(['Bearer hf_jwt_'])
    expect(typesOf(it.events).filter((type) => type === 'token.exchanged')).toHaveLength(1)
    expect(await it.eventOf('io.hfauth.token.exchanged')).toMatchObject({
      actor: { kind: 'workload', roles: ['releaser'] },
      resource: { kind: 'model', id: 'acme/vision-large' },
    })
  })

  test.each([
    ['another repository', 'acme/vision-small', undefined],
    ['another branch of its own', 'acme/vision-large', 'dev'],
  ])('may not write to %s', async (_, repo, branch) => {
    const caller = { hubUrl: it.url, accessToken: await it.ciToken() }
    const upload = client.uploadFile({
      ...caller,
      repo,
      file: { path: 'x', content: file() },
      ...(branch === undefined ? {} : { branch }),
    })
    expect(await statusOf(upload)).toBe(403)
    expect(effectsOf(it.hub).filter((line) => line.startsWith('POST'))).toEqual([])
  })

  test('of another workflow may do nothing', async () => {
    const caller = { hubUrl: it.url, accessToken: await it.ciToken({ ref: 'refs/heads/feature' }) }
    expect(await statusOf(client.modelInfo({ ...caller, name: 'acme/vision-small' }))).toBe(403)
  })

  test('is told what it is', async () => {
    const me = await client.whoAmI({ hubUrl: it.url, accessToken: await it.ciToken() })
    expect(me).toMatchObject({ type: 'app', name: 'acme/vision' })
  })

  test('reads what is public without any credential, and nothing gated', async () => {
    const caller = { hubUrl: it.url, accessToken: await it.ciToken() }
    expect(await client.modelInfo({ ...caller, name: 'acme/vision-small' })).toMatchObject({ private: false })
    expect(it.hub.requests.at(-1)?.headers.authorization).toBeUndefined()
    expect(
      await statusOf(client.downloadFile({ ...caller, repo: 'acme/vision-gated', path: 'config.json' })),
    ).toBe(403)
  })
})

describe('inference', () => {
  const question = { model: 'acme/text-chat', messages: [{ role: 'user', content: 'Which bolt fits?' }] }

  test('answers whoever may use the model', async () => {
    const inference = new InferenceClient(await it.tokenOf('ana'), { endpointUrl: it.url })
    const answer = await inference.chatCompletion(question)
    expect(answer.choices[0]?.message.content).toContain('Which bolt fits?')
    const done = await it.eventOf('io.hfauth.inference.completed')
    expect(done).toMatchObject({ action: 'infer', resource: { id: 'acme/text-chat' }, http: { status: 200 } })
    expect(done.http?.bytesOut).toBeGreaterThan(100)
    expect(JSON.stringify(it.events)).not.toContain('Which bolt')
  })

  test('hands on each chunk before the next one exists', async () => {
    const released: (() => void)[] = []
    const gates = Array.from(
      { length: 64 },
      (_, index) => new Promise<void>((resolve) => released.splice(index, 0, resolve)),
    )
    // Chunk n + 1 is written only after chunk n has come out at the client.
    it.hub.world.inference.beforeChunk = (index) => (index === 0 ? undefined : gates[index])
    const inference = new InferenceClient(await it.tokenOf('ana'), { endpointUrl: it.url })
    let count = 0
    for await (const chunk of inference.chatCompletionStream(question)) {
      expect(chunk.object).toBe('chat.completion.chunk')
      count += 1
      released[count]?.()
    }
    expect(count).toBeGreaterThan(5)
  })

  test('refuses whoever may not, and nobody upstream hears of it', async () => {
    const ask = async (username: string, model = question.model) =>
      statusOf(
        new InferenceClient(await it.tokenOf(username), { endpointUrl: it.url }).chatCompletion({
          ...question,
          model,
        }),
      )
    expect(await ask('ben')).toBe(403)
    expect(await ask('ana', 'acme/restricted')).toBe(403)
    expect(effectsOf(it.hub).filter((line) => line.includes('/v1/'))).toEqual([])
  })

  test('lists the models that may be used', async () => {
    const list = async (username: string) => {
      const headers = { authorization: `Bearer ${await it.tokenOf(username)}` }
      const { data } = (await (await fetch(`${it.url}/v1/models`, { headers })).json()) as {
        data: { id: string }[]
      }
      return data.map(({ id }) => id)
    }
    expect(await list('ana')).toEqual(['acme/text-chat', 'acme/vision-small'])
    expect(await list('ben')).toEqual([])
  })
})
