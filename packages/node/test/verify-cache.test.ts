import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createVerifier, tokenFingerprint, type VerifierOptions } from '../src/index.ts'
import {
  type Answer,
  compact,
  createClock,
  edKey,
  json,
  type LoopbackIssuer,
  paths,
  policyWith,
  refusalOf,
  startIssuer,
} from './loopback-issuer.ts'

const hubKey = edKey('hub')
let hub: LoopbackIssuer
let clock: ReturnType<typeof createClock>

beforeAll(async () => {
  hub = await startIssuer()
})
afterAll(() => hub.close())
beforeEach(() => {
  hub.requests.length = 0
  clock = createClock()
  hub.answers.set(paths.userinfo, json({ sub: '64a1' }))
})

function verifierWith(options: Partial<VerifierOptions> = {}) {
  const policy = policyWith({ hf: { preset: 'huggingface', issuer: hub.url } })
  return createVerifier({ policy, now: () => clock.ms, ...options })
}

function accessToken(jti: string): string {
  const claims = { sub: '64a1', client_id: 'app-1', exp: clock.seconds + 3600, jti }
  return `hf_oauth_${compact({ alg: 'EdDSA' }, claims, hubKey.sign)}`
}

const asked = () => hub.requests.filter((path) => path === paths.userinfo).length

describe('the memory of a verifier', () => {
  test('lets parallel askers share one check', async () => {
    const verifier = verifierWith()
    const token = accessToken('1')
    const all = await Promise.all(Array.from({ length: 200 }, () => verifier.verify(token)))
    expect(new Set(all).size).toBe(1)
    expect(asked()).toBe(1)
  })

  test('lets parallel askers share one failure of the issuer, and remembers none', async () => {
    hub.answers.set(paths.userinfo, json({}, 503))
    const verifier = verifierWith()
    const token = accessToken('1')
    const all = await Promise.allSettled(Array.from({ length: 50 }, () => verifier.verify(token)))
    expect(all.every(({ status }) => status === 'rejected')).toBe(true)
    expect(asked()).toBe(1)
    hub.answers.set(paths.userinfo, json({ sub: '64a1' }))
    await expect(verifier.verify(token)).resolves.toBeDefined()
  })

  test('knows tokens by all of their text, not by how they begin', async () => {
    const verifier = verifierWith()
    const token = accessToken('1'.repeat(500))
    await verifier.verify(token)
    hub.answers.set(paths.userinfo, json({}, 401))
    const forged = `${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`
    expect((await refusalOf(verifier.verify(forged), forged)).code).toBe('HFAUTH_TOKEN_INVALID')
  })

  test('loses the oldest first when it is full', async () => {
    const verifier = verifierWith({ cacheEntries: 2 })
    const [one, two, three] = [accessToken('1'), accessToken('2'), accessToken('3')]
    for (const token of [one, two, three]) await verifier.verify(token)
    await verifier.verify(two)
    await verifier.verify(three)
    expect(asked()).toBe(3)
    await verifier.verify(one)
    expect(asked()).toBe(4)
  })

  test('is off with `cacheSeconds: 0`', async () => {
    const verifier = verifierWith({ cacheSeconds: 0 })
    await verifier.verify(accessToken('1'))
    await verifier.verify(accessToken('1'))
    expect(asked()).toBe(2)
  })

  test('still lets parallel askers share one check when it is off, and asks again once that is answered', async () => {
    const verifier = verifierWith({ cacheSeconds: 0 })
    const token = accessToken('1')
    const together = () => Promise.all(Array.from({ length: 200 }, () => verifier.verify(token)))
    expect(new Set(await together()).size).toBe(1)
    expect(asked()).toBe(1)
    await together()
    expect(asked()).toBe(2)
    await Promise.all([verifier.verify(token), verifier.verify(accessToken('2'))])
    expect(asked()).toBe(4)
  })

  test('shares a failure too when it is off, and remembers none', async () => {
    hub.answers.set(paths.userinfo, json({}, 503))
    const verifier = verifierWith({ cacheSeconds: 0 })
    const token = accessToken('1')
    const all = await Promise.allSettled(Array.from({ length: 50 }, () => verifier.verify(token)))
    expect(all.every(({ status }) => status === 'rejected')).toBe(true)
    expect(asked()).toBe(1)
    hub.answers.set(paths.userinfo, json({ sub: '64a1' }))
    await expect(verifier.verify(token)).resolves.toBeDefined()
    expect(asked()).toBe(2)
  })

  test('keeps nothing when it is off, so that a clock set back brings nothing back', async () => {
    const verifier = verifierWith({ cacheSeconds: 0 })
    const token = accessToken('1')
    await verifier.verify(token)
    clock.forward(-5)
    await verifier.verify(token)
    expect(asked()).toBe(2)
  })

  test('is not stretched by a clock that is set back', async () => {
    const verifier = verifierWith()
    const token = accessToken('1')
    await verifier.verify(token)
    clock.forward(-600)
    await verifier.verify(token)
    expect(asked()).toBe(2)
  })

  test('forgets one token by its fingerprint, or all', async () => {
    const verifier = verifierWith()
    const [one, two] = [accessToken('1'), accessToken('2')]
    const { fingerprint } = await verifier.verify(one)
    expect(fingerprint).toBe(tokenFingerprint(one))
    await verifier.verify(two)
    verifier.forget(fingerprint)
    await verifier.verify(one)
    await verifier.verify(two)
    expect(asked()).toBe(3)
    verifier.clear()
    await verifier.verify(two)
    expect(asked()).toBe(4)
  })

  test('does not take up an answer that was under way when it had to forget', async () => {
    const verifier = verifierWith()
    const token = accessToken('1')
    let release = () => {}
    const reached = new Promise<void>((resolve) => {
      const slow: Answer = (_, response) => {
        release = () => response.writeHead(200).end('{"sub":"64a1"}')
        resolve()
      }
      hub.answers.set(paths.userinfo, slow)
    })
    const verifying = verifier.verify(token)
    await reached
    verifier.forget(tokenFingerprint(token))
    release()
    await verifying
    hub.answers.set(paths.userinfo, json({}, 401))
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_INVALID')
  })
})
