import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AssertionKeysOptions,
  createAssertionKeys,
  createAuditLog,
  fileClientKeyStore,
  memoryClientKeyStore,
  memorySink,
} from '../src/index.ts'
import { createClock, refusalOf } from './loopback-issuer.ts'

const day = 86_400
const audience = 'https://idp.example'

function keysWith(options: Partial<AssertionKeysOptions> = {}) {
  const clock = createClock()
  const keys = createAssertionKeys({ clientId: 'app-1', audience, now: () => clock.now(), ...options })
  const published = async () => (await keys.jwks()).keys.map(({ kid }) => kid)
  const assertion = async () => (await keys.parameters()).client_assertion
  const kid = async () => decodeProtectedHeader(await assertion()).kid
  /** As a provider that fetched `set` at some time would do it now. */
  const verify = async (jwt: string, set: Awaited<ReturnType<typeof keys.jwks>>) =>
    (
      await jwtVerify(jwt, createLocalJWKSet(set as unknown as JSONWebKeySet), {
        audience,
        issuer: 'app-1',
        subject: 'app-1',
        typ: 'client-authentication+jwt',
        currentDate: new Date(clock.now()),
      })
    ).payload
  return { clock, keys, published, assertion, kid, verify }
}

describe('assertion keys', () => {
  test.each(['ES256', 'RS256', 'PS256', 'EdDSA'] as const)(
    'sign with %s what a provider verifies',
    async (algorithm) => {
      const { clock, keys, assertion, verify } = keysWith({ algorithm, assertionSeconds: 90 })
      const payload = await verify(await assertion(), await keys.jwks())
      expect(payload).toMatchObject({ iss: 'app-1', sub: 'app-1', aud: audience, exp: clock.seconds + 90 })
      expect((await keys.parameters()).client_assertion_type).toBe(
        'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      )
    },
  )

  test('give every assertion its own `jti`', async () => {
    const { keys, assertion, verify } = keysWith()
    const set = await keys.jwks()
    const ids = await Promise.all([1, 2, 3].map(async () => (await verify(await assertion(), set)).jti))
    expect(new Set(ids).size).toBe(3)
  })

  test('change by themselves, so that a provider with a set of up to a day of age never refuses', async () => {
    const { clock, keys, assertion, verify } = keysWith()
    const kids = new Set<unknown>()
    let set = await keys.jwks()
    for (let hour = 0; hour < 200 * 24; hour += 6) {
      // Fetched once a day, just before it is too old.
      if (hour % 24 === 0) set = await keys.jwks()
      const jwt = await assertion()
      await verify(jwt, set)
      kids.add(decodeProtectedHeader(jwt).kid)
      clock.forward(6 * 3600)
    }
    expect(kids.size).toBe(3)
  })

  test('are published before they sign, and until the last assertion is over', async () => {
    const { clock, keys, published, kid } = keysWith({
      rotateAfterSeconds: 90 * day,
      publishAheadSeconds: day,
    })
    const first = await kid()
    clock.forward(89 * day - 1)
    expect(await published()).toEqual([first])
    clock.forward(1)
    const [, second] = await published()
    expect(second).not.toBe(first)
    expect(await kid()).toBe(first)
    expect((await keys.status()).map(({ use }) => use)).toEqual(['signing', 'next'])
    clock.forward(day)
    expect(await kid()).toBe(second)
    expect(await published()).toEqual([first, second])
    expect((await keys.status()).map(({ use }) => use)).toEqual(['retired', 'signing'])
    clock.forward(60 + 300)
    expect(await published()).toEqual([second])
  })

  test('can be changed early, published first; asked twice, once', async () => {
    const { clock, keys, published, kid } = keysWith({ publishAheadSeconds: 3600 })
    const first = await kid()
    await keys.rotate()
    await keys.rotate()
    expect(await published()).toHaveLength(2)
    expect(await kid()).toBe(first)
    clock.forward(3600)
    expect(await kid()).not.toBe(first)
  })

  test('that are known to others are replaced at once', async () => {
    const sink = memorySink()
    const audit = createAuditLog({ sink, environment: 'production', service: 'test' })
    const { keys, published, kid } = keysWith({ audit })
    const first = await kid()
    await keys.rotate('at-once')
    const second = await kid()
    expect(second).not.toBe(first)
    expect(await published()).toEqual([second])
    await expect
      .poll(() => sink.events)
      .toMatchObject([
        { type: 'io.hfauth.secret.rotated', resource: { kind: 'client-key', id: 'app-1', revision: second } },
      ])
  })

  test('are published without their private halves, for an hour at most', async () => {
    const { keys } = keysWith({ algorithm: 'RS256' })
    const response = await keys.handler(new Request('https://app.example/jwks'))
    expect(response.headers.get('content-type')).toBe('application/jwk-set+json')
    expect(response.headers.get('cache-control')).toBe('public, max-age=3600')
    const {
      keys: [key],
    } = (await response.json()) as { keys: object[] }
    expect(Object.keys(key ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
    expect((await keys.handler(new Request('https://app.example/jwks', { method: 'POST' }))).status).toBe(405)
    expect(inspect(keys, { depth: 9, showHidden: true })).not.toContain('"d"')
  })

  test('are the same for all who share a store, also when they begin together', async () => {
    const store = memoryClientKeyStore()
    const replicas = [1, 2, 3].map(() => keysWith({ store }))
    const kids = await Promise.all(replicas.map(({ kid }) => kid()))
    expect(new Set(kids).size).toBe(1)
    await replicas[0]?.keys.rotate()
    replicas[1]?.clock.forward(60)
    expect(await replicas[1]?.published()).toEqual(await replicas[0]?.published())
  })

  test('in a store that holds something else are refused', async () => {
    const store = memoryClientKeyStore()
    await store.save('{"keys":[{"kid":7}]}', undefined)
    expect(await refusalOf(keysWith({ store }).keys.jwks())).toMatchObject({
      code: 'HFAUTH_SECRET_UNAVAILABLE',
    })
  })
})

describe('a key file', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hfauth-keys-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('keeps the keys for the next start, readable by its owner only', async () => {
    const path = join(folder, 'keys.json')
    const first = await keysWith({ store: fileClientKeyStore(path) }).kid()
    expect(await keysWith({ store: fileClientKeyStore(path) }).kid()).toBe(first)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('is made once by all who begin together, and replaced only by who has seen it', async () => {
    const path = join(folder, 'shared.json')
    const stores = [1, 2, 3, 4].map(() => fileClientKeyStore(path))
    const saved = await Promise.all(stores.map((store, i) => store.save(`text ${i}`, undefined)))
    expect(saved.filter(Boolean)).toHaveLength(1)
    const text = await readFile(path, 'utf8')
    expect(await fileClientKeyStore(path).save('other', 'not what is there')).toBe(false)
    expect(await readFile(path, 'utf8')).toBe(text)
    expect(await fileClientKeyStore(path).save('other', text)).toBe(true)
    expect(await readFile(path, 'utf8')).toBe('other')
  })

  test('that cannot be read or written is told without its content', async () => {
    const path = join(folder, 'keys.json', 'below-a-file')
    expect(
      await refusalOf(fileClientKeyStore(path).save('s3cret-key', undefined), 's3cret-key'),
    ).toMatchObject({
      code: 'HFAUTH_SECRET_UNAVAILABLE',
      retryable: true,
    })
  })
})
