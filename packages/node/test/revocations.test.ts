import { describe, expect, test } from 'vitest'
import {
  createAuditLog,
  createRevocationIntake,
  createRevocations,
  createVerifier,
  type FeedPage,
  memorySink,
  type Revocation,
  type RevocationFeed,
  type RevocationRecord,
  type RevocationsOptions,
} from '../src/index.ts'
import { unrecorded } from '../src/revoke/unrecorded.ts'
import { createClock, policyWith, refusalOf, signed, startIssuer } from './loopback-issuer.ts'

const issuer = 'https://idp.example'
const ana = { issuer, subject: 'ana' }

function revocationsWith(options: RevocationsOptions = {}) {
  const clock = createClock()
  const revocations = createRevocations({ now: () => clock.now(), clockToleranceSeconds: 0, ...options })
  return { clock, revocations }
}

/** A feed in memory that can be taken down, or made to forget. */
function feedInMemory() {
  const records: RevocationRecord[] = []
  const feed = {
    down: false,
    generation: 1,
    records,
    async append(record: RevocationRecord) {
      if (feed.down) throw new Error('down')
      feed.records.push(record)
    },
    async read(position: string | undefined): Promise<FeedPage> {
      if (feed.down) throw new Error('down')
      const [generation, count] = (position ?? `${feed.generation}-0`).split('-').map(Number) as [
        number,
        number,
      ]
      const restarted = generation !== feed.generation
      return {
        records: feed.records.slice(restarted ? 0 : count),
        position: `${feed.generation}-${feed.records.length}`,
        restarted,
        more: false,
      }
    },
  } satisfies RevocationFeed & Record<string, unknown>
  return feed
}

