/** What answers of models say of the tokens they used, and what of it counts. */
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { createLimiter } from '../src/index.ts'
import { createUsageReader } from '../src/proxy/bodies/answer-usage.ts'
import type { FixtureOptions } from './proxy-fixture.ts'
import { startThreatWorld, type ThreatWorld } from './threat-world.ts'

const events = { 'content-type': 'text/event-stream' }
const json = { 'content-type': 'application/json; charset=utf-8' }
const data = (...values: unknown[]) =>
  values.map((value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`).join('')

function read(text: string, headers: Record<string, string>, size = text.length, status = 200) {
  const reader = createUsageReader(new Response(null, { status, headers }))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) reader?.take(bytes.subarray(at, at + size))
  return reader?.end()
}

describe('the usage of an answer', () => {
  const usage = { prompt_tokens: 12, completion_tokens: 30, total_tokens: 42 }
  test.each<[string, string, Record<string, string>, object]>([
    [
      'chat',
      JSON.stringify({ model: 'acme/chat', choices: [], usage }),
      json,
      { input: 12, output: 30, model: 'acme/chat' },
    ],
    ['embeddings', JSON.stringify({ usage: { prompt_tokens: 7, total_tokens: 7 } }), json, { input: 7 }],
    [
      'responses',
      JSON.stringify({ usage: { input_tokens: 3, output_tokens: 4 } }),
      json,
      { input: 3, output: 4 },
    ],
    [
      'chat in events, in the last of them',
      data({ choices: [{ delta: { content: 'usage' } }], usage: null }, { choices: [], usage }, '[DONE]'),
      events,
      { input: 12, output: 30 },
    ],
    [
      'chat in events, each with what there was so far',
      data(
        { usage: { prompt_tokens: 5, completion_tokens: 1 } },
        { usage: { prompt_tokens: 5, completion_tokens: 9 } },
      ),
      events,
      { input: 5, output: 9 },
    ],
    [
      'responses in events',
      data({ type: 'response.completed', response: { usage: { input_tokens: 3, output_tokens: 4 } } }),
      events,
      { input: 3, output: 4 },
    ],
    [
      'messages in events',
      data(
        { type: 'message_start', message: { usage: { input_tokens: 8, output_tokens: 1 } } },
        { type: 'message_delta', usage: { output_tokens: 6 } },
      ),
      events,
      { input: 8, output: 6 },
    ],
  ])('is found: %s', (_, text, headers, expected) => {
    expect(read(text, headers)).toEqual(expected)
    // However it is cut on the way.
    for (const size of [1, 2, 7, 64]) expect(read(text, headers, size)).toEqual(expected)
  })

  test('is found in the last line, also when nothing ends it', () => {
    expect(read(data({ usage }).trimEnd(), events)).toMatchObject({ input: 12 })
    expect(read(data({ usage }).replaceAll('\n', '\r\n'), events)).toMatchObject({ input: 12 })
  })

  test.each<[string, string, Record<string, string>]>([
    ['in a text that a model wrote', JSON.stringify({ choices: ['{"usage":{"prompt_tokens":1}}'] }), json],
    [
      'in a text that a model wrote, in events',
      data({ choices: ['data: {"usage":{"prompt_tokens":1}}'] }),
      events,
    ],
    [
      'of numbers that are none',
      JSON.stringify({ usage: { prompt_tokens: -1, completion_tokens: '9' } }),
      json,
    ],
    ['of halves', JSON.stringify({ usage: { prompt_tokens: 0.5 } }), json],
    ['in broken JSON', '{"usage":{"prompt_tokens":1}', json],
    ['in a list', '[{"usage":{"prompt_tokens":1}}]', json],
    ['in a comment', ': {"usage":{"prompt_tokens":1}}\n\n', events],
    ['behind more than is looked at', JSON.stringify({ a: 'x'.repeat(1024 * 1024), usage }), json],
    ['in a line that is too long', data({ a: 'x'.repeat(64 * 1024), usage }), events],
    ['in another encoding', JSON.stringify({ usage }), { ...json, 'content-encoding': 'gzip' }],
    ['in another type', JSON.stringify({ usage }), { 'content-type': 'text/plain' }],
  ])('is not made up: %s', (_, text, headers) => {
    expect(read(text, headers)).toBeUndefined()
  })

  test('is not that of an answer that failed', () => {
    expect(read(JSON.stringify({ usage }), json, 100, 500)).toBeUndefined()
  })

  test('behind a line that was too long is found again', () => {
    const text = `data: ${'x'.repeat(100_000)}\n\n${data({ usage })}`
    for (const size of [1_000, text.length]) expect(read(text, events, size)).toMatchObject({ input: 12 })
  })

  test('is looked for without a fault in whatever there is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(events, json),
        fc.integer({ min: 1, max: 9 }),
        (text, headers, size) => {
          read(`data: {"usage": ${text}\n${text}`, headers, size)
          return true
        },
      ),
    )
  })
})

describe('through the proxy', () => {
  let world: ThreatWorld
  afterEach(() => world.close())
  const answer = (text: string, headers: Record<string, string>) => {
    world.answer = (_, res) => void res.writeHead(200, headers).end(text)
  }
  const start = async (options: Partial<FixtureOptions> = {}) => {
    world = await startThreatWorld(options)
  }
  const ask = async (host = 'infer.gw.test') => {
    const response = await world.fixture.proxy.fetch(
      new Request(`http://${host}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${world.tokens.alice}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'acme/chat-small', messages: [] }),
      }),
    )
    await response.text()
    return response.status
  }
  const usage = { prompt_tokens: 60, completion_tokens: 50 }
  const limiter = () =>
    createLimiter({
      rules: [
        {
          name: 'tokens',
          per: 'principal',
          unit: 'tokens',
          limit: 200,
          windowSeconds: 3600,
          untoldTokens: 150,
        },
      ],
    })

  test('is on record, and of the prompt and the answer nothing else is', async () => {
    await start()
    answer(data({ choices: [{ delta: { content: 'SECRET' } }] }, { usage }), events)
    await ask()
    const ended = await world.fixture.eventOf('io.hfauth.inference.completed')
    expect(ended).toMatchObject({ usage: { input: 60, output: 50 }, model: { id: 'acme/chat-small' } })
    expect(JSON.stringify(world.fixture.events)).not.toContain('SECRET')
  })

  test('of what is deployed comes with the model that its answer names', async () => {
    await start()
    answer(JSON.stringify({ model: 'acme/ranker', usage }), json)
    expect(await ask('ep1.gw.test')).toBe(200)
    expect(await world.fixture.eventOf('io.hfauth.inference.completed')).toMatchObject({
      resource: { kind: 'endpoint', id: 'acme/ep1' },
      model: { id: 'acme/ranker' },
      usage: { input: 60, output: 50 },
    })
  })

  test('uses up the budget, and then nothing goes upstream', async () => {
    await start({ limiter: limiter() })
    answer(JSON.stringify({ usage }), json)
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429])
    expect(world.arrived).toHaveLength(2)
    expect(world.fixture.events.at(-1)?.decision).toMatchObject({ reason: 'limit_reached' })
  })

  test('that an answer does not tell counts all the same', async () => {
    await start({ limiter: limiter() })
    answer('{}', json)
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429])
  })

  test('of what failed counts nothing', async () => {
    await start({ limiter: limiter() })
    world.answer = (_, res) => void res.writeHead(422, json).end('{"error":"no"}')
    for (let i = 0; i < 5; i++) expect(await ask()).toBe(422)
  })

  test('of an app counts only where it says so: its pages are no answers of a model', async () => {
    await start({ limiter: limiter() })
    answer('<html>', { 'content-type': 'text/html' })
    const page = () =>
      world.fixture.proxy.fetch(
        new Request('http://demo.gw.test/', { headers: { authorization: `Bearer ${world.tokens.alice}` } }),
      )
    for (let i = 0; i < 5; i++) {
      const response = await page()
      await response.text()
      expect(response.status).toBe(200)
    }
  })
})
