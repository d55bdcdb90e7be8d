import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createVerifier, type VerifierOptions } from '../src/index.ts'
import { hasRocaFingerprint } from '../src/keys/roca.ts'
import {
  type Answer,
  compact,
  createClock,
  ecKey,
  edKey,
  hs256,
  json,
  type LoopbackIssuer,
  part,
  paths,
  policyWith,
  refusalOf,
  rsa,
  rsaKey,
  type SigningKey,
  signed,
  startIssuer,
} from './loopback-issuer.ts'

const second = rsaKey('rsa-2')
const small = rsaKey('small', 1024)

let issuer: LoopbackIssuer
let clock: ReturnType<typeof createClock>

beforeEach(async () => {
  issuer = await startIssuer()
  clock = createClock()
})
afterEach(() => issuer.close())

function verifierWith(options: Partial<VerifierOptions> = {}) {
  const policy = policyWith({ idp: { preset: 'oidc', issuer: issuer.url } })
  return createVerifier({ policy, now: () => clock.ms, cacheSeconds: 0, ...options })
}

let serial = 0
function tokenOf(key: SigningKey = rsa, header: object = {}) {
  const claims = {
    iss: issuer.url,
    aud: 'app-1',
    sub: 'ada',
    exp: clock.seconds + 300,
    jti: String(serial++),
  }
  return signed(claims, key, header)
}

/** What `promise` gives without another turn of the event loop, in which a network or a timer could have its say. */
function withoutWaiting<T>(promise: Promise<T>): Promise<T | 'it waited'> {
  const turn = new Promise<'it waited'>((resolve) => setImmediate(resolve, 'it waited'))
  return Promise.race([promise, turn])
}

/** From `begin` on, what is asked of `path` gets no answer until `pay`. */
function oweAnswers(path: string) {
  const answer = issuer.answers.get(path) as Answer
  const answers: (() => void)[] = []
  return {
    answers,
    begin: () =>
      issuer.answers.set(path, (request, response, body) => {
        answers.push(() => answer(request, response, body))
      }),
    pay: () => {
      issuer.answers.set(path, answer)
      for (const give of answers) give()
    },
  }
}

const fetched = (path: string = paths.keys) => issuer.requests.filter((asked) => asked === path).length
const unavailable = { code: 'HFAUTH_ISSUER_UNAVAILABLE', retryable: true }
const invalid = { code: 'HFAUTH_TOKEN_INVALID', retryable: false }