describe('the set', () => {
  test.each<[string, Revocation, object, object]>([
    [
      'a token by its `jti`',
      { by: 'token', issuer, tokenId: 't1' },
      { ...ana, tokenId: 't1' },
      { ...ana, tokenId: 't2' },
    ],
    [
      'a token by its fingerprint',
      { by: 'fingerprint', fingerprint: 'a'.repeat(32) },
      { ...ana, fingerprint: 'a'.repeat(32) },
      { ...ana, fingerprint: 'b'.repeat(32) },
    ],
    [
      'a session',
      { by: 'session', issuer, sessionId: 's1' },
      { ...ana, sessionId: 's1' },
      { ...ana, sessionId: 's2' },
    ],
    ['a subject', { by: 'subject', issuer, subject: 'ana' }, ana, { issuer, subject: 'bob' }],
    [
      'a subject, up to a time',
      { by: 'subject', issuer, subject: 'ana', before: 1000 },
      { ...ana, issuedAt: 1000 },
      { ...ana, issuedAt: 1001 },
    ],
    [
      'an issuer, up to a time',
      { by: 'issuer', issuer, before: 1000 },
      { ...ana, issuedAt: 1000 },
      { ...ana, issuedAt: 1001 },
    ],
    [
      'an issuer and no other',
      { by: 'issuer', issuer },
      ana,
      { issuer: 'https://other.example', subject: 'ana' },
    ],
  ])('takes back %s', async (_, revocation, gone, kept) => {
    const { revocations } = revocationsWith()
    expect(revocations.isRevoked({ issuer, ...gone })).toBe(false)
    await revocations[unrecorded](revocation)
    expect(revocations.isRevoked({ issuer, ...gone })).toBe(true)
    expect(revocations.isRevoked({ issuer, ...kept })).toBe(false)
  })

  test('what does not tell when it was issued counts as issued before', async () => {
    const { revocations } = revocationsWith()
    await revocations[unrecorded]({ by: 'subject', issuer, subject: 'ana', before: 5 })
    expect(revocations.isRevoked(ana)).toBe(true)
  })

  test('a session with a known subject takes that subject’s credentials along that tell no session', async () => {
    const { revocations } = revocationsWith()
    await revocations[unrecorded]({ by: 'session', issuer, sessionId: 's1', subject: 'ana', before: 1000 })
    expect(revocations.isRevoked({ ...ana, issuedAt: 999 })).toBe(true)
    expect(revocations.isRevoked({ ...ana, issuedAt: 1001 })).toBe(false)
    expect(revocations.isRevoked({ ...ana, sessionId: 's2', issuedAt: 999 })).toBe(false)
  })

  test('a new sign-in after the revocation is good, once clocks that differ are allowed for', async () => {
    const { clock, revocations } = revocationsWith({ clockToleranceSeconds: 30 })
    await revocations[unrecorded]({ by: 'subject', issuer, subject: 'ana' })
    expect(revocations.isRevoked({ ...ana, issuedAt: clock.seconds + 30 })).toBe(true)
    expect(revocations.isRevoked({ ...ana, issuedAt: clock.seconds + 31 })).toBe(false)
  })

  test('a weaker revocation never replaces a stronger one', async () => {
    const { revocations } = revocationsWith()
    await revocations[unrecorded]({ by: 'subject', issuer, subject: 'ana', before: 2000 })
    await revocations[unrecorded]({ by: 'subject', issuer, subject: 'ana', before: 1000 })
    expect(revocations.isRevoked({ ...ana, issuedAt: 1500 })).toBe(true)
    expect(revocations.list()).toHaveLength(1)
  })

  test('an entry counts for the life it was told, and the five minutes that clocks are forgiven', async () => {
    const { clock, revocations } = revocationsWith({ lifeSeconds: 3600 })
    await revocations[unrecorded]({ by: 'token', issuer, tokenId: 't1' })
    clock.forward(3600 + 299)
    expect(revocations.list()).toHaveLength(1)
    expect(revocations.isRevoked({ issuer, tokenId: 't1' })).toBe(true)
    clock.forward(1)
    expect(revocations.list()).toEqual([])
    expect(revocations.isRevoked({ issuer, tokenId: 't1' })).toBe(false)
  })

  test('a full set refuses more, never less: nothing that was revoked comes back', async () => {
    const { clock, revocations } = revocationsWith({ maxEntries: 20 })
    const fingerprint = 'c'.repeat(32)
    await revocations[unrecorded]({ by: 'fingerprint', fingerprint })
    const issuedAt = clock.seconds - 10
    for (let i = 0; i < 100; i++) {
      clock.forward(1)
      await revocations[unrecorded]({ by: 'subject', issuer, subject: `user-${i}` })
      await revocations[unrecorded]({ by: 'session', issuer, sessionId: `session-${i}` })
      expect(revocations.list().length).toBeLessThanOrEqual(22)
    }
    for (let i = 0; i < 100; i++) {
      expect(revocations.isRevoked({ issuer, subject: `user-${i}`, issuedAt })).toBe(true)
      expect(revocations.isRevoked({ issuer, sessionId: `session-${i}`, issuedAt })).toBe(true)
    }
    expect(revocations.isRevoked({ issuer: 'https://other.example', fingerprint, issuedAt })).toBe(true)
    expect(revocations.isRevoked({ issuer, subject: 'new', issuedAt: clock.seconds + 1 })).toBe(false)
    expect(revocations.state().widened).toBeGreaterThan(0)
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an unknown kind', { by: 'group', issuer }],
    ['no subject', { by: 'subject', issuer }],
    ['an empty subject', { by: 'subject', issuer, subject: '' }],
    ['a misspelt member', { by: 'subject', issuer, subject: 'ana', befor: 3 }],
    ['a time that is none', { by: 'issuer', issuer, before: Number.NaN }],
    ['a fingerprint of another form', { by: 'fingerprint', fingerprint: 'A'.repeat(64) }],
  ])('refuses a revocation with %s', async (_, revocation) => {
    const { revocations } = revocationsWith()
    expect(await refusalOf(revocations[unrecorded](revocation as Revocation))).toMatchObject({
      code: 'HFAUTH_CONFIG_INVALID',
    })
    expect(revocations.list()).toEqual([])
  })

  test('listeners hear of every change, until they stop, and one that throws stops no other', async () => {
    const { revocations } = revocationsWith()
    const heard: string[] = []
    revocations.subscribe(() => {
      throw new Error('mine')
    })
    const stop = revocations.subscribe(() => heard.push('x'))
    await revocations[unrecorded]({ by: 'token', issuer, tokenId: 't1' })
    stop()
    await revocations[unrecorded]({ by: 'token', issuer, tokenId: 't2' })
    expect(heard).toEqual(['x'])
  })
})

