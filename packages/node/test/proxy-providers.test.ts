/** A provider's own paths behind the router: the model has the provider's name, and is judged by the Hub's. */
import { InferenceClient } from '@huggingface/inference'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Fixture, startFixture } from './proxy-fixture.ts'

const hub = 'https://hub.upstream.test'
const router = 'https://router.upstream.test'

/** What the Hub says that each provider's names stand for. */
let mapping: unknown
let asked: { url: string; body: unknown; authorization: string | null }[]
let answers: (url: string) => Response | undefined
let time: number
let it: Fixture
let token: string

const completion = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'small-turbo',
  usage: {},
  choices: [],
}

beforeAll(async () => {
  it = await startFixture({
    policy: {
      roles: {
        user: {
          allow: [
            { actions: ['infer'], on: ['model:acme/small'], when: { 'resource.provider': 'together' } },
          ],
        },
        tester: { allow: [{ actions: ['infer'], on: ['model:acme/twin-*'] }] },
      },
      bindings: [{ roles: ['user', 'tester'], to: { issuer: 'hf', org: 'acme' } }],
      deny: [{ actions: ['infer'], on: ['model:acme/twin-secret'] }],
    },
    upstream: { hub, router },
    now: () => time,
    async fetch(input, init) {
      const url = String(input)
      const headers = new Headers(init?.headers)
      const body = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined
      asked.push({ url, body, authorization: headers.get('authorization') })
      return answers(url) ?? Response.json(url.startsWith(hub) ? mapping : completion)
    },
  })
  token = await it.tokenOf('ana')
})
afterAll(() => it.close())

beforeEach(() => {
  asked = []
  answers = () => undefined
  // Past what was remembered of the last mapping.
  time = (time ?? Date.now()) + 61_000
  mapping = {
    conversational: {
      'acme/small': { providerId: 'small-turbo', status: 'live' },
      'acme/other': { providerId: 'other-turbo', status: 'live' },
      'acme/twin-a': { providerId: 'twins', status: 'live' },
      'acme/twin-b': { providerId: 'twins', status: 'live' },
      'acme/twin-c': { providerId: 'twins-with-secret', status: 'live' },
      'acme/twin-secret': { providerId: 'twins-with-secret', status: 'live' },
    },
    'text-generation': { 'acme/small': { providerId: 'small-turbo', status: 'live' } },
  }
})

const ask = (model: unknown, path = '/together/v1/chat/completions', more: object = {}) =>
  it.proxy.fetch(
    new Request(it.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [], ...more }),
    }),
  )
const reasonOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { reason?: string }).reason,
]
const toProvider = () => asked.filter(({ url }) => url.startsWith(router))