describe('the keys of an issuer', () => {
  test('are fetched once for 1,000 parallel first tokens, and not before', async () => {
    const verifier = verifierWith()
    expect(issuer.requests).toEqual([])
    const token = tokenOf()
    await Promise.all(Array.from({ length: 1000 }, () => verifier.verify(token)))
    const others = verifierWith()
    issuer.requests.length = 0
    await Promise.all(Array.from({ length: 100 }, () => others.verify(tokenOf())))
    expect(issuer.requests).toEqual([paths.discovery, paths.keys])
  })

  test.each([
    ['10 minutes when the answer is silent', {}, 600],
    ['as long as the answer says', { 'cache-control': 'public, max-age=120' }, 120],
    ['that less the time the answer spent in caches', { 'cache-control': 'max-age=120', age: '60' }, 60],
    ['30 seconds at least', { 'cache-control': 'max-age=1' }, 30],
    ['30 seconds when the answer forbids it', { 'cache-control': 'no-store, max-age=3600' }, 30],
    ['10 minutes at most', { 'cache-control': 'max-age=9999999' }, 600],
    ['10 minutes when `s-maxage` stands alone', { 'cache-control': 's-maxage=60' }, 600],
  ])('are kept for %s', async (_, headers, seconds) => {
    issuer.keyHeaders = headers as Record<string, string>
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    clock.forward(0.7 * seconds)
    await verifier.verify(tokenOf())
    expect(fetched()).toBe(1)
    clock.forward(0.3 * seconds)
    await verifier.verify(tokenOf())
    expect(fetched()).toBe(2)
  })

  test('are asked for behind the scenes before they are too old, so that nobody waits', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    issuer.keys = [rsa.jwk, second.jwk]
    clock.forward(450)
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify(tokenOf())))
    await vi.waitFor(() => expect(fetched()).toBe(2))
    clock.forward(400)
    await verifier.verify(tokenOf())
    expect(fetched()).toBe(2)
  })

  test('are gone when the issuer withdraws them, once their age is over, though a token was remembered', async () => {
    issuer.keyHeaders = { 'cache-control': 'max-age=60' }
    const verifier = verifierWith({ cacheSeconds: 3600 })
    const token = tokenOf()
    await verifier.verify(token)
    issuer.keys = [second.jwk]
    clock.forward(40)
    await expect(verifier.verify(token)).resolves.toBeDefined()
    clock.forward(20)
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(invalid)
  })

  test('change what is remembered at once: a set without the key ends the results it gave', async () => {
    const verifier = verifierWith({ cacheSeconds: 3600 })
    const token = tokenOf()
    await verifier.verify(token)
    issuer.keys = [second.jwk]
    clock.forward(1)
    await verifier.verify(tokenOf(second))
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(invalid)
  })

  test('that come again unchanged leave what is remembered alone', async () => {
    const verifier = verifierWith({ cacheSeconds: 3600 })
    const token = tokenOf()
    const { principal } = await verifier.verify(token)
    clock.forward(1)
    const unknown = tokenOf(second)
    await refusalOf(verifier.verify(unknown), unknown)
    expect(fetched()).toBe(2)
    expect((await verifier.verify(token)).principal).toBe(principal)
  })

  test('are fetched ten times at most for 10,000 unknown names in five seconds, and a new one works at first sight', async () => {
    const asked: number[] = []
    const verifier = verifierWith({
      now: Date.now,
      fetch: (url, init) => {
        asked.push(Date.now())
        return fetch(url, init)
      },
    })
    clock.ms = Date.now()
    const good = tokenOf()
    const [, body, signature] = good.split('.')
    await verifier.verify(good)
    const start = Date.now()
    const flood: Promise<string>[] = []
    /** Fetches that began after the new key was there, until a token with it was accepted. */
    let fetchesForNew: number | undefined
    while (flood.length < 10_000 || Date.now() - start < 5000) {
      for (let i = 0; i < 200 && flood.length < 10_000; i++) {
        const token = `${part({ alg: 'RS256', kid: `unknown-${serial++}` })}.${body}.${signature}`
        flood.push(
          verifier.verify(token).then(
            () => 'accepted',
            (error) => error.code,
          ),
        )
      }
      if (fetchesForNew === undefined && flood.length >= 5000) {
        fetchesForNew = 0
        issuer.keys = [rsa.jwk, second.jwk]
        const before = asked.length
        flood.push(
          verifier.verify(tokenOf(second)).then(() => {
            fetchesForNew = asked.length - before
            return invalid.code
          }),
        )
      }
      await verifier.verify(good)
      await new Promise((resolve) => setTimeout(resolve, 90))
    }
    for (const from of asked) {
      expect(asked.filter((at) => at >= from && at < from + 5000).length).toBeLessThanOrEqual(10)
    }
    expect(new Set(await Promise.all(flood))).toEqual(new Set([invalid.code]))
    // The next fetch brings it, and the next is never further away than `keyCooldownMs`, which is 600.
    expect(fetchesForNew).toBe(1)
  })

  test('are asked for less and less often for the sake of one unknown name', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    for (let second = 0; second < 300; second++) {
      clock.forward(1)
      const token = tokenOf(rsa, { kid: 'stuck' })
      expect(await refusalOf(verifier.verify(token), token)).toMatchObject(invalid)
    }
    expect(fetched()).toBeLessThan(15)
  })

  test('are replaced when a new name appears, and the old name is gone', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    issuer.keys = [second.jwk]
    await expect(verifier.verify(tokenOf(second))).resolves.toBeDefined()
    const old = tokenOf(rsa)
    expect(await refusalOf(verifier.verify(old), old)).toMatchObject(invalid)
  })

  test('stay in use for a day while the issuer fails, not longer, and are back as soon as it is', async () => {
    const working = [paths.keys, paths.discovery].map((path) => [path, issuer.answers.get(path)] as const)
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    for (const [path] of working) issuer.answers.set(path, json({}, 503))
    clock.forward(600 + 86_399)
    await expect(verifier.verify(tokenOf())).resolves.toBeDefined()
    const unknown = tokenOf(second)
    expect(await refusalOf(verifier.verify(unknown), unknown)).toMatchObject(unavailable)
    clock.forward(1)
    const late = tokenOf()
    expect(await refusalOf(verifier.verify(late), late)).toMatchObject(unavailable)
    for (const [path, answer] of working) issuer.answers.set(path, answer as Answer)
    await expect(verifier.verify(tokenOf())).resolves.toBeDefined()
  })

  test('answer in an outage while the issuer still owes its answer, and are replaced when it comes', async () => {
    const owed = oweAnswers(paths.keys)
    const verifier = verifierWith({ timeoutMs: 60_000 })
    await verifier.verify(tokenOf())
    owed.begin()
    clock.forward(601)
    // The first token gives the issuer a moment; from then on it is known to fail.
    await verifier.verify(tokenOf())
    for (let second = 0; second < 200; second++) {
      clock.forward(1)
      expect(await withoutWaiting(verifier.verify(tokenOf()))).toMatchObject({ kind: 'id_token' })
    }
    expect(owed.answers).toHaveLength(1)
    issuer.keys = [second.jwk]
    owed.pay()
    await expect(verifier.verify(tokenOf(second))).resolves.toBeDefined()
    const old = tokenOf()
    expect(await refusalOf(verifier.verify(old), old)).toMatchObject(invalid)
  })

  test('are known to be out of reach before they are too old when there is traffic', async () => {
    let ask: typeof fetch = fetch
    const verifier = verifierWith({ fetch: (url, init) => ask(url, init) })
    await verifier.verify(tokenOf())
    ask = () => Promise.reject(new TypeError('it is down'))
    clock.forward(500)
    await verifier.verify(tokenOf())
    // What was asked behind the scenes has failed by the next turn; whoever asks now would wait.
    await new Promise((resolve) => setImmediate(resolve))
    ask = () => new Promise(() => {})
    clock.forward(101)
    expect(await withoutWaiting(verifier.verify(tokenOf()))).toMatchObject({ kind: 'id_token' })
  })

  test('are not asked for by every request while the issuer fails', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    issuer.answers.set(paths.keys, json({}, 503))
    clock.forward(600)
    for (let second = 0; second < 60; second++) {
      await verifier.verify(tokenOf())
      clock.forward(1)
    }
    expect(fetched()).toBeLessThanOrEqual(8)
  })

  test('of an issuer that could not be reached at first are fetched as soon as it can', async () => {
    const working = issuer.answers.get(paths.keys) as Answer
    issuer.answers.set(paths.keys, json({}, 503))
    const verifier = verifierWith()
    const token = tokenOf()
    const refused = await Promise.all(
      Array.from({ length: 50 }, () => refusalOf(verifier.verify(token), token)),
    )
    expect(refused.every(({ code }) => code === unavailable.code)).toBe(true)
    expect(fetched()).toBe(1)
    issuer.answers.set(paths.keys, working)
    await expect(verifier.verify(token)).resolves.toBeDefined()
  })

  test('that came late never overwrite newer ones', async () => {
    let release = () => {}
    let calls = 0
    const verifier = verifierWith({
      timeoutMs: 300,
      // It does not care about its signal, so its first answer comes when nobody waits any more.
      fetch: (url, init) => {
        if (!String(url).endsWith('/jwks') || calls++ > 0) return fetch(url, init)
        return new Promise((resolve) => {
          release = () => resolve(Response.json({ keys: [rsa.jwk] }))
        })
      },
    })
    issuer.keys = [second.jwk]
    const early = tokenOf(second)
    expect(await refusalOf(verifier.verify(early), early)).toMatchObject(unavailable)
    await expect(verifier.verify(tokenOf(second))).resolves.toBeDefined()
    release()
    await new Promise((resolve) => setTimeout(resolve, 10))
    const old = tokenOf(rsa)
    expect(await refusalOf(verifier.verify(old), old)).toMatchObject(invalid)
    await expect(verifier.verify(tokenOf(second))).resolves.toBeDefined()
  })

  test('that were replaced under the same name are noticed with the first token that the new one signed', async () => {
    const verifier = verifierWith({ keyCooldownMs: 20, cacheSeconds: 3600 })
    const old = tokenOf()
    await verifier.verify(old)
    const successor = { ...second, kid: rsa.kid, jwk: { ...second.jwk, kid: rsa.kid } }
    issuer.keys = [successor.jwk]
    await expect(verifier.verify(tokenOf(successor))).resolves.toBeDefined()
    expect(fetched()).toBe(2)
    expect(await refusalOf(verifier.verify(old), old)).toMatchObject(invalid)
  })

  test('are fetched less and less often for the sake of forged signatures, which stay refused', async () => {
    const verifier = verifierWith({ keyCooldownMs: 20 })
    await verifier.verify(tokenOf())
    const forged = () => tokenOf(second, { kid: rsa.kid })
    for (let i = 0; i < 300; i++) {
      clock.forward(1)
      const tokens = Array.from({ length: 5 }, forged)
      for (const one of await Promise.all(tokens.map((token) => refusalOf(verifier.verify(token), token)))) {
        expect(one).toMatchObject(invalid)
      }
      await verifier.verify(tokenOf())
    }
    expect(fetched()).toBeGreaterThan(1)
    expect(fetched()).toBeLessThan(40)
  })

  test('do not become unavailable because a signature is wrong while the issuer fails', async () => {
    const verifier = verifierWith({ keyCooldownMs: 20 })
    await verifier.verify(tokenOf())
    issuer.answers.set(paths.keys, json({}, 503))
    const forged = tokenOf(second, { kid: rsa.kid })
    expect(await refusalOf(verifier.verify(forged), forged)).toMatchObject(invalid)
    await expect(verifier.verify(tokenOf())).resolves.toBeDefined()
  })

  test('are waited for by 4,000 tokens of unknown names at most; the rest is told to come again', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let isHolding = false
    const verifier = verifierWith({
      keyCooldownMs: 0,
      fetch: async (url, init) => {
        if (isHolding) await held
        return fetch(url, init)
      },
    })
    const good = tokenOf()
    await verifier.verify(good)
    isHolding = true
    const [, body, signature] = good.split('.')
    const codes = new Map<string, number>()
    const flood = Array.from({ length: 5000 }, (_, i) =>
      verifier
        .verify(`${part({ alg: 'RS256', kid: `waits-${i}` })}.${body}.${signature}`)
        .catch(({ code }) => {
          codes.set(code, (codes.get(code) ?? 0) + 1)
        }),
    )
    await vi.waitFor(() => expect(codes.get(unavailable.code)).toBe(1000))
    expect(codes.get(invalid.code)).toBeUndefined()
    await expect(verifier.verify(tokenOf())).resolves.toBeDefined()
    release()
    await Promise.all(flood)
    expect(codes.get(invalid.code)).toBe(4000)
  })

  test('are looked for where discovery says now, when they are gone from where it said', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    issuer.answers.set('/moved', json({ keys: [second.jwk] }))
    issuer.answers.set(paths.discovery, json({ issuer: issuer.url, jwks_uri: `${issuer.url}/moved` }))
    issuer.answers.delete(paths.keys)
    clock.forward(30)
    const token = tokenOf(second)
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(unavailable)
    clock.forward(1)
    await expect(verifier.verify(token)).resolves.toBeDefined()
  })

  test('survive a clock that is set back', async () => {
    const verifier = verifierWith()
    await verifier.verify(tokenOf())
    clock.forward(-86_400)
    issuer.keys = [second.jwk]
    await expect(verifier.verify(tokenOf(second))).resolves.toBeDefined()
  })
})

