/** A stream that stopped looks like one with nothing to tell: what tells the two apart, by push and by poll. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createAuditLog,
  createRevocationIntake,
  createRevocations,
  createSetPoller,
  createSetPush,
  createStreamWatch,
  type Door,
  type MarkStore,
  type MemorySink,
  memorySessionStore,
  memorySink,
  type StreamWatch,
  type StreamWatchOptions,
} from '../src/index.ts'
import { redisSessionStore } from '../src/redis.ts'
import { createClock, json, type LoopbackIssuer, refusalOf, signed, startIssuer } from './loopback-issuer.ts'
import { type Connected, connectNodeRedis, randomPrefix, redisTest, removeKeys } from './redis-server.ts'

const minute = 60_000
const hour = 60 * minute
const wellKnown = '/.well-known/ssf-configuration'
const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification'
const updated = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated'

let idp: LoopbackIssuer
let clock: ReturnType<typeof createClock>
let sink: MemorySink
/** What was asked for, and what the transmitter answers to it. */
let asked: { stream_id?: string; state: string }[]
let status: number
let nextId = 0

beforeAll(async () => {
  idp = await startIssuer()
})
afterAll(() => idp.close())
beforeEach(() => {
  clock = createClock()
  sink = memorySink()
  asked = []
  status = 204
  idp.requests.length = 0
  idp.answers.set(wellKnown, json({ issuer: idp.url, verification_endpoint: `${idp.url}/ssf/verify` }))
  idp.answers.set('/ssf/verify', (request, response, body) => {
    if (request.headers.authorization !== 'Bearer manage') return void response.writeHead(401).end()
    if (status === 204) asked.push(JSON.parse(body))
    response.writeHead(status).end()
  })
})
afterEach(() => {
  idp.answers.delete('/ssf/poll')
})

const now = () => clock.ms
const answerWith = (code: number) => {
  status = code
}
const audit = () => createAuditLog({ sink, environment: 'production', service: 'test', now })
const transmitter = () => ({ issuer: idp.url, audience: 'app' })

function watching(options: Partial<StreamWatchOptions> = {}): StreamWatch {
  return createStreamWatch({
    transmitter: transmitter(),
    streamId: 'stream-1',
    authorization: () => 'Bearer manage',
    audit: audit(),
    everyMs: hour,
    answerWithinMs: 5 * minute,
    now,
    ...options,
  })
}

function intake() {
  return createRevocationIntake({ revocations: createRevocations({ now }), audit: audit(), now })
}

function token(events: object, changes: object = {}): string {
  const claims = {
    iss: idp.url,
    aud: 'app',
    iat: clock.seconds,
    jti: `e-${++nextId}`,
    sub_id: { format: 'opaque', id: 'stream-1' },
    events,
    ...changes,
  }
  return signed(claims, undefined, { typ: 'secevent+jwt' })
}

const answerTo = (state: unknown, changes: object = {}) => token({ [verification]: { state } }, changes)
const sessionEnded = () =>
  token(
    { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} },
    { sub_id: { format: 'iss_sub', iss: idp.url, sub: 'ana' } },
  )

function pushTo(door: Door, text: string): Promise<Response> {
  return door(
    new Request('https://app.example/ssf', {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt' },
      body: text,
    }),
  )
}

const doorOf = (watch: StreamWatch, store?: MarkStore) =>
  createSetPush({
    intake: intake(),
    transmitter: transmitter(),
    watch,
    now,
    ...(store === undefined ? {} : { store }),
  })
const changes = () =>
  sink.events
    .filter(({ type }) => type.startsWith('io.hfauth.stream.'))
    .map(({ type, error, resource }) => [type.slice('io.hfauth.stream.'.length), error, resource?.id])

/** A way for events to come in: what is given to it arrives. */
type Delivery = (watch: StreamWatch) => (text: string) => Promise<boolean>

const byPush: Delivery = (watch) => {
  const door = doorOf(watch)
  return async (text) => (await pushTo(door, text)).status === 202
}

const byPoll: Delivery = (watch) => {
  const poller = createSetPoller({
    intake: intake(),
    transmitter: transmitter(),
    watch,
    endpoint: `${idp.url}/ssf/poll`,
    authorization: () => 'Bearer manage',
    now,
  })
  return async (text) => {
    const id = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()).jti
    const told: { ack?: string[] }[] = []
    idp.answers.set('/ssf/poll', (request, response, body) => {
      told.push(JSON.parse(body))
      json({ sets: told.length === 1 ? { [id]: text } : {} })(request, response, body)
    })
    await poller.poll()
    await poller.poll()
    return told[1]?.ack?.includes(id) === true
  }
}

