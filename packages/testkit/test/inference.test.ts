import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Hub, publicAppId, startHub } from '../src/index.ts'

let hub: Hub
beforeEach(async () => {
  hub = await startHub({ world: { inference: { chunkDelayMs: 0 } } })
})
afterEach(() => hub.close())

const question = [{ role: 'user', content: 'Which bolt fits?' }]

async function chat(
  body: Record<string, unknown>,
  scopes: readonly string[] | undefined = ['inference-api'],
  path = '/v1/chat/completions',
  headers: Record<string, string> = {},
) {
  const token =
    scopes.length > 0 ? await hub.tokenFor({ username: 'ana', clientId: publicAppId, scopes }) : undefined
  return fetch(hub.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify({ messages: question, ...body }),
  })
}

async function readEvents(response: Response): Promise<string[]> {
  return (await response.text())
    .split('\n\n')
    .filter(Boolean)
    .map((event) => event.replace(/^data: /, ''))
}

interface Chunk {
  choices: { delta: { content?: string }; finish_reason: string | null }[]
  usage?: { total_tokens: number } | null
}

describe('chat completions', () => {
  test.each([
    ['/v1/chat/completions', 'acme/text-chat'],
    ['/v1/chat/completions', 'acme/text-chat:fastest'],
    ['/hf-inference/models/acme/text-chat/v1/chat/completions', 'ignored'],
  ])('%s answers for %s with the same words each time', async (path, model) => {
    const first = await (await chat({ model }, undefined, path)).json()
    const second = await (await chat({ model }, undefined, path)).json()
    expect(first).toMatchObject({
      object: 'chat.completion',
      model: 'acme/text-chat',
      choices: [{ finish_reason: 'stop' }],
    })
    expect((first as Chunk).choices).toEqual((second as Chunk).choices)
  })

  test('streams the same words, the usage when asked for, and an end mark', async () => {
    const whole = (await (await chat({ model: 'acme/text-chat' })).json()) as {
      choices: { message: { content: string } }[]
    }
    const response = await chat({
      model: 'acme/text-chat',
      stream: true,
      stream_options: { include_usage: true },
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const events = await readEvents(response)
    expect(events.pop()).toBe('[DONE]')
    const chunks = events.map((event) => JSON.parse(event) as Chunk)
    expect(chunks.pop()).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } })
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
      whole.choices[0]?.message.content,
    )
  })

  test('sends each chunk when it is ready and not before', async () => {
    const gates: (() => void)[] = []
    const arrived: (() => void)[] = []
    hub.world.inference.beforeChunk = () =>
      new Promise((open) => {
        gates.push(open)
        arrived.shift()?.()
      })
    const nextGate = () =>
      new Promise<void>((resolve) => {
        if (gates.length > 0) resolve()
        else arrived.push(resolve)
      })
    const response = await chat({ model: 'acme/text-chat', stream: true })
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
    for (let chunk = 0; chunk < 3; chunk++) {
      await nextGate()
      // The server holds the next chunk until this one has been read.
      gates.shift()?.()
      const { value } = await reader.read()
      expect(
        Buffer.from(value ?? [])
          .toString()
          .match(/^data: /gm),
      ).toHaveLength(1)
    }
    await reader.cancel()
  })

  test.each([
    ['no token', [], 401],
    ['a token without inference-api', ['openid', 'read-repos'], 403],
  ])('refuses %s', async (_, scopes, status) => {
    const response = await chat({ model: 'acme/text-chat' }, scopes)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({
      error: { message: expect.any(String), type: expect.any(String) },
    })
  })

  test('refuses a model it does not serve, in the OpenAI form', async () => {
    const response = await chat({ model: 'acme/nothing' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'model_not_found' } })
    expect((await chat({}, undefined, '/hf-inference/models/acme/nothing/v1/chat/completions')).status).toBe(
      404,
    )
  })

  test('refuses to bill an organisation the person is not in', async () => {
    const bill = async (org: string) =>
      (await chat({ model: 'acme/text-chat' }, undefined, undefined, { 'x-hf-bill-to': org })).status
    expect(await bill('acme')).toBe(200)
    expect(await bill('elsewhere')).toBe(403)
  })

  test('lists its models to anyone', async () => {
    const { data } = (await (await fetch(`${hub.url}/v1/models`)).json()) as { data: { id: string }[] }
    expect(data.map(({ id }) => id)).toEqual(hub.world.inference.models)
  })
})
