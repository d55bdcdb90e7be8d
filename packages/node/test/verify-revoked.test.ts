import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createVerifier, type RevocableIdentity, type VerifierOptions } from '../src/index.ts'
import {
  compact,
  createClock,
  ecKey,
  edKey,
  json,
  type LoopbackIssuer,
  paths,
  policyWith,
  refusalOf,
  rsa,
  type SigningKey,
  signed,
  startIssuer,
} from './loopback-issuer.ts'

let issuer: LoopbackIssuer
let clock: ReturnType<typeof createClock>
let asked: RevocableIdentity[]
let revoked: (identity: RevocableIdentity) => boolean

beforeAll(async () => {
  issuer = await startIssuer()
  issuer.answers.set(paths.userinfo, json({ sub: '64a1' }))
})
afterAll(() => issuer.close())
beforeEach(() => {
  clock = createClock()
  issuer.requests.length = 0
  asked = []
  revoked = () => false
})

function verifierWith(preset = 'oidc', options: Partial<VerifierOptions> = {}) {
  return createVerifier({
    policy: policyWith({ idp: { preset, issuer: issuer.url } }),
    now: () => clock.ms,
    revocations: {
      isRevoked(identity) {
        asked.push(identity)
        return revoked(identity)
      },
    },
    ...options,
  })
}

const claims = () => ({
  iss: issuer.url,
  aud: 'app-1',
  sub: 'ada',
  sid: 's-1',
  jti: 't-1',
  iat: clock.seconds - 5,
  exp: clock.seconds + 300,
})
const idToken = (more: object = {}) => signed({ ...claims(), ...more })

/** Order of the group of P-256. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** The second signature that whoever holds a token can write down: of `(r, s)` it is `(r, n - s)`. */
function withOtherSignature(token: string): string {
  return withSignature(token, (signature) => {
    const s = order - BigInt(`0x${signature.toString('hex', 32)}`)
    signature.write(s.toString(16).padStart(64, '0'), 32, 'hex')
    return signature
  })
}

function withSignature(token: string, change: (signature: Buffer) => Buffer): string {
  const [header, payload, signature = ''] = token.split('.')
  return [header, payload, change(Buffer.from(signature, 'base64url')).toString('base64url')].join('.')
}

/** Order of the group of Ed25519 (RFC 8032 §5.1). */
const edwardsOrder = 2n ** 252n + 27742317777372353535851937790883648493n

/** As `(R, S)` and `(R, S + L)` are for whoever does not look. */
function withLargerNumber(signature: Buffer): Buffer {
  const number = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + edwardsOrder
  const larger = Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse()
  return Buffer.concat([signature.subarray(0, 32), larger])
}

/** As `s` and `s + n` are for whoever does not look. */
function withModulus(signature: Buffer, { jwk }: SigningKey): Buffer {
  const modulus = BigInt(`0x${Buffer.from((jwk as { n: string }).n, 'base64url').toString('hex')}`)
  const number = (BigInt(`0x${signature.toString('hex')}`) + modulus).toString(16)
  return Buffer.from(number.padStart(number.length + (number.length % 2), '0'), 'hex')
}

const gone = { code: 'HFAUTH_TOKEN_REVOKED', retryable: false }