describe.each([
  ['push', byPush],
  ['poll', byPoll],
] as const)('a stream by %s', (_, delivery) => {
  test('is live when the verification that was asked for arrives', async () => {
    const watch = watching()
    const deliver = delivery(watch)
    expect((await watch.check()).name).toBe('starting')
    expect(asked).toEqual([{ stream_id: 'stream-1', state: expect.stringMatching(/^\d+\.[\w-]{24}$/) }])
    clock.forward(60)
    expect(await deliver(answerTo(asked[0]?.state))).toBe(true)
    expect(await watch.check()).toEqual({ name: 'live', lastEventAt: now(), verifiedAt: now() })
    expect(changes()).toEqual([])
  })

  test('is silent when it does not arrive in time, and that is on record once; until it does', async () => {
    const watch = watching()
    const deliver = delivery(watch)
    const startedAt = now()
    await watch.check()
    clock.forward(299)
    expect((await watch.check()).name).toBe('starting')
    clock.forward(1)
    const silent = { name: 'silent', reason: 'unanswered', silentSince: startedAt }
    expect(await watch.check()).toEqual(silent)
    await watch.check()
    expect(changes()).toEqual([['silent', 'stream_unanswered', `${idp.url}#stream-1`]])
    clock.forward(60)
    expect(await deliver(answerTo(asked[0]?.state))).toBe(true)
    expect((await watch.check()).name).toBe('live')
    expect(changes().map(([type]) => type)).toEqual(['silent', 'resumed'])
  })

  test('that was live and stops is silent within one turn and the time for an answer', async () => {
    const watch = watching()
    const deliver = delivery(watch)
    await watch.check()
    await deliver(answerTo(asked[0]?.state))
    const lastHeardAt = now()
    clock.forward(3600)
    expect((await watch.check()).name).toBe('live')
    clock.forward(300)
    expect(await watch.check()).toMatchObject({ name: 'silent', silentSince: lastHeardAt })
    expect(asked).toHaveLength(2)
  })

  test('takes no verification for one of ours that has another state, or is of another stream', async () => {
    const watch = watching()
    const deliver = delivery(watch)
    await watch.check()
    const { state = '' } = asked[0] ?? {}
    const [turn] = state.split('.')
    const foreign = { sub_id: { format: 'opaque', id: 'stream-2' } }
    for (const text of [
      answerTo('made up'),
      answerTo(`${turn}.made-up`),
      answerTo(`99.${state}`),
      answerTo(7),
      answerTo(state, foreign),
    ]) {
      expect(await deliver(text)).toBe(false)
    }
    clock.forward(300)
    expect((await watch.check()).name).toBe('silent')
  })

  test('is not proved alive by other events, which are dealt with all the same and have their time noted', async () => {
    const watch = watching()
    const deliver = delivery(watch)
    await watch.check()
    clock.forward(300)
    expect(await deliver(sessionEnded())).toBe(true)
    expect(await watch.check()).toMatchObject({ name: 'silent', lastEventAt: now(), silentSince: now() })
  })

  test('takes a verification that the transmitter sends of its own accord as an event like others', async () => {
    const watch = watching()
    expect(await delivery(watch)(token({ [verification]: {} }))).toBe(true)
    expect(watch.health()).toEqual({ name: 'starting', lastEventAt: now() })
  })

  test('that its transmitter disables is silent at once, and live again when it is enabled', async () => {
    const watch = watching()
    const deliver = delivery(watch)
    await watch.check()
    await deliver(answerTo(asked[0]?.state))
    await deliver(token({ [updated]: { status: 'disabled', reason: 'maintenance' } }))
    expect(await watch.check()).toMatchObject({ name: 'silent', reason: 'stopped' })
    await deliver(token({ [updated]: { status: 'enabled' } }))
    expect((await watch.check()).name).toBe('live')
    expect(changes().map(([type, error]) => [type, error])).toEqual([
      ['silent', 'stream_stopped'],
      ['resumed', undefined],
    ])
  })
})

