/** What may be used once is used once: on one replica, and on all that share a store. */
import { HfAuthError } from '@hfauth/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createAuditLog,
  createBackChannelLogout,
  createGlobalTokenRevocation,
  createRevocationIntake,
  createRevocations,
  createSetPoller,
  createSetPush,
  type Door,
  type MarkStore,
  type MemorySink,
  memorySessionStore,
  memorySink,
  type RevocationIntake,
  type RevocationSet,
} from '../src/index.ts'
import { redisSessionStore } from '../src/redis.ts'
import { json, type LoopbackIssuer, policyWith, signed, startIssuer } from './loopback-issuer.ts'
import {
  type Connected,
  connectIoredis,
  connectNodeRedis,
  randomPrefix,
  redisTest,
  removeKeys,
} from './redis-server.ts'

const endpoint = 'https://app.example/universal-logout'
let idp: LoopbackIssuer
let revocations: RevocationSet
let sink: MemorySink
let intake: RevocationIntake
let nextId = 0

beforeAll(async () => {
  idp = await startIssuer()
})
afterAll(() => idp.close())
beforeEach(() => {
  revocations = createRevocations()
  sink = memorySink()
  const audit = createAuditLog({ sink, environment: 'production', service: 'test', durability: 'strict' })
  intake = createRevocationIntake({ revocations, audit })
})

const isRevoked = (subject: string) => revocations.isRevoked({ issuer: idp.url, subject })
const seconds = () => Math.floor(Date.now() / 1000)

function claims(changes: object) {
  return { iss: idp.url, iat: seconds(), jti: `id-${++nextId}`, ...changes }
}

function eventToken(): string {
  const event = claims({
    aud: 'app',
    sub_id: { format: 'iss_sub', iss: idp.url, sub: 'ana' },
    events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} },
  })
  return signed(event, undefined, { typ: 'secevent+jwt' })
}

const post = (type: string, body: string, headers: Record<string, string> = {}) =>
  new Request(endpoint, { method: 'POST', headers: { 'content-type': type, ...headers }, body })

/** A door, how to knock at it, and its answers to the first and to the second time. */
interface Notice {
  readonly name: string
  open(store: MarkStore | undefined): Door
  token(): string
  request(token: string, subject?: string): Request
  readonly taken: number
  readonly again: number
}

const notices: readonly Notice[] = [
  {
    name: 'a logout token',
    open(store) {
      const { issuers } = policyWith({ idp: { preset: 'oidc', issuer: idp.url } })
      return createBackChannelLogout({ intake, issuers: issuers.values(), ...given(store) })
    },
    token() {
      const logout = { aud: 'app-1', exp: seconds() + 120, sub: 'ana' }
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
      return signed(claims({ ...logout, events }), undefined, { typ: 'logout+jwt' })
    },
    request: (token) =>
      post('application/x-www-form-urlencoded', new URLSearchParams({ logout_token: token }).toString()),
    taken: 200,
    again: 400,
  },
  {
    name: 'a security event that is pushed',
    open: (store) =>
      createSetPush({ intake, transmitter: { issuer: idp.url, audience: 'app' }, ...given(store) }),
    token: eventToken,
    request: (token) => post('application/secevent+jwt', token),
    // Whoever sends it again has not heard that it was taken.
    taken: 202,
    again: 202,
  },
  {
    name: 'an order of global revocation',
    open: (store) =>
      createGlobalTokenRevocation({
        intake,
        issuer: idp.url,
        clientId: 'client-1',
        endpoint,
        ...given(store),
      }),
    token() {
      const order = { aud: endpoint, sub: 'client-1', exp: seconds() + 300 }
      return signed(claims(order), undefined, { typ: 'global-token-revocation+jwt' })
    },
    request: (token, sub = 'ana') =>
      post('application/json', JSON.stringify({ sub_id: { format: 'iss_sub', iss: idp.url, sub } }), {
        authorization: `Bearer ${token}`,
      }),
    taken: 204,
    again: 401,
  },
]

function given(store: MarkStore | undefined) {
  return store === undefined ? {} : { store }
}

interface Shared {
  readonly stores: readonly [MarkStore | undefined, MarkStore | undefined]
  close(): Promise<void>
}