describe('an answer that is no key set', () => {
  const broken: [string, Answer][] = [
    ['status 500', json({ keys: [rsa.jwk] }, 500)],
    ['status 304', (_, response) => response.writeHead(304).end()],
    ['an HTML page', (_, response) => response.end('<html><body>Sign in</body></html>')],
    ['nothing', json('')],
    ['no keys', json({ keys: [] })],
    ['keys that are no list', json({ keys: rsa.jwk })],
    ['a bare list', json([rsa.jwk])],
    ['two keys of one name', json({ keys: [rsa.jwk, { ...second.jwk, kid: 'rsa-1' }] })],
    [
      'more keys than anyone has',
      json({ keys: Array.from({ length: 101 }, (_, kid) => ({ ...rsa.jwk, kid: `${kid}` })) }),
    ],
    ['more bytes than a key set has', json({ keys: [rsa.jwk], padding: 'x'.repeat(600_000) })],
    [
      'a drop of bytes now and then',
      (_, response) => {
        const drip = setInterval(() => response.write(' '), 20)
        response.on('close', () => clearInterval(drip))
      },
    ],
    ['a redirect to a key set', (_, response) => response.writeHead(302, { location: '/other' }).end()],
    ['a member twice', json(`{"keys":[],"keys":[${JSON.stringify(rsa.jwk)}]}`)],
    ['a symmetric key', json({ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'rsa-1', alg: 'RS256' }] })],
    ['a small key', json({ keys: [small.jwk] })],
    ['a key for encryption', json({ keys: [{ ...rsa.jwk, use: 'enc' }] })],
    ['a key for other operations', json({ keys: [{ ...rsa.jwk, key_ops: ['encrypt'] }] })],
    ['a private key', json({ keys: [{ ...rsa.jwk, d: 'AQAB' }] })],
    ['a key for another algorithm', json({ keys: [{ ...rsa.jwk, alg: 'RSA-OAEP' }] })],
    [
      'a point that is on no curve',
      json({ keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'rsa-1' }] }),
    ],
    ['a modulus with padding', json({ keys: [{ ...rsa.jwk, n: `${rsa.jwk.n}=` }] })],
  ]

  test.each(broken)('(%s) leaves the issuer unavailable at first', async (_, answer) => {
    issuer.answers.set(paths.keys, answer)
    issuer.answers.set('/other', json({ keys: [rsa.jwk] }))
    const token = tokenOf()
    expect(await refusalOf(verifierWith({ timeoutMs: 200 }).verify(token), token)).toMatchObject(unavailable)
    expect(issuer.requests).not.toContain('/other')
  })

  test.each(broken)('(%s) never replaces a good one', async (_, answer) => {
    const verifier = verifierWith({ timeoutMs: 200 })
    await verifier.verify(tokenOf())
    issuer.answers.set(paths.keys, answer)
    clock.forward(900)
    await expect(verifier.verify(tokenOf())).resolves.toBeDefined()
    expect(fetched()).toBe(2)
  })

  test('in time counts as none', async () => {
    issuer.answers.set(paths.keys, () => {})
    const token = tokenOf()
    expect(await refusalOf(verifierWith({ timeoutMs: 30 }).verify(token), token)).toMatchObject(unavailable)
  })

  test('is what an issuer gives that is not there', async () => {
    const token = tokenOf()
    await issuer.close()
    const refusal = await refusalOf(verifierWith().verify(token), token)
    expect(refusal).toMatchObject(unavailable)
    expect(refusal.message).toContain('ECONNREFUSED')
  })
})

