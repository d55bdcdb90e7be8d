/**
 * Limits: what counts, for whom, and when there is room again; the same in memory and in a real Redis.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Principal } from '@hfauth/core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createLimiter, type LimitRule, type LimitStore, memoryLimitStore } from '../src/index.ts'
import { redisLimitStore } from '../src/redis.ts'
import {
  type Connected,
  connectIoredis,
  connectNodeRedis,
  randomPrefix,
  redisIsThere,
  redisTest,
  removeKeys,
} from './redis-server.ts'

const prefix = randomPrefix()
let connected: Connected[] = []

beforeAll(async () => {
  if (redisIsThere) connected = [await connectNodeRedis(), await connectIoredis()]
})

afterAll(async () => {
  const [first] = connected
  if (first !== undefined) await removeKeys(first, prefix)
  for (const { close } of connected) await close()
})

const person = (id: string, orgs: readonly string[] = []) =>
  ({
    id,
    kind: 'user',
    issuer: 'hf',
    orgs: orgs.map((name) => ({ id: `org-${name}`, handle: name })),
  }) as unknown as Principal
const ana = person('hf:ana', ['acme'])
const ben = person('hf:ben', ['acme'])
const nobody = { id: 'anonymous', kind: 'anonymous', issuer: 'anonymous' } as unknown as Principal

const three: LimitRule = { name: 'calls', per: 'principal', limit: 3, windowSeconds: 3600 }

const stores: readonly [name: string, open: (part: string) => LimitStore, run: typeof test][] = [
  ['in memory', () => memoryLimitStore(), test],
  [
    'in Redis (real server)',
    (part) => redisLimitStore({ client: (connected[0] as Connected).client, prefix: `${prefix}${part}:` }),
    redisTest as typeof test,
  ],
  [
    'in Redis (real server), through ioredis',
    (part) => redisLimitStore({ client: (connected[1] as Connected).client, prefix: `${prefix}io-${part}:` }),
    redisTest as typeof test,
  ],
]

describe.each(stores)('limits %s', (_, open, run) => {
  run('a caller has what the window holds and not one more, whatever others use', async () => {
    const limiter = createLimiter({ rules: [three], store: open('one') })
    for (let i = 0; i < 3; i++) expect(await limiter.take({ principal: ana }, 'infer')).toBeUndefined()
    expect(await limiter.take({ principal: ana }, 'infer')).toMatchObject({
      status: 429,
      reason: 'limit_reached',
      headers: { 'ratelimit-policy': '"calls";q=3;w=3600' },
    })
    expect(await limiter.take({ principal: ben }, 'infer')).toBeUndefined()
  })

  run('the refusal says when there is room again: one unit of the window later', async () => {
    const limiter = createLimiter({ rules: [{ ...three, limit: 1, windowSeconds: 60 }], store: open('when') })
    await limiter.take({ principal: ana }, 'infer')
    const refusal = await limiter.take({ principal: ana }, 'infer')
    expect(refusal?.retryAfterSeconds).toBeGreaterThanOrEqual(58)
    expect(refusal?.retryAfterSeconds).toBeLessThanOrEqual(60)
    expect(refusal?.headers?.ratelimit).toBe(`"calls";r=0;t=${refusal?.retryAfterSeconds}`)
  })

  run('an organisation shares one budget among all its members', async () => {
    const rule: LimitRule = { ...three, name: 'acme', per: 'organisation' }
    const limiter = createLimiter({ rules: [rule], store: open('org') })
    for (const principal of [ana, ben, ana])
      expect(await limiter.take({ principal }, 'infer')).toBeUndefined()
    expect(await limiter.take({ principal: ben }, 'infer')).toMatchObject({ status: 429 })
    expect(await limiter.take({ principal: person('hf:eve', ['other']) }, 'infer')).toBeUndefined()
  })

  run('an address has its own, whoever comes from it and before anybody knows', async () => {
    const rules: LimitRule[] = [
      { ...three, name: 'arrivals', per: 'address' },
      { ...three, limit: 1 },
    ]
    const limiter = createLimiter({ rules, store: open('address') })
    const arrive = (ip?: string) => limiter.arrive?.(ip)
    // One network of 64 bits, in three ways to write it.
    for (const ip of ['2001:db8:0:1::1', '2001:0DB8::1:ffff:0:0:1', '2001:db8:0:1:a:b:c:d%eth0'])
      expect(await arrive(ip)).toBeUndefined()
    expect(await arrive('2001:db8:0:1::2')).toMatchObject({
      status: 429,
      headers: { 'ratelimit-policy': '"arrivals";q=3;w=3600' },
    })
    expect(await arrive('2001:db8:0:2::1')).toBeUndefined()
    for (const ip of ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1']) expect(await arrive(ip)).toBeUndefined()
    expect(await arrive('192.0.2.1')).toMatchObject({ reason: 'limit_reached' })
    expect(await arrive('192.0.2.2')).toBeUndefined()
    // It is nobody's of those who are known, and theirs are not taken when somebody arrives.
    expect(await limiter.take({ principal: ana, ip: '192.0.2.1' }, 'read')).toBeUndefined()
    expect(await limiter.take({ principal: ana, ip: '192.0.2.1' }, 'read')).toMatchObject({ status: 429 })
  })

  run('who belongs to no organisation shares the budget of the issuer', async () => {
    const rule: LimitRule = { ...three, limit: 1, per: 'organisation' }
    const limiter = createLimiter({ rules: [rule], store: open('none') })
    expect(await limiter.take({ principal: person('hf:x') }, 'infer')).toBeUndefined()
    expect(await limiter.take({ principal: person('hf:y') }, 'infer')).toMatchObject({ status: 429 })
  })

  run('anonymous callers are told apart by their address', async () => {
    const limiter = createLimiter({ rules: [{ ...three, limit: 1 }], store: open('anonymous') })
    expect(await limiter.take({ principal: nobody, ip: '192.0.2.1' }, 'read')).toBeUndefined()
    expect(await limiter.take({ principal: nobody, ip: '192.0.2.2' }, 'read')).toBeUndefined()
    expect(await limiter.take({ principal: nobody, ip: '192.0.2.1' }, 'read')).toMatchObject({ status: 429 })
  })

  run(
    'an anonymous caller has one limit, whichever of the addresses of an IPv6 network it takes',
    async () => {
      const limiter = createLimiter({ rules: [{ ...three, limit: 1 }], store: open('ipv6') })
      const take = (ip: string) => limiter.take({ principal: nobody, ip }, 'read')
      expect(await take('2001:db8:0:1::1')).toBeUndefined()
      expect(await take('2001:db8::1:ffff:0:0:2')).toMatchObject({ status: 429 })
      expect(await take('2001:DB8:0:1:a:b:c:d')).toMatchObject({ status: 429 })
      expect(await take('2001:db8:0:2::1')).toBeUndefined()
      expect(await take('fe80::1%eth0')).toBeUndefined()
      expect(await take('fe80::2')).toMatchObject({ status: 429 })
    },
  )

  run('a budget takes what each action costs, and nothing for actions it does not name', async () => {
    const budget: LimitRule = { ...three, name: 'spend', limit: 10, costs: { infer: 4 } }
    const limiter = createLimiter({ rules: [budget], store: open('cost') })
    for (const action of ['infer', 'read', 'infer', 'read', 'read'])
      expect(await limiter.take({ principal: ana }, action)).toBeUndefined()
    expect(await limiter.take({ principal: ana }, 'infer')).toMatchObject({ status: 429 })
    expect(await limiter.take({ principal: ana }, 'toString')).toBeUndefined()
  })

  run('a request that one limit refuses takes nothing from the others', async () => {
    const store = open('atomic')
    const wide: LimitRule = { ...three, name: 'wide', limit: 2, per: 'organisation' }
    const both = createLimiter({ rules: [{ ...three, limit: 1 }, wide], store })
    expect(await both.take({ principal: ana }, 'infer')).toBeUndefined()
    for (let i = 0; i < 5; i++)
      expect(await both.take({ principal: ana }, 'infer')).toMatchObject({ status: 429 })
    expect(await both.take({ principal: ben }, 'infer')).toBeUndefined()
  })

  run('what answers have used is taken from a budget of tokens, also beyond what is left', async () => {
    const rule: LimitRule = { ...three, name: 'tokens', unit: 'tokens', limit: 1_000 }
    const limiter = createLimiter({ rules: [rule], store: open('tokens') })
    const take = () => limiter.take({ principal: ana }, 'infer')
    expect(await take()).toBeUndefined()
    await limiter.spend?.({ principal: ana }, 'infer', 400)
    expect(await take()).toBeUndefined()
    await limiter.spend?.({ principal: ana }, 'infer', 900)
    const refusal = await take()
    expect(refusal).toMatchObject({ status: 429, detail: 'The tokens are used up for now.' })
    // 1,300 of 1,000 an hour: 301 have to grow back before one is there again.
    expect(refusal?.retryAfterSeconds).toBeGreaterThan(1_070)
    expect(refusal?.retryAfterSeconds).toBeLessThan(1_090)
    expect(await limiter.take({ principal: ana }, 'read')).toBeUndefined()
    expect(await limiter.take({ principal: ben }, 'infer')).toBeUndefined()
  })

  run(
    'an answer that does not say counts what the rule says, and no answer more than the budget',
    async () => {
      const rule: LimitRule = { ...three, name: 'told', unit: 'tokens', limit: 1_000, untoldTokens: 600 }
      const limiter = createLimiter({ rules: [rule], store: open('untold') })
      await limiter.take({ principal: ana }, 'infer')
      await limiter.spend?.({ principal: ana }, 'infer', undefined)
      expect(await limiter.take({ principal: ana }, 'infer')).toBeUndefined()
      await limiter.spend?.({ principal: ana }, 'infer', Number.MAX_SAFE_INTEGER)
      const refusal = await limiter.take({ principal: ana }, 'infer')
      expect(refusal?.retryAfterSeconds).toBeLessThan(3_600)
    },
  )

  run('an answer that does not say how many tokens it used counts a thousand', async () => {
    const rule: LimitRule = { ...three, unit: 'tokens', limit: 1_001, windowSeconds: 31 * 86_400 }
    const limiter = createLimiter({ rules: [rule], store: open('untold') })
    expect(await limiter.take({ principal: ana }, 'infer')).toBeUndefined()
    await limiter.spend?.({ principal: ana }, 'infer', undefined)
    expect(await limiter.take({ principal: ana }, 'infer')).toBeUndefined()
    expect(await limiter.take({ principal: ana }, 'infer')).toMatchObject({ status: 429 })
  })

  run('a budget is overdrawn by twice its size at most, and each one by itself', async () => {
    const rule: LimitRule = { ...three, name: 'mine', unit: 'tokens', limit: 100 }
    const ours: LimitRule = { ...rule, name: 'ours', per: 'organisation', limit: 1_000 }
    const limiter = createLimiter({ rules: [rule, ours], store: open('overdrawn') })
    await limiter.take({ principal: ana }, 'infer')
    for (let i = 0; i < 20; i++) await limiter.spend?.({ principal: ana }, 'infer', 100)
    const refusal = await limiter.take({ principal: ana }, 'infer')
    expect(refusal?.retryAfterSeconds).toBeLessThan(3 * 3_600)
    // What was not taken from hers was from that of all.
    expect(await limiter.take({ principal: ben }, 'infer')).toMatchObject({ status: 429 })
  })

  run('units grow back with time', async () => {
    const limiter = createLimiter({
      rules: [{ ...three, limit: 20, windowSeconds: 1, burst: 1 }],
      store: open('grow'),
    })
    expect(await limiter.take({ principal: ana }, 'infer')).toBeUndefined()
    const deadline = Date.now() + 5_000
    while ((await limiter.take({ principal: ana }, 'infer')) !== undefined) {
      expect(Date.now()).toBeLessThan(deadline)
      await delay(10)
    }
  })
})

redisTest('two replicas share what a hundred requests at once may take (real Redis)', async () => {
  const rule: LimitRule = { ...three, limit: 30 }
  const replicas = connected.map(({ client }) =>
    createLimiter({
      rules: [rule],
      store: redisLimitStore({ client, prefix: `${prefix}shared:`, timeoutMs: 5_000 }),
    }),
  )
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => replicas[i % 2]?.take({ principal: ana }, 'infer')),
  )
  expect(answers.filter((refusal) => refusal === undefined)).toHaveLength(30)
})

redisTest('a bucket leaves Redis by itself once it is full again (real Redis)', async () => {
  const { client } = connected[0] as Connected
  const limiter = createLimiter({
    rules: [three],
    store: redisLimitStore({ client, prefix: `${prefix}ttl:` }),
  })
  await limiter.take({ principal: ana }, 'infer')
  const left = Number(await client.sendCommand(['PTTL', `${prefix}ttl:calls:p:hf:ana`]))
  expect(left).toBeGreaterThan(1_100_000)
  expect(left).toBeLessThanOrEqual(1_200_001)
})

describe('when the store cannot be asked', () => {
  const store: LimitStore = { take: () => Promise.reject(new Error('redis://user:secret@host')) }

  test('the request is refused, and what the client library says is not repeated', async () => {
    const error = await createLimiter({ rules: [three], store })
      .take({ principal: ana }, 'infer')
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'HFAUTH_STORE_UNAVAILABLE', retryable: true })
    expect(String((error as Error).stack)).not.toContain('secret')
  })

  test('it passes where that was chosen', async () => {
    const limiter = createLimiter({ rules: [three], store, whenUnavailable: 'allow' })
    expect(await limiter.take({ principal: ana }, 'infer')).toBeUndefined()
  })

  test('a client that never replies is a store that cannot be asked', async () => {
    const silent = redisLimitStore({ client: { sendCommand: () => new Promise(() => {}) }, timeoutMs: 5 })
    const limiter = createLimiter({ rules: [three], store: silent })
    await expect(limiter.take({ principal: ana }, 'infer')).rejects.toMatchObject({
      code: 'HFAUTH_STORE_UNAVAILABLE',
    })
  })
})

test('a clock that is set forward and back again locks nobody out of what is in memory, and frees nobody', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    const limiter = createLimiter({ rules: [three] })
    const take = () => limiter.take({ principal: ana }, 'infer')
    const now = Date.now()
    for (const time of [now, now + 86_400_000, now]) {
      vi.setSystemTime(time)
      expect(await take()).toBeUndefined()
    }
    vi.setSystemTime(now + 86_400_000)
    expect(await take()).toMatchObject({ status: 429 })
  } finally {
    vi.useRealTimers()
  }
})

test('the memory has a bound, and a caller who is out of units is the last to be forgotten', async () => {
  const store = memoryLimitStore({ maxEntries: 10, now: () => 0 })
  const limiter = createLimiter({ rules: [three], store })
  for (let i = 0; i < 3; i++) await limiter.take({ principal: ana }, 'infer')
  for (let i = 0; i < 50; i++) await limiter.take({ principal: person(`hf:${i}`) }, 'infer')
  expect(await limiter.take({ principal: ana }, 'infer')).toMatchObject({ status: 429 })
})

test.each<[string, Partial<LimitRule>]>([
  ['no window', { windowSeconds: 0 }],
  ['a limit that is no number', { limit: Number.NaN }],
  ['a burst above the limit', { burst: 4 }],
  ['a unit that there is not', { unit: 'euros' as 'tokens' }],
  ['costs of actions where tokens count', { unit: 'tokens', costs: { infer: 1 } }],
  ['untold tokens where requests count', { untoldTokens: 5 }],
  ['a cost that never fits', { costs: { infer: 4 } }],
  ['tokens of an address', { per: 'address', unit: 'tokens' }],
  ['costs of actions of an address', { per: 'address', costs: { infer: 1 } }],
  ['a name that does not fit into a header', { name: 'a"b' }],
])('a rule with %s is refused', (_, change) => {
  expect(() => createLimiter({ rules: [{ ...three, ...change }] })).toThrowError(
    expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
  )
})

test('two rules of one name are refused', () => {
  expect(() => createLimiter({ rules: [three, three] })).toThrowError(/one name/)
})