describe('a feed', () => {
  async function caughtUp(feed: ReturnType<typeof feedInMemory>, until: () => boolean) {
    await expect.poll(until, { interval: 5, timeout: 5000 }).toBe(true)
    return feed
  }
  const fast = { readEveryMs: 10, clockToleranceSeconds: 0 }

  test('carries what one replica revokes to the other', async () => {
    const feed = feedInMemory()
    const [one, other] = [createRevocations({ feed, ...fast }), createRevocations({ feed, ...fast })]
    await Promise.all([one.ready(), other.ready()])
    await one[unrecorded]({ by: 'subject', ...ana })
    await caughtUp(feed, () => other.isRevoked(ana))
    one.close()
    other.close()
  })

  test('before its first reading nothing is let through, and afterwards everything that is not revoked', async () => {
    const feed = feedInMemory()
    feed.down = true
    const revocations = createRevocations({ feed, ...fast })
    expect(revocations.state().name).toBe('starting')
    expect(() => revocations.isRevoked(ana)).toThrow(
      expect.objectContaining({ code: 'HFAUTH_REVOCATION_UNAVAILABLE', retryable: true }),
    )
    feed.down = false
    await revocations.ready()
    expect(revocations.isRevoked(ana)).toBe(false)
    revocations.close()
  })

  test('that is silent too long refuses by default, and what is known to be revoked stays so', async () => {
    const clock = createClock()
    const feed = feedInMemory()
    const states: string[] = []
    const revocations = createRevocations({
      feed,
      ...fast,
      now: () => clock.now(),
      onState: ({ name }) => states.push(name),
    })
    await revocations.ready()
    await revocations[unrecorded]({ by: 'subject', ...ana })
    feed.down = true
    clock.forward(10)
    expect(revocations.isRevoked({ issuer, subject: 'bob' })).toBe(false)
    clock.forward(1)
    expect(() => revocations.isRevoked({ issuer, subject: 'bob' })).toThrow(
      expect.objectContaining({ code: 'HFAUTH_REVOCATION_UNAVAILABLE' }),
    )
    expect(revocations.isRevoked(ana)).toBe(true)
    feed.down = false
    await caughtUp(feed, () => revocations.state().name === 'current')
    expect(revocations.isRevoked({ issuer, subject: 'bob' })).toBe(false)
    await caughtUp(feed, () => states.join() === 'current,stale,current')
    revocations.close()
  })

  test('that is silent is passed over when the options say `continue`, and the state tells', async () => {
    const clock = createClock()
    const feed = feedInMemory()
    const revocations = createRevocations({
      feed,
      ...fast,
      now: () => clock.now(),
      onUnavailable: 'continue',
    })
    await revocations.ready()
    await revocations[unrecorded]({ by: 'subject', ...ana })
    feed.down = true
    clock.forward(60)
    expect(revocations.isRevoked({ issuer, subject: 'bob' })).toBe(false)
    expect(revocations.isRevoked(ana)).toBe(true)
    expect(revocations.state().name).toBe('stale')
    revocations.close()
  })

  test('that is down when something is revoked gets it later; here it is in force at once', async () => {
    const feed = feedInMemory()
    const [one, other] = [createRevocations({ feed, ...fast }), createRevocations({ feed, ...fast })]
    await Promise.all([one.ready(), other.ready()])
    feed.down = true
    expect(await refusalOf(one[unrecorded]({ by: 'subject', ...ana }))).toMatchObject({
      code: 'HFAUTH_REVOCATION_UNAVAILABLE',
      retryable: true,
    })
    expect(one.isRevoked(ana)).toBe(true)
    expect(one.state().unshared).toBe(1)
    feed.down = false
    await caughtUp(feed, () => other.isRevoked(ana))
    expect(one.state().unshared).toBe(0)
    one.close()
    other.close()
  })

  test('that has lost its memory is told again what the replicas know', async () => {
    const feed = feedInMemory()
    const one = createRevocations({ feed, ...fast })
    await one.ready()
    await one[unrecorded]({ by: 'subject', ...ana })
    feed.records.length = 0
    feed.generation = 2
    await caughtUp(feed, () => feed.records.length > 0)
    const late = createRevocations({ feed, ...fast })
    await late.ready()
    expect(late.isRevoked(ana)).toBe(true)
    one.close()
    late.close()
  })
})

describe('a verifier with revocations', () => {
  test('refuses a token that it remembers as soon as it is revoked', async () => {
    const idp = await startIssuer()
    const revocations = createRevocations()
    const policy = policyWith({ idp: { preset: 'oidc', issuer: idp.url } })
    const verifier = createVerifier({ policy, revocations, cacheSeconds: 3600 })
    const now = Math.floor(Date.now() / 1000)
    const token = signed({
      iss: idp.url,
      aud: 'app-1',
      sub: 'ana',
      sid: 's1',
      jti: 't1',
      iat: now,
      exp: now + 600,
    })
    await verifier.verify(token)
    await revocations[unrecorded]({ by: 'session', issuer: idp.url, sessionId: 's1' })
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject({
      code: 'HFAUTH_TOKEN_REVOKED',
      retryable: false,
    })
    await idp.close()
  })
})

describe('what the program takes back by itself', () => {
  test('is in force and on record', async () => {
    const revocations = createRevocations()
    const sink = memorySink()
    const audit = createAuditLog({ sink, environment: 'production', service: 'test' })
    await createRevocationIntake({ revocations, audit }).revoke({ by: 'subject', issuer, subject: 'ana' })
    expect(revocations.isRevoked({ issuer, subject: 'ana' })).toBe(true)
    expect(sink.events).toMatchObject([
      {
        type: 'io.hfauth.revocation.received',
        actor: { id: 'hfauth' },
        revocation: { door: 'program', by: 'subject', issuer, target: 'ana' },
      },
    ])
    revocations.close()
  })

  test('has no way past the record among what the package exports', async () => {
    const revocations = createRevocations()
    expect(Object.keys(revocations).sort()).toEqual([
      'close',
      'isRevoked',
      'list',
      'ready',
      'state',
      'subscribe',
    ])
    expect(Object.keys(await import('../src/index.ts'))).not.toContain('unrecorded')
    revocations.close()
  })
})