describe('a key set', () => {
  test('may hold keys for other purposes beside those for signatures', async () => {
    issuer.keys = [
      { ...second.jwk, use: 'enc', alg: 'RSA-OAEP', kid: 'rsa-1' },
      small.jwk,
      { kty: 'new' },
      rsa.jwk,
    ]
    await expect(verifierWith().verify(tokenOf())).resolves.toBeDefined()
    const token = tokenOf(small)
    expect(await refusalOf(verifierWith().verify(token), token)).toMatchObject(invalid)
  })

  test('lets a key without `alg` verify only what its type fits', async () => {
    const elliptic = ecKey('ec-1')
    issuer.keys = [
      { ...rsa.jwk, alg: undefined },
      { ...elliptic.jwk, alg: undefined },
    ]
    const verifier = verifierWith()
    await expect(verifier.verify(tokenOf(rsa))).resolves.toBeDefined()
    await expect(verifier.verify(tokenOf(elliptic))).resolves.toBeDefined()
    const token = tokenOf(elliptic, { kid: 'rsa-1' })
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(invalid)
  })

  test('holds a key to the algorithm it names', async () => {
    issuer.keys = [{ ...rsa.jwk, alg: 'PS256' }]
    const token = tokenOf(rsa)
    expect(await refusalOf(verifierWith().verify(token), token)).toMatchObject(invalid)
  })

  test('with a symmetric key verifies no token made with it', async () => {
    issuer.keys = [{ kty: 'oct', k: 'c2VjcmV0', kid: 'shared', alg: 'HS256' }, rsa.jwk]
    const claims = { iss: issuer.url, aud: 'app-1', sub: 'ada', exp: clock.seconds + 300 }
    const token = compact({ alg: 'HS256', kid: 'shared' }, claims, hs256('secret'))
    expect(await refusalOf(verifierWith().verify(token), token)).toMatchObject(invalid)
  })
})

