/** Needs Redis at `REDIS_URL` or on 127.0.0.1:6379; without one these tests are skipped, except in CI. */
import { type ChildProcess, fork } from 'node:child_process'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRevocations } from '../src/index.ts'
import { redisRevocationFeed } from '../src/redis.ts'
import { unrecorded } from '../src/revoke/unrecorded.ts'
import { type LoopbackIssuer, signed, startIssuer } from './loopback-issuer.ts'
import { randomPrefix, redisIsThere, redisUrl } from './redis-server.ts'

const isAsked = redisIsThere || process.env.CI !== undefined
const client = isAsked
  ? await createClient({ url: redisUrl })
      .on('error', () => {})
      .connect()
  : undefined

describe.skipIf(client === undefined)('with Redis (skipped when there is no server at REDIS_URL)', () => {
  const redis = client as NonNullable<typeof client>
  const keys: string[] = []
  function newKey() {
    const key = `${randomPrefix()}revocations`
    keys.push(key)
    return key
  }
  /** Thousands of commands at once may take longer than one. */
  const patient = (key: string) => redisRevocationFeed({ client: redis, key, timeoutMs: 20_000 })
  const slow = { timeout: 15_000 }
  let idp: LoopbackIssuer
  beforeAll(async () => {
    idp = await startIssuer()
  })
  afterAll(async () => {
    await idp.close()
    if (keys.length > 0) await redis.del(keys)
    await redis.close()
  })

  test('two processes refuse a revoked principal within one second, also where its token is remembered', async () => {
    const key = newKey()
    const replicas = await Promise.all([startReplica(key), startReplica(key)])
    const [one, other] = replicas as [Replica, Replica]
    const now = Math.floor(Date.now() / 1000)
    const tokens = Array.from({ length: 5 }, (_, i) =>
      signed({
        iss: idp.url,
        aud: 'app-1',
        sub: `user-${i}`,
        sid: `s-${i}`,
        jti: `t-${i}`,
        iat: now,
        exp: now + 900,
      }),
    )
    const bystander = signed({ iss: idp.url, aud: 'app-1', sub: 'eve', iat: now, exp: now + 900 })
    for (const token of [...tokens, bystander]) {
      for (const replica of replicas) expect((await replica.ask({ token })).answer).toBe('yes')
    }
    const revocations = [
      { by: 'subject', issuer: idp.url, subject: 'user-0' },
      { by: 'session', issuer: idp.url, sessionId: 's-1' },
      { by: 'token', issuer: idp.url, tokenId: 't-2' },
      { by: 'subject', issuer: idp.url, subject: 'user-3' },
      { by: 'session', issuer: idp.url, sessionId: 's-4', subject: 'user-4' },
    ]
    const delays: number[] = []
    for (const [i, revoke] of revocations.entries()) {
      const token = tokens[i] ?? ''
      const sentAt = Date.now()
      expect((await one.ask({ revoke })).answer).toBe('yes')
      expect((await one.ask({ token })).answer).toBe('HFAUTH_TOKEN_REVOKED')
      let last = await other.ask({ token })
      while (last.answer === 'yes' && Date.now() - sentAt < 5000) last = await other.ask({ token })
      expect(last.answer).toBe('HFAUTH_TOKEN_REVOKED')
      delays.push(last.at - sentAt)
    }
    expect(Math.max(...delays), `seen after ${delays.join(', ')} ms`).toBeLessThan(1000)
    for (const replica of replicas) expect((await replica.ask({ token: bystander })).answer).toBe('yes')
    for (const replica of replicas) await replica.stop()
    // One that starts later knows them from the beginning.
    const late = await startReplica(key)
    for (const token of tokens) expect((await late.ask({ token })).answer).toBe('HFAUTH_TOKEN_REVOKED')
    await late.stop()
  })

  test('what was revoked while a replica had no connection is known as soon as it has one again', async () => {
    const key = newKey()
    const line = await startLine()
    const url = `redis://127.0.0.1:${line.port}`
    const cutOff = await createClient({ url, socket: { reconnectStrategy: 20 } })
      .on('error', () => {})
      .connect()
    const one = createRevocations({ feed: patient(key), readEveryMs: 20 })
    const feed = redisRevocationFeed({ client: cutOff, key, timeoutMs: 300 })
    const states: string[] = []
    const other = createRevocations({
      feed,
      readEveryMs: 20,
      maxSilenceMs: 1500,
      onState: ({ name }) => states.push(name),
    })
    await Promise.all([one.ready(), other.ready()])
    await one[unrecorded]({ by: 'subject', issuer: idp.url, subject: 'ana' })
    await expect.poll(() => other.list().length, slow).toBe(1)
    line.cut()
    // More than one page.
    await Promise.all(
      Array.from({ length: 2500 }, (_, i) =>
        one[unrecorded]({ by: 'token', issuer: idp.url, tokenId: `t${i}` }),
      ),
    )
    await expect.poll(() => other.state().name, slow).toBe('stale')
    const ask = (subject: string) => () => other.isRevoked({ issuer: idp.url, subject })
    expect(ask('ana')()).toBe(true)
    expect(ask('bob')).toThrow(expect.objectContaining({ code: 'HFAUTH_REVOCATION_UNAVAILABLE' }))
    expect(other.list()).toHaveLength(1)
    line.mend()
    await expect.poll(() => other.list().length, slow).toBe(2501)
    await expect.poll(() => other.state().name, slow).toBe('current')
    expect(ask('bob')()).toBe(false)
    expect(states).toContain('stale')
    one.close()
    other.close()
    cutOff.destroy()
    await line.close()
  })

  test('a stream that was deleted is filled again by the replicas that know its content', async () => {
    const key = newKey()
    const one = createRevocations({ feed: redisRevocationFeed({ client: redis, key }), readEveryMs: 20 })
    await one.ready()
    await one[unrecorded]({ by: 'subject', issuer: idp.url, subject: 'ana' })
    // The place in the stream has to be known before it can be missed.
    await expect.poll(() => one.state().unshared, slow).toBe(0)
    const readAt = one.state().readAt ?? 0
    await expect.poll(() => (one.state().readAt ?? 0) > readAt, slow).toBe(true)
    await redis.del(key)
    await expect.poll(() => redis.xLen(key), slow).toBeGreaterThan(0)
    one.close()
  })

  test('a stream that begins anew with lower ids, as after a restore, is read from its beginning', async () => {
    const key = newKey()
    const one = createRevocations({ feed: redisRevocationFeed({ client: redis, key }), readEveryMs: 20 })
    await one.ready()
    await one[unrecorded]({ by: 'subject', issuer: idp.url, subject: 'ana' })
    const readAt = one.state().readAt ?? 0
    await expect.poll(() => (one.state().readAt ?? 0) > readAt, slow).toBe(true)
    const revocation = { by: 'subject', issuer: idp.url, subject: 'bob' }
    const record = JSON.stringify({ revocation, revokedAt: Date.now() })
    await redis.multi().del(key).xAdd(key, '1-1', { r: record }).exec()
    await expect.poll(() => one.list().length, slow).toBe(2)
    one.close()
  })

  test('a replica is ready when it has read all there is, not its first page', async () => {
    const key = newKey()
    const feed = patient(key)
    const records = Array.from({ length: 2500 }, (_, i) => ({
      revocation: { by: 'token' as const, issuer: idp.url, tokenId: `t${i}` },
      revokedAt: Date.now(),
    }))
    await Promise.all(records.map((record) => feed.append(record)))
    const revocations = createRevocations({ feed })
    await revocations.ready()
    expect(revocations.list()).toHaveLength(2500)
    revocations.close()
  })

  test('an entry that is no revocation is passed over, and those behind it are read', async () => {
    const key = newKey()
    for (const text of ['', '{', '{"revocation":{"by":"all"},"revokedAt":1}', '{"revokedAt":1}', '[]']) {
      await redis.sendCommand(['XADD', key, '*', 'r', text])
    }
    const feed = redisRevocationFeed({ client: redis, key })
    await feed.append({
      revocation: { by: 'subject', issuer: 'https://a', subject: 'ana' },
      revokedAt: Date.now(),
    })
    const revocations = createRevocations({ feed })
    await revocations.ready()
    expect(revocations.list()).toHaveLength(1)
    revocations.close()
  })

  /** A line to Redis that can be cut. */
  async function startLine() {
    const { hostname, port } = new URL(redisUrl)
    const sockets = new Set<Socket>()
    let isCut = false
    const server = createServer((near) => {
      if (isCut) return void near.destroy()
      const far = connect(Number(port || 6379), hostname)
      for (const socket of [near, far]) {
        sockets.add(socket)
        socket.on('error', () => {}).on('close', () => [near, far].map((end) => end.destroy()))
      }
      near.pipe(far).pipe(near)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const cut = () => {
      isCut = true
      for (const socket of sockets) socket.destroy()
    }
    return {
      port: (server.address() as AddressInfo).port,
      cut,
      mend() {
        isCut = false
      },
      close() {
        cut()
        return new Promise((resolve) => server.close(resolve))
      },
    }
  }

  interface Answer {
    readonly id: number
    readonly answer: string
    readonly at: number
  }
  interface Replica {
    ask(message: { token: string } | { revoke: object }): Promise<Answer>
    stop(): Promise<void>
  }

  async function startReplica(key: string): Promise<Replica> {
    const settings = JSON.stringify({ issuerUrl: idp.url, redisUrl, key })
    const child: ChildProcess = fork(join(import.meta.dirname, 'replica.ts'), [settings], { execArgv: [] })
    const waiting = new Map<number, (answer: Answer) => void>()
    let lastId = 0
    const answerTo = (id: number) => new Promise<Answer>((resolve) => waiting.set(id, resolve))
    const ready = answerTo(0)
    child.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer))
    const failed = new Promise<never>((_, reject) => {
      child.once('exit', (code) => reject(new Error(`the replica ended with ${code}`)))
    })
    failed.catch(() => {})
    await Promise.race([ready, failed])
    return {
      ask(message) {
        const id = ++lastId
        const answer = answerTo(id)
        child.send({ id, ...message })
        return Promise.race([answer, failed])
      },
      stop: () =>
        new Promise((resolve) => {
          child.once('exit', () => resolve())
          child.disconnect()
        }),
    }
  }
})
