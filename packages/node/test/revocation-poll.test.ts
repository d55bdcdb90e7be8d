import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createAuditLog,
  createRevocationIntake,
  createRevocations,
  createSetPoller,
  memorySink,
  type RevocationSet,
  type SetPollOptions,
} from '../src/index.ts'
import { unrecorded } from '../src/revoke/unrecorded.ts'
import { json, type LoopbackIssuer, refusalOf, rsaKey, signed, startIssuer } from './loopback-issuer.ts'

let idp: LoopbackIssuer
let revocations: RevocationSet
/** What the transmitter still holds, by `jti`. */
let held: Map<string, string>
let bodies: { ack?: string[]; setErrs?: Record<string, { err: string }>; maxEvents: number }[]
let forgets: boolean

beforeAll(async () => {
  idp = await startIssuer()
})
afterAll(() => idp.close())
beforeEach(() => {
  revocations = createRevocations()
  held = new Map()
  bodies = []
  forgets = true
  idp.answers.set('/poll', (request, response, text) => {
    const body = JSON.parse(text)
    bodies.push(body)
    if (request.headers.authorization !== 'Bearer stream') return void response.writeHead(401).end()
    if (forgets) for (const id of [...(body.ack ?? []), ...Object.keys(body.setErrs ?? {})]) held.delete(id)
    const sets = [...held].slice(0, body.maxEvents)
    json({ sets: Object.fromEntries(sets), moreAvailable: held.size > sets.length })(request, response, text)
  })
})

function hold(
  id: string,
  subject: string,
  changes: object = {},
  key = undefined as ReturnType<typeof rsaKey> | undefined,
) {
  const claims = {
    iss: idp.url,
    aud: 'ssf',
    iat: Math.floor(Date.now() / 1000),
    jti: id,
    sub_id: { format: 'iss_sub', iss: idp.url, sub: subject },
    events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {} },
    ...changes,
  }
  held.set(id, signed(claims, key, { typ: 'secevent+jwt' }))
}

function poller(
  options: Partial<SetPollOptions> = {},
  set: Pick<RevocationSet, typeof unrecorded> = revocations,
) {
  const audit = createAuditLog({ sink: memorySink(), environment: 'production', service: 'test' })
  return createSetPoller({
    intake: createRevocationIntake({ revocations: set, audit }),
    transmitter: { issuer: idp.url, audience: 'ssf' },
    endpoint: `${idp.url}/poll`,
    authorization: () => 'Bearer stream',
    ...options,
  })
}

const isRevoked = (subject: string) => revocations.isRevoked({ issuer: idp.url, subject })

describe('security events by poll', () => {
  test('are acknowledged with the next request, and not before they are in force', async () => {
    hold('e1', 'ana')
    const one = poller()
    expect(await one.poll()).toEqual({ received: 1, more: false })
    expect(isRevoked('ana')).toBe(true)
    expect(held.size).toBe(1)
    await one.poll()
    expect(bodies.map(({ ack }) => ack)).toEqual([undefined, ['e1']])
    expect(held.size).toBe(0)
  })

  test('that cannot be believed are told to the transmitter with the reason', async () => {
    hold('bad', 'ana', {}, rsaKey('rsa-1'))
    hold('foreign', 'bob', { aud: 'other' })
    hold('misnamed', 'eve', { jti: 'another' })
    hold('good', 'joe')
    const one = poller()
    await one.poll()
    await one.poll()
    expect(bodies[1]).toMatchObject({
      ack: ['good'],
      setErrs: {
        bad: { err: 'invalid_key' },
        foreign: { err: 'invalid_audience' },
        misnamed: { err: 'invalid_request' },
      },
    })
    expect(['ana', 'bob', 'joe'].map(isRevoked)).toEqual([false, false, true])
  })

  test('that could not be put in force everywhere are not acknowledged and come again', async () => {
    hold('e1', 'ana')
    let down = true
    const one = poller(
      {},
      {
        async [unrecorded](revocation) {
          await revocations[unrecorded](revocation)
          if (down) await createRevocations({ feed: deadFeed })[unrecorded](revocation)
        },
      },
    )
    expect(await refusalOf(one.poll())).toMatchObject({ code: 'HFAUTH_REVOCATION_UNAVAILABLE' })
    down = false
    await one.poll()
    expect(bodies.at(-1)?.ack).toBeUndefined()
    await one.poll()
    expect(bodies.at(-1)?.ack).toEqual(['e1'])
  })

  test.each<[string, () => void]>([
    ['is down', () => void idp.answers.set('/poll', json('', 503))],
    ['refuses us', () => void idp.answers.set('/poll', json('', 401))],
    ['answers with something else', () => void idp.answers.set('/poll', json({ sets: [] }))],
    [
      'sends more than was asked for',
      () => {
        idp.answers.set(
          '/poll',
          json({ sets: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`e${i}`, ''])) }),
        )
      },
    ],
    ['sends more than can be read', () => void idp.answers.set('/poll', json('x'.repeat(5_000_000)))],
  ])('a transmitter that %s is unavailable, and what it still has to be told is kept', async (_, breakIt) => {
    hold('e1', 'ana')
    const one = poller({ maxEvents: 10 })
    await one.poll()
    const answer = idp.answers.get('/poll')
    breakIt()
    expect(await refusalOf(one.poll(), 'Bearer stream')).toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      retryable: true,
    })
    idp.answers.set('/poll', answer as never)
    await one.poll()
    expect(bodies.at(-1)?.ack).toEqual(['e1'])
  })

  test('are fetched until there are none, with pauses that grow with failures and shrink again', async () => {
    for (let i = 0; i < 25; i++) hold(`e${i}`, `user-${i}`)
    const stop = new AbortController()
    const pauses: number[] = []
    const failures: unknown[] = []
    const answer = idp.answers.get('/poll')
    const one = poller({
      maxEvents: 10,
      pauseMs: 1000,
      random: () => 0.5,
      async sleep(ms) {
        pauses.push(ms)
        if (pauses.length === 1) idp.answers.set('/poll', json('', 503))
        if (pauses.length === 4) idp.answers.set('/poll', answer as never)
        if (pauses.length === 5) stop.abort()
      },
    })
    await one.run(stop.signal, (error) => failures.push(error))
    expect(held.size).toBe(0)
    expect(isRevoked('user-24')).toBe(true)
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 1000])
    expect(failures).toHaveLength(3)
  })

  test('that a transmitter repeats for ever do not keep us busy', async () => {
    hold('e1', 'ana')
    forgets = false
    const stop = new AbortController()
    let pauses = 0
    const sleep = async () => {
      if (++pauses === 3) stop.abort()
    }
    await poller({ sleep }).run(stop.signal)
    expect(bodies.length).toBe(4)
  })

  test('stop at once when they are told to', async () => {
    const stop = new AbortController()
    const running = poller({ pauseMs: 300_000 }).run(stop.signal)
    await expect.poll(() => bodies.length).toBe(1)
    stop.abort()
    await running
  })
})

const deadFeed = {
  append: () => Promise.reject(new Error('down')),
  read: async () => ({ records: [], restarted: false, more: false }),
}