const rocaKey = () => {
  const file = new URL('vectors/wycheproof/json_web_key_test.json', import.meta.url)
  const groups = JSON.parse(readFileSync(file, 'utf8')).testGroups as {
    comment: string
    public: { keys: [object] }
  }[]
  return groups.find(({ comment }) => comment === 'jws_rsa_roca_key')?.public.keys[0] ?? expect.unreachable()
}

describe('a key that is too weak, or for something else,', () => {
  const ec = ecKey('weak').jwk
  const cases: [string, () => object][] = [
    ['of 1024 bits', () => rsaKey('weak', 1024).jwk],
    ['of 2040 bits', () => rsaKey('weak', 2040).jwk],
    ['with exponent 1', () => ({ ...second.jwk, e: 'AQ' })],
    ['with an even exponent', () => ({ ...second.jwk, e: 'AQAA' })],
    ['with exponent 0', () => ({ ...second.jwk, e: 'AA' })],
    ['with an exponent of 9 bytes', () => ({ ...second.jwk, e: 'AQAAAAAAAAAB' })],
    ['without an exponent', () => ({ ...second.jwk, e: undefined })],
    ['with an even modulus', () => ({ ...second.jwk, n: `${String(second.jwk.n).slice(0, -1)}A` })],
    ['of the ROCA family', rocaKey],
    ['with `use: enc`', () => ({ ...second.jwk, use: 'enc' })],
    ['with `use: SIG`', () => ({ ...second.jwk, use: 'SIG' })],
    ['with other `key_ops`', () => ({ ...second.jwk, use: undefined, key_ops: ['sign'] })],
    ['that is symmetric', () => ({ kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' })],
    ['that is private', () => ({ ...second.jwk, d: 'AQAB' })],
    ['whose point is not on its curve', () => ({ ...ec, y: ec.x })],
    ['on another curve than its algorithm’s', () => ({ ...ec, alg: 'ES384' })],
    ['whose coordinates are cut short', () => ({ ...ec, x: String(ec.x).slice(0, 20) })],
  ]
  test.each(cases)('%s is refused, and the good one beside it works', async (_, make) => {
    issuer.keys = [{ ...make(), kid: 'weak' }, rsa.jwk]
    const verifier = verifierWith({ keyCooldownMs: 0 })
    await expect(verifier.verify(tokenOf(rsa))).resolves.toBeDefined()
    for (const alg of ['RS256', 'ES256']) {
      const token = tokenOf(second, { kid: 'weak', alg })
      expect(await refusalOf(verifier.verify(token), token)).toMatchObject({
        ...invalid,
        message: expect.stringContaining('has no key'),
      })
    }
  })

  test('by its prime factors is told from a good one', () => {
    const modulusOf = (jwk: { n?: unknown }) =>
      BigInt(`0x${Buffer.from(String(jwk.n), 'base64url').toString('hex')}`)
    expect(hasRocaFingerprint(modulusOf(rocaKey()))).toBe(true)
    for (const { jwk } of [rsa, second, small]) expect(hasRocaFingerprint(modulusOf(jwk))).toBe(false)
  })
})

/** All that Ed25519 has, also with the sign of x set, as RFC 8032 §5.1.2 encodes points. */
const smallOrderPoints = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
].map((hex) => ({ kty: 'OKP', crv: 'Ed25519', x: Buffer.from(hex, 'hex').toString('base64url'), kid: 'ed' }))

/** y of eight times a point; for doubling, y tells enough of x (RFC 8032 §5.1.4, in affine coordinates). */
function eightTimes(point: Uint8Array): bigint {
  const p = 2n ** 255n - 19n
  const mod = (value: bigint) => ((value % p) + p) % p
  const power = (base: bigint, exponent: bigint): bigint =>
    exponent === 0n ? 1n : mod(power(mod(base * base), exponent >> 1n) * (exponent & 1n ? base : 1n))
  const over = (one: bigint, other: bigint) => mod(one * power(mod(other), p - 2n))
  const d = over(-121_665n, 121_666n)
  let y = mod(BigInt(`0x${Buffer.from(point).reverse().toString('hex')}`) & (2n ** 255n - 1n))
  for (let i = 0; i < 3; i++) {
    const xx = over(y * y - 1n, d * y * y + 1n)
    y = over(y * y + xx, 1n - d * xx * y * y)
  }
  return y
}

describe.each(smallOrderPoints)('the Ed25519 key $x, a point of small order,', (jwk) => {
  /** The neutral point and 0: written down by somebody who has no key at all. */
  const nobody = { kid: 'ed', alg: 'EdDSA', sign: () => Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]) }

  test('is the neutral point after three doublings, which a good key is not', () => {
    const good = edKey('ed').jwk
    expect(eightTimes(Buffer.from(jwk.x, 'base64url'))).toBe(1n)
    expect(eightTimes(Buffer.from(String(good.x), 'base64url'))).not.toBe(1n)
  })

  test('is left out, and the good one beside it works', async () => {
    issuer.keys = [jwk, rsa.jwk]
    const verifier = verifierWith({ keyCooldownMs: 0 })
    await expect(verifier.verify(tokenOf(rsa))).resolves.toBeDefined()
    const token = tokenOf(nobody as unknown as SigningKey)
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject({
      ...invalid,
      message: expect.stringContaining('has no key'),
    })
  })
})