describe('a verification', () => {
  test('that is refused is told to the transmitter as `invalid_state`', async () => {
    const watch = watching()
    const response = await pushTo(doorOf(watch), answerTo('made up'))
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ err: 'invalid_state' })
  })

  test('that was captured proves nothing a turn later', async () => {
    const watch = watching()
    const door = doorOf(watch)
    await watch.check()
    const text = answerTo(asked[0]?.state)
    expect((await pushTo(door, text)).status).toBe(202)
    clock.forward(3600)
    await watch.check()
    const { lastEventAt } = watch.health()
    expect((await pushTo(door, text)).status).toBe(202)
    expect(watch.health().lastEventAt).toBe(lastEventAt)
    clock.forward(300)
    expect((await watch.check()).name).toBe('silent')
  })

  test('is asked for once in a turn, whatever the number of looks', async () => {
    const watch = watching()
    for (let i = 0; i < 5; i++) await watch.check()
    expect(asked).toHaveLength(1)
  })

  test('of Google is known by its older name, and has no stream', async () => {
    const url = `${idp.url}/.well-known/risc-configuration`
    idp.answers.set(
      new URL(url).pathname,
      json({ issuer: `${idp.url}/`, verification_endpoint: `${idp.url}/ssf/verify` }),
    )
    const google = { ...transmitter(), legacy: 'google' } as const
    const watch = createStreamWatch({
      transmitter: google,
      authorization: () => 'Bearer manage',
      audit: audit(),
      now,
    })
    await watch.check()
    expect(Object.keys(asked[0] ?? {})).toEqual(['state'])
    const door = createSetPush({ intake: intake(), transmitter: google, watch, now })
    const risc = 'https://schemas.openid.net/secevent/risc/event-type/verification'
    const text = token({ [risc]: { state: asked[0]?.state } }, { iss: `${idp.url}/`, sub_id: undefined })
    expect((await pushTo(door, text)).status).toBe(202)
    expect((await watch.check()).name).toBe('live')
  })

  test.each<[string, () => void, RegExp]>([
    ['refuses', () => answerWith(404), /status 404/],
    ['asks to slow down', () => answerWith(429), /status 429/],
    ['has no configuration', () => void idp.answers.delete(wellKnown), /configuration has status 404/],
    [
      'sends its configuration elsewhere',
      () =>
        void idp.answers.set(wellKnown, (_, response) => response.writeHead(302, { location: '/x' }).end()),
      /connection failed|redirect/,
    ],
    [
      'is another than it was said to be',
      () =>
        void idp.answers.set(
          wellKnown,
          json({ issuer: 'https://other.example', verification_endpoint: idp.url }),
        ),
      /another issuer/,
    ],
    [
      'has no place to ask',
      () => void idp.answers.set(wellKnown, json({ issuer: idp.url })),
      /no `verification_endpoint`/,
    ],
    [
      'would have our credential sent to another origin',
      () =>
        void idp.answers.set(
          wellKnown,
          json({ issuer: idp.url, verification_endpoint: 'https://elsewhere.example/verify' }),
        ),
      /another origin/,
    ],
    [
      'has a configuration without end',
      () => void idp.answers.set(wellKnown, json({ issuer: idp.url, x: 'x'.repeat(300_000) })),
      /longer than/,
    ],
    ['does not answer', () => void idp.answers.set(wellKnown, () => {}), /no answer within 50 ms/],
  ])(
    'that cannot be had where the transmitter %s is part of the health, never a sign of life',
    async (_, breakIt, why) => {
      breakIt()
      const watch = watching({ timeoutMs: 50 })
      expect(await watch.check()).toEqual({ name: 'starting', failure: expect.stringMatching(why) })
      clock.forward(300)
      const health = await watch.check()
      expect(health).toMatchObject({ name: 'silent', reason: 'not_asked' })
      expect(JSON.stringify([health, sink.events])).not.toContain('manage')
      expect(changes()).toEqual([['silent', 'stream_not_asked', `${idp.url}#stream-1`]])
    },
  )

  test('whose request failed is asked for again with the same state, less and less often', async () => {
    status = 503
    const watch = watching({ lookEveryMs: 10_000 })
    const posts = () => idp.requests.filter((path) => path === '/ssf/verify').length
    await watch.check()
    clock.forward(19)
    await watch.check()
    expect(posts()).toBe(1)
    clock.forward(1)
    await watch.check()
    expect(posts()).toBe(2)
    clock.forward(39)
    await watch.check()
    expect(posts()).toBe(2)
    status = 204
    clock.forward(1)
    expect(await watch.check()).toEqual({ name: 'starting' })
    expect((await pushTo(doorOf(watch), answerTo(asked[0]?.state))).status).toBe(202)
  })

  test('goes where the program says, without asking for the configuration', async () => {
    const watch = watching({ verificationEndpoint: `${idp.url}/ssf/verify` })
    await watch.check()
    expect(idp.requests).toEqual(['/ssf/verify'])
  })
})