describe('whether a credential has been revoked', () => {
  test('is asked each time, under all of its names, remembered or not', async () => {
    const verifier = verifierWith()
    const token = idToken()
    const { fingerprint } = await verifier.verify(token)
    await verifier.verify(token)
    const identity = {
      issuer: issuer.url,
      subject: 'ada',
      sessionId: 's-1',
      tokenId: 't-1',
      fingerprint,
      issuedAt: clock.seconds - 5,
    }
    expect(asked).toEqual([identity, identity])
  })

  test.each([
    ['subject', 'ada'],
    ['sessionId', 's-1'],
    ['tokenId', 't-1'],
  ] as const)('by its %s, refuses it at once though it is remembered', async (name, value) => {
    const verifier = verifierWith()
    const token = idToken()
    await verifier.verify(token)
    revoked = (identity) => identity[name] === value
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(gone)
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject(gone)
  })

  test('by its fingerprint, refuses it under every signature that fits it', async () => {
    const key = ecKey('ec-1')
    issuer.keys = [rsa.jwk, key.jwk]
    const verifier = verifierWith()
    const token = signed(claims(), key)
    const twin = withOtherSignature(token)
    const { fingerprint } = await verifier.verify(token)
    expect(await verifier.verify(twin)).toMatchObject({ fingerprint })
    revoked = (identity) => identity.fingerprint === fingerprint
    for (const each of [token, twin]) expect(await refusalOf(verifier.verify(each), each)).toMatchObject(gone)
  })

  test('by RSA and EdDSA, whose fingerprint is that of all of it, there is no second signature to take', async () => {
    const edwards = edKey('ed-1')
    issuer.keys = [rsa.jwk, edwards.jwk]
    const verifier = verifierWith()
    const twins = [
      [signed(claims(), edwards), withLargerNumber],
      [signed(claims(), rsa), (signature: Buffer) => withModulus(signature, rsa)],
      [signed(claims(), rsa), (signature: Buffer) => Buffer.concat([Buffer.alloc(1), signature])],
    ] as const
    for (const [token, change] of twins) {
      await verifier.verify(token)
      const twin = withSignature(token, change)
      expect(await refusalOf(verifier.verify(twin), twin)).toMatchObject({ code: 'HFAUTH_TOKEN_INVALID' })
    }
  })

  test('is told by a revocation that came while the credential was being checked', async () => {
    const verifier = verifierWith()
    const token = idToken()
    const first = verifier.verify(token)
    revoked = () => true
    expect(await refusalOf(first, token)).toMatchObject(gone)
  })

  test('is unknown of names that are no texts', async () => {
    const verifier = verifierWith()
    await verifier.verify(idToken({ sid: 7, jti: ['a'], iat: undefined }))
    expect(asked[0]).toMatchObject({ sessionId: undefined, tokenId: undefined, issuedAt: undefined })
  })

  test('is asked of opaque tokens too, and a revoked one is not shown to its issuer again', async () => {
    const verifier = verifierWith('huggingface')
    const told = { sub: '64a1', client_id: 'app-1', exp: clock.seconds + 3600 }
    const token = `hf_oauth_${compact({ alg: 'EdDSA' }, told, edKey('hub').sign)}`
    await verifier.verify(token)
    revoked = ({ subject }) => subject === '64a1'
    for (let i = 0; i < 5; i++) expect(await refusalOf(verifier.verify(token), token)).toMatchObject(gone)
    expect(issuer.requests.filter((path) => path === paths.userinfo)).toHaveLength(1)
  })
})

test('a credential is never remembered beyond its end, whatever `cacheSeconds` says', async () => {
  const verifier = verifierWith('oidc', { cacheSeconds: 3600, clockToleranceSeconds: 0 })
  const token = idToken({ exp: clock.seconds + 20 })
  await verifier.verify(token)
  clock.forward(19)
  await expect(verifier.verify(token)).resolves.toBeDefined()
  clock.forward(1)
  expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_EXPIRED')
})

describe('an opaque token that its issuer refused', () => {
  const token = 'hf_oauth_0123456789abcdefghij'

  test('is not asked about again for five seconds, and then is', async () => {
    issuer.answers.set(paths.userinfo, json({}, 401))
    const verifier = verifierWith('huggingface', { acceptUnboundAccessTokens: true })
    const seen = () => issuer.requests.filter((path) => path === paths.userinfo).length
    for (let i = 0; i < 5; i++) {
      expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_INVALID')
    }
    expect(seen()).toBe(1)
    issuer.answers.set(paths.userinfo, json({ sub: '64a1' }))
    clock.forward(4)
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_INVALID')
    clock.forward(1)
    await expect(verifier.verify(token)).resolves.toBeDefined()
  })

  test('is told from one that its issuer could not be asked about', async () => {
    issuer.answers.set(paths.userinfo, json({}, 503))
    const verifier = verifierWith('huggingface', { acceptUnboundAccessTokens: true })
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_ISSUER_UNAVAILABLE')
    issuer.answers.set(paths.userinfo, json({ sub: '64a1' }))
    await expect(verifier.verify(token)).resolves.toBeDefined()
  })

  test('does not push out what is remembered of good ones, however many there are', async () => {
    const verifier = verifierWith('huggingface', { acceptUnboundAccessTokens: true, cacheEntries: 2 })
    await verifier.verify(token)
    issuer.answers.set(paths.userinfo, json({}, 401))
    for (let i = 0; i < 20; i++) await refusalOf(verifier.verify(`${token}${i}`))
    await expect(verifier.verify(token)).resolves.toBeDefined()
  })
})
