/** One suite for every store of sessions: what the handlers rely on holds in each. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { memorySessionStore, type SessionStore } from '../src/index.ts'
import { redisSessionStore } from '../src/redis.ts'
import { createClock, refusalOf } from './loopback-issuer.ts'
import {
  type Connected,
  connectIoredis,
  connectNodeRedis,
  randomPrefix,
  redisTest,
  removeKeys,
} from './redis-server.ts'

const clock = createClock(Date.now())
const now = () => clock.ms
const hour = 3_600_000

/** Redis keeps its own time: there a lifetime is tried with a short one. */
interface Kind {
  readonly name: string
  readonly test: typeof test
  connect?(): Promise<Connected>
}

const kinds: readonly Kind[] = [
  { name: 'memory', test },
  { name: 'Redis through `redis`', test: redisTest as typeof test, connect: connectNodeRedis },
  { name: 'Redis through `ioredis`', test: redisTest as typeof test, connect: connectIoredis },
]

const newKey = () => createHash('sha256').update(randomBytes(16)).digest('hex')

describe.each(kinds)('a store in $name', ({ test: it, connect, name }) => {
  const prefix = randomPrefix()
  let connected: Connected | undefined
  let store: SessionStore
  let key: string

  beforeAll(async () => {
    connected = await connect?.().catch(() => undefined)
  })
  afterAll(async () => {
    if (connected === undefined) return
    await removeKeys(connected, prefix)
    await connected.close()
  })
  beforeEach(() => {
    key = newKey()
    if (connected !== undefined) store = redisSessionStore(connected.client, { prefix, now })
    else if (name === 'memory') store = memorySessionStore({ now })
  })

  const entry = (indexes: readonly string[] = [], untilMs = now() + hour) => ({
    untilMs,
    indexes,
    indexUntilMs: now() + 8 * hour,
  })

  it('gives what was kept, and nothing for any other key', async () => {
    expect(await store.get(key)).toBeUndefined()
    expect(await store.create(key, 'value', entry())).toBe(true)
    expect(await store.get(key)).toBe('value')
    expect(await store.get(newKey())).toBeUndefined()
  })

  it('keeps one value under a key, whoever comes second', async () => {
    const made = await Promise.all(['a', 'b', 'c'].map((value) => store.create(key, value, entry())))
    expect(made.filter(Boolean)).toHaveLength(1)
    expect(await store.create(key, 'later', entry())).toBe(false)
    expect(['a', 'b', 'c']).toContain(await store.get(key))
  })

  it('replaces exactly what was read, and of many at once only one', async () => {
    await store.create(key, 'first', entry())
    expect(await store.replace(key, 'other', 'x', now() + hour)).toBe(false)
    const rivals = Array.from({ length: 20 }, (_, i) => `next-${i}`)
    const outcomes = await Promise.all(rivals.map((next) => store.replace(key, 'first', next, now() + hour)))
    expect(outcomes.filter(Boolean)).toHaveLength(1)
    expect(await store.get(key)).toBe(rivals[outcomes.indexOf(true)])
  })

  it('never brings back by replacing what was removed', async () => {
    await store.create(key, 'value', entry())
    expect(await store.delete(key)).toBe(true)
    expect(await store.replace(key, 'value', 'value', now() + hour)).toBe(false)
    expect(await store.get(key)).toBeUndefined()
    expect(await store.delete(key)).toBe(false)
  })

  it('lets go of a value when its time is over, and keeps one that was prolonged', async () => {
    const prolonged = newKey()
    await store.create(key, 'value', entry([], now() + 150))
    await store.create(prolonged, 'value', entry([], now() + 150))
    await store.replace(prolonged, 'value', 'longer', now() + hour)
    clock.forward(0.2)
    await expect.poll(() => store.get(key)).toBeUndefined()
    expect(await store.get(prolonged)).toBe('longer')
    expect(await store.create(key, 'anew', entry())).toBe(true)
  })

  it('removes everything under a name, and nothing else', async () => {
    const [sub, sid, other] = [newKey(), newKey(), newKey()]
    const keys = [newKey(), newKey(), newKey()]
    await store.create(keys[0] as string, 'a', entry([sub, sid]))
    await store.create(keys[1] as string, 'b', entry([sub]))
    await store.create(keys[2] as string, 'c', entry([other]))
    expect(await store.deleteIndexed(sid)).toBe(1)
    expect(await store.deleteIndexed(sub)).toBe(1)
    expect(await store.deleteIndexed(sub)).toBe(0)
    expect(await Promise.all(keys.map((each) => store.get(each)))).toEqual([undefined, undefined, 'c'])
  })
})