describe('a transmitter that wants to be asked less often (`min_verification_interval`)', () => {
  /** What the stream's configuration says, and which were asked for. */
  let told: object
  let read: string[]
  beforeEach(() => {
    told = { stream_id: 'stream-1', min_verification_interval: 3 * 3600 }
    read = []
    idp.answers.set(
      wellKnown,
      json({
        issuer: idp.url,
        verification_endpoint: `${idp.url}/ssf/verify`,
        configuration_endpoint: `${idp.url}/ssf/stream`,
      }),
    )
    idp.answers.set('/ssf/stream?stream_id=stream-1', (request, response, body) => {
      read.push(`${request.method} ${request.url} ${request.headers.authorization}`)
      json(told)(request, response, body)
    })
  })
  afterEach(() => idp.answers.delete('/ssf/stream?stream_id=stream-1'))

  /** Looks every quarter of an hour, answers what is asked, and tells after how many minutes each was asked. */
  async function asking(watch: StreamWatch, hours: number, store?: MarkStore) {
    const door = doorOf(watch, store)
    const at: number[] = []
    const names = new Set<string>()
    for (let quarter = 0; quarter < hours * 4; quarter++) {
      const before = asked.length
      names.add((await watch.check()).name)
      if (asked.length > before) {
        at.push(quarter * 15)
        await pushTo(door, answerTo(asked.at(-1)?.state))
      }
      clock.forward(900)
    }
    return { at, names: [...names] }
  }

  test('is, and its stream is live all the while', async () => {
    expect(await asking(watching(), 10)).toEqual({ at: [0, 180, 360, 540], names: ['starting', 'live'] })
    expect(read[0]).toBe('GET /ssf/stream?stream_id=stream-1 Bearer manage')
  })

  test('is not asked sooner because a turn begins soon after the first request', async () => {
    clock.forward(2 * 3600 + 2700)
    const { at, names } = await asking(watching(), 7)
    expect(at).toEqual([0, 180, 360])
    expect(names).toEqual(['starting', 'live'])
  })

  test('is not asked sooner by another replica, or after a new start', async () => {
    const store = memorySessionStore({ now })
    await asking(watching({ store }), 1, store)
    expect((await asking(watching({ store }), 6, store)).at).toEqual([120, 300])
  })

  test('is known to be silent when what was asked last does not come', async () => {
    const watch = watching()
    await asking(watch, 3)
    await watch.check()
    clock.forward(300)
    expect(await watch.check()).toMatchObject({ name: 'silent', reason: 'unanswered' })
  })

  test('may say something else later', async () => {
    const watch = watching()
    await asking(watch, 1)
    told = { stream_id: 'stream-1' }
    expect((await asking(watch, 6)).at).toEqual([120, 180, 240, 300])
  })

  test.each<[string, () => void]>([
    ['says it of another stream', () => Object.assign(told, { stream_id: 'stream-2' })],
    ['says it in words', () => Object.assign(told, { min_verification_interval: 'often' })],
    ['says less than nothing', () => Object.assign(told, { min_verification_interval: -1 })],
    ['does not say it', () => void idp.answers.delete('/ssf/stream?stream_id=stream-1')],
    [
      'would have our credential sent to another origin for it',
      () =>
        void idp.answers.set(
          wellKnown,
          json({
            issuer: idp.url,
            verification_endpoint: `${idp.url}/ssf/verify`,
            configuration_endpoint: 'https://elsewhere.example/stream',
          }),
        ),
    ],
  ])('is asked in every turn when it %s', async (_, change) => {
    change()
    expect((await asking(watching(), 3)).at).toEqual([0, 60, 120])
  })

  test('is asked where the program says', async () => {
    const watch = watching({
      verificationEndpoint: `${idp.url}/ssf/verify`,
      configurationEndpoint: `${idp.url}/ssf/stream`,
    })
    expect((await asking(watch, 4)).at).toEqual([0, 180])
    expect(idp.requests).not.toContain(wellKnown)
  })
})