describe('keys that are in the policy', () => {
  const pinned = (keys: object[]) =>
    createVerifier({
      policy: policyWith({ idp: { preset: 'oidc', issuer: issuer.url, keys } as never }),
      now: () => clock.ms,
    })

  test('are used, and their issuer is asked for nothing', async () => {
    const verifier = pinned([rsa.jwk])
    await expect(verifier.verify(tokenOf())).resolves.toBeDefined()
    const token = tokenOf(second)
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(invalid)
    expect(issuer.requests).toEqual([])
  })

  test('are those of their own alias, whoever else has its address', async () => {
    const clusters = policyWith({
      east: { preset: 'oidc', issuer: issuer.url, audience: 'east', keys: [rsa.jwk] } as never,
      west: { preset: 'oidc', issuer: issuer.url, audience: 'west', keys: [second.jwk] } as never,
      asked: { preset: 'oidc', issuer: issuer.url, audience: 'asked' },
    })
    const published = ecKey('ec-1')
    issuer.keys = [published.jwk]
    const verifier = createVerifier({ policy: clusters, now: () => clock.ms })
    const made = (aud: string, key: SigningKey) =>
      signed({ iss: issuer.url, aud, sub: 'ada', exp: clock.seconds + 300 }, key)
    const own = { east: rsa, west: second, asked: published }
    for (const [alias, key] of Object.entries(own)) {
      expect((await verifier.verify(made(alias, key))).issuer.alias).toBe(alias)
      for (const other of Object.values(own).filter((it) => it !== key)) {
        const token = made(alias, other)
        expect(await refusalOf(verifier.verify(token), token)).toMatchObject(invalid)
      }
    }
  })

  test('and of which none is usable are a mistake', async () => {
    const token = tokenOf()
    expect((await refusalOf(pinned([small.jwk]).verify(token), token)).code).toBe('HFAUTH_CONFIG_INVALID')
  })
})