const kinds: readonly [name: string, run: typeof test, share: () => Promise<Shared>][] = [
  [
    'two replicas with one store in memory',
    test,
    async () => {
      const store = memorySessionStore()
      return { stores: [store, store], close: async () => {} }
    },
  ],
  [
    'two replicas with Redis (real server), each with a connection and a client of its own',
    redisTest as typeof test,
    async () => {
      const connected: readonly [Connected, Connected] = [await connectNodeRedis(), await connectIoredis()]
      const prefix = randomPrefix()
      return {
        stores: [
          redisSessionStore(connected[0].client, { prefix }),
          redisSessionStore(connected[1].client, { prefix }),
        ],
        async close() {
          await removeKeys(connected[0], prefix)
          for (const { close } of connected) await close()
        },
      }
    },
  ],
]

describe.each(kinds)('at %s', (_, run, share) => {
  let shared: Shared | undefined
  async function stores() {
    shared = await share()
    return shared.stores
  }
  async function end() {
    await shared?.close()
  }

  for (const notice of notices) {
    run(`${notice.name} counts once`, async () => {
      const [one, other] = (await stores()).map((store) => notice.open(store)) as [Door, Door]
      try {
        const token = notice.token()
        expect((await one(notice.request(token))).status).toBe(notice.taken)
        expect((await other(notice.request(token))).status).toBe(notice.again)
        expect((await one(notice.request(token))).status).toBe(notice.again)
        expect(sink.events).toHaveLength(1)
        expect((await other(notice.request(notice.token()))).status).toBe(notice.taken)
        expect(sink.events).toHaveLength(2)
      } finally {
        await end()
      }
    })
  }

  run('a security event that is polled counts once', async () => {
    const pollers = (await stores()).map((store) =>
      createSetPoller({
        intake,
        transmitter: { issuer: idp.url, audience: 'app' },
        endpoint: `${idp.url}/poll`,
        authorization: () => 'Bearer stream',
        ...given(store),
      }),
    )
    try {
      const id = `id-${nextId + 1}`
      idp.answers.set('/poll', json({ sets: { [id]: eventToken() } }))
      for (const poller of pollers) await poller.poll()
      expect(sink.events).toHaveLength(1)
      expect(isRevoked('ana')).toBe(true)
    } finally {
      await end()
    }
  })

  run('an order that is sent to both at once, about two people, is obeyed once', async () => {
    const [, , order] = notices as unknown as [Notice, Notice, Notice]
    const doors = (await stores()).map((store) => order.open(store))
    try {
      const token = order.token()
      const answers = await Promise.all(
        doors.map((door, i) => door(order.request(token, i === 0 ? 'ana' : 'bob'))),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 401])
      expect([isRevoked('ana'), isRevoked('bob')].filter(Boolean)).toHaveLength(1)
    } finally {
      await end()
    }
  })
})

describe.each(notices)('in one process $name', ({ name, open, token, request, taken, again }) => {
  test('counts once', async () => {
    const [door, text] = [open(undefined), token()]
    expect((await door(request(text))).status).toBe(taken)
    expect((await door(request(text))).status).toBe(again)
    expect(sink.events).toHaveLength(1)
  })

  test('that failed is taken when it comes again', async () => {
    const { receive } = intake
    let isDown = true
    intake = {
      ...intake,
      async receive(notice) {
        if (isDown) throw new HfAuthError('HFAUTH_REVOCATION_UNAVAILABLE', 'down', { retryable: true })
        await receive(notice)
      },
    }
    const [door, text] = [open(memorySessionStore()), token()]
    expect([400, 503]).toContain((await door(request(text))).status)
    isDown = false
    expect((await door(request(text))).status).toBe(taken)
  })

  test('has to come again while the store is down, and is never said to be taken', async () => {
    const door = open({ get: down, create: down, delete: down })
    expect([400, 503]).toContain((await door(request(token()))).status)
    // What names whom it is about is in force; what could be about anybody is not.
    expect(isRevoked('ana')).toBe(name !== 'an order of global revocation')
  })
})

async function down(): Promise<never> {
  throw new HfAuthError('HFAUTH_STORE_UNAVAILABLE', 'down', { retryable: true })
}