describe('a model by its provider’s name', () => {
  test('is the model that the Hub says it stands for, at that provider', async () => {
    const response = await ask('small-turbo')
    expect([response.status, await response.json()]).toEqual([200, completion])
    expect(asked).toEqual([
      { url: `${hub}/api/partners/together/models?status=live`, body: undefined, authorization: null },
      {
        url: `${router}/together/v1/chat/completions`,
        body: { model: 'small-turbo', messages: [] },
        authorization: `Bearer ${token}`,
      },
    ])
    expect(await it.eventOf('io.hfauth.inference.completed')).toMatchObject({
      resource: { kind: 'model', id: 'acme/small' },
      model: { id: 'acme/small', provider: 'together' },
    })
  })

  test('is judged for the provider whose path it is', async () => {
    expect((await ask('small-turbo', '/groq/openai/v1/chat/completions')).status).toBe(403)
    expect(asked.map(({ url }) => url)).toEqual([`${hub}/api/partners/groq/models?status=live`])
  })

  test('is refused when the policy refuses the model', async () => {
    expect(await reasonOf(await ask('other-turbo'))).toEqual([403, 'access_denied'])
    expect(toProvider()).toEqual([])
  })

  test('needs every model that it can stand for', async () => {
    expect((await ask('twins')).status).toBe(200)
    expect(await reasonOf(await ask('twins-with-secret'))).toEqual([403, 'access_denied'])
    expect(toProvider()).toHaveLength(1)
  })

  test.each([
    ['is not mapped', 'nobody-knows', undefined],
    ['is a name of the Hub’s that the provider does not use', 'acme/small', undefined],
    ['is a name that every object has', 'constructor', undefined],
    ['is in another case', 'Small-Turbo', undefined],
    [
      'also stands for whatever has a tag',
      'small-turbo',
      {
        x: {
          'acme/small': { providerId: 'small-turbo' },
          lora: { providerId: 'small-turbo', type: 'tag-filter' },
        },
      },
    ],
    [
      'stands for what is no name of a model',
      'small-turbo',
      { x: { 'acme/../small': { providerId: 'small-turbo' } } },
    ],
    ['has a mapping without a name', 'small-turbo', { x: { 'acme/small': { providerId: 7 } } }],
  ])('has no reading when it %s', async (_, name, other) => {
    mapping = other ?? mapping
    expect(await reasonOf(await ask(name))).toEqual([403, 'model_unmapped'])
    expect(toProvider()).toEqual([])
  })

  test.each([
    ['refuses to say', () => new Response('{}', { status: 500 })],
    ['says something else', () => Response.json([])],
    ['sends a page', () => new Response('<html>')],
  ])('is not asked for while the Hub %s', async (_, answer) => {
    answers = (url) => (url.startsWith(hub) ? answer() : undefined)
    expect(await reasonOf(await ask('small-turbo'))).toEqual([502, 'upstream_unavailable'])
    expect(toProvider()).toEqual([])
  })

  test('is looked up again after a minute, and no sooner', async () => {
    await ask('small-turbo')
    mapping = {}
    expect((await ask('small-turbo')).status).toBe(200)
    time += 60_000
    expect((await ask('small-turbo')).status).toBe(403)
  })

  test.each([
    ['is missing', undefined, {}],
    ['is no name', 7, {}],
    ['comes in two spellings', 'small-turbo', { Model: 'other-turbo' }],
    ['has others to fall back to', 'small-turbo', { fallbacks: ['other-turbo'] }],
  ])('that %s is refused', async (_, model, more) => {
    expect((await ask(model, undefined, more)).status).toBe(400)
    expect(asked).toEqual([])
  })

  test('is answered by that provider, or not at all', async () => {
    answers = (url) =>
      url.startsWith(router)
        ? Response.json(completion, { headers: { 'x-inference-provider': 'groq' } })
        : undefined
    expect(await reasonOf(await ask('small-turbo'))).toEqual([502, 'upstream_mismatch'])
  })
})

test('`@huggingface/inference` asks a provider of its choice, unmodified but for where the router is', async () => {
  const info = {
    id: 'acme/small',
    inferenceProviderMapping: {
      together: { status: 'live', providerId: 'small-turbo', task: 'conversational' },
    },
  }
  const client = new InferenceClient(token, {
    fetch: async (input, init) => {
      const url = new URL(String(input))
      if (url.host === 'huggingface.co') return Response.json(info)
      expect(url.host).toBe('router.huggingface.co')
      return it.proxy.fetch(new Request(it.url + url.pathname + url.search, init))
    },
  })
  const question = { provider: 'together' as const, messages: [{ role: 'user', content: 'hi' }] }
  expect(await client.chatCompletion({ model: 'acme/small', ...question })).toMatchObject({ id: 'c' })
  expect(toProvider().map(({ body }) => body)).toEqual([
    { model: 'small-turbo', messages: question.messages },
  ])
})

test.each([
  ['of the model', '/replicate/v1/models/acme/small/predictions'],
  ['that is a model', '/fal-ai/fal-ai/flux'],
  ['for images, which may be made with further models', '/together/v1/images/generations'],
  ['of another method', '/together/v1/chat/completions/x'],
])('a path %s leads nowhere', async (_, path) => {
  expect(await reasonOf(await ask('small-turbo', path))).toEqual([404, 'route_unknown'])
  expect(asked).toEqual([])
})