describe('a discovery document', () => {
  const working = () => ({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` })
  const broken: [string, () => Answer][] = [
    ['names another issuer', () => json({ ...working(), issuer: 'https://evil.example' })],
    ['names its issuer with a slash', () => json({ ...working(), issuer: `${issuer.url}/` })],
    ['names no issuer', () => json({ ...working(), issuer: undefined })],
    ['has no key set', () => json({ issuer: issuer.url })],
    ['has its key set behind http', () => json({ ...working(), jwks_uri: 'http://keys.example/jwks' })],
    ['has its key set in a file', () => json({ ...working(), jwks_uri: 'file:///etc/passwd' })],
    [
      'has its key set behind a password',
      () => json({ ...working(), jwks_uri: issuer.url.replace('//', '//a:b@') }),
    ],
    ['is an HTML page', () => (_, response) => response.end('<html>')],
    ['is not found', () => json(working(), 404)],
    ['has moved', () => (_, response) => response.writeHead(301, { location: '/other' }).end()],
    ['is too long', () => json({ ...working(), padding: 'x'.repeat(600_000) })],
  ]
  test.each(broken)('that %s makes the issuer unavailable, and no key is asked for', async (_, answer) => {
    issuer.answers.set(paths.discovery, answer())
    issuer.answers.set('/other', json(working()))
    const token = tokenOf()
    expect(await refusalOf(verifierWith().verify(token), token)).toMatchObject(unavailable)
    expect(issuer.requests).toEqual([paths.discovery])
  })

  test('of an issuer out there cannot point at a service on this machine', async () => {
    const asked: string[] = []
    const verifier = createVerifier({
      policy: policyWith({ idp: { preset: 'oidc', issuer: 'https://idp.example' } }),
      now: () => clock.ms,
      fetch: async (url) => {
        asked.push(String(url))
        return Response.json({ issuer: 'https://idp.example', jwks_uri: `${issuer.url}/jwks` })
      },
    })
    const claims = { iss: 'https://idp.example', aud: 'app-1', sub: 'ada', exp: clock.seconds + 300 }
    const token = signed(claims)
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(unavailable)
    expect(asked).toEqual(['https://idp.example/.well-known/openid-configuration'])
    expect(issuer.requests).toEqual([])
  })

  test('is looked for below an issuer that has a path, with or without its slash', async () => {
    for (const path of ['/realms/acme', '/realms/acme/']) {
      const url = `${issuer.url}${path}`
      issuer.answers.set('/realms/acme/.well-known/openid-configuration', json({ ...working(), issuer: url }))
      const policy = policyWith({ idp: { preset: 'oidc', issuer: url } })
      const token = signed({ iss: url, aud: 'app-1', sub: 'ada', exp: clock.seconds + 300 })
      await expect(createVerifier({ policy, now: () => clock.ms }).verify(token)).resolves.toBeDefined()
    }
  })
})

describe('a fetch that was passed in', () => {
  test('cannot put what it was given into our errors', async () => {
    const policy = policyWith({ hf: { preset: 'huggingface', issuer: issuer.url } })
    const verifier = createVerifier({
      policy,
      fetch: async (url, init) => {
        if (String(url).endsWith('/userinfo'))
          throw new TypeError(`cannot send ${JSON.stringify(init)}`, { cause: init })
        return fetch(url, init)
      },
    })
    const token = 'hf_oauth_0123456789abcdefghij.0123456789abcdefghij.0123456789abcdefghij'
    expect(await refusalOf(verifier.verify(token), token, 'Bearer')).toMatchObject(unavailable)
  })

  test('that follows redirects is not believed', async () => {
    issuer.answers.set(paths.keys, (_, response) => response.writeHead(302, { location: '/other' }).end())
    issuer.answers.set('/other', json({ keys: [rsa.jwk] }))
    const verifier = verifierWith({ fetch: (url, init) => fetch(url, { ...init, redirect: 'follow' }) })
    const token = tokenOf()
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(unavailable)
  })
})