describe('a watch', () => {
  test('that nobody runs says so instead of repeating what it knew', async () => {
    const watch = watching()
    await watch.check()
    await pushTo(doorOf(watch), answerTo(asked[0]?.state))
    await watch.check()
    clock.forward(3901)
    expect(watch.health()).toMatchObject({ name: 'silent', reason: 'unchecked' })
  })

  test('runs until it is told to stop, and goes on after a failure', async () => {
    const stop = new AbortController()
    const failures: unknown[] = []
    let looks = 0
    const memory = memorySessionStore({ now })
    const watch = watching({
      store: { ...memory, get: (key) => (looks === 0 ? Promise.reject(new Error('down')) : memory.get(key)) },
      async sleep(ms) {
        expect(ms).toBe(15_000)
        if (++looks === 3) stop.abort()
      },
    })
    await watch.run(stop.signal, (error) => failures.push(error))
    expect(failures).toHaveLength(1)
    expect(asked).toHaveLength(1)
  })

  test('tells of silence as soon as the record can be written again', async () => {
    const watch = watching({
      audit: {
        record: (entry) => (clock.ms < full ? Promise.reject(new Error('full')) : audit().record(entry)),
      },
    })
    const full = clock.ms + 10 * minute
    await watch.check()
    clock.forward(300)
    await expect(watch.check()).rejects.toThrow('full')
    clock.forward(300)
    await watch.check()
    expect(changes()).toHaveLength(1)
  })

  test('tells the program of every change', async () => {
    const names: string[] = []
    const watch = watching({ onHealth: ({ name }) => names.push(name) })
    await watch.check()
    clock.forward(300)
    await watch.check()
    await pushTo(doorOf(watch), answerTo(asked[0]?.state))
    await watch.check()
    expect(names).toEqual(['silent', 'live'])
  })

  test.each<[string, Partial<StreamWatchOptions>]>([
    ['no name of the stream', { streamId: undefined as never }],
    ['more time for an answer than for a turn', { everyMs: 1000, answerWithinMs: 1001 }],
    ['an endpoint in the clear', { verificationEndpoint: 'http://idp.example/verify' }],
    ['a configuration in the clear', { configurationUrl: 'http://idp.example/ssf' }],
    ['a configuration of the stream in the clear', { configurationEndpoint: 'http://idp.example/stream' }],
  ])('is not made with %s', async (_, options) => {
    expect(await refusalOf((async () => watching(options))())).toMatchObject({
      code: 'HFAUTH_CONFIG_INVALID',
    })
  })
})

describe('replicas that share a store', () => {
  const stores: readonly [
    string,
    typeof test,
    () => Promise<{ store: MarkStore; close(): Promise<void> }>,
  ][] = [
    ['in memory', test, async () => ({ store: memorySessionStore({ now }), close: async () => {} })],
    [
      'in Redis (real server)',
      redisTest as typeof test,
      async () => {
        const connected: Connected = await connectNodeRedis()
        const prefix = randomPrefix()
        clock.ms = Date.now()
        const close = async () => {
          await removeKeys(connected, prefix)
          await connected.close()
        }
        return { store: redisSessionStore(connected.client, { prefix, now }), close }
      },
    ],
  ]

  describe.each(stores)('%s', (_, run, open) => {
    run('ask once between them, and all know of the answer that one of them got', async () => {
      const { store, close } = await open()
      try {
        const [one, other] = [watching({ store }), watching({ store })]
        await Promise.all([one.check(), other.check()])
        expect(asked).toHaveLength(1)
        expect((await pushTo(doorOf(other, store), answerTo(asked[0]?.state))).status).toBe(202)
        clock.forward(300)
        expect([(await one.check()).name, (await other.check()).name]).toEqual(['live', 'live'])
        expect(changes()).toEqual([])
      } finally {
        await close()
      }
    })
  })

  test('tell the transmitter to come again while the store is down', async () => {
    const watch = watching({ store: { ...memorySessionStore(), get: () => refuseStore() } })
    expect((await pushTo(doorOf(watch), answerTo('1.x'))).status).toBe(503)
  })
})

async function refuseStore(): Promise<never> {
  const { HfAuthError } = await import('@hfauth/core')
  throw new HfAuthError('HFAUTH_STORE_UNAVAILABLE', 'down', { retryable: true })
}