describe('a store in memory', () => {
  test('holds no more than it may: what is over goes first, then what is oldest', async () => {
    const store = memorySessionStore({ now, maxEntries: 3 })
    const keep = (key: string, ms: number) =>
      store.create(key, key, { untilMs: now() + ms, indexes: ['i'], indexUntilMs: now() + hour })
    await keep('oldest', hour)
    await keep('short', 10)
    await keep('third', hour)
    clock.forward(1)
    await keep('fourth', hour)
    expect(await Promise.all(['oldest', 'short', 'third', 'fourth'].map((key) => store.get(key)))).toEqual([
      'oldest',
      undefined,
      'third',
      'fourth',
    ])
    await keep('fifth', hour)
    expect(await store.get('oldest')).toBeUndefined()
    expect(await store.deleteIndexed('i')).toBe(3)
  })
})

describe('a store in Redis', () => {
  redisTest('gives its keys and its names a lifetime, so that nothing stays behind', async () => {
    const connected = await connectNodeRedis()
    const prefix = randomPrefix()
    const store = redisSessionStore(connected.client, { prefix, now })
    const [key, index] = [newKey(), newKey()]
    const times = (shorter: number) => ({
      untilMs: now() + 30_000,
      indexes: [index],
      indexUntilMs: now() + 60_000 - shorter,
    })
    await store.create(key, 'value', times(0))
    await store.create(newKey(), 'value', times(50_000))
    const lifetime = async (name: string) =>
      Number(await connected.client.sendCommand(['PTTL', prefix + name]))
    expect(await lifetime(key)).toBeGreaterThan(25_000)
    expect(await lifetime(key)).toBeLessThanOrEqual(30_000)
    expect(await lifetime(`index:${index}`)).toBeGreaterThan(50_000)
    expect(await lifetime(`index:${index}`)).toBeLessThanOrEqual(60_000)
    await removeKeys(connected, prefix)
    await connected.close()
  })

  redisTest('leaves a session its name that begins while all of that name are ended', async () => {
    const connected = await connectNodeRedis()
    const prefix = randomPrefix()
    const other = redisSessionStore(connected.client, { prefix, now })
    const [key, index] = [newKey(), newKey()]
    const store = redisSessionStore(
      {
        async sendCommand(args) {
          if (args[0] === 'SET') await other.deleteIndexed(index)
          return connected.client.sendCommand(args)
        },
      },
      { prefix, now },
    )
    const times = { untilMs: now() + 30_000, indexes: [index], indexUntilMs: now() + 60_000 }
    expect(await store.create(key, 'value', times)).toBe(true)
    expect(await other.deleteIndexed(index)).toBe(1)
    expect(await other.get(key)).toBeUndefined()
    await removeKeys(connected, prefix)
    await connected.close()
  })

  test('that does not answer in time, or fails, is an error that may pass and quotes nothing', async () => {
    const hanging = redisSessionStore({ sendCommand: () => new Promise(() => {}) }, { timeoutMs: 20 })
    expect(await refusalOf(hanging.get('key'))).toMatchObject({
      code: 'HFAUTH_STORE_UNAVAILABLE',
      retryable: true,
    })
    const failing = redisSessionStore({
      sendCommand: (args) => Promise.reject(new Error(`cannot run ${args.join(' ')}`)),
    })
    const refusal = await refusalOf(
      failing.replace('key', 'a-sealed-value', 'next-value', 0),
      'a-sealed-value',
    )
    expect(refusal.code).toBe('HFAUTH_STORE_UNAVAILABLE')
  })
})
